//! λ from what the files hold, with its interval, or why it cannot be told.
//!
//! | | estimator | needs | file |
//! |---|---|---|---|
//! | S | the change over one step | two consecutive checkpoints, the second with state | `consecutive` |
//! | Z | rows that never had a gradient | two checkpoints | `never_seen` |
//! | U | rows without gradient in between | two checkpoints with state | `unseen` |
//! | R | which rule the shrinks follow | three checkpoints | `rule_fit` |
//! | B | the spread of rows without gradient | one checkpoint with state, σ₀ | `initial_spread` |
//! | Q | the momentum of rows without gradient | one checkpoint with state | `coupled` |
//! | L | the norm's growth in the last step | one checkpoint with state | `last_step` |
//! | E | the size at which decay and update balance | η, λ | `equilibrium` |
//! | N | nothing but a drift | two checkpoints | `drift` |

mod changes;
mod consecutive;
mod coupled;
mod dead_rows;
mod drift;
mod equilibrium;
mod initial_spread;
mod last_step;
mod least_squares;
mod never_seen;
mod pair;
mod prove;
mod rates;
mod residual_names;
mod rounding;
mod rule_fit;
mod single;
mod unseen;
mod update;
mod verdict;
mod window;

#[cfg(test)]
mod planted;
#[cfg(test)]
mod tests;

pub use dead_rows::{RowChange, RowChanges};
pub use prove::{contradicted, prove};
pub use rates::{RateSource, Rates};
pub use residual_names::{NamedParameter, name_by_residuals};

use std::path::PathBuf;

use serde::Serialize;
use strum::{Display, IntoStaticStr};

/// How an estimate was made. The letters are those of the book's chapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Display, IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// S: two consecutive steps and the optimizer's state.
    #[strum(serialize = "one step and its state")]
    Consecutive,
    /// Z: rows that have never had a gradient.
    #[strum(serialize = "rows never seen")]
    NeverSeen,
    /// U: rows without a gradient between the two checkpoints.
    #[strum(serialize = "rows unseen in between")]
    UnseenBetween,
    /// B: the spread of rows without gradient against their initial spread.
    #[strum(serialize = "spread of rows without gradient")]
    InitialSpread,
    /// Q: the momentum of rows without gradient.
    #[strum(serialize = "momentum of rows without gradient")]
    CoupledMomentum,
}

/// An estimate with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Estimate {
    /// A value with its standard error, and a floor below which rounding hides everything.
    pub fn new(value: f64, standard_error: f64, floor: f64) -> Self {
        let half = 1.959_963_984_540_054 * standard_error + floor.abs();
        Estimate { value, low: value - half, high: value + half }
    }

    /// Whether a number lies so far outside that no count of tensors makes it chance: five standard
    /// errors, and one per cent.
    pub fn excludes(&self, number: f64) -> bool {
        let half = 0.5 * (self.high - self.low);
        let distance = (self.value - number).abs();
        distance > 2.5 * half && distance > 0.01 * number.abs() && !self.holds(number)
    }

    /// Whether the interval holds a number.
    pub fn holds(&self, number: f64) -> bool {
        self.low <= number && number <= self.high
    }
}

/// λ of one tensor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TensorEstimate {
    /// The tensor.
    pub tensor: String,
    /// How it was estimated.
    pub method: Method,
    /// λ̂; nothing where only κ is known for want of learning rates.
    pub lambda: Option<Estimate>,
    /// κ̂, the sum of the shrinks between the two checkpoints (or since the start).
    pub shrink: Option<Estimate>,
    /// Learning rate, where the method gives it.
    pub rate: Option<Estimate>,
    /// λ of the tensor's group, where that is known.
    pub declared: Option<f64>,
    /// λ of its group in the first of two checkpoints, where it was another one: a schedule of λ, or
    /// a change by hand, moved it in between.
    pub declared_before: Option<f64>,
    /// Rows that were used; all of them where the method uses whole tensors.
    pub rows: usize,
    /// Elements that were used.
    pub elements: usize,
    /// What limits it, where that must be known: rounding, collinearity.
    pub remark: Option<String>,
}

