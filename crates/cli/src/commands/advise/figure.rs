//! λ over batch, budget, parameters and width, drawn.

use wd_advise::{Advice, Axis, Elsewhere};
use wd_report::figure::{
    Colour, Figure, Horizontal, Labels, Mark, Panel, PanelFigure, Point, Series, Transform,
};

/// A panel for each axis; absent where no law gives a number.
pub(super) fn elsewhere(advice: &Advice) -> Option<Figure> {
    if advice.elsewhere.is_empty() {
        return None;
    }
    // A law has one colour in every panel.
    let mut laws: Vec<&str> = Vec::new();
    for place in advice
        .elsewhere
        .iter()
        .filter_map(|table| table.rows.first())
        .flat_map(|(_, places)| places)
    {
        if !laws.contains(&place.law) {
            laws.push(place.law);
        }
    }
    let colours = Colour::sequence(laws.len());
    let colour = |law: &str| {
        laws.iter()
            .position(|known| *known == law)
            .map_or(Colour::Ink, |index| colours[index])
    };
    let panels = advice
        .elsewhere
        .iter()
        .map(|table| panel(table, &colour))
        .collect();
    Some(Figure::Panels(PanelFigure {
        id: "elsewhere".to_owned(),
        title: "λ at other batches, budgets, models and widths".to_owned(),
        description: "λ of each law against the multiple of the planned value of one quantity, all others as planned"
            .to_owned(),
        horizontal: Horizontal::Quantity {
            label: "times the planned value".to_owned(),
            transform: Transform::Log,
        },
        panels,
        columns: 2,
        labels: Labels::Key,
        dashes: "outside the law's range".to_owned(),
    }))
}

fn panel(table: &Elsewhere, colour: &dyn Fn(&str) -> Colour) -> Panel {
    let mut panel = Panel::new(
        match table.axis {
            Axis::Batch => "λ by batch, same data",
            Axis::Budget => "λ by budget, same batch",
            Axis::Parameters => "λ by parameters, same data",
            Axis::Width => "λ by width, η ∝ 1/width",
        },
        170.0,
    );
    panel.transform = Transform::Log;
    let count = table.rows.first().map_or(0, |(_, places)| places.len());
    for law in 0..count {
        let places = || {
            table
                .rows
                .iter()
                .map(move |(factor, places)| (*factor, &places[law]))
        };
        let point = |factor: f64, y: f64| Point {
            x: factor,
            y,
            low: f64::NAN,
            high: f64::NAN,
        };
        let applies: Vec<bool> = places().map(|(_, place)| place.applies).collect();
        let series = |mark: Mark, kept: &dyn Fn(usize) -> bool| {
            let points: Vec<Point> = places()
                .enumerate()
                .map(|(index, (factor, place))| {
                    let value = place.lambda.filter(|_| kept(index)).unwrap_or(f64::NAN);
                    point(factor, value)
                })
                .collect();
            let (_, first) = table.rows[0]
                .1
                .get(law)
                .map_or(("", ""), |place| (place.law, place.name));
            Series {
                label: first.to_owned(),
                colour: colour(table.rows[0].1[law].law),
                mark,
                points,
                annotations: Vec::new(),
            }
        };
        panel
            .series
            .push(series(Mark::Line, &|index| applies[index]));
        // A dashed part begins at the last point within the range.
        let touches = |index: usize| {
            let near = |other: Option<usize>| {
                other
                    .and_then(|other| applies.get(other))
                    .is_some_and(|applies| !applies)
            };
            !applies[index] || near(index.checked_sub(1)) || near(Some(index + 1))
        };
        if applies.contains(&false) {
            panel.series.push(series(Mark::Dashes, &touches));
        }
    }
    panel
}
