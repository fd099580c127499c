//! Norms set directly: no λ at all, or a λ that pulls to a norm other than zero.
//!
//! Weight decay acts on normalised matrices by way of an equilibrium norm, and through it by the
//! angle turned in each step. Both can be set without it.
//!
//! - *Hyperball* keeps ‖W‖_F at its initial value R and each step at ηR:
//!   W ← R·Normalize(W − ηR·Normalize(u)). Wen, Dang, Lyu, Ma, Liang: *Fantastic Pretraining
//!   Optimizers and Where to Find Them II*, arXiv 2606.16899, abstract: Qwen3-like models up to
//!   1.2B parameters, Muon and Adam. Against it: dev/LOG.md of karpathy/nanochat (2026-01-29) found
//!   it worse in every variant tried; on models of regulatory DNA (Doshi, origin.bio/blogs/muon,
//!   2026-03-05) Muon with decay was best of all, at high rates, and with Hyperball better at low
//!   ones, while Adam was best with Hyperball, in a narrower window of rates.
//! - *AdamWN* decays towards a target norm; AdamW is its case of target 0. Loshchilov: *Weight Norm
//!   Control*, arXiv 2311.11446, abstract. Its λ is no better known than AdamW's: none is given
//!   here.

use wd_decay::{DecayRule, OptimizerKind};

use crate::check::Check;
use crate::{Answer, Interval, Law, PlannedRun};

/// Fixed norm, fixed relative step.
pub const HYPERBALL: Law = Law {
    id: "hyperball",
    name: "Hyperball",
    formula: "W ← R·Normalize(W − η·R·Normalize(u)), R = ‖W₀‖_F",
    source: "Wen et al. 2026, arXiv 2606.16899, abstract",
    established: "Adam and Muon on the matrices of Qwen3-like models, up to 1.2B parameters",
    convention: DecayRule::Decoupled,
    interval: Interval::None,
    answer: |run| {
        instead(
            run,
            &[OptimizerKind::Adamw, OptimizerKind::Adam, OptimizerKind::Muon],
            "does without λ: the norm of each matrix stays fixed, and η is the angle of a step",
            "λ = 0; η must be tuned anew, as it now means a relative update. Against it: worse in \
             every variant that nanochat tried (2026-01), and on DNA Muon was best with decay \
             (origin.bio, 2026-03)",
        )
    },
};

/// Decay towards a norm other than zero.
pub const TARGET_NORM: Law = Law {
    id: "target-norm",
    name: "weight norm control",
    formula: "decay towards a target norm (AdamW: target 0)",
    source: "Loshchilov 2023, arXiv 2311.11446, abstract",
    established: "AdamW",
    convention: DecayRule::Decoupled,
    interval: Interval::None,
    answer: |run| {
        instead(
            run,
            &[OptimizerKind::Adamw],
            "decays towards a target norm instead of zero",
            "the norm that a run with a good λ ends at is the target to give; λ then only says how \
             fast",
        )
    },
};

fn instead(run: &PlannedRun, optimizers: &[OptimizerKind], what: &str, how: &str) -> Answer {
    let mut check = Check::default();
    check.no_fine_tuning(run);
    check.same_kind(optimizers.contains(&run.optimizer), || {
        let names: Vec<&str> = optimizers.iter().map(|optimizer| optimizer.title()).collect();
        format!(
            "it was established for {}, and this run uses {}",
            names.join(", "),
            run.optimizer.title()
        )
    });
    check.refused().unwrap_or(Answer::Instead { what: what.to_owned(), how: how.to_owned() })
}
