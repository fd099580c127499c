//! The report of a model whose λ the data chose: whole, and with nothing in it.

use proptest::prelude::*;
use roxmltree::{Document, ParsingOptions};
use wd_data::table::{Design, Encoding, Feature, Findings, Target, TargetKind};
use wd_evidence::comparison::{Comparison, Criterion, Curve, Measure};
use wd_evidence::fit::{
    Analysis, Calibration, CalibrationKind, CalibrationPoint, CoefficientPath, Convention, Family,
    Observation, Output, PathPoint, Predictor, Quality, Relations, TableSummary,
};
use wd_evidence::{Intercept, Outcome};
use wd_page::{Content, Context};

const HOSTILE: &str = "</script><img src=x onerror=alert(1)>\"'&\u{0}]]>";

fn table(text: &str) -> TableSummary {
    let feature = |place: usize| Feature {
        name: format!("{text}{place}"),
        encoding: Encoding::Number { imputed: None },
    };
    let design = Design {
        features: (0..4).map(feature).collect(),
        targets: vec![Target { name: text.to_owned(), kind: TargetKind::Number, term: None }],
        weights: None,
        dropped: Vec::new(),
        offset: None,
    };
    let findings = Findings { rows: 9, constant: vec![(1, 2.0)], ..Findings::default() };
    TableSummary { files: vec![text.into()], design, findings, relations: Relations::default() }
}

fn analysis(lambdas: &[f64], values: &[f64], text: &str) -> Analysis {
    let curve = |criterion, measure| Curve {
        criterion,
        measure,
        values: values.to_vec(),
        standard_errors: values.to_vec(),
    };
    let curves = vec![
        curve(Criterion::Evidence, Measure::LogEvidence),
        curve(Criterion::LeaveOneOut, Measure::SquaredError),
        curve(Criterion::HoldOut, Measure::SquaredError),
    ];
    let four: Vec<f64> = (0..4).map(|place| values[place % values.len()]).collect();
    let table = table(text);
    Analysis {
        target: text.to_owned(),
        family: Family::Gaussian,
        rows: 9.0,
        intercept: Intercept::Profiled,
        chosen_by: Criterion::Evidence,
        is_edge: false,
        columns: table.design.columns(),
        table,
        lambda: lambdas[lambdas.len() / 2],
        interval: Some((values[0], values[0])),
        outcome: Outcome::Found,
        alpha: values[0],
        beta: values[0],
        log_evidence: values[0],
        effective_parameters: values[0],
        rank: 3,
        path: values
            .iter()
            .take(lambdas.len())
            .map(|value| PathPoint {
                log_evidence: *value,
                effective_parameters: *value,
                squared_norm: *value,
                training_error: *value,
            })
            .collect(),
        comparison: Comparison::new(lambdas.to_vec(), curves).unwrap(),
        outputs: vec![Output {
            class: Some(text.to_owned()),
            intercept: values[0],
            coefficients: four.clone(),
            standardized: four.clone(),
            deviations: four.clone(),
        }],
        groups: Vec::new(),
        conventions: vec![Convention {
            library: "a library",
            name: "λ",
            value: values[0],
            call: text.to_owned(),
        }],
        coefficient_paths: vec![CoefficientPath {
            name: text.to_owned(),
            points: lambdas.iter().copied().zip(values.iter().copied()).collect(),
        }],
        calibration: Some(Calibration {
            rows: text.to_owned(),
            kind: CalibrationKind::Probabilities,
            points: vec![CalibrationPoint {
                promised: 0.5,
                observed: values[0],
                interval: (0.2, 0.8),
                count: 9,
            }],
            skewness: values[0],
        }),
        quality: Quality {
            r_squared: Some(values[0]),
            r_squared_left_out: Some(values[0]),
            root_mean_squared_error: Some(values[0]),
            deviance: Some(values[0]),
            null_deviance: Some(values[0]),
            accuracy: Some(values[0]),
        },
        observations: values
            .iter()
            .map(|value| Observation { predicted: *value, observed: -value })
            .collect(),
        notes: vec![text.to_owned()],
        predictor: Predictor::Linear { intercept: values[0], coefficients: four },
    }
}

/// The page as a tree, after what holds for every page was checked.
fn checked(page: &str) -> Document<'_> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    let document = Document::parse_with_options(page, options).unwrap();
    for node in document.descendants().filter(|node| node.is_element()) {
        for name in ["x", "y", "cx", "cy", "d", "width", "height", "viewBox"] {
            let value = node.attribute(name).unwrap_or_default();
            assert!(!value.contains("NaN") && !value.contains("inf"), "{name}={value}");
        }
        assert_ne!(node.tag_name().name(), "img");
    }
    document
}

fn context(text: &str) -> Context {
    Context {
        title: text.to_owned(),
        commands: vec![text.to_owned()],
        setting: vec![(text.to_owned(), text.to_owned())],
        settling: Vec::new(),
        notes: vec![text.to_owned()],
    }
}

#[test]
fn a_whole_report_has_its_figures_and_the_costs() {
    let lambdas = [0.01, 0.1, 1.0, 10.0, 100.0];
    let page = analysis(&lambdas, &[0.4, 0.3, 0.2, 0.5, 0.9], "age").page(&context("a title"));
    let html = page.html();
    let document = checked(&html);
    let figures = document.descendants().filter(|node| node.has_tag_name("figure"));
    assert_eq!(figures.count(), 5);
    // The choice of the evidence, and by how much its error exceeds that of leave-one-out, which is
    // lowest between two points: a little more than 0.9/0.2 − 1.
    let choice = page.sections.iter().find(|section| section.id == "choice").unwrap();
    let tables = choice.contents.iter().filter_map(|content| match content {
        Content::Table(table) => Some(table),
        _ => None,
    });
    let [table] = tables.collect::<Vec<_>>()[..] else { panic!("one table of choices") };
    assert_eq!(table.rows[0][..3], ["evidence", "≥ 100 (edge of the path)", "0"]);
    let cost = table.rows[0][3].strip_prefix('+').and_then(|cost| cost.strip_suffix(" %"));
    assert!(cost.is_some_and(|cost| (350.0..400.0).contains(&cost.parse::<f64>().unwrap())));
    let own = &table.rows[1];
    assert_eq!((own[0].as_str(), own[3].as_str(), own[4].as_str()), ("leave-one-out", "0", "0"));
    assert!((0.3..1.0).contains(&own[1].parse::<f64>().unwrap()), "{own:?}");
}

#[test]
fn hostile_text_stays_text() {
    let lambdas = [0.01, 1.0, 100.0];
    let page = analysis(&lambdas, &[0.4, 0.3, 0.2], HOSTILE).page(&context(HOSTILE)).html();
    checked(&page);
    assert!(!page.contains("<img"));
}

#[test]
fn what_is_missing_is_said() {
    let mut bare = analysis(&[1.0], &[f64::NAN], "x");
    bare.lambda = f64::INFINITY;
    bare.interval = None;
    bare.coefficient_paths.clear();
    bare.outputs.clear();
    bare.calibration = None;
    bare.comparison = Comparison::new(vec![1.0], Vec::new()).unwrap();
    let page = bare.page(&context("x")).html();
    checked(&page);
    assert_eq!(page.matches("Left out:").count(), 3);
}

proptest! {
    #[test]
    fn any_numbers_give_a_page(
        lambdas in prop::collection::vec(any::<f64>(), 1..6),
        values in prop::collection::vec(any::<f64>(), 6),
    ) {
        let values = &values[..lambdas.len()];
        checked(&analysis(&lambdas, values, "x").page(&context("x")).html());
    }
}
