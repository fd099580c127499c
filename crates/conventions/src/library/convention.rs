//! What a λ does: a step's decay, or a penalty beside a loss.

use serde::{Deserialize, Serialize};
use wd_decay::DecayRule;

/// What λ does: one step's decay, or a penalty on an objective.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Convention {
    /// A step decays by `rule` with the coefficient `per_unit` · λ.
    Step {
        /// The rule.
        rule: DecayRule,
        /// Coefficient of the rule per unit of the library's number: 1, 2 for a penalty without ½,
        /// or 0 where the library reads the number and applies nothing.
        #[serde(default = "one")]
        per_unit: f64,
        /// Whether only coordinates decay whose update agrees in sign with the weight.
        #[serde(default)]
        cautious: bool,
    },
    /// An objective gets a penalty.
    Penalty {
        /// How it is weighed.
        penalty: Penalty,
        /// What the penalty stands beside.
        likelihood: Likelihood,
    },
}

const fn one() -> f64 {
    1.0
}

impl Convention {
    /// The rule of its steps; absent for an estimator.
    pub const fn rule(&self) -> Option<DecayRule> {
        match *self {
            Convention::Step { rule, .. } => Some(rule),
            Convention::Penalty { .. } => None,
        }
    }

    /// The coefficient of [`Convention::rule`] where the library's number is `lambda`: that number,
    /// doubled where the library's penalty lacks the ½.
    pub const fn coefficient(&self, lambda: f64) -> f64 {
        match *self {
            Convention::Step { per_unit, .. } => per_unit * lambda,
            Convention::Penalty { .. } => lambda,
        }
    }
}

/// The loss of an estimator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Likelihood {
    /// Squared error.
    Squared,
    /// Logistic or multinomial cross-entropy.
    Logistic,
    /// That of counts, whose log mean is linear.
    Poisson,
    /// Whichever the model has.
    Any,
}

/// How an objective weighs its penalty.
///
/// The common form is Σ_i ℓ_i + (P/2)‖w‖² + L‖w‖₁, with ℓ = ½(y − f)² or a negative log likelihood;
/// r is the share of L1 (`l1_ratio`) and v the number that is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Penalty {
    /// P = v(1 − r), L = vr. Σ(y − f)² + v‖w‖² is this too: both terms lack their ½.
    Summed,
    /// P = Nv(1 − r), L = Nvr: a mean loss.
    Mean,
    /// P = Nv/B: a mean over the B points of a batch, whose penalty is divided by B once more.
    MeanPerBatch,
    /// P = Nv(1 − r)/std(y), L = Nvr: a mean loss whose response was first scaled to unit variance.
    MeanScaledResponse,
    /// P = 0, L = v.
    SummedL1,
    /// P = (1 − r)/v, L = r/v: v multiplies the loss.
    Inverse,
    /// P = v for a likelihood, P = vσ² with the noise σ of a regression: v is the prior's
    /// precision.
    PriorPrecision,
    /// P = 1/v² for a likelihood, P = σ²/v² for a regression: v is the prior's standard deviation.
    PriorStd,
}
