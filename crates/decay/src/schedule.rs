//! What multiplies a peak at each step: one type for the learning rate and for λ.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr, VariantArray};

use crate::{DecayError, Points, counted, names};

/// The shape of a schedule after its warm-up.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Default,
    Serialize,
    Deserialize,
    VariantArray,
    IntoStaticStr,
    Display,
)]
#[strum(serialize_all = "kebab-case")]
#[serde(rename_all = "kebab-case")]
pub enum ScheduleKind {
    /// Stays at the peak.
    Constant,
    /// Half a cosine, down to the floor.
    #[default]
    Cosine,
    /// A straight line, down to the floor.
    Linear,
    /// Stays at the peak, then a straight line down to the floor over the last `decay` steps.
    #[serde(rename = "wsd")]
    #[strum(serialize = "wsd")]
    WarmupStableDecay,
    /// Falls as 1/√t from the end of the warm-up, never below the floor (Vaswani et al. 2017,
    /// equation 3).
    #[serde(rename = "inverse-sqrt")]
    #[strum(serialize = "inverse-sqrt")]
    InverseSquareRoot,
    /// Through given points: steps, restarts, rising λ, one cycle.
    Points,
}

impl ScheduleKind {
    /// Every kind, in the order of tables.
    pub const ALL: &[ScheduleKind] = ScheduleKind::VARIANTS;

    /// The name used in files and on the command line.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl FromStr for ScheduleKind {
    type Err = DecayError;

    fn from_str(text: &str) -> Result<Self, DecayError> {
        names::find("schedule", text)
    }
}

#[doc = include_str!("../docs/schedule.md")]
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Schedule {
    /// The shape after the warm-up.
    pub kind: ScheduleKind,
    /// Warm-up steps W.
    pub warmup: u64,
    /// Steps S of the whole run, warm-up included.
    pub steps: u64,
    /// Floor f, a fraction of the peak; unused by `constant`.
    pub floor: f64,
    /// Final-decay steps D; used by `wsd` alone.
    pub decay: u64,
    /// The points of `points`; none for the other shapes.
    #[serde(skip_serializing_if = "Points::is_empty")]
    pub points: Points,
}

/// A schedule as it stands in a file, before it is known to be possible.
#[derive(Deserialize)]
struct Unchecked {
    kind: ScheduleKind,
    warmup: u64,
    steps: u64,
    floor: f64,
    decay: u64,
    #[serde(default)]
    points: Points,
}

impl TryFrom<Unchecked> for Schedule {
    type Error = DecayError;

    fn try_from(raw: Unchecked) -> Result<Self, DecayError> {
        match raw.kind {
            ScheduleKind::Points => Schedule::through(raw.points, raw.steps),
            kind => Schedule::new(kind, raw.warmup, raw.steps, raw.floor, raw.decay),
        }
    }
}

impl Schedule {
    /// A schedule over `steps` steps.
    ///
    /// `floor` and `decay` may be given for kinds that do not use them, so that a grid over kinds
    /// can share them.
    ///
    /// # Errors
    /// When the warm-up (and, for `wsd`, the final decay) does not fit into the run, or the floor
    /// is no fraction.
    pub fn new(
        kind: ScheduleKind,
        warmup: u64,
        steps: u64,
        floor: f64,
        decay: u64,
    ) -> Result<Self, DecayError> {
        if warmup > steps {
            return Err(DecayError::WarmupTooLong { warmup, steps });
        }
        if kind == ScheduleKind::WarmupStableDecay && decay > steps - warmup {
            return Err(DecayError::DecayTooLong { warmup, decay, steps });
        }
        if !(0.0..=1.0).contains(&floor) {
            return Err(DecayError::InvalidFloor { floor });
        }
        if kind == ScheduleKind::Points {
            let reason = "there are none: give them, such as [[0, 0.1], [0.3, 1], [1, 0]]";
            return Err(DecayError::InvalidPoints { reason: reason.to_owned() });
        }
        Ok(Schedule { kind, warmup, steps, floor, decay, points: Points::NONE })
    }

    /// A schedule through points, over `steps` steps. A warm-up is made of points too.
    ///
    /// # Errors
    /// When there are no points.
    pub fn through(points: Points, steps: u64) -> Result<Self, DecayError> {
        let Some(last) = points.as_slice().last() else {
            return Schedule::new(ScheduleKind::Points, 0, steps, 0.0, 0);
        };
        let (kind, floor) = (ScheduleKind::Points, last.factor);
        Ok(Schedule { kind, warmup: 0, steps, floor, decay: 0, points })
    }

    /// The peak itself at each of `steps` steps.
    pub const fn constant(steps: u64) -> Self {
        let kind = ScheduleKind::Constant;
        Schedule { kind, warmup: 0, steps, floor: 1.0, decay: 0, points: Points::NONE }
    }

