//! λ at other scales: for runs that differ from the planned one in one respect.

use serde::Serialize;
use wd_decay::OptimizerKind;

use crate::{Law, LawAnswer, PlannedRun, Verdict};

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
    /// Width under μP (η ∝ 1/width): with the same steps and batch, hence tokens, or with as many
    /// tokens a parameter, as each law has it.
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

/// A law's λ at one value of an axis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScaledLambda {
    /// The law's id.
    pub law: &'static str,
    /// The law's name.
    pub name: &'static str,
    /// λ; absent where the law gives none.
    pub lambda: Option<f64>,
    /// Whether the law still applies there.
    pub applies: bool,
}

impl ScaledLambda {
    fn of(law: &Law, run: &PlannedRun) -> Self {
        let answer = (law.answer)(run);
        ScaledLambda {
            law: law.id,
            name: law.name,
            lambda: answer.lambda(),
            applies: answer.applies().is_some(),
        }
    }
}

/// λ along one axis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScalingTable {
    /// In which respect the runs differ.
    pub axis: Axis,
    /// The planned value of what is varied; absent where it is not known, as with a width.
    pub planned: Option<f64>,
    /// Multiples of the planned value, each with the λ of every law.
    pub rows: Vec<(f64, Vec<ScaledLambda>)>,
}

/// Multiples of the planned value.
pub const FACTORS: [f64; 5] = [0.25, 0.5, 1.0, 2.0, 4.0];

/// The tables of a run: of the laws that apply, or where none does, of those that give a number.
pub(crate) fn tables(
    run: &PlannedRun,
    answers: &[LawAnswer],
    verdict: &Verdict,
) -> Vec<ScalingTable> {
    let any_applies = answers.iter().any(|one| one.answer.applies().is_some());
    let followed: Vec<&LawAnswer> = answers
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
    let mut tables: Vec<ScalingTable> = axes
        .into_iter()
        .filter_map(|(axis, planned, change)| {
            planned?;
            let rows = FACTORS
                .into_iter()
                .map(|factor| {
                    let changed = change(run, factor);
                    let lambdas = followed.iter().map(|one| ScaledLambda::of(&one.law, &changed));
                    (factor, lambdas.collect())
                })
                .collect();
            Some(ScalingTable { axis, planned, rows })
        })
        .collect();
    if let Verdict::Recommended { lambda, .. } = verdict
        && run.optimizer == OptimizerKind::Adamw
    {
        tables.push(widths(run, *lambda));
    }
    tables
}

/// Every rule of transfer, from the recommended λ at the planned width.
fn widths(run: &PlannedRun, lambda: f64) -> ScalingTable {
    use crate::laws::width_transfer::{COMPUTE_OPTIMAL, INDEPENDENT, ROOT};
    let rows = FACTORS
        .into_iter()
        .map(|factor| {
            let wider = PlannedRun {
                width: Some(factor),
                base_width: Some(1.0),
                base_lambda: Some(lambda),
                base_total: None,
                ..run.clone()
            };
            let more = PlannedRun {
                base_total: Some(run.total),
                ..wider.clone().with_budget(factor * factor)
            };
            let lambdas = [
                ScaledLambda::of(&INDEPENDENT, &wider),
                ScaledLambda::of(&ROOT, &wider),
                ScaledLambda::of(&COMPUTE_OPTIMAL, &more),
            ];
            (factor, lambdas.to_vec())
        })
        .collect();
    ScalingTable { axis: Axis::Width, planned: run.width, rows }
}
