//! What a law is, and what it answers about a run.

use serde::Serialize;
use wd_decay::DecayRule;

use crate::PlannedRun;

/// Half a step of a grid whose values are a factor of two apart.
///
/// Most laws come without an interval for λ. A point law is then given the range over which such a
/// grid, the one that λ is commonly tuned on, could not tell its neighbours apart: λ/√2 to λ√2. It
/// is a choice of this program, not a claim of the papers.
pub const HALF_STEP: f64 = std::f64::consts::SQRT_2;

/// An interval of λ.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Range {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl Range {
    /// Half a step of a factor-of-two grid either side: see [`HALF_STEP`].
    pub fn around(lambda: f64) -> Self {
        Range { low: lambda / HALF_STEP, high: lambda * HALF_STEP }
    }

    /// The part that both have, if there is one.
    pub fn overlap(self, other: Range) -> Option<Range> {
        let low = self.low.max(other.low);
        let high = self.high.min(other.high);
        (low <= high).then_some(Range { low, high })
    }

    /// The geometric mean of its ends: the middle on the scale on which λ is tuned.
    pub fn middle(self) -> f64 {
        (self.low * self.high).sqrt()
    }
}

/// What a law says about a run.
///
/// λ is always that of `decoupled` decay, w ← w − η_tλw, as in `torch.optim.AdamW`;
/// [`Law::convention`] says what the paper counts in, and `working` shows the conversion.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum Answer {
    /// The run lies in the range in which the law was established.
    Applies {
        /// λ.
        lambda: f64,
        /// The interval within which the law does not tell λ apart.
        range: Range,
        /// The formula with this run's numbers.
        working: String,
        /// What differs from the law's experiments without leaving its range.
        caveats: Vec<String>,
    },
    /// It does not, and why.
    OutsideRange {
        /// Each departure.
        why: Vec<String>,
        /// What the formula would give all the same; absent where it would mean nothing.
        lambda: Option<f64>,
    },
    /// Inputs that are missing.
    Needs {
        /// Each of them, as the command has it.
        what: Vec<String>,
    },
    /// The law sets no λ: it changes how λ acts, or does without.
    Instead {
        /// What it does.
        what: String,
        /// How to do it here.
        how: String,
    },
}

impl Answer {
    /// λ and its range where the law applies.
    pub fn applies(&self) -> Option<(f64, Range)> {
        match self {
            Answer::Applies { lambda, range, .. } => Some((*lambda, *range)),
            _ => None,
        }
    }

    /// The number that the formula gives, in its range or not.
    pub fn lambda(&self) -> Option<f64> {
        match self {
            Answer::Applies { lambda, .. } => Some(*lambda),
            Answer::OutsideRange { lambda, .. } => *lambda,
            Answer::Needs { .. } | Answer::Instead { .. } => None,
        }
    }
}

/// Where a law's range comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Interval {
    /// The paper gives one.
    Published,
    /// It gives one value: half a step of a factor-of-two grid either side, see [`HALF_STEP`].
    HalfStep,
    /// The law gives no value.
    None,
}

/// A published law.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Law {
    /// The name in files, for example `power-lines`.
    pub id: &'static str,
    /// The name in sentences.
    pub name: &'static str,
    /// The formula in the paper's symbols.
    pub formula: &'static str,
    /// Paper, and where in it; how it was checked.
    pub source: &'static str,
    /// The range in which it was established.
    pub established: &'static str,
    /// The rule whose λ the paper's formula gives.
    pub convention: DecayRule,
    /// Where its range of λ comes from.
    pub interval: Interval,
    /// What it says about a run.
    #[serde(skip)]
    pub answer: fn(&PlannedRun) -> Answer,
}
