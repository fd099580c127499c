//! The report of a model whose λ the data chose: whole, and with nothing in it.

use proptest::prelude::*;
use roxmltree::{Document, ParsingOptions};
use wd_evidence::comparison::{Comparison, Criterion, Curve, Measure};
use wd_evidence::page::{
    Calibration, CalibrationKind, CalibrationPoint, Coefficient, CoefficientPath, Convention,
    EvidenceAnalysis,
};
use wd_page::Context;

const HOSTILE: &str = "</script><img src=x onerror=alert(1)>\"'&\u{0}]]>";

fn analysis(lambdas: &[f64], values: &[f64], text: &str) -> EvidenceAnalysis {
    let curve = |criterion, measure| Curve {
        criterion,
        measure,
        values: values.to_vec(),
        standard_errors: values.to_vec(),
    };
    let comparison = Comparison::new(
        lambdas.to_vec(),
        vec![
            curve(Criterion::Evidence, Measure::LogEvidence),
            curve(Criterion::LeaveOneOut, Measure::SquaredError),
            curve(Criterion::HoldOut, Measure::SquaredError),
        ],
    )
    .unwrap();
    EvidenceAnalysis {
        target: text.to_owned(),
        lead: text.to_owned(),
        regime: text.to_owned(),
        facts: vec![(text.to_owned(), text.to_owned())],
        lambda: lambdas[lambdas.len() / 2],
        interval: Some((values[0], values[0])),
        effective_parameters: values.to_vec(),
        rank: 3,
        training_errors: values.to_vec(),
        comparison,
        coefficients: (0..4)
            .map(|place| Coefficient {
                name: text.to_owned(),
                value: values[place % values.len()],
                deviation: values[0],
                standardized: values[place % values.len()],
            })
            .collect(),
        paths: vec![CoefficientPath {
            name: text.to_owned(),
            points: lambdas.iter().copied().zip(values.iter().copied()).collect(),
        }],
        prior_deviations: vec![(text.to_owned(), values[0])],
        calibration: Some(Calibration {
            rows: text.to_owned(),
            kind: CalibrationKind::Probabilities,
            points: vec![CalibrationPoint {
                promised: 0.5,
                observed: values[0],
                interval: (0.2, 0.8),
                count: 9,
            }],
        }),
        conventions: vec![Convention {
            library: text.to_owned(),
            setting: text.to_owned(),
            call: text.to_owned(),
        }],
        columns: vec![(text.to_owned(), text.to_owned())],
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
        notes: vec![text.to_owned()],
    }
}

#[test]
fn a_whole_report_has_four_figures_and_the_costs() {
    let lambdas = [0.01, 0.1, 1.0, 10.0, 100.0];
    let page =
        analysis(&lambdas, &[0.4, 0.3, 0.2, 0.5, 0.9], "age").page(&context("a title")).html();
    let document = checked(&page);
    let figures = document.descendants().filter(|node| node.has_tag_name("figure"));
    assert_eq!(figures.count(), 4);
    // The choice of leave-one-out, and by how much the evidence's exceeds it: 0.9/0.2 − 1.
    assert!(
        page.contains("leave-one-out") && page.contains("+350\u{a0}%") || page.contains("+350 %")
    );
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
    bare.paths.clear();
    bare.coefficients.clear();
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
