//! The two kinds of branch of a transformer block, as sequences of [`Device`](crate::device::Device) operations.

mod attention;
mod mlp;

pub(crate) use attention::AttentionBranch;
pub(crate) use mlp::MlpBranch;
