//! Figures on their own: small ones as snapshots, and any numbers whatsoever as a property.

use proptest::prelude::*;
use roxmltree::Document;
use wd_page::figure::{
    Cell, Colour, HeatMap, Horizontal, Labels, Mark, Moment, Note, Panel, PanelFigure, Point,
    Reference, Series, Transform,
};

fn series(label: &str, colour: Colour, mark: Mark, points: Vec<Point>) -> Series {
    Series { label: label.to_owned(), colour, mark, points, annotations: Vec::new() }
}

fn figure(
    horizontal: Horizontal,
    panels: Vec<Panel>,
    columns: usize,
    labels: Labels,
) -> PanelFigure {
    PanelFigure {
        id: "figure".to_owned(),
        title: "A title".to_owned(),
        description: "A description".to_owned(),
        horizontal,
        panels,
        columns,
        labels,
        dashes: "predicted".to_owned(),
    }
}

#[test]
fn a_figure_is_a_file_of_its_own() {
    let mut panel = Panel::new("Loss", 120.0);
    panel.series = vec![series(
        "a",
        Colour::Ink,
        Mark::Line,
        vec![
            Point { x: 0.0, y: 1.0, low: f64::NAN, high: f64::NAN },
            Point { x: 10.0, y: 2.0, low: f64::NAN, high: f64::NAN },
        ],
    )];
    let figure = wd_page::figure::Figure::Panels(figure(steps(), vec![panel], 1, Labels::Key));
    let file = figure.file(700.0);
    let document = Document::parse(&file).expect("well-formed");
    let root = document.root_element();
    assert_eq!(root.attribute("width"), Some("700"));
    let inner = root.children().find(|node| node.tag_name().name() == "svg").expect("the drawing");
    // Every drawing is in the SVG name space, so that a viewer knows it.
    assert_eq!(inner.tag_name().namespace(), Some("http://www.w3.org/2000/svg"));
    let height = |node: roxmltree::Node<'_, '_>| -> f64 {
        node.attribute("height").unwrap().parse().unwrap()
    };
    assert_eq!(height(root), height(inner) + 32.0);
    // Not every program that draws files knows variables of style sheets.
    assert!(!file.contains("var("));
    // Each colour that an element has of its own has a dark counterpart.
    let marks = file.split("data-stroke=\"").skip(1);
    assert!(marks.clone().count() > 0);
    for mark in marks {
        let mark = mark.split('"').next().unwrap_or_default();
        assert!(file.contains(&format!("[data-stroke={mark}]{{stroke:#")), "{mark}");
    }
    assert!(!file.contains("url(http"));
}

fn steps() -> Horizontal {
    Horizontal::Quantity { label: "step".to_owned(), transform: Transform::Linear }
}

#[test]
fn lines_with_bands_and_a_crossing() {
    let colours = Colour::by_lambda(&[0.0, 0.1]);
    let line = |offset: f64| -> Vec<Point> {
        (0..4)
            .map(f64::from)
            .map(|i| Point {
                x: 100.0 * i,
                y: 4.0 - i * offset,
                low: 3.9 - i * offset,
                high: 4.1 - i * offset,
            })
            .collect()
    };
    let mut panel = Panel::new("Training loss", 120.0);
    panel.series = vec![
        series("λ = 0", colours[0], Mark::Line, line(0.1)),
        series("λ = 0.1", colours[1], Mark::Line, line(0.11)),
    ];
    panel.series[0].points[2].y = f64::NAN;
    panel.references.push(Reference { y: 3.8, label: "reference".to_owned(), dotted: false });
    panel.moments.push(Moment {
        x: 280.0,
        y: 3.8,
        label: "crosses".to_owned(),
        colour: colours[1],
    });
    insta::assert_snapshot!(figure(steps(), vec![panel], 1, Labels::Direct).svg(700.0));
}

#[test]
fn dots_over_categories_in_a_narrow_layout() {
    let names = vec!["λ = 0".to_owned(), "λ = 0.1\nκ = 0.82".to_owned(), "λ = 1".to_owned()];
    let mut panel = Panel::new("Gap", 90.0);
    let mut dots = series(
        "",
        Colour::Ink,
        Mark::Dots,
        vec![
            Point { x: 0.0, y: 0.01, low: -0.01, high: 0.03 },
            Point { x: 1.0, y: 0.02, low: f64::NAN, high: f64::NAN },
        ],
    );
    dots.annotations = vec!["+0.010 ± 0.020".to_owned(), "+0.02".to_owned()];
    panel.series.push(dots);
    panel.notes.push(Note { x: 2.0, text: "diverged".to_owned() });
    insta::assert_snapshot!(
        figure(
            Horizontal::Categories { label: "λ".to_owned(), names },
            vec![panel],
            1,
            Labels::None
        )
        .svg(300.0)
    );
}

