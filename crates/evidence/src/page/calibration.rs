//! How often intervals hold what they promise, and probabilities come true.

use wd_page::figure::{Colour, Horizontal, Mark, Panel, PanelFigure, Point, Series};
use wd_page::{Content, FigureBlock, Section, number};

use crate::fit::{Analysis, Calibration, CalibrationKind};

pub(super) fn section(analysis: &Analysis) -> Section {
    let contents = match &analysis.calibration {
        Some(calibration) => {
            let mut contents = vec![drawn(calibration)];
            contents.extend(hint(analysis, calibration).map(Content::Paragraph));
            contents
        }
        None => vec![Content::Absent(
            "Left out: this fit makes no predictions whose spread could be checked.".to_owned(),
        )],
    };
    Section::full("calibration", "Do the predictions hold what they promise?", contents)
        .named("Calibration")
}

/// What may be done where predictions do not hold what they promise.
fn hint(analysis: &Analysis, calibration: &Calibration) -> Option<String> {
    /// Errors with less than this are hardly skewed.
    const SKEWED: f64 = 0.5;
    let failure = calibration.failure()?;
    let (promised, observed) =
        (number::percent(failure.promised), number::percent(failure.observed));
    let said = match calibration.kind {
        CalibrationKind::Intervals => {
            format!("Intervals of {promised} hold {observed} of the rows.")
        }
        CalibrationKind::Probabilities => {
            format!("Where {promised} is predicted, {observed} of the rows are in the class.")
        }
    };
    if calibration.kind == CalibrationKind::Probabilities {
        return Some(format!("{said} A λ by the log loss of rows left out may be the better one."));
    }
    let target = &analysis.target;
    let is_positive = analysis.observations.iter().all(|found| found.observed > 0.0);
    let cause = match (calibration.skewness > SKEWED && is_positive, calibration.skewness) {
        (true, _) => format!(
            " The errors are skewed to the right: the logarithm of the target, log({target}), may \
             be the better one to fit."
        ),
        (false, skewness) if skewness.abs() > SKEWED => {
            " The errors are skewed, which no interval of equal sides follows.".to_owned()
        }
        _ => " The noise is not of one size, or has other tails than a Gaussian.".to_owned(),
    };
    Some(format!("{said}{cause}"))
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
