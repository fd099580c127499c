//! `[decay]`: which tensors decay, how much and by which rule.

use serde::{Deserialize, Serialize};
use wd_decay::{Anchor, DecayRule, Preset};

use super::optim::ScheduleSection;

/// `[decay]`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DecaySection {
    /// λ; absent: 0, and 1 (that is, on) under `hyperball`.
    pub lambda: Option<f64>,
    /// How λ becomes a per-step shrink; absent: what the optimizer's name stands for.
    pub rule: Option<DecayRule>,
    /// Decay only the coordinates that the update moves towards the anchor.
    pub cautious: bool,
    /// What the weights decay to.
    pub anchor: Anchor,
    /// Which tensors decay; absent: `nanogpt`, and `matrices` under `hyperball`.
    pub policy: Option<Preset>,
    /// λ over the run; absent: constant.
    pub schedule: Option<ScheduleSection>,
    /// λ of the tensors whose path matches a glob, in the order of the file: later ones win.
    #[serde(with = "wd_decay::in_order")]
    pub overrides: Vec<(String, f64)>,
}

impl DecaySection {
    /// Is a norm held, instead of a decay applied?
    pub fn holds(&self) -> bool {
        self.rule == Some(DecayRule::Hyperball)
    }

    /// λ, with its default.
    pub fn lambda(&self) -> f64 {
        self.lambda.unwrap_or(if self.holds() { 1.0 } else { 0.0 })
    }

    /// The policy, with its default.
    pub fn policy(&self) -> Preset {
        self.policy.unwrap_or(match self.holds() {
            true => Preset::Matrices,
            false => Preset::Nanogpt,
        })
    }
}
