//! The two kinds of branch of a transformer block, as sequences of operations on a
//! [`Workspace`](crate::workspace::Workspace).

mod attention;
mod mlp;

pub(crate) use attention::AttentionBranch;
pub(crate) use mlp::{MlpBranch, Nonlinearity};

/// What the blocks of a transformer are made of, whatever the transformer reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockConfig {
    /// Tokens of a sequence.
    pub(crate) context: usize,
    /// Is the first token of a sequence all that anybody reads of the output? Then nothing else
    /// passes the maps after the last attention.
    pub(crate) first_token_only: bool,
    pub(crate) layers: usize,
    pub(crate) width: usize,
    pub(crate) heads: usize,
    /// Width of the MLP's hidden layer.
    pub(crate) hidden: usize,
    /// Does a position see only those before it?
    pub(crate) causal: bool,
    pub(crate) rotary: bool,
    /// RMSNorm of each head's query and key.
    pub(crate) qk_norm: bool,
    /// LayerNorm, not RMSNorm.
    pub(crate) centered: bool,
    pub(crate) norm_epsilon: f64,
    pub(crate) nonlinearity: Nonlinearity,
    /// Of the map to queries, keys and values.
    pub(crate) qkv_bias: bool,
    /// Of every other map and LayerNorm.
    pub(crate) bias: bool,
    pub(crate) dropout: bool,
    /// Standard deviation of the initial weights.
    pub(crate) std: f64,
    /// The same of the maps that end a branch.
    pub(crate) branch_std: f64,
}
