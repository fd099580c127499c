//! `plan.json`: what a run is about to do, resolved before its first step.
//!
//! | file | what |
//! |---|---|
//! | `record` | [`Plan`]: the run as a whole |
//! | `data` | the text or the images that it reads |
//! | `tensor` | one tensor with its λ and the reason for it |
//! | `format_1` | how plans of the first format are read |

mod data;
mod format_1;
mod record;
mod tensor;

pub use data::{PlannedImages, PlannedText};
pub use record::Plan;
pub use tensor::PlannedTensor;

pub(crate) use format_1::read as read_format_1;