    /// The multiplier of the peak at `step`, counted from 0.
    pub fn factor(&self, step: u64) -> f64 {
        if step < self.warmup {
            return (step + 1) as f64 / (self.warmup + 1) as f64;
        }
        let down = |fallen: f64| self.floor + (1.0 - self.floor) * fallen;
        match self.kind {
            ScheduleKind::Constant => 1.0,
            ScheduleKind::Cosine => {
                let progress = progress(step, self.warmup, self.steps);
                down(0.5 * (1.0 + (std::f64::consts::PI * progress).cos()))
            }
            ScheduleKind::Linear => down(1.0 - progress(step, self.warmup, self.steps)),
            ScheduleKind::WarmupStableDecay => {
                down(1.0 - progress(step, self.steps - self.decay, self.steps))
            }
            ScheduleKind::InverseSquareRoot => {
                self.floor.max(((self.warmup + 1) as f64 / (step + 1) as f64).sqrt())
            }
            ScheduleKind::Points => self.points.factor(step as f64 / self.steps as f64),
        }
    }

    /// Σ_t factor(t) over the steps of the run: with peak η it gives Σ η_t, hence κ = λΣη_t for
    /// decoupled decay.
    pub fn sum(&self) -> f64 {
        // Σ_{t<W} (t + 1)/(W + 1) = W/2.
        0.5 * self.warmup as f64 + self.sums_after_warmup().0
    }

    /// Σ_t factor(t)² over the steps of the run.
    pub fn sum_of_squares(&self) -> f64 {
        let warmup = self.warmup as f64;
        warmup * (2.0 * warmup + 1.0) / (6.0 * (warmup + 1.0)) + self.sums_after_warmup().1
    }

    /// Σ factor and Σ factor² over t = W … S − 1, in closed form but for the inverse square root.
    fn sums_after_warmup(&self) -> (f64, f64) {
        let length = self.steps - self.warmup;
        let n = length as f64;
        match self.kind {
            ScheduleKind::Constant => (n, n),
            // Σ_{k<n} cos(πk/n) = 1, since k and n − k cancel, and Σ cos²(πk/n) = n/2 once n ≥ 2.
            ScheduleKind::Cosine => match length {
                0 | 1 => (n, n),
                _ => self.with_floor(n, (n + 1.0) / 2.0, (1.5 * n + 2.0) / 4.0),
            },
            ScheduleKind::Linear => self.line(length),
            ScheduleKind::WarmupStableDecay => {
                let stable = (length - self.decay) as f64;
                let (sum, squares) = self.line(self.decay);
                (stable + sum, stable + squares)
            }
            ScheduleKind::InverseSquareRoot | ScheduleKind::Points => (self.warmup..self.steps)
                .map(|step| self.factor(step))
                .fold((0.0, 0.0), |(sum, squares), factor| {
                    (sum + factor, squares + factor * factor)
                }),
        }
    }

    /// The sums of a straight line from 1 to the floor over `length` steps.
    fn line(&self, length: u64) -> (f64, f64) {
        let n = length as f64;
        match length {
            0 => (0.0, 0.0),
            _ => self.with_floor(n, (n + 1.0) / 2.0, (n + 1.0) * (2.0 * n + 1.0) / (6.0 * n)),
        }
    }

    /// From Σc and Σc² to the sums of f + (1 − f)c.
    fn with_floor(&self, n: f64, sum: f64, squares: f64) -> (f64, f64) {
        let (floor, span) = (self.floor, 1.0 - self.floor);
        (
            n * floor + span * sum,
            n * floor * floor + 2.0 * floor * span * sum + span * span * squares,
        )
    }

    /// The schedule in words, for example `cosine to 10 % after 94 warm-up steps`.
    pub fn describe(&self) -> String {
        let target = match self.floor {
            0.0 => "zero".to_owned(),
            // Rounded, since 0.07 × 100 is 7.000000000000001.
            floor => format!("{} %", (floor * 1e8).round() / 1e6),
        };
        let shape = match self.kind {
            ScheduleKind::Constant => "constant".to_owned(),
            ScheduleKind::Cosine => format!("cosine to {target}"),
            ScheduleKind::Linear => format!("linear to {target}"),
            ScheduleKind::WarmupStableDecay => {
                format!(
                    "constant, then linear to {target} over the last {}",
                    counted(self.decay, "step")
                )
            }
            ScheduleKind::InverseSquareRoot if self.floor == 0.0 => {
                "inverse square root".to_owned()
            }
            ScheduleKind::InverseSquareRoot => format!("inverse square root, at least {target}"),
            ScheduleKind::Points => format!("through points: {}", self.points.describe()),
        };
        match self.warmup {
            0 => shape,
            warmup => format!("{shape} after {}", counted(warmup, "warm-up step")),
        }
    }
}

/// How far `step` is on the way from `from` to `to`, held within 0 and 1.
fn progress(step: u64, from: u64, to: u64) -> f64 {
    if step >= to {
        1.0
    } else if step <= from {
        // Also where the way has no length: 0/0 is no progress.
        0.0
    } else {
        (step - from) as f64 / (to - from) as f64
    }
}
