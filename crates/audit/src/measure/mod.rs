//! Norms and other sums over tensors, at the speed of memory.
//!
//! | what | function |
//! |---|---|
//! | Σx², Σ\|x\|, max \|x\|, non-finite elements, rows | [`norms`] |
//! | the same of many tensors, on all cores | [`norms_of_all`] |
//! | ⟨x, y⟩, ‖x‖², ‖y‖², also row by row | [`products`] |
//! | several tensors side by side, in f64 | [`side_by_side`] |
//!
//! Sums run in lanes of the tensor's own precision over blocks of 4,096 elements and in f64 between
//! blocks: the relative error is about 1e-7. A block whose squares leave the range of f32 is summed
//! again in f64.

mod block;
mod element;
mod norms;
mod products;
mod stream;

pub use norms::{Norms, RowNorms, norms, norms_of_all};
pub use products::{Products, RowProducts, products};
pub use stream::{row, side_by_side};

#[cfg(test)]
mod tests;

use crate::tensor::Tensor;

/// Elements that are summed in lanes before they go into an f64.
const BLOCK: usize = 4096;

/// Rows shorter than this have no sums of their own: they would cost more than the elements.
pub const SHORTEST_ROW: usize = 8;

/// Rows and their length, where a tensor has rows worth a look of their own: two axes at least, and
/// rows of [`SHORTEST_ROW`] elements at least.
pub fn row_layout(tensor: &Tensor) -> Option<(usize, usize)> {
    let (rows, length) = tensor.rows();
    (tensor.shape().len() >= 2 && rows >= 1 && length >= SHORTEST_ROW).then_some((rows, length))
}
