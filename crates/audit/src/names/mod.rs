//! Which parameter of an optimizer is which tensor of the model, and how that is known.

mod kind;

pub use kind::Kind;

use serde::Serialize;
use strum::{Display, IntoStaticStr};

/// How parameters were given their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Display, IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
pub enum Naming {
    /// The optimizer's groups list the names.
    #[strum(serialize = "the names are in the optimizer's groups")]
    Listed,
    /// The optimizer's state is kept under names.
    #[strum(serialize = "the optimizer's state is kept under names")]
    Keyed,
    /// One group, as many parameters as the model has, in its order, and every shape agrees.
    #[strum(serialize = "the order of the model's tensors, in which every shape agrees")]
    Order,
    /// The split of a known trainer is the only one under which every shape agrees.
    #[strum(
        serialize = "the split into groups of a known trainer, the only one under which every shape agrees"
    )]
    Split {
        /// The trainer.
        trainer: &'static str,
    },
    /// The update that the state predicts is the change that the weights made.
    #[strum(serialize = "the change of the weights, which only the right tensor explains")]
    Residuals,
    /// Parameters are known up to others of the same shape.
    #[strum(serialize = "shapes alone: tensors of one shape cannot be told apart")]
    Shapes,
    /// Nothing is known but the optimizer.
    #[strum(serialize = "nothing: the model is not here")]
    Unknown,
}
