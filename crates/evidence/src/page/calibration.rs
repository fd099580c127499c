//! How often intervals hold what they promise, and probabilities come true.

use wd_page::figure::{Colour, Horizontal, Mark, Panel, PanelFigure, Point, Series};
use wd_page::{Content, FigureBlock, Section, number};

use crate::fit::{Analysis, Calibration, CalibrationKind};

pub(super) fn section(analysis: &Analysis) -> Section {
    let contents = match &analysis.calibration {
        Some(calibration) => vec![drawn(calibration)],
        None => vec![Content::Absent(
            "Left out: this fit makes no predictions whose spread could be checked.".to_owned(),
        )],
    };
    Section::full("calibration", "Do the predictions hold what they promise?", contents)
        .named("Calibration")
}

fn drawn(calibration: &Calibration) -> Content {
    let (name, promised, observed, caption) = match calibration.kind {
        CalibrationKind::Intervals => (
            "Calibration of predictive intervals.",
            "probability promised by the interval",
            "Share of rows inside",
            "A dot above the dashed line is an interval that is too wide, one below it an interval \
             that is too narrow.",
        ),
        CalibrationKind::Probabilities => (
            "Calibration of predicted probabilities.",
            "predicted probability",
            "Share of rows in the class",
            "A dot below the dashed line is a probability that is too high, one above it one that \
             is too low.",
        ),
    };
    let dots: Vec<Point> = calibration
        .points
        .iter()
        .map(|level| {
            let (low, high) = level.interval;
            Point::with_interval(level.promised, level.observed, low, high)
        })
        .collect();
    let mut panel = Panel::new(observed, 260.0);
    panel.domain = Some((0.0, 1.0));
    let diagonal = vec![Point::at(0.0, 0.0), Point::at(1.0, 1.0)];
    panel.series = vec![
        Series::new("as promised", Colour::Ink, Mark::Dashes, diagonal),
        Series::new("observed", Colour::Sequence(7), Mark::Dots, dots),
    ];
    let figure = PanelFigure {
        dashes: "as promised".to_owned(),
        ..PanelFigure::along("calibration-figure", Horizontal::linear(promised), vec![panel])
    };
    let rows: usize = calibration.points.iter().map(|level| level.count).max().unwrap_or(0);
    FigureBlock::of_panels(
        figure,
        name,
        &format!(
            "On {}. {caption} Bars are 95 % intervals of a share of up to {} rows.",
            calibration.rows,
            number::count(rows as u64)
        ),
        number::measured,
    )
    .into()
}
