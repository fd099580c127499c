//! Predictions beside what came, and what is left of it.

use wd_page::figure::{Colour, Horizontal, Mark, Panel, PanelFigure, Point, Reference, Series};
use wd_page::{FigureBlock, Section, number};

use crate::fit::{Analysis, Family};

/// The section; nothing where no rows were looked at.
pub(super) fn section(analysis: &Analysis) -> Option<Section> {
    let found = &analysis.observations;
    if found.is_empty() {
        return None;
    }
    let dots = |value: &dyn Fn(f64, f64) -> f64| -> Vec<Point> {
        let points = found.iter().map(|row| (row.predicted, value(row.predicted, row.observed)));
        points.map(|(x, y)| Point::at(x, y)).collect()
    };
    let ends = found.iter().flat_map(|row| [row.predicted, row.observed]);
    let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let mut observed = Panel::new(format!("Observed {}", analysis.target), 240.0);
    observed.series = vec![
        Series::new(
            "as predicted",
            Colour::Ink,
            Mark::Dashes,
            vec![Point::at(low, low), Point::at(high, high)],
        ),
        Series::new("rows", Colour::Sequence(7), Mark::Dots, dots(&|_, observed| observed)),
    ];
    // The residual of a count grows with what is expected of it.
    let (name, residual): (_, &dyn Fn(f64, f64) -> f64) = match analysis.family {
        Family::Poisson => ("Residual ÷ √predicted", &|predicted, observed| {
            (observed - predicted) / predicted.max(f64::MIN_POSITIVE).sqrt()
        }),
        _ => ("Residual", &|predicted, observed| observed - predicted),
    };
    let mut residuals = Panel::new(name, 160.0);
    residuals.series = vec![Series::new("rows", Colour::Sequence(7), Mark::Dots, dots(residual))];
    residuals.references.push(Reference { y: 0.0, label: String::new(), dotted: false });
    let horizontal = Horizontal::linear(&format!("predicted {}", analysis.target));
    let figure = PanelFigure {
        dashes: "as predicted".to_owned(),
        ..PanelFigure::along("observations-figure", horizontal, vec![observed, residuals])
    };
    let of = match analysis.calibration.as_ref() {
        Some(calibration) => format!("On {}.", calibration.rows),
        None => "On the rows that were fitted.".to_owned(),
    };
    let block = FigureBlock::of_panels(
        figure,
        "Predicted against observed, and what is left.",
        &format!(
            "Look for a bend, which a column or a function of one would take away, and for a \
             funnel, where the noise grows with the prediction. {of} {} are drawn.",
            wd_page::words::capitalised(&wd_page::counted(
                number::count(found.len() as u64),
                "row"
            ))
        ),
        number::measured,
    );
    Some(
        Section::full("observations", "How near do the predictions come?", vec![block.into()])
            .named("Residuals"),
    )
}
