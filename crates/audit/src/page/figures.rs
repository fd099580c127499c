//! λ̂ of each tensor beside the declared one; rows without gradient; norms measured and predicted.

use std::collections::HashSet;

use wd_page::figure::{
    Colour, Horizontal, Labels, Mark, Panel, PanelFigure, Point, Reference, Series, Transform,
};
use wd_page::number::{count, fixed, short};
use wd_page::{Content, FigureBlock};

use crate::estimate::{Estimate, Proof, RowChanges};

/// Tensors in a figure: more would not be told apart.
const MOST: usize = 24;

/// λ̂ of the tensors with the most exact estimates.
pub(super) fn estimates(proof: &Proof) -> Option<Content> {
    let mut known: Vec<(&str, Estimate, Option<f64>)> = proof
        .estimates
        .iter()
        .filter_map(|one| Some((one.tensor.as_str(), one.lambda?, one.declared)))
        .collect();
    let width = |estimate: &Estimate| estimate.high - estimate.low;
    known.sort_by(|a, b| width(&a.1).total_cmp(&width(&b.1)));
    // Of several estimates of a tensor the most exact one.
    let mut shown = HashSet::new();
    known.retain(|(name, ..)| shown.insert(*name));
    known.truncate(MOST);
    if known.len() < 2 {
        return None;
    }
    let mut panel = Panel::new("λ, estimated with its 95 % interval", 190.0);
    let points = known.iter().enumerate().map(|(place, (_, estimate, _))| {
        Point::with_interval(place as f64, estimate.value, estimate.low, estimate.high)
    });
    let dots = Series::new("estimated", Colour::Ink, Mark::Dots, points.collect());
    panel.series.push(dots);
    let mut declared: Vec<f64> = known.iter().filter_map(|(_, _, declared)| *declared).collect();
    declared.sort_by(f64::total_cmp);
    declared.dedup();
    let values: Vec<String> = declared.iter().map(|&lambda| short(lambda)).collect();
    // Labels would lie on the dots: the caption has the values.
    let line = |y| Reference { y, label: String::new(), dotted: true };
    panel.references = declared.into_iter().map(line).collect();
    let figure = PanelFigure {
        labels: Labels::None,
        ..over_tensors("estimates", panel, known.iter().map(|(name, ..)| *name))
    };
    Some(block(
        figure,
        "λ of each tensor, estimated and declared.",
        &match values.as_slice() {
            [] => "Bars are 95 % intervals.".to_owned(),
            [one] => format!("Bars are 95 % intervals; the dotted line is λ = {one} as declared."),
            several => format!(
                "Bars are 95 % intervals; dotted lines are λ = {} as declared.",
                several.join(", ")
            ),
        },
    ))
}

/// How the rows of the tensor with the most rows without gradient changed.
pub(super) fn rows(proof: &Proof) -> Option<Content> {
    let told = proof.rows.iter().filter(|told| told.rows.iter().any(|row| row.had_gradient));
    let told: &RowChanges = told.max_by_key(|told| told.without_gradient)?;
    let mut panel = Panel::new("left of each row along itself", 190.0);
    let series = |label, colour, mark, had_gradient| {
        let rows = told.rows.iter().filter(|row| row.had_gradient == had_gradient);
        let points = rows.map(|row| Point::at(row.row as f64, row.factor)).collect();
        Series::new(label, colour, mark, points)
    };
    panel.series.push(series("with a gradient", Colour::Baseline, Mark::Rings, true));
    panel.series.push(series("without", Colour::Ink, Mark::Dots, false));
    let along = Horizontal::linear(&format!("row of {}", told.tensor));
    let figure = PanelFigure::along("rows", along, vec![panel]);
    Some(Content::Figure(Box::new(FigureBlock::of_panels(
        figure,
        "Rows without gradient, which decay alone moves.",
        &format!(
            "{} of the {} rows of {} had no gradient between the two files. Decay multiplies all of \
             them by one number, where the others also moved by their gradients.",
            count(told.without_gradient as u64),
            count(told.of as u64),
            told.tensor
        ),
        |row| fixed(row, 0),
    ))))
}

/// Root mean squares beside those at which decay and updates would balance.
pub(super) fn norms(proof: &Proof) -> Option<Content> {
    let known: Vec<_> = proof
        .balances
        .iter()
        .filter_map(|one| Some((one.tensor.as_str(), one.rms, one.equilibrium_rms?)))
        .filter(|&(_, rms, balance)| rms > 0.0 && balance > 0.0)
        .take(MOST)
        .collect();
    if known.len() < 2 {
        return None;
    }
    let mut panel = Panel::new("root mean square of the weights", 190.0);
    panel.transform = Transform::Log;
    let series = |label, mark, value: fn(&(&str, f64, f64)) -> f64| {
        let points = known.iter().enumerate();
        let points = points.map(|(place, one)| Point::at(place as f64, value(one))).collect();
        Series::new(label, Colour::Ink, mark, points)
    };
    panel.series.push(series("measured", Mark::Dots, |one| one.1));
    panel.series.push(series("in balance", Mark::Rings, |one| one.2));
    Some(block(
        over_tensors("norms", panel, known.iter().map(|(name, ..)| *name)),
        "Norms, measured and in balance.",
        "A ring is where decay would take what the updates add, at the saved rate and the declared \
         λ.",
    ))
}

/// A panel with one place for each tensor.
fn over_tensors<'a>(id: &str, panel: Panel, names: impl Iterator<Item = &'a str>) -> PanelFigure {
    let (label, names) = ("tensor".to_owned(), names.map(str::to_owned).collect());
    PanelFigure {
        horizontal: Horizontal::Categories { label, names },
        ..PanelFigure::over(id, "tensor", vec![panel], 1)
    }
}

fn block(figure: PanelFigure, name: &str, caption: &str) -> Content {
    Content::Figure(Box::new(FigureBlock::of_panels(figure, name, caption, short)))
}
