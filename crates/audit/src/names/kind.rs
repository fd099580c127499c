//! What a tensor is for, from its name and shape.

use serde::Serialize;
use strum::{Display, IntoStaticStr};

/// What a tensor is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Display, IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Kind {
    /// A matrix of a linear layer.
    Matrix,
    /// Filters of a convolution.
    Convolution,
    /// Rows of tokens.
    Embedding,
    /// Rows of positions.
    Position,
    /// The matrix in front of the softmax.
    Head,
    /// Gains of a normalisation.
    Norm,
    /// An additive vector.
    Bias,
    /// A tensor that models treat apart: A_log, D, dt_bias, logit_scale, layer scales, class tokens.
    Special,
    /// A or B of a low-rank adapter.
    Adapter,
    /// Many tensors as one vector, as FSDP and ZeRO keep them.
    Flat,
    /// A vector that is neither a bias nor a gain as far as its name tells.
    Vector,
}
