//! Log-time decay: λ(t) = ω/t instead of a constant.
//!
//! The decay's timescale grows with training time, as t/ω: at every moment the weights average over
//! the last ω-th of the run so far. λ(t) multiplies the schedule but not the peak learning rate
//! (the `independent` rule). ω ≈ 4 needs no tuning across model sizes. The authors' code is ω/(t₀ +
//! t), since ω/t alone would exceed 1 in the first steps.
//!
//! Ferbach, Paquette, Gidel, Everett, Paquette: *Logarithmic-time Schedules for Scaling Language
//! Models with Momentum* (ADANA), arXiv 2602.05298; mlexpos/adana, README.md and
//! src/optim/adamw_decaying_wd.py. The README credits log-time decay alone with about 10 % of the
//! compute. The authors' t₀ could not be checked.

use wd_decay::DecayRule;

use crate::check::Check;
use crate::{Answer, Interval, Law, PlannedRun, words};

/// ω of the paper.
pub const OMEGA: f64 = 4.0;
/// Parameters of its models.
pub const PARAMETERS: (f64, f64) = (45.7e6, 2.62e9);

/// The law.
pub const LAW: Law = Law {
    id: "log-time",
    name: "log-time decay",
    formula: "λ′(t) = ω/t, ω = 4, t the step",
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
    let at = |share: f64| words::short(OMEGA / (share * steps) / rate);
    Answer::Instead {
        what: "replaces the constant λ by ω/t, with ω = 4 at any size".to_owned(),
        how: format!(
            "λ(t) = 4/(η·t) for torch.optim.AdamW: {} at a tenth of the run, {} at half, {} at its \
             end",
            at(0.1),
            at(0.5),
            at(1.0)
        ),
    }
}
