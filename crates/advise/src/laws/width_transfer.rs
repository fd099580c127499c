//! λ at another width than it was tuned at: with m the ratio of widths and η ∝ 1/m, two papers
//! disagree.
//!
//! - *Independent* decay keeps ηλ, hence λ ∝ m: the angular update per step, √(2ηλ), is then the
//!   same at every width. Kosson, Welborn, Liu, Jaggi, Chen: *Weight Decay may matter more than μP
//!   for Learning Rate Transfer in Practice*, arXiv 2510.19093 (ICLR 2026): AdamW, LLaMA-like
//!   models and ResNets, m up to 16.
//! - *Root* scaling keeps the top singular value, which was observed to grow as √(η/λ)·d^0.75,
//!   hence λ ∝ √m for matrices and λ = 0 for vectors. Fan, Liu, Zhao, Yuan, Gu: *Robust Layerwise
//!   Scaling Rules by Proper Weight Decay Tuning*, arXiv 2510.15262, abstract: AdamW, LLaMA-like
//!   models. The widths it was shown for could not be checked.
//!
//! Both speak of the learning rate of the matrices, which here is the planned one.

use wd_decay::DecayRule;

use crate::check::Check;
use crate::{Answer, Interval, Law, PlannedRun, Range, words};

/// Largest ratio of widths in Kosson et al.
pub const LARGEST_RATIO: f64 = 16.0;

/// λ ∝ m.
pub const INDEPENDENT: Law = Law {
    id: "width-independent",
    name: "μP, independent decay",
    formula: "η → η/m, λ → m·λ (ηλ is kept)",
    source: "Kosson et al. 2026, arXiv 2510.19093",
    established: "AdamW under μP, LLaMA-like models and ResNets, up to 16 times the width at which \
        λ was tuned",
    convention: DecayRule::Independent,
    interval: Interval::HalfStep,
    answer: |run| transfer(run, 1.0),
};

/// λ ∝ √m.
pub const ROOT: Law = Law {
    id: "width-root",
    name: "root of the width",
    formula: "η → η/m, λ → √m·λ for matrices, 0 for vectors",
    source: "Fan et al. 2025, arXiv 2510.15262, abstract",
    established: "AdamW under μP, LLaMA-like models",
    convention: DecayRule::Decoupled,
    interval: Interval::HalfStep,
    answer: |run| transfer(run, 0.5),
};

fn transfer(run: &PlannedRun, exponent: f64) -> Answer {
    let mut check = Check::default();
    check.adamw_from_scratch(run);
    let needed =
        [("width", run.width), ("base-width", run.base_width), ("base-lambda", run.base_lambda)];
    let (Some(width), Some(base_width), Some(base)) = (run.width, run.base_width, run.base_lambda)
    else {
        return check.without(&needed);
    };
    let ratio = width / base_width;
    check.within("times the tuned width", ratio, 1.0 / LARGEST_RATIO, LARGEST_RATIO);
    check.mention(
        "the base λ must have been tuned with the same tokens a parameter, batch and steps",
    );
    let lambda = base * ratio.powf(exponent);
    let factor = if exponent == 1.0 { "m" } else { "√m" };
    let working = format!(
        "m = {}/{} = {}; λ = {factor}·{} = {}",
        width,
        base_width,
        words::short(ratio),
        words::short(base),
        words::short(lambda)
    );
    check.answer(lambda, Range::around(lambda), working)
}
