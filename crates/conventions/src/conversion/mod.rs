//! The same decay in another library: exactly, nearly, or not at all, and why.
//!
//! | from | to | what decides |
//! |---|---|---|
//! | a step | a step | `step`: the shrinks s_t of both rules, and whether the optimizers take the same direction |
//! | a step | an objective | `objective`: only a coupled penalty, or plain SGD, has an objective |
//! | an objective | a step | the same backwards |
//! | an objective | an objective | the strengths (P, L) of both, see [`Penalty`](crate::library::Penalty) |
//!
//! Before that, a loss that is coded with another reduction or ½ is brought to the target's
//! (`loss_scale`).

mod call;
mod convert;
pub(crate) mod loss_scale;
mod momentum;
mod objective;
mod outcome;
mod page;
mod penalty;
mod report;
mod rules;
mod step;
mod target;
mod value;
mod verdict;

pub use convert::convert;
pub use outcome::{Conversion, Fidelity};
pub use report::{ConversionReport, TargetConversion};
pub use target::Target;
pub use value::Value;
pub use verdict::{Side, Verdict};
