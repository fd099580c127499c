//! AdamW's normalised decay: λ falls with the square root of the number of steps.
//!
//! λ′ = λ_norm·√(b/(B·T)) with batch b, B training points and T epochs: b/(BT) is one over the
//! number of steps S. λ′ multiplies the schedule but not the learning rate (the `independent` rule,
//! the paper's algorithm 2), so that λ = λ′/η for `torch.optim.AdamW`.
//!
//! Loshchilov & Hutter: *Decoupled Weight Decay Regularization*, arXiv 1711.05101 (ICLR 2019),
//! appendix B.1. The best λ_norm were 0.025 and 0.05 for AdamW and SGDW alike, on CIFAR-10 and
//! ImageNet 32 × 32 (appendix D, figure 3). The authors call the root "merely one possibility
//! informed by few experiments".

use wd_decay::{DecayRule, Unit};

use crate::check::Check;
use crate::{Answer, Interval, Law, PlannedRun, Range, words};

/// The best values of λ_norm, appendix D.
pub const NORMALIZED: (f64, f64) = (0.025, 0.05);

/// The geometric mean of [`NORMALIZED`].
pub fn middle() -> f64 {
    (NORMALIZED.0 * NORMALIZED.1).sqrt()
}

/// The law.
pub const LAW: Law = Law {
    id: "normalized-decay",
    name: "normalised decay",
    formula: "λ′ = λ_norm·√(b/(B·T)) = λ_norm/√S, λ_norm = 0.025 to 0.05; λ = λ′/η",
    source: "Loshchilov & Hutter 2019, arXiv 1711.05101, appendices B.1 and D",
    established: "AdamW and SGDW with cosine annealing, several epochs of CIFAR-10 and ImageNet 32 \
        × 32, a ResNet of depth 26",
    convention: DecayRule::Independent,
    interval: Interval::Published,
    answer,
};

fn answer(run: &PlannedRun) -> Answer {
    let mut check = Check::default();
    check.adamw_from_scratch(run);
    check.same_kind(run.unit == Unit::Image, || {
        format!("it was established on images, and this run counts {}", run.unit.words())
    });
    let needed = [("batch", run.batch), ("lr", run.peak_learning_rate)];
    let (Some(steps), Some(rate)) = (run.steps(), run.peak_learning_rate) else {
        return check.without(&needed);
    };
    let decoupled = |normalized: f64| normalized / steps.sqrt() / rate;
    let range = Range { low: decoupled(NORMALIZED.0), high: decoupled(NORMALIZED.1) };
    let working = format!(
        "λ′ = {} to {} over √{} = {} to {}; λ = λ′/{}",
        NORMALIZED.0,
        NORMALIZED.1,
        words::short(steps),
        words::short(range.low * rate),
        words::short(range.high * rate),
        words::short(rate)
    );
    check.answer(range.middle(), range, working)
}
