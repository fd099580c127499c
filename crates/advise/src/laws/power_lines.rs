//! Power Lines: the best averaging timescale of one-pass training falls with tokens a parameter.
//!
//! τ_opt = 1.084·(D/P)^−0.527 as a share of the run, hence λ_opt = B/(η D τ_opt) = 1/(η S τ_opt).
//!
//! Bergsma, Dey, Gosal, Gray, Soboleva, Hestness: *Power Lines: Scaling Laws for Weight Decay and
//! Batch Size in LLM Pre-training*, arXiv 2505.13738 (NeurIPS 2025), figure 1 left. The exponent is
//! the paper's (bootstrap 10th to 90th percentile −0.529 to −0.507, R² 0.975); the prefactor is
//! quoted in agreement by two independent users of the law.
//!
//! λ ∝ B, which the formula implies, holds below the critical batch alone. The paper's best batch
//! is B_opt = 0.0306·D^0.383 sequences of 2,048 tokens, its critical batch ∝ D^0.462; the
//! prefactors of B_opt and of τ are quoted by the same independent trainer, that of the critical
//! batch, 0.0471, could not be checked. A batch above B_opt gets a caveat.
//!
//! η is the *peak* of the learning rate that is really used, and the law is about schedules that
//! fall: a λ computed from another η, or put beside a constant one, is far off.

use wd_decay::DecayRule;

use crate::check::{Check, schedule_words};
use crate::{Answer, Interval, Law, PlannedRun, Range, words};

/// Prefactor of τ_opt.
pub const PREFACTOR: f64 = 1.084;
/// Exponent of tokens a parameter in τ_opt.
pub const EXPONENT: f64 = -0.527;
/// Tokens a parameter for which the law was fitted and verified.
pub const TOKENS_PER_PARAMETER: (f64, f64) = (20.0, 1280.0);
/// Parameters of the models it was fitted and verified on.
pub const PARAMETERS: (f64, f64) = (111e6, 3.3e9);
/// How far beyond [`PARAMETERS`] the law is still used, with a caveat.
///
/// The paper predicts held-out runs of up to 1000 times the FLOPs of its fit. At a fixed D/P the
/// FLOPs grow with P², so that this is a factor of √1000, about 32, in parameters. That the law may
/// be carried as far *beyond* its models is our choice.
pub const EXTRAPOLATION: f64 = 32.0;

/// Prefactor of the best batch, in sequences of [`SEQUENCE`] tokens.
pub const BATCH_PREFACTOR: f64 = 0.0306;
/// Exponent of the tokens in the best batch.
pub const BATCH_EXPONENT: f64 = 0.383;
/// Exponent of the tokens in the critical batch.
pub const CRITICAL_BATCH_EXPONENT: f64 = 0.462;
/// Tokens of a sequence of the paper.
pub const SEQUENCE: f64 = 2_048.0;

/// The law.
pub const LAW: Law = Law {
    id: "power-lines",
    name: "Power Lines",
    formula: "τ = 1.084·(D/P)^−0.527, λ = 1/(η·S·τ)",
    source: "Bergsma et al. 2025, arXiv 2505.13738, figure 1",
    established: "AdamW under μP, one pass over text, linear warm-up and decay to zero, 20 to 1280 \
        tokens a parameter, 111M to 3.3B parameters",
    convention: DecayRule::Decoupled,
    interval: Interval::HalfStep,
    answer,
};

/// τ_opt as a share of the run, for a number of tokens a parameter.
pub fn best_timescale(tokens_per_parameter: f64) -> f64 {
    PREFACTOR * tokens_per_parameter.powf(EXPONENT)
}

/// The batch of lowest loss for a number of tokens, in tokens.
pub fn best_batch(tokens: f64) -> f64 {
    SEQUENCE * BATCH_PREFACTOR * tokens.powf(BATCH_EXPONENT)
}

fn answer(run: &PlannedRun) -> Answer {
    let mut check = Check::default();
    check.adamw_from_scratch(run).tokens(run).one_pass(run);
    let needed = [("params", run.parameters), ("batch", run.batch), ("lr", run.peak_learning_rate)];
    let (Some(ratio), Some(parameters), Some(steps), Some(rate)) =
        (run.tokens_per_parameter(), run.parameters, run.steps(), run.peak_learning_rate)
    else {
        return check.without(&needed);
    };
    check.within("tokens a parameter", ratio, TOKENS_PER_PARAMETER.0, TOKENS_PER_PARAMETER.1);
    let (fewest, most) = PARAMETERS;
    check.require((fewest / EXTRAPOLATION..=most * EXTRAPOLATION).contains(&parameters), || {
        format!(
            "{} parameters; it was established for {}, and is carried no more than \
                 {EXTRAPOLATION} times beyond",
            words::short(parameters),
            words::between(fewest, most)
        )
    });
    if !(fewest..=most).contains(&parameters) {
        check.mention(format!(
            "extrapolated in parameters: the law was established for {}",
            words::between(fewest, most)
        ));
    }
    if let Some(kind) = run.schedule
        && !(kind == wd_decay::ScheduleKind::Linear && run.floor == 0.0)
    {
        check.mention(format!(
            "fitted under a linear decay to zero, used here with {}",
            schedule_words(kind, run.floor)
        ));
    }
    let best = best_batch(run.total);
    if let Some(batch) = run.batch.filter(|batch| *batch > best) {
        check.mention(format!(
            "the batch is {} times the best for as many tokens, {} \
             ({BATCH_PREFACTOR}·D^{BATCH_EXPONENT} sequences of 2,048): λ ∝ B holds below the \
             critical batch alone, which lies above the best and grows as \
             D^{CRITICAL_BATCH_EXPONENT}",
            words::short(words::coarse(batch / best)),
            words::short(words::coarse(best)),
        ));
    }
    let tau = best_timescale(ratio);
    let lambda = 1.0 / (rate * steps * tau);
    let working = format!(
        "τ = {PREFACTOR}·{}^{EXPONENT} = {} of the run; λ = 1/({}·{}·{}) = {}",
        words::short(ratio),
        words::short(tau),
        words::short(rate),
        words::short(steps),
        words::short(tau),
        words::short(lambda)
    );
    check.answer(lambda, Range::around(lambda), working)
}
