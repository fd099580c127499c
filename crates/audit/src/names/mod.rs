//! Which parameter of an optimizer is which tensor of the model, and how that is known.
//!
//! An optimizer knows its parameters by numbers. [`resolve`] finds their names in the order of how
//! sure each way is: names that the file has, the order of the modules, the split of a known
//! trainer, and at last the shapes, which leave open what they cannot tell.
//!
//! | file | question it answers |
//! |---|---|
//! | `kind` | what is a tensor for? |
//! | `path` | what are the parts of a name? |
//! | `buffer` | which tensors are no parameters? |
//! | `candidates` | which tensors may an optimizer have been given, and in which order? |
//! | `template` | in which order does a known family register its modules? |
//! | `split` | how do known trainers split parameters into groups? |
//! | `matching` | do the shapes agree, and in how many ways? |
//! | `resolve` | which parameter is which tensor? |

mod buffer;
mod candidates;
mod kind;
mod matching;
mod path;
mod resolve;
mod split;
mod template;

pub use buffer::is_buffer;
pub use kind::Kind;
pub(crate) use kind::is_normalisation;
pub use path::without_wrappers;
pub use resolve::resolve;

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
    #[strum(serialize = "the split into groups of a known trainer, the only one under which \
                         every shape agrees")]
    Split {
        /// The trainer.
        trainer: &'static str,
    },
    /// The file has lost the order of the modules; that of a known family of models makes every
    /// shape agree.
    #[strum(serialize = "the order of the modules in a known family of models, under which \
                         every shape agrees")]
    Family {
        /// The family.
        family: &'static str,
        /// The trainer whose split it is, where there are several groups.
        trainer: Option<&'static str>,
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
