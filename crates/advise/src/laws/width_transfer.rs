//! λ at another width than it was tuned at: with m the ratio of widths and η ∝ 1/m, three papers
//! give three exponents, for two kinds of growth.
//!
//! At the same batch and steps, so that a wider model sees as many tokens:
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
//! Where tokens grow with the parameters, as m², so that tokens a parameter stay:
//!
//! - *Compute-optimal* growth has ηλ ∝ 1/m nearly optimal, and with η ∝ 1/m the same λ at every
//!   width. Qiu, Chen, Phan, Lei, Wilson: *Hyperparameter Transfer Enables Consistent Gains of
//!   Matrix-Preconditioned Optimizers Across Scales*, arXiv 2512.05620 v2, abstract: AdamW, Muon,
//!   SOAP and Shampoo, Llama models of 190M to 1.4B parameters. [`super::power_lines`] agrees: at
//!   the same batch its ηλ goes as 1/D, and with the batch that it finds best as m^−1.2.
//!
//! That the first two papers' runs all keep batch and steps could not be checked. All speak of the
//! learning rate of the matrices, which here is the planned one.

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
    answer: |run| transfer(run, Growth::SameTokens, 1.0, "m·"),
};

/// How far the growth of tokens may be from m² (or from none), as a factor, and still be that
/// growth.
const SAME_GROWTH: f64 = 1.5;

/// λ ∝ √m.
pub const ROOT: Law = Law {
    id: "width-root",
    name: "root of the width",
    formula: "η → η/m, λ → √m·λ for matrices, 0 for vectors",
    source: "Fan et al. 2025, arXiv 2510.15262, abstract",
    established: "AdamW under μP, LLaMA-like models",
    convention: DecayRule::Decoupled,
    interval: Interval::HalfStep,
    answer: |run| transfer(run, Growth::SameTokens, 0.5, "√m·"),
};

/// λ as it was, with tokens ∝ m².
pub const COMPUTE_OPTIMAL: Law = Law {
    id: "width-compute-optimal",
    name: "compute-optimal width",
    formula: "η → η/m, ηλ → ηλ/m (λ is kept), tokens ∝ m²",
    source: "Qiu et al. 2026, arXiv 2512.05620, abstract",
    established: "AdamW, Muon, SOAP and Shampoo under μP, Llama models of 190M to 1.4B parameters \
        that see as many tokens a parameter",
    convention: DecayRule::Independent,
    interval: Interval::HalfStep,
    answer: |run| transfer(run, Growth::SameTokensPerParameter, 0.0, ""),
};

/// What a wider model trains on.
#[derive(Clone, Copy, PartialEq)]
enum Growth {
    /// As many tokens, in as many steps.
    SameTokens,
    /// As many tokens a parameter: m² times as many.
    SameTokensPerParameter,
}

fn transfer(run: &PlannedRun, growth: Growth, exponent: f64, factor: &str) -> Answer {
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
    let expected = match growth {
        Growth::SameTokens => 1.0,
        Growth::SameTokensPerParameter => ratio * ratio,
    };
    match (run.base_total, growth) {
        (Some(total), _) => {
            let grown = run.total / total;
            let near = (1.0 / SAME_GROWTH..=SAME_GROWTH).contains(&(grown / expected));
            check.require(near, || {
                format!(
                    "it is about {} times the tokens of the base run, and this run has {} times",
                    words::short(expected),
                    words::short(grown)
                )
            });
        }
        (None, Growth::SameTokens) => {
            check.mention(
                "the base λ must have been tuned with the same batch and steps, and so as many \
                 tokens",
            );
        }
        // Without the base's tokens the older two are the ones that were meant.
        (None, Growth::SameTokensPerParameter) => {
            return check.without(&[("base-tokens", run.base_total)]);
        }
    }
    let lambda = base * ratio.powf(exponent);
    let working = format!(
        "m = {}/{} = {}; λ = {factor}{} = {}",
        width,
        base_width,
        words::short(ratio),
        words::short(base),
        words::short(lambda)
    );
    check.answer(lambda, Range::around(lambda), working)
}
