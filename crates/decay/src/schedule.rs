//! What multiplies a peak at each step: one type for the learning rate and for λ.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{DecayError, counted, names};

/// The shape of a schedule after its warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum ScheduleKind {
    /// Stays at the peak.
    #[serde(rename = "constant")]
    Constant,
    /// Half a cosine, down to the floor.
    #[default]
    #[serde(rename = "cosine")]
    Cosine,
    /// A straight line, down to the floor.
    #[serde(rename = "linear")]
    Linear,
    /// Stays at the peak, then a straight line down to the floor over the last `decay` steps.
    #[serde(rename = "wsd")]
    WarmupStableDecay,
    /// Falls as 1/√t from the end of the warm-up, never below the floor (Vaswani et al. 2017,
    /// equation 3).
    #[serde(rename = "inverse-sqrt")]
    InverseSquareRoot,
}

impl ScheduleKind {
    /// Every kind, in the order of tables.
    pub const ALL: [ScheduleKind; 5] = [
        ScheduleKind::Constant,
        ScheduleKind::Cosine,
        ScheduleKind::Linear,
        ScheduleKind::WarmupStableDecay,
        ScheduleKind::InverseSquareRoot,
    ];

    /// The name used in files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            ScheduleKind::Constant => "constant",
            ScheduleKind::Cosine => "cosine",
            ScheduleKind::Linear => "linear",
            ScheduleKind::WarmupStableDecay => "wsd",
            ScheduleKind::InverseSquareRoot => "inverse-sqrt",
        }
    }
}

impl fmt::Display for ScheduleKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for ScheduleKind {
    type Err = DecayError;

    fn from_str(text: &str) -> Result<Self, DecayError> {
        names::find("schedule", text, ScheduleKind::ALL, ScheduleKind::name)
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
}

/// A schedule as it stands in a file, before it is known to be possible.
#[derive(Deserialize)]
struct Unchecked {
    kind: ScheduleKind,
    warmup: u64,
    steps: u64,
    floor: f64,
    decay: u64,
}

impl TryFrom<Unchecked> for Schedule {
    type Error = DecayError;

    fn try_from(raw: Unchecked) -> Result<Self, DecayError> {
        Schedule::new(raw.kind, raw.warmup, raw.steps, raw.floor, raw.decay)
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
        Ok(Schedule { kind, warmup, steps, floor, decay })
    }

