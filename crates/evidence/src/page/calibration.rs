//! How often intervals hold what they promise, and probabilities come true.

use super::{Calibration, CalibrationKind, EvidenceAnalysis, point};
use wd_page::figure::{
    Colour, Horizontal, Labels, Mark, Panel, PanelFigure, Point, Series, Transform,
};
use wd_page::number;
use wd_page::{Content, FigureBlock, Section};

pub(super) fn section(analysis: &EvidenceAnalysis) -> Section {
    let contents = match &analysis.calibration {
        Some(calibration) => vec![figure(calibration)],
        None => vec![Content::Absent(
            "Left out: this fit makes no predictions whose spread could be checked.".to_owned(),
        )],
    };
    Section::full("calibration", "Do the predictions hold what they promise?", contents)
        .named("Calibration")
}

fn figure(calibration: &Calibration) -> Content {
    let (name, promised, observed, caption) = match calibration.kind {
        CalibrationKind::Intervals => (
            "Calibration of predictive intervals.",
            "probability promised by the interval",
            "Share of rows inside",
            "A dot above the dashed line is an interval that is too wide, one below it an interval that is too narrow.",
        ),
        CalibrationKind::Probabilities => (
            "Calibration of predicted probabilities.",
            "predicted probability",
            "Share of rows in the class",
            "A dot below the dashed line is a probability that is too high, one above it one that is too low.",
        ),
    };
    let dots: Vec<Point> = calibration
        .points
        .iter()
        .map(|level| Point {
            x: level.promised,
            y: level.observed,
            low: level.interval.0,
            high: level.interval.1,
        })
        .collect();
    let mut panel = Panel::new(observed, 260.0);
    panel.domain = Some((0.0, 1.0));
    panel.series = vec![
        Series {
            label: "as promised".to_owned(),
            colour: Colour::Ink,
            mark: Mark::Dashes,
            points: vec![point(0.0, 0.0), point(1.0, 1.0)],
            annotations: Vec::new(),
        },
        Series {
            label: "observed".to_owned(),
            colour: Colour::Sequence(7),
            mark: Mark::Dots,
            points: dots,
            annotations: Vec::new(),
        },
    ];
    let figure = PanelFigure {
        id: "calibration-figure".to_owned(),
        title: String::new(),
        description: String::new(),
        horizontal: Horizontal::Quantity {
            label: promised.to_owned(),
            transform: Transform::Linear,
        },
        panels: vec![panel],
        columns: 1,
        labels: Labels::Key,
        dashes: "as promised".to_owned(),
    };
    let rows: usize = calibration.points.iter().map(|level| level.count).max().unwrap_or(0);
    Content::Figure(Box::new(FigureBlock::of_panels(
        figure,
        name,
        &format!(
            "On {}. {caption} Bars are 95 % intervals of a share of up to {} rows.",
            calibration.rows,
            number::count(rows as u64)
        ),
        number::measured,
    )))
}
