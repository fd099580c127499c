//! The recommended λ as another library writes it.

use serde::Serialize;
use wd_conventions::{ConventionError, Fidelity, Setting, Target, convert, library};
use wd_decay::{OptimizerKind, Run};

use crate::words::coarse;
use crate::{Advice, Verdict};

/// The recommendation in the target library's convention.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TargetLambda {
    /// The library's entry.
    pub library: String,
    /// Whether the target decays exactly so.
    pub fidelity: Fidelity,
    /// What is the same, or why something is not.
    pub reasons: Vec<String>,
    /// λ there; absent where it is impossible.
    pub lambda: Option<f64>,
    /// The lower end of the range.
    pub low: Option<f64>,
    /// The upper end of the range.
    pub high: Option<f64>,
    /// The call to paste.
    pub call: Option<String>,
    /// What the library calls that number.
    pub name: String,
    /// Values to train with that check the recommendation, ascending; empty where it is impossible.
    pub sweep: Vec<f64>,
}

impl TargetLambda {
    /// The entry in whose convention the laws give λ.
    pub const fn own_entry(optimizer: OptimizerKind) -> &'static str {
        match optimizer {
            OptimizerKind::Muon => "torch.Muon",
            _ => "torch.AdamW",
        }
    }

    /// The recommendation for `target`, of a run with its rate and schedule; absent where there is no
    /// recommendation.
    ///
    /// # Errors
    /// When the answer needs a number that the run lacks.
    pub fn of(
        advice: &Advice,
        optimizer: OptimizerKind,
        run: &Run,
        target: &Target,
    ) -> Result<Option<Self>, ConventionError> {
        let Verdict::Recommended { lambda, range, .. } = &advice.verdict else {
            return Ok(None);
        };
        let entry = library::find(TargetLambda::own_entry(optimizer))?;
        let of = |lambda: f64| convert(&Setting::new(entry, coarse(lambda), run.clone())?, target);
        let middle = of(*lambda)?;
        let mut sweep = Vec::new();
        for value in advice.sweep.iter().flat_map(|sweep| sweep.values()) {
            sweep.extend(of(value)?.lambda());
        }
        sweep.sort_by(f64::total_cmp);
        Ok(Some(TargetLambda {
            library: middle.entry.name.clone(),
            fidelity: middle.fidelity,
            lambda: middle.lambda(),
            low: of(range.low)?.lambda(),
            high: of(range.high)?.lambda(),
            reasons: middle.reasons,
            call: middle.call,
            name: middle.entry.lambda_name().to_owned(),
            sweep,
        }))
    }
}