    /// The peak itself at each of `steps` steps.
    pub const fn constant(steps: u64) -> Self {
        Schedule { kind: ScheduleKind::Constant, warmup: 0, steps, floor: 1.0, decay: 0 }
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
            ScheduleKind::InverseSquareRoot => (self.warmup..self.steps)
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// nanoGPT's `get_lr`, transcribed from its train.py.
    fn nanogpt(
        it: u64,
        learning_rate: f64,
        warmup_iters: u64,
        lr_decay_iters: u64,
        min_lr: f64,
    ) -> f64 {
        if it < warmup_iters {
            return learning_rate * (it + 1) as f64 / (warmup_iters + 1) as f64;
        }
        if it > lr_decay_iters {
            return min_lr;
        }
        let decay_ratio = (it - warmup_iters) as f64 / (lr_decay_iters - warmup_iters) as f64;
        let coeff = 0.5 * (1.0 + (std::f64::consts::PI * decay_ratio).cos());
        min_lr + coeff * (learning_rate - min_lr)
    }

    fn any_schedule() -> impl Strategy<Value = Schedule> {
        (0..5usize, 0..300u64, 0..300u64, 0..300u64, 0.0..=1.0f64).prop_map(
            |(kind, warmup, stable, decay, floor)| {
                Schedule::new(
                    ScheduleKind::ALL[kind],
                    warmup,
                    warmup + stable + decay,
                    floor,
                    decay,
                )
                .unwrap()
            },
        )
    }

    #[test]
    fn a_decay_of_no_steps_stays_at_the_peak() {
        let schedule = Schedule::new(ScheduleKind::WarmupStableDecay, 0, 3, 0.0, 0).unwrap();
        assert_eq!([0, 1, 2].map(|step| schedule.factor(step)), [1.0; 3]);
        assert_eq!(schedule.sum(), 3.0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn sums_equal_brute_force(schedule in any_schedule()) {
            let factors = (0..schedule.steps).map(|step| schedule.factor(step));
            let sum: f64 = factors.clone().sum();
            let squares: f64 = factors.map(|factor| factor * factor).sum();
            prop_assert!((schedule.sum() - sum).abs() <= 1e-11 * (1.0 + sum));
            prop_assert!((schedule.sum_of_squares() - squares).abs() <= 1e-11 * (1.0 + squares));
        }

        #[test]
        fn factors_rise_to_one_then_never_rise_nor_pass_the_floor(schedule in any_schedule()) {
            for step in 0..schedule.steps + 50 {
                let factor = schedule.factor(step);
                prop_assert!(factor > 0.0 || schedule.floor == 0.0);
                prop_assert!(factor <= 1.0);
                let next = schedule.factor(step + 1);
                if step < schedule.warmup {
                    prop_assert!(factor < 1.0 && (next > factor || step + 1 == schedule.steps));
                } else {
                    prop_assert!(next <= factor + 1e-15);
                    if schedule.kind != ScheduleKind::Constant {
                        prop_assert!(factor >= schedule.floor);
                    }
                }
            }
            let at_peak = schedule.warmup < schedule.steps;
            prop_assert!(!at_peak || schedule.factor(schedule.warmup) == 1.0);
        }

        #[test]
        fn cosine_is_nanogpt(warmup in 0..200u64, rest in 1..500u64, floor in 0.0..=1.0f64, peak in 1e-6..1.0f64) {
            let steps = warmup + rest;
            let schedule = Schedule::new(ScheduleKind::Cosine, warmup, steps, floor, 0).unwrap();
            for step in 0..steps + 20 {
                let expected = nanogpt(step, peak, warmup, steps, floor * peak);
                prop_assert!((peak * schedule.factor(step) - expected).abs() <= 1e-15 * peak.max(expected));
            }
        }
    }

    #[test]
    fn the_shapes_at_chosen_steps() {
        let of = |kind, floor| Schedule::new(kind, 10, 110, floor, 20).unwrap();
        let near = |left: f64, right: f64| assert!((left - right).abs() < 1e-12, "{left} {right}");
        near(of(ScheduleKind::Cosine, 0.1).factor(0), 1.0 / 11.0);
        near(of(ScheduleKind::Cosine, 0.1).factor(9), 10.0 / 11.0);
        near(of(ScheduleKind::Cosine, 0.1).factor(60), 0.55);
        near(of(ScheduleKind::Linear, 0.0).factor(60), 0.5);
        near(of(ScheduleKind::Linear, 0.0).factor(109), 0.01);
        near(of(ScheduleKind::WarmupStableDecay, 0.0).factor(90), 1.0);
        near(of(ScheduleKind::WarmupStableDecay, 0.0).factor(100), 0.5);
        near(of(ScheduleKind::WarmupStableDecay, 0.2).factor(500), 0.2);
        near(of(ScheduleKind::InverseSquareRoot, 0.0).factor(43), 0.5);
        near(of(ScheduleKind::InverseSquareRoot, 0.6).factor(43), 0.6);
        near(of(ScheduleKind::Constant, 0.1).factor(1000), 1.0);
    }

    #[test]
    fn a_run_of_no_steps_is_a_schedule() {
        for kind in ScheduleKind::ALL {
            let schedule = Schedule::new(kind, 0, 0, 0.1, 0).unwrap();
            assert_eq!((schedule.sum(), schedule.sum_of_squares()), (0.0, 0.0));
            assert!(schedule.factor(0).is_finite());
        }
    }

    #[test]
    fn impossible_schedules_are_refused() {
        let new = Schedule::new;
        assert_eq!(
            new(ScheduleKind::Cosine, 11, 10, 0.1, 0),
            Err(DecayError::WarmupTooLong { warmup: 11, steps: 10 })
        );
        let too_long = DecayError::DecayTooLong { warmup: 5, decay: 6, steps: 10 };
        assert_eq!(new(ScheduleKind::WarmupStableDecay, 5, 10, 0.1, 6), Err(too_long));
        assert!(new(ScheduleKind::Cosine, 5, 10, 0.1, 6).is_ok());
        for floor in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert!(new(ScheduleKind::Linear, 0, 10, floor, 0).is_err());
        }
    }

    #[test]
    fn descriptions() {
        let describe =
            |kind, warmup, floor| Schedule::new(kind, warmup, 1000, floor, 200).unwrap().describe();
        assert_eq!(
            describe(ScheduleKind::Cosine, 94, 0.1),
            "cosine to 10 % after 94 warm-up steps"
        );
        assert_eq!(describe(ScheduleKind::Linear, 0, 0.0), "linear to zero");
        assert_eq!(describe(ScheduleKind::Cosine, 1, 0.07), "cosine to 7 % after 1 warm-up step");
        assert_eq!(describe(ScheduleKind::Constant, 50, 0.1), "constant after 50 warm-up steps");
        let wsd = describe(ScheduleKind::WarmupStableDecay, 0, 0.0);
        assert_eq!(wsd, "constant, then linear to zero over the last 200 steps");
        assert_eq!(
            describe(ScheduleKind::InverseSquareRoot, 0, 0.05),
            "inverse square root, at least 5 %"
        );
    }
}
