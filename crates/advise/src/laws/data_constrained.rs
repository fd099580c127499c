//! Data-constrained training: many passes over few tokens want more than ten times the usual decay.
//!
//! Kim, Kotha, Liang, Hashimoto: *Pre-training under infinite compute*, arXiv 2509.14786 (ICLR
//! 2026). Learning rate, epochs and λ were tuned together on 200M tokens (750 steps of 262,144 an
//! epoch); the tuned values are in marin-community/marin,
//! experiments/data_efficiency/model_scaling_dclm_200m.py at commit 4cb03b0. From 150M to 1.4B
//! parameters the best λ grows fourfold, from 0.8 to 3.2, while the learning rate falls: the pull
//! ηλ of a step moves by a factor of two alone, and τ = 1/(ηλ) lies between a quarter and six
//! tenths of an epoch throughout. So the law is read as one in ηλ at that batch, interpolated in
//! the logarithms of ηλ and parameters, and λ = ηλ/η. At another batch it is scaled by it, which
//! keeps τ in epochs; that was not tested.
//!
//! Nobody has joined this regime to that of [`super::power_lines`]: between about 1.3 and 20
//! distinct tokens a parameter no law was established.

use wd_decay::DecayRule;

use crate::check::Check;
use crate::{Answer, Interval, Law, PlannedRun, Range, words};

/// A tuned run of the paper.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TunedRun {
    /// Parameters, as the model is named.
    pub parameters: f64,
    /// Passes over the data.
    pub epochs: f64,
    /// Peak learning rate.
    pub peak_learning_rate: f64,
    /// λ.
    pub lambda: f64,
}

impl TunedRun {
    /// ηλ, the part that a step at the peak takes off.
    pub fn pull(&self) -> f64 {
        self.peak_learning_rate * self.lambda
    }

    /// τ = 1/(ηλ) in passes over the data.
    pub fn epochs_of_timescale(&self) -> f64 {
        1.0 / (self.pull() * STEPS_PER_EPOCH)
    }
}

const fn tuned(parameters: f64, epochs: f64, peak_learning_rate: f64, lambda: f64) -> TunedRun {
    TunedRun { parameters, epochs, peak_learning_rate, lambda }
}

/// The tuned runs, by parameters.
pub const TUNED: [TunedRun; 4] = [
    tuned(150e6, 16.0, 3e-3, 0.8),
    tuned(300e6, 16.0, 3e-3, 1.6),
    tuned(600e6, 8.0, 1e-3, 3.2),
    tuned(1.4e9, 8.0, 1e-3, 3.2),
];
/// Tokens a step of the tuned runs.
pub const BATCH: f64 = 262_144.0;
/// Steps an epoch of the tuned runs.
pub const STEPS_PER_EPOCH: f64 = 750.0;
/// Distinct tokens a parameter: an epoch over 1.4B parameters, and the 200M that the paper speaks of
/// over 150M.
pub const DISTINCT_TOKENS_PER_PARAMETER: (f64, f64) =
    (BATCH * STEPS_PER_EPOCH / 1.4e9, 200e6 / 150e6);

/// The law.
pub const LAW: Law = Law {
    id: "data-constrained",
    name: "data-constrained",
    formula: "λ = (ηλ)/η·(B/262144), ηλ = 2.4e-3, 4.8e-3, 3.2e-3, 3.2e-3 at 150M, 300M, 600M, \
        1.4B parameters",
    source: "Kim et al. 2026, arXiv 2509.14786; tuned values from marin-community/marin",
    established: "AdamW, several passes over 200M tokens, 150M to 1.4B parameters, learning rate \
        and epochs tuned with λ, cosine to zero, 262,144 tokens a step",
    convention: DecayRule::Decoupled,
    interval: Interval::HalfStep,
    answer,
};

/// The least and the largest τ of the tuned runs, in passes over the data.
pub fn tuned_epochs() -> (f64, f64) {
    let each = TUNED.map(|run| run.epochs_of_timescale());
    each.iter().fold((f64::INFINITY, 0.0), |(least, most), &one| {
        (f64::min(least, one), f64::max(most, one))
    })
}

/// ηλ for a number of parameters, between the tuned runs; at the nearest of them beyond.
pub fn tuned_pull(parameters: f64) -> f64 {
    let (first, last) = (TUNED[0], TUNED[TUNED.len() - 1]);
    if parameters <= first.parameters {
        return first.pull();
    }
    TUNED.windows(2).find(|pair| parameters <= pair[1].parameters).map_or(last.pull(), |pair| {
        let (low, high) = (pair[0], pair[1]);
        let share = (parameters / low.parameters).ln() / (high.parameters / low.parameters).ln();
        low.pull() * (high.pull() / low.pull()).powf(share)
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
    let needed = [("params", run.parameters), ("batch", run.batch), ("lr", run.peak_learning_rate)];
    let (Some(parameters), Some(batch), Some(rate)) =
        (run.parameters, run.batch, run.peak_learning_rate)
    else {
        return check.without(&needed);
    };
    let (smallest, largest) = (TUNED[0].parameters, TUNED[TUNED.len() - 1].parameters);
    check.within("parameters", parameters, smallest, largest);
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
    if batch != BATCH {
        check.mention(format!(
            "tuned with {} tokens a step: the batch is taken to scale λ",
            words::short(BATCH)
        ));
    }
    let pull = tuned_pull(parameters);
    let lambda = pull / rate * (batch / BATCH);
    let working = format!(
        "{} parameters: ηλ = {} between the tuned values; λ = {}/{}·({}/{}) = {}",
        words::short(parameters),
        words::short(pull),
        words::short(pull),
        words::short(rate),
        words::short(batch),
        words::short(BATCH),
        words::short(lambda)
    );
    check.answer(lambda, Range::around(lambda), working)
}
