//! Which family an optimizer belongs to.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr, VariantArray};

use crate::{DecayError, DecayRule, names};

/// The family of an optimizer: what forms the direction that decay stands beside.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Default,
    Serialize,
    Deserialize,
    VariantArray,
    IntoStaticStr,
    Display,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum OptimizerKind {
    /// Adam with decoupled decay (Loshchilov & Hutter 2019).
    #[default]
    Adamw,
    /// Adam; as the name of a configuration, Adam with a coupled L2 penalty.
    Adam,
    /// Gradient descent, with or without momentum.
    Sgd,
    /// Lion: the sign of an average of gradients.
    Lion,
    /// Muon: an orthogonalised momentum, on the hidden matrices.
    Muon,
    /// Adam with Nesterov momentum.
    Nadam,
    /// Rectified Adam.
    Radam,
    /// Adafactor.
    Adafactor,
}

impl OptimizerKind {
    /// Every family, in the order of tables.
    pub const ALL: &[OptimizerKind] = OptimizerKind::VARIANTS;

    /// The name used in files and on the command line.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The name in sentences.
    pub const fn title(self) -> &'static str {
        match self {
            OptimizerKind::Adamw => "AdamW",
            OptimizerKind::Adam => "Adam",
            OptimizerKind::Sgd => "SGD",
            OptimizerKind::Lion => "Lion",
            OptimizerKind::Muon => "Muon",
            OptimizerKind::Nadam => "NAdam",
            OptimizerKind::Radam => "RAdam",
            OptimizerKind::Adafactor => "Adafactor",
        }
    }

    /// The rule that the optimizer's name stands for in PyTorch.
    pub const fn default_rule(self) -> DecayRule {
        match self {
            OptimizerKind::Adamw | OptimizerKind::Lion | OptimizerKind::Muon => {
                DecayRule::Decoupled
            }
            _ => DecayRule::CoupledL2,
        }
    }

    /// Whether it divides a gradient by its size, so that a penalty in the gradient sets no rate of
    /// decay.
    pub const fn is_adaptive(self) -> bool {
        !matches!(self, OptimizerKind::Sgd)
    }

    /// Whether it is Adam, or Adam with another momentum or start.
    pub const fn is_like_adam(self) -> bool {
        use OptimizerKind::{Adam, Adamw, Nadam, Radam};
        matches!(self, Adam | Adamw | Nadam | Radam)
    }

    /// Whether it moves a coordinate by about the learning rate in each step.
    pub const fn moves_by_the_rate(self) -> bool {
        self.is_like_adam() || matches!(self, OptimizerKind::Lion)
    }
}

impl FromStr for OptimizerKind {
    type Err = DecayError;

    fn from_str(text: &str) -> Result<Self, DecayError> {
        names::find("optimizer", text)
    }
}
