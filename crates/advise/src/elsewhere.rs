//! λ for runs that differ from the planned one in one respect.

use serde::Serialize;

use crate::{Judged, Optimizer, PlannedRun, Verdict};

/// In which respect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Axis {
    /// Data points a step, over the same data.
    Batch,
    /// Data, with the same batch.
    Budget,
    /// Parameters, over the same data.
    Parameters,
    /// Width under μP (η ∝ 1/width), with the same steps, batch and tokens a parameter.
    Width,
}

impl Axis {
    /// The axis in words.
    pub const fn title(self) -> &'static str {
        match self {
            Axis::Batch => "batch",
            Axis::Budget => "budget",
            Axis::Parameters => "parameters",
            Axis::Width => "width (η ∝ 1/width)",
        }
    }
}

/// A law's λ at one place of an axis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Place {
    /// The law's id.
    pub law: &'static str,
    /// The law's name.
    pub name: &'static str,
    /// λ; absent where the law gives none.
    pub lambda: Option<f64>,
    /// Whether the law still applies there.
    pub applies: bool,
}

/// λ along one axis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Elsewhere {
    /// In which respect the runs differ.
    pub axis: Axis,
    /// The planned value of what is varied; absent where it is not known, as with a width.
    pub planned: Option<f64>,
    /// Multiples of the planned value, each with the λ of every law.
    pub rows: Vec<(f64, Vec<Place>)>,
}

/// Multiples of the planned value.
pub const FACTORS: [f64; 5] = [0.25, 0.5, 1.0, 2.0, 4.0];

/// The tables of a run: of the laws that apply, or where none does, of those that give a number.
pub(crate) fn tables(run: &PlannedRun, judged: &[Judged], verdict: &Verdict) -> Vec<Elsewhere> {
    let any_applies = judged.iter().any(|one| one.answer.applies().is_some());
    let followed: Vec<&Judged> = judged
        .iter()
        .filter(|one| match any_applies {
            true => one.answer.applies().is_some(),
            false => one.answer.lambda().is_some(),
        })
        .collect();
    if followed.is_empty() {
        return Vec::new();
    }
    type Change = fn(&PlannedRun, f64) -> PlannedRun;
    let axes: [(Axis, Option<f64>, Change); 3] = [
        (Axis::Batch, run.batch, PlannedRun::with_batch),
        (Axis::Budget, Some(run.total), PlannedRun::with_budget),
        (Axis::Parameters, run.parameters, PlannedRun::with_parameters),
    ];
    let mut tables: Vec<Elsewhere> = axes
        .into_iter()
        .filter_map(|(axis, planned, change)| {
            planned?;
            let rows = FACTORS
                .into_iter()
                .map(|factor| {
                    let changed = change(run, factor);
                    let places = followed.iter().map(|one| {
                        let answer = (one.law.answer)(&changed);
                        Place {
                            law: one.law.id,
                            name: one.law.name,
                            lambda: answer.lambda(),
                            applies: answer.applies().is_some(),
                        }
                    });
                    (factor, places.collect())
                })
                .collect();
            Some(Elsewhere { axis, planned, rows })
        })
        .collect();
    if let Verdict::Recommended { lambda, .. } = verdict
        && run.optimizer == Optimizer::Adamw
    {
        tables.push(widths(run, *lambda));
    }
    tables
}

/// Both rules of transfer, from the recommended λ at the planned width.
fn widths(run: &PlannedRun, lambda: f64) -> Elsewhere {
    use crate::laws::width_transfer::{INDEPENDENT, ROOT};
    let rows = FACTORS
        .into_iter()
        .map(|factor| {
            let places = [INDEPENDENT, ROOT].map(|law| {
                let wider = PlannedRun {
                    width: Some(factor),
                    base_width: Some(1.0),
                    base_lambda: Some(lambda),
                    ..run.clone()
                };
                let answer = (law.answer)(&wider);
                Place {
                    law: law.id,
                    name: law.name,
                    lambda: answer.lambda(),
                    applies: answer.applies().is_some(),
                }
            });
            (factor, places.to_vec())
        })
        .collect();
    Elsewhere { axis: Axis::Width, planned: run.width, rows }
}
