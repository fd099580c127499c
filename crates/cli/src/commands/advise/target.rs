//! λ as another library writes it.

use serde::Serialize;
use wd_advise::{Optimizer, PlannedRun, Verdict};
use wd_conventions::ConventionError;
use wd_conventions::conversion::Target;
use wd_conventions::{Conversion, Fidelity, Setting, convert};

/// The recommendation in the target library's convention.
#[derive(Debug, Serialize)]
pub(super) struct Converted {
    /// The library's entry.
    pub(super) library: &'static str,
    /// Whether the target decays exactly so.
    pub(super) fidelity: Fidelity,
    /// What is the same, or why something is not.
    pub(super) reasons: Vec<String>,
    /// λ there; absent where it is impossible.
    pub(super) lambda: Option<f64>,
    /// The lower end of the range.
    pub(super) low: Option<f64>,
    /// The upper end of the range.
    pub(super) high: Option<f64>,
    /// The call to paste.
    pub(super) call: Option<String>,
}

/// The entry in whose convention the laws give λ.
pub(super) const fn own_entry(optimizer: Optimizer) -> &'static str {
    match optimizer {
        Optimizer::Muon => "torch.Muon",
        _ => "torch.AdamW",
    }
}

/// The verdict for `target`; absent where there is no recommendation.
///
/// `words` declare the schedule and length of the run, as a [`Setting`] reads them.
///
/// # Errors
/// When the answer needs a number that the run lacks.
pub(super) fn converted(
    verdict: &Verdict,
    run: &PlannedRun,
    words: &[String],
    target: &Target,
) -> Result<Option<Converted>, ConventionError> {
    let Verdict::Recommended { lambda, range, .. } = verdict else {
        return Ok(None);
    };
    let of = |lambda: f64| -> Result<Conversion, ConventionError> {
        let mut setting = vec![
            own_entry(run.optimizer).to_owned(),
            // As fine as λ is ever tuned.
            format!("weight_decay={lambda:.1e}"),
        ];
        setting.extend(run.peak_learning_rate.map(|rate| format!("lr={rate}")));
        setting.extend_from_slice(words);
        convert(&Setting::read(&setting)?, target)
    };
    let middle = of(*lambda)?;
    Ok(Some(Converted {
        library: middle.entry.name,
        fidelity: middle.fidelity,
        lambda: middle.lambda(),
        low: of(range.low)?.lambda(),
        high: of(range.high)?.lambda(),
        reasons: middle.reasons,
        call: middle.call,
    }))
}