impl TensorEstimate {
    /// The declared λ that lies nearest to λ̂: where it moved between two checkpoints, one of those
    /// in between was declared at each step.
    pub fn nearest_declared(&self) -> Option<f64> {
        let (declared, lambda) = (self.declared?, self.lambda?);
        let before = self.declared_before.unwrap_or(declared);
        Some(lambda.value.clamp(declared.min(before), declared.max(before)))
    }

    /// Whether it is a penalty in the gradient, of so many rows that chance makes none.
    pub(crate) fn shows_penalty(&self) -> bool {
        const ROWS: usize = 16;
        self.method == Method::CoupledMomentum
            && self.rows >= ROWS
            && self.lambda.is_some_and(|lambda| lambda.low > 0.0)
    }
}

/// A rule that the shrinks of several windows follow, and how badly they fit it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleFit {
    /// `Σ η`, `steps`, `Σ η²`, `Σ √η`.
    pub rule: &'static str,
    /// Largest relative residual.
    pub residual: f64,
}

/// The drift of a tensor between two checkpoints that lie too far apart to tell λ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drift {
    /// The tensor.
    pub tensor: String,
    /// ⟨w₁, w₂⟩ / ⟨w₁, w₁⟩: what of the first one is left along itself.
    pub along: f64,
    /// ‖w₂‖ / ‖w₁‖.
    pub norm_ratio: f64,
    /// Whether all bits are equal.
    pub is_equal: bool,
    /// Whether the second is the first times one number in every element, up to rounding.
    pub is_pure_factor: bool,
}

/// How a tensor's norm moved in the last step, and what it is on its way to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Balance {
    /// The tensor.
    pub tensor: String,
    /// L: relative growth of ‖w‖² in the last step.
    pub growth: Estimate,
    /// The part of it that decay makes, −2ηλ.
    pub decay_part: f64,
    /// Root mean square now.
    pub rms: f64,
    /// E: the root mean square at which decay and update would balance, √(η/2λ) in its simplest form.
    pub equilibrium_rms: Option<f64>,
}

/// What the files say of whether weight decay was applied.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum Verdict {
    /// λ̂ holds the declared λ in its interval, and the interval excludes 0 (or λ is 0).
    AppliedAsDeclared {
        /// λ as declared.
        declared: f64,
        /// λ̂, the most exact of the tensors.
        estimate: Estimate,
    },
    /// The interval holds 0 and excludes the declared λ.
    NotApplied {
        /// λ as declared.
        declared: Option<f64>,
        /// λ̂ or κ̂.
        estimate: Estimate,
    },
    /// The interval excludes both.
    AppliedOtherwise {
        /// λ as declared.
        declared: Option<f64>,
        /// λ̂.
        estimate: Estimate,
    },
    /// Decay acted, and λ itself needs the learning rates.
    Applied {
        /// κ̂ of the window.
        shrink: Estimate,
    },
    /// The files do not tell.
    #[default]
    CannotTell,
}

/// What the files prove.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Proof {
    /// The two files, where there are two.
    pub files: Vec<PathBuf>,
    /// Steps between them.
    pub steps: Option<f64>,
    /// Σ η over the window, where the rates are known.
    pub rate_sum: Option<f64>,
    /// The verdict.
    pub verdict: Verdict,
    /// Why the verdict is no better, and what would tell: full sentences.
    pub reasons: Vec<String>,
    /// λ̂ of tensors.
    pub estimates: Vec<TensorEstimate>,
    /// Which rule the shrinks of several windows follow.
    pub rules: Vec<RuleFit>,
    /// The drift of tensors where λ cannot be told.
    pub drifts: Vec<Drift>,
    /// Growth of the norms in the last step.
    pub balances: Vec<Balance>,
    /// How rows changed, of tensors in which some had no gradient.
    pub rows: Vec<RowChanges>,
}
