//! The optimizers, by the names that users know.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{DecayError, DecayRule, names};

/// The family of an optimizer, by the name that users know.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerKind {
    /// Adam's direction; decoupled decay unless the rule says otherwise.
    #[default]
    Adamw,
    /// Adam's direction; coupled L2 unless the rule says otherwise.
    Adam,
    /// Gradient descent with momentum; coupled L2 unless the rule says otherwise.
    Sgd,
    /// The sign of an interpolated momentum; decoupled decay.
    Lion,
    /// Orthogonalised momentum for hidden matrices, AdamW for the rest; decoupled decay.
    Muon,
}

impl OptimizerKind {
    /// Every kind, in the order of tables.
    pub const ALL: [OptimizerKind; 5] = [
        OptimizerKind::Adamw,
        OptimizerKind::Adam,
        OptimizerKind::Sgd,
        OptimizerKind::Lion,
        OptimizerKind::Muon,
    ];

    /// The name used in files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            OptimizerKind::Adamw => "adamw",
            OptimizerKind::Adam => "adam",
            OptimizerKind::Sgd => "sgd",
            OptimizerKind::Lion => "lion",
            OptimizerKind::Muon => "muon",
        }
    }

    /// The rule that the optimizer's name stands for in PyTorch.
    pub const fn default_rule(self) -> DecayRule {
        match self {
            OptimizerKind::Adam | OptimizerKind::Sgd => DecayRule::CoupledL2,
            OptimizerKind::Adamw | OptimizerKind::Lion | OptimizerKind::Muon => {
                DecayRule::Decoupled
            }
        }
    }
}

impl fmt::Display for OptimizerKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for OptimizerKind {
    type Err = DecayError;

    fn from_str(text: &str) -> Result<Self, DecayError> {
        names::find("optimizer", text, OptimizerKind::ALL, OptimizerKind::name)
    }
}
