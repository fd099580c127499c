//! The nanochat rule: Muon's λ from a tuned reference, at a constant averaging timescale.
//!
//! λ = λ_ref·√(B/B_ref)·(D_ref/D), which keeps B/(ηλD) constant when η ∝ √B. This λ is that of the
//! hidden matrices, which decay cautiously, with λ on a cosine to zero over the run. What AdamW
//! trains has small fixed λ of its own since 2026-03-09 (commit 6ed7d1d): 0.01 for the head and the
//! value embeddings, 0.001 for the token embedding, 0.05 for the residual scalars.
//!
//! karpathy/nanochat, scripts/base_train.py at commit 00255c1: λ_ref = 0.28, tuned with the cosine
//! at depth 12 and carried to depth 24; B_ref = 2^19, η_ref = 0.02, D_ref twelve tokens for each
//! parameter of a depth-12 model's matrices and head. Those are 84,935,808 + 25,165,824
//! (dev/LOG.md, 2026-01-27). An earlier sweep in the same log found λ = 0.40, 0.22, 0.10, 0.08 at
//! depths 8, 12, 16, 20, under a *linear* fall of λ to zero, another setting: its prefactor is not
//! to be compared. It is width^−1.97; as D ∝ P there, that is the same law but for a smaller
//! exponent. The authors' comment: AdamW's theory is "blindly" followed for Muon.

use wd_decay::{DecayRule, OptimizerKind};

use crate::check::Check;
use crate::{Answer, Interval, Law, PlannedRun, Range, words};

/// λ of the reference run.
pub const REFERENCE_LAMBDA: f64 = 0.28;
/// Tokens a step of the reference run.
pub const REFERENCE_BATCH: f64 = 524_288.0;
/// Peak learning rate of the reference run's matrices.
pub const REFERENCE_RATE: f64 = 0.02;
/// Tokens of the reference run: 12 for each of 110,101,632 parameters.
pub const REFERENCE_TOKENS: f64 = 12.0 * 110_101_632.0;
/// Tokens of the sizes that the log has measurements of: λ was swept from depth 8 (0.44B tokens),
/// and the batch was compared up to depth 26 (9.6B); dev/LOG.md, 2026-01-10 and 2026-02-05.
pub const TOKENS: (f64, f64) = (0.44e9, 9.6e9);

/// The law.
pub const LAW: Law = Law {
    id: "nanochat",
    name: "nanochat",
    formula: "λ = 0.28·√(B/2^19)·(1.32e9/D)",
    source: "karpathy/nanochat, scripts/base_train.py and dev/LOG.md (2026)",
    established: "Muon with cautious decay of the hidden matrices, λ on a cosine to zero, one \
        pass, 0.44B to 9.6B tokens, a peak learning rate of 0.02·√(B/2^19); λ tuned at depth 12",
    convention: DecayRule::Decoupled,
    interval: Interval::HalfStep,
    answer,
};

fn answer(run: &PlannedRun) -> Answer {
    let mut check = Check::default();
    check.same_kind(run.optimizer == OptimizerKind::Muon, || {
        format!("it was established for Muon, and this run uses {}", run.optimizer.title())
    });
    check.no_fine_tuning(run).falling(run).tokens(run).one_pass(run);
    let needed = [("batch", run.batch), ("lr", run.peak_learning_rate)];
    let (Some(batch), Some(rate)) = (run.batch, run.peak_learning_rate) else {
        return check.without(&needed);
    };
    check.within("tokens", run.total, TOKENS.0, TOKENS.1);
    let root = (batch / REFERENCE_BATCH).sqrt();
    let own_rate = REFERENCE_RATE * root;
    // The rule sets λ for this learning rate alone: at another, the shrink ηλ would be another.
    check.require((0.5..=2.0).contains(&(rate / own_rate)), || {
        format!(
            "it goes with a peak learning rate of {} for this batch, and this run has {}",
            words::short(own_rate),
            words::short(rate)
        )
    });
    check.mention(
        "for the hidden matrices alone, with decay.cautious and λ on a cosine to zero \
        (decay.schedule); what AdamW trains there has fixed λ of 0.001 to 0.05",
    );
    let lambda = REFERENCE_LAMBDA * root * (REFERENCE_TOKENS / run.total);
    let working = format!(
        "λ = {REFERENCE_LAMBDA}·√({}/{})·({}/{}) = {}",
        words::short(batch),
        words::short(REFERENCE_BATCH),
        words::short(REFERENCE_TOKENS),
        words::short(run.total),
        words::short(lambda)
    );
    check.answer(lambda, Range::around(lambda), working)
}
