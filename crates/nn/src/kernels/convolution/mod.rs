//! 2-D convolution with stride, padding and groups, and its two gradients.
//!
//! y[i, j, o] = Σ_{r, q, c} x[i·s + r − p, j·s + q − p, c] · W[o, c, r, q], as
//! `torch.nn.functional.conv2d`, over NHWC images. Inputs and output gradients come with a border
//! of zeros ([`Frame`]), so that no pixel is special.
//!
//! The gradient of the input is a convolution of dy again. The input's pixels fall into s²
//! *phases*, by their remainders modulo the stride: those of one phase see the same taps of the
//! kernel, and to neighbours in a phase belong neighbours in dy. Each phase is thus a convolution
//! of stride 1 with a part of the kernel, turned round, and no product with an inserted zero is
//! ever formed.
//!
//! The sums are those of a sliding kernel ([`correlation`]), or, for wide layers of 3 × 3, of its
//! products over transformed tiles ([`winograd`](crate::kernels::winograd)); both files hold the
//! measurements that chose.

mod passes;
mod phase;
pub(super) mod shape;
mod tables;
#[cfg(test)]
mod tests;

pub(crate) use shape::{ConvolutionShape, Frame};
pub(crate) use tables::Convolution;
