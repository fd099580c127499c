//! `[optim]` and `[schedule]`: the direction, and the learning rate over the run.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize, de};
use wd_decay::{OptimizerKind, Points, ScheduleKind, Storage};

/// `[optim]`. Keys that the chosen optimizer does not have are refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimSection {
    /// `adamw`, `adam`, `sgd`, `lion`, `muon`.
    #[serde(default, deserialize_with = "trainable")]
    pub kind: OptimizerKind,
    /// Peak learning rate η_max.
    pub lr: f64,
    /// β₁ of Adam and Lion.
    pub beta1: Option<f64>,
    /// β₂ of Adam and Lion.
    pub beta2: Option<f64>,
    /// ε of Adam.
    pub epsilon: Option<f64>,
    /// Momentum of SGD and Muon.
    pub momentum: Option<f64>,
    /// Dampening of SGD's momentum.
    pub dampening: Option<f64>,
    /// Nesterov momentum for SGD and Muon.
    pub nesterov: Option<bool>,
    /// Muon: learning rate of its auxiliary AdamW over `lr`.
    pub auxiliary_lr_ratio: Option<f64>,
    /// Clip the global gradient norm to this; 0: never.
    #[serde(default = "default_clip")]
    pub clip: f64,
    /// How weights are stored between steps: `f32`, `bf16-nearest`, `bf16-stochastic`.
    #[serde(default)]
    pub storage: Storage,
    /// The directory of a finished run of the same model with λ > 0: each step, the learning rate
    /// of every tensor that decays there is multiplied by ‖w‖ here over ‖w‖ there, so that the
    /// steps move it by the same share of its norm.
    pub effective_rate_of: Option<PathBuf>,
    /// The factor by which the learning rate falls from each block to the one before it.
    pub layer_decay: Option<f64>,
    /// Peak learning rate of the tensors whose path matches a glob, in the order of the file: later
    /// ones win.
    #[serde(default, with = "wd_decay::in_order")]
    pub overrides: Vec<(String, f64)>,
}

fn default_clip() -> f64 {
    1.0
}

/// The optimizers that can train here.
const TRAINABLE: [OptimizerKind; 5] = [
    OptimizerKind::Adamw,
    OptimizerKind::Adam,
    OptimizerKind::Sgd,
    OptimizerKind::Lion,
    OptimizerKind::Muon,
];

fn trainable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OptimizerKind, D::Error> {
    const NAMES: &[&str] = &["adamw", "adam", "sgd", "lion", "muon"];
    let name = String::deserialize(deserializer)?;
    let known = TRAINABLE.into_iter().find(|kind| kind.name() == name);
    known.ok_or_else(|| de::Error::unknown_variant(&name, NAMES))
}

/// `[schedule]` or `[decay.schedule]`: a factor on a peak, over the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = r#"a table, such as { kind = "cosine", warmup = 0.05, floor = 0.1 }"#
)]
pub struct ScheduleSection {
    /// `cosine`, `constant`, `linear`, `wsd`, `inverse-sqrt`, `points`.
    pub kind: ScheduleKind,
    /// Linear warm-up.
    pub warmup: Length,
    /// Where it ends, as a fraction of the peak.
    pub floor: f64,
    /// `wsd`: the part at the end over which it decays.
    pub decay: Length,
    /// `points`: what the factor goes through, each `[share of the run, factor]` or with the curve
    /// that leads there, `[1.0, 0.1, "cosine"]`: `linear`, `cosine`, `step`. The largest is 1.
    pub points: Points,
}

impl Default for ScheduleSection {
    fn default() -> Self {
        ScheduleSection {
            kind: ScheduleKind::Cosine,
            warmup: Length::Share(0.05),
            floor: 0.1,
            decay: Length::Share(0.2),
            points: Points::NONE,
        }
    }
}

impl ScheduleSection {
    /// λ without a schedule of its own: constant from the first step.
    pub fn constant() -> Self {
        ScheduleSection {
            kind: ScheduleKind::Constant,
            warmup: Length::Steps(0),
            ..ScheduleSection::default()
        }
    }
}

/// A part of the run: an integer is a number of steps, a fraction below 1 a share of the run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "a part of the run is a number of steps, such as 400, or a share of the run, such \
                 as 0.05"
)]
pub enum Length {
    /// Steps.
    Steps(u64),
    /// Share of the run, in [0, 1].
    Share(f64),
}

impl Length {
    /// The number of steps in a run of `total`; a share is rounded to the nearest step.
    pub fn steps(self, total: u64) -> u64 {
        match self {
            Length::Steps(steps) => steps,
            Length::Share(share) => (share * total as f64).round() as u64,
        }
    }
}
