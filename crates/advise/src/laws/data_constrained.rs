//! Data-constrained training: many passes over few tokens want a λ more than ten times the usual.
//!
//! Kim, Kotha, Liang, Hashimoto: *Pre-training under infinite compute*, arXiv 2509.14786 (ICLR
//! 2026). With learning rate, epochs and λ tuned together on 200M tokens, the best λ was 0.8 at
//! 150M parameters, 1.6 at 300M, 3.2 at 600M and at 1.4B (the table of tuned values, checked
//! against two independent notes on the paper). Between these, λ is interpolated in the logarithms
//! of both. The peak learning rates that belong to them could not be checked: the product ηλ is not
//! known, and λ should be tuned with η.
//!
//! Nobody has joined this regime to that of [`super::power_lines`]: between about 1.3 and 20
//! distinct tokens a parameter no law was established.

use wd_decay::DecayRule;

use crate::check::Check;
use crate::{Answer, Interval, Law, PlannedRun, Range, words};

/// Parameters, and the λ that was best with them.
pub const TUNED: [(f64, f64); 4] = [(150e6, 0.8), (300e6, 1.6), (600e6, 3.2), (1.4e9, 3.2)];
/// Distinct tokens a parameter: 200M over 1.4B and over 150M parameters.
pub const DISTINCT_TOKENS_PER_PARAMETER: (f64, f64) = (200e6 / 1.4e9, 200e6 / 150e6);

/// The law.
pub const LAW: Law = Law {
    id: "data-constrained",
    name: "data-constrained",
    formula: "λ = 0.8, 1.6, 3.2, 3.2 at 150M, 300M, 600M, 1.4B parameters",
    source: "Kim et al. 2026, arXiv 2509.14786",
    established: "AdamW, several passes over 200M tokens, 150M to 1.4B parameters, learning rate \
        and epochs tuned with λ",
    convention: DecayRule::Decoupled,
    interval: Interval::HalfStep,
    answer,
};

/// λ for a number of parameters, between the tuned ones; at the nearest tuned one beyond them.
pub fn tuned_lambda(parameters: f64) -> f64 {
    let (first, last) = (TUNED[0], TUNED[TUNED.len() - 1]);
    if parameters <= first.0 {
        return first.1;
    }
    TUNED.windows(2).find(|pair| parameters <= pair[1].0).map_or(last.1, |pair| {
        let ((left, low), (right, high)) = (pair[0], pair[1]);
        let share = (parameters / left).ln() / (right / left).ln();
        low * (high / low).powf(share)
    })
}

fn answer(run: &PlannedRun) -> Answer {
    let mut check = Check::default();
    check.adamw_from_scratch(run).tokens(run);
    check.require(run.epochs >= 2.0, || {
        format!(
            "it is about several passes over the same tokens, and this run makes {}",
            words::short(run.epochs)
        )
    });
    let Some(parameters) = run.parameters else {
        return check.without(&[("params", run.parameters)]);
    };
    check.within("parameters", parameters, TUNED[0].0, TUNED[TUNED.len() - 1].0);
    let (fewest, most) = DISTINCT_TOKENS_PER_PARAMETER;
    // The ratios of named sizes: 200M/150M is 1.33, and a run of 1.34 is no other regime.
    check.within(
        "distinct tokens a parameter",
        run.data_points / parameters,
        0.99 * fewest,
        1.01 * most,
    );
    check.mention(
        "tuned together with the peak learning rate and the number of epochs: tune them \
        together here too",
    );
    let lambda = tuned_lambda(parameters);
    let working = format!(
        "{} parameters: λ = {} between the tuned values",
        words::short(parameters),
        words::short(lambda)
    );
    check.answer(lambda, Range::around(lambda), working)
}
