//! Weight norms by role, measured, and predicted by the norm recursion.

use crate::analysis::predicted_rms;
use wd_store::PlannedTensor;

use super::figures::over_steps;
use super::roles::roles;
use super::run::Run;
use wd_page::figure::{Colour, Labels, Mark, Panel, Point, Series, thinned};
use wd_page::{Content, Section, Table, number};

/// The section.
pub(crate) fn section(run: &Run<'_>) -> Section {
    let mut panels = Vec::new();
    let mut table =
        Table::new(&["role", "measured at the end", "predicted there", "measured / predicted"], 1);
    let mut predicted_any = false;
    for (role, tensors) in roles(run.plan) {
        let measured = run.points(&run.series.combined("weight_rms", &tensors));
        let Some(last) = measured.last().copied() else {
            continue;
        };
        let predicted = predict(run, &tensors).unwrap_or_default();
        predicted_any |= !predicted.is_empty();
        let there =
            predicted.iter().find(|point| point.x == last.x).map_or(f64::NAN, |point| point.y);
        table.rows.push(vec![
            role.to_string(),
            number::measured(last.y),
            number::measured(there),
            number::fixed(last.y / there, 3),
        ]);
        let mut panel = Panel::new(role.name(), 140.0);
        panel.series = vec![
            Series::new("measured", Colour::Sequence(6), Mark::Line, thinned(measured, 200)),
            Series::new("predicted", Colour::Sequence(6), Mark::Dashes, thinned(predicted, 100)),
        ];
        panels.push(panel);
    }
    let mut contents = Vec::new();
    if panels.is_empty() {
        contents
            .push(Content::Absent("Left out: no weight norm has been recorded yet.".to_owned()));
    } else {
        if !predicted_any {
            contents.push(Content::Absent(
                "Nothing is predicted here: the norm recursion is drawn for Adam directions under \
                 rules that shrink the weights directly towards zero from their usual \
                 initialisation."
                    .to_owned(),
            ));
        }
        contents.push(over_steps(
            "norms",
            "Root mean square of the weights of each role.",
            "Look at whether the dashed line, the norm recursion \
             ρ\u{a0}←\u{a0}(1\u{a0}−\u{a0}s)²ρ\u{a0}+\u{a0}η²D (D = 1 for Adam) with nothing \
             fitted, lies on the measured one. It assumes gradients that are mostly noise and \
             coordinates that are all updated in every step, and misses where that fails: \
             embeddings and positions, and early in training. One run: there is no interval.",
            panels,
            3,
            Labels::Key,
        ));
        contents.push(Content::Table(table));
    }
    Section::full("norms", "Weight norms", contents)
}

/// RMS of some tensors together after each step; `None` where the recursion makes no statement.
fn predict(run: &Run<'_>, tensors: &[&PlannedTensor]) -> Option<Vec<Point>> {
    let predicted = predicted_rms(run.plan, tensors)?;
    let points = predicted.into_iter().enumerate();
    Some(points.map(|(index, rms)| Point::at((index + 1) as f64, rms)).collect())
}
