//! What a run does with its weights: the data that it reads, the network that sees them, and how
//! both are judged.

mod images;
mod kind;
mod scores;
mod text;

pub(crate) use images::Images;
pub(crate) use kind::{Task, columns};
pub(crate) use scores::Scores;
