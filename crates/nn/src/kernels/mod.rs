//! The arithmetic, on slices: one file per concept, each with its `forward` and `backward`.
//!
//! All matrices are row-major, one row a token. A backward adds to gradients of parameters and
//! overwrites gradients of activations, unless it says otherwise.

pub(crate) mod activation;
pub(crate) mod attention;
pub(crate) mod bias;
pub(crate) mod channel_norm;
pub(crate) mod class_loss;
pub(crate) mod convolution;
pub(crate) mod correlation;
pub(crate) mod dropout;
pub(crate) mod embedding;
#[cfg(test)]
pub(crate) mod finite_difference;
pub(crate) mod head_norm;
pub(crate) mod loss;
pub(crate) mod matmul;
pub(crate) mod norm;
pub(crate) mod patch;
pub(crate) mod pool;
pub(crate) mod rotary;
pub(crate) mod sequence_pool;
pub(crate) mod softmax;
pub(crate) mod store;
pub(crate) mod sum;
mod tile;
pub(crate) mod transpose;
mod winograd;
