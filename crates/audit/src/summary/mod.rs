//! What one checkpoint holds, in the order in which a person asks: the file, its groups, its
//! tensors.

mod file;
mod group;
mod tensor;

pub use file::{DtypeCount, FileSummary, OptimizerSummary};
pub use group::GroupSummary;
pub use tensor::TensorSummary;