#[test]
fn a_heat_map_marks_the_best_cell() {
    let cell = |value: f64| {
        Some(Cell { value, label: format!("{value:.2}"), detail: "2 seeds".to_owned() })
    };
    let map = HeatMap {
        id: "grid".to_owned(),
        title: "Loss".to_owned(),
        description: "Loss over two axes".to_owned(),
        column_label: "peak learning rate".to_owned(),
        columns: vec!["0.003".to_owned(), "0.008".to_owned()],
        row_label: "λ".to_owned(),
        rows: vec!["0.1".to_owned(), "0".to_owned()],
        cells: vec![vec![cell(3.5), cell(3.4)], vec![None, cell(3.43)]],
    };
    let svg = map.svg(400.0);
    let document = Document::parse(&svg).unwrap();
    let best = document.descendants().find(|node| node.attribute("class") == Some("best")).unwrap();
    let holder = document
        .descendants()
        .find(|node| node.has_tag_name("text") && node.text() == Some("3.40"))
        .unwrap();
    let rect = holder.parent().unwrap().children().find(|node| node.has_tag_name("rect")).unwrap();
    for side in ["x", "y", "width", "height"] {
        assert_eq!(best.attribute(side), rect.attribute(side));
    }
    insta::assert_snapshot!(svg);
}

/// Every number in a coordinate attribute or a path is a number, and lies near the drawing.
fn check_coordinates(svg: &str) -> Result<(), TestCaseError> {
    let document = Document::parse(svg).map_err(|error| TestCaseError::fail(error.to_string()))?;
    for node in document.descendants() {
        for attribute in node.attributes() {
            let numbers = match attribute.name() {
                "x" | "y" | "x1" | "x2" | "y1" | "y2" | "cx" | "cy" | "r" | "width" | "height"
                | "viewBox" | "d" => attribute.value(),
                _ => continue,
            };
            for number in numbers
                .split(|c: char| c.is_whitespace() || ",MLHVZhlv".contains(c))
                .filter(|part| !part.is_empty())
            {
                let value: f64 = number
                    .parse()
                    .map_err(|_| TestCaseError::fail(format!("{number:?} in {numbers}")))?;
                prop_assert!(value.is_finite() && value.abs() < 20_000.0, "{numbers}");
            }
        }
    }
    prop_assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    Ok(())
}

fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        3 => -10.0..10.0f64,
        1 => any::<f64>(),
        1 => Just(f64::NAN),
        1 => Just(f64::INFINITY),
        1 => Just(0.0),
    ]
}

fn any_series() -> impl Strategy<Value = Series> {
    let point = (any_number(), any_number(), any_number(), any_number());
    let mark =
        prop_oneof![Just(Mark::Line), Just(Mark::Dashes), Just(Mark::Dots), Just(Mark::Rings)];
    (prop::collection::vec(point, 0..6), mark, "[a-z<&λ ]{0,12}", any::<bool>()).prop_map(
        |(points, mark, label, annotated)| {
            let points: Vec<Point> =
                points.into_iter().map(|(x, y, low, high)| Point { x, y, low, high }).collect();
            let annotations = if annotated {
                points.iter().map(|_| "1.0 ± 0.1".to_owned()).collect()
            } else {
                Vec::new()
            };
            Series { label, colour: Colour::Sequence(200), mark, points, annotations }
        },
    )
}

proptest! {
    #[test]
    fn any_numbers_give_a_drawing(
        all in prop::collection::vec(prop::collection::vec(any_series(), 0..4), 0..5),
        x in any_number(),
        y in any_number(),
        domain in prop::option::of((any_number(), any_number())),
        log_x: bool,
        log_y: bool,
        categories in prop::option::of(0usize..5),
        columns in 0usize..4,
        width in 120.0..1000.0f64,
        direct: bool,
    ) {
        let transform = |log| if log { Transform::Log } else { Transform::Linear };
        let panels = all.into_iter().map(|series| {
            let mut panel = Panel::new("A panel", 100.0);
            panel.transform = transform(log_y);
            panel.domain = domain;
            panel.series = series;
            panel.references.push(Reference { y, label: "here".to_owned(), dotted: true });
            panel.moments.push(Moment { x, y, label: "now".to_owned(), colour: Colour::Ink });
            panel.notes.push(Note { x, text: "nothing".to_owned() });
            panel
        }).collect();
        let horizontal = match categories {
            Some(count) => Horizontal::Categories { label: "what".to_owned(), names: (0..count).map(|i| format!("name {i}")).collect() },
            None => Horizontal::Quantity { label: "step".to_owned(), transform: transform(log_x) },
        };
        let labels = if direct { Labels::Direct } else { Labels::Key };
        check_coordinates(&figure(horizontal, panels, columns, labels).svg(width))?;
    }

    #[test]
    fn any_cells_give_a_heat_map(
        cells in prop::collection::vec(prop::collection::vec(prop::option::of(any_number()), 0..5), 0..5),
        rows in 0usize..5,
        columns in 0usize..5,
        width in 120.0..1000.0f64,
    ) {
        let cell = |value: f64| Cell { value, label: value.to_string().replace("NaN", "–").replace("inf", "∞"), detail: String::new() };
        let map = HeatMap {
            id: "map".to_owned(),
            title: "title".to_owned(),
            description: "description".to_owned(),
            column_label: "column".to_owned(),
            columns: (0..columns).map(|i| i.to_string()).collect(),
            row_label: "row".to_owned(),
            rows: (0..rows).map(|i| i.to_string()).collect(),
            cells: cells.into_iter().map(|row| row.into_iter().map(|value| value.map(cell)).collect()).collect(),
        };
        check_coordinates(&map.svg(width))?;
    }
}
