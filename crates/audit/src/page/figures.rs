//! λ̂ of each tensor beside the declared one; norms measured and predicted.

use wd_page::figure::{
    Colour, Horizontal, Labels, Mark, Panel, PanelFigure, Point, Reference, Series, Transform,
};
use wd_page::number::short;
use wd_page::{Content, FigureBlock};

use crate::estimate::{Estimate, Proof};

/// Tensors in a figure: more would not be told apart.
const MOST: usize = 24;

/// λ̂ of the tensors with the most exact estimates.
pub(super) fn estimates(proof: &Proof) -> Option<Content> {
    let mut known: Vec<(&str, Estimate, Option<f64>)> = proof
        .estimates
        .iter()
        .filter_map(|one| Some((one.tensor.as_str(), one.lambda?, one.declared)))
        .collect();
    if known.len() < 2 {
        return None;
    }
    let width = |estimate: &Estimate| estimate.high - estimate.low;
    known.sort_by(|a, b| width(&a.1).total_cmp(&width(&b.1)));
    known.truncate(MOST);
    let mut panel = Panel::new("λ, estimated with its 95 % interval", 190.0);
    let points = known.iter().enumerate().map(|(place, (_, estimate, _))| {
        Point::with_interval(place as f64, estimate.value, estimate.low, estimate.high)
    });
    let dots = Series::new("estimated", Colour::Ink, Mark::Dots, points.collect());
    panel.series.push(dots);
    let mut declared: Vec<f64> = known.iter().filter_map(|(_, _, declared)| *declared).collect();
    declared.sort_by(f64::total_cmp);
    declared.dedup();
    panel.references = declared
        .into_iter()
        .map(|y| Reference { y, label: format!("declared {}", short(y)), dotted: true })
        .collect();
    let names = known.iter().map(|(name, ..)| (*name).to_owned()).collect();
    let figure = PanelFigure {
        horizontal: Horizontal::Categories { label: "tensor".to_owned(), names },
        labels: Labels::None,
        ..PanelFigure::over("estimates", "tensor", vec![panel], 1)
    };
    let block = FigureBlock::of_panels(
        figure,
        "λ of each tensor, estimated and declared.",
        "Bars are 95 % intervals; the dotted line is what the optimizer's groups declare.",
        short,
    );
    Some(Content::Figure(Box::new(block)))
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
    let names = known.iter().map(|(name, ..)| (*name).to_owned()).collect();
    let figure = PanelFigure {
        horizontal: Horizontal::Categories { label: "tensor".to_owned(), names },
        ..PanelFigure::over("norms", "tensor", vec![panel], 1)
    };
    let block = FigureBlock::of_panels(
        figure,
        "Norms, measured and in balance.",
        "A ring is where decay would take what the updates add, at the saved rate and the declared λ.",
        short,
    );
    Some(Content::Figure(Box::new(block)))
}
