//! Log-time decay: λ(t) = ω/t instead of a constant.
//!
//! The decay's timescale grows with training time, as t/ω: at every moment the weights average over
//! the last ω-th of the run so far. λ(t) multiplies the schedule but not the peak learning rate
//! (the `independent` rule). ω ≈ 4 needs no tuning across model sizes. What is run is ω/(t₀ + t)
//! with t₀ a tenth of the run, since ω/t alone would exceed 1 in the first steps.
//!
//! Ferbach, Paquette, Gidel, Everett, Paquette: *Logarithmic-time Schedules for Scaling Language
//! Models with Momentum* (ADANA), arXiv 2602.05298; mlexpos/adana, README.md and
//! src/optim/adamw_decaying_wd.py; scripts/launch.sh has ω = 4, a divisor of 10 for t₀ and λ =
//! ω/t₀, from which the optimizer makes λ/(1 + t/t₀). The README credits log-time decay alone with
//! about 10 % of the compute.

use wd_decay::DecayRule;

use crate::check::Check;
use crate::{Answer, Interval, Law, PlannedRun, words};

/// ω of the paper.
pub const OMEGA: f64 = 4.0;
/// t₀ as a share of the run: the default of the authors' launch script.
pub const START: f64 = 0.1;
/// Parameters of its models.
pub const PARAMETERS: (f64, f64) = (45.7e6, 2.62e9);

/// The law.
pub const LAW: Law = Law {
    id: "log-time",
    name: "log-time decay",
    formula: "λ′(t) = ω/(t₀ + t), ω = 4, t the step, t₀ a tenth of the run",
    source: "Ferbach et al. 2026, arXiv 2602.05298; mlexpos/adana",
    established: "AdamW and ADANA, one pass over FineWeb at about 20 tokens a parameter, 45.7M to \
        2.62B parameters",
    convention: DecayRule::Independent,
    interval: Interval::None,
    answer,
};

fn answer(run: &PlannedRun) -> Answer {
    let mut check = Check::default();
    check.adamw_from_scratch(run).tokens(run).one_pass(run);
    let needed = [("batch", run.batch), ("lr", run.peak_learning_rate)];
    let (Some(steps), Some(rate)) = (run.steps(), run.peak_learning_rate) else {
        return check.without(&needed);
    };
    if let Some(parameters) = run.parameters {
        check.within("parameters", parameters, PARAMETERS.0, PARAMETERS.1);
    }
    if let Some(refused) = check.refused() {
        return refused;
    }
    let at = |share: f64| words::short(lambda_at(share, steps, rate));
    Answer::Instead {
        what:
            "replaces the constant λ by ω/(t₀ + t), with ω = 4 at any size and t₀ a tenth of the \
               run"
            .to_owned(),
        how: format!(
            "λ(t) = 4/(η·(t₀ + t)) for torch.optim.AdamW: {} at first, {} at a tenth of the run, \
             {} at half, {} at its end",
            at(0.0),
            at(0.1),
            at(0.5),
            at(1.0)
        ),
    }
}

/// λ of `decoupled` decay after a share of a run of `steps` steps at a peak learning rate.
pub fn lambda_at(share: f64, steps: f64, peak_learning_rate: f64) -> f64 {
    OMEGA / ((START + share) * steps) / peak_learning_rate
}
