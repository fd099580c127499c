//! Constant timescale in epochs: λ between the one that forgets over an epoch and the one that
//! forgets over the run.
//!
//! AdamW's weights are a moving average of its updates with timescale τ_iter = 1/(ηλ) steps.
//! Counted in epochs, τ_epoch = 1/(ηλM) with M = N/B steps an epoch, its best value hardly moves
//! with the size of model and data set, so that λ ∝ B/N at a fixed η. The paper's guideline, 1 ≤
//! τ_epoch ≤ the number of epochs, is an interval of λ: 1/(ηS) to 1/(ηM).
//!
//! Wang & Aitchison: *How to set AdamW's weight decay as you scale model and dataset size*, arXiv
//! 2405.13698 (ICML 2025). ResNet-18 and ViT on CIFAR-10 and ImageNet at 32 × 32; GPT-2 124M on
//! fractions of OpenWebText. It is kept to images. In one pass over text the interval has no width,
//! and [`super::power_lines`] shows that there the best timescale moves with tokens a parameter; on
//! repeated text the values that were tuned ([`super::data_constrained`]) have τ below one epoch,
//! outside the interval.

use wd_decay::{DecayRule, Unit};

use super::data_constrained;
use crate::check::Check;
use crate::{Answer, Interval, Law, PlannedRun, Range, words};

/// The law.
pub const LAW: Law = Law {
    id: "epoch-timescale",
    name: "timescale in epochs",
    formula: "τ_epoch = B/(η·λ·N), 1 ≤ τ_epoch ≤ epochs",
    source: "Wang & Aitchison 2025, arXiv 2405.13698",
    established: "AdamW, several passes over images, a learning rate that is fixed or follows \
        μP; ResNet-18 and ViT on ImageNet 32 × 32",
    convention: DecayRule::Decoupled,
    interval: Interval::Published,
    answer,
};

fn answer(run: &PlannedRun) -> Answer {
    let mut check = Check::default();
    check.adamw_from_scratch(run);
    check.require(run.epochs >= 2.0, || {
        format!(
            "the guideline is an interval between one epoch and all of them, and this run makes {}",
            words::short(run.epochs)
        )
    });
    let is_repeated_text = run.unit == Unit::Token && run.epochs >= 2.0;
    check.require(!is_repeated_text, || {
        let (least, most) = data_constrained::tuned_epochs();
        format!(
            "on repeated text it is refuted: the λ that were tuned there have τ = {} to {} of an \
             epoch, below its least, 1",
            words::short(words::coarse(least)),
            words::short(words::coarse(most))
        )
    });
    let needed = [("batch", run.batch), ("lr", run.peak_learning_rate)];
    let (Some(batch), Some(steps), Some(rate)) = (run.batch, run.steps(), run.peak_learning_rate)
    else {
        return check.without(&needed);
    };
    let steps_per_epoch = run.data_points / batch;
    let ends = (1.0 / (rate * steps), 1.0 / (rate * steps_per_epoch));
    let range = Range { low: ends.0.min(ends.1), high: ends.0.max(ends.1) };
    let working = format!(
        "{} steps an epoch: λ = 1/({}·{}) = {} for τ = 1 epoch, {} for τ = {} epochs",
        words::short(steps_per_epoch),
        words::short(rate),
        words::short(steps_per_epoch),
        words::short(ends.1),
        words::short(ends.0),
        words::short(run.epochs)
    );
    check.answer(range.middle(), range, working)
}
