//! Networks of convolutions, layer by layer over the whole batch.
//!
//! Batch norm couples all images of a batch at every layer, so a stage runs over the whole batch
//! before the next one starts, and the threads divide its images. Kept in memory is, of every
//! convolution, its output as it is: what the next one reads is normalised and rectified again on
//! its way into a frame of a few images ([`Convolution`]), in the forward and once more in the
//! backward.
//!
//! [`Convolution`]: crate::kernels::convolution::Convolution

mod backward;
mod convolve_backward;
mod forward;
mod memory;
mod norm_state;
mod plan;
mod reader;
mod shares;
mod slots;
mod step;
#[cfg(test)]
mod tests;

pub(crate) use memory::Network;
pub(crate) use plan::{Builder, Kernel, NormChoice, Plan};
