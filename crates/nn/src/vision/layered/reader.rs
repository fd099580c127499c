//! What stages read: tensors as they are, and as their normalisation makes them.

use std::ops::Range;

use super::norm_state::NormState;
use super::plan::{IMAGES, Tensor};
use crate::Float;
use crate::kernels::channel_norm::{self, Affine};
use crate::kernels::convolution::Frame;
use crate::memory::Arena;

/// What stages read.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a, F> {
    pub(super) tensors: &'a [Tensor],
    pub(super) images: &'a [F],
    pub(super) values: &'a [Arena<F>],
    pub(super) norms: &'a [Option<NormState<F>>],
    pub(super) ones: &'a [F],
    pub(super) zeros: &'a [F],
}

impl<'a, F: Float> Reader<'a, F> {
    /// A tensor's numbers of one image.
    pub(super) fn image(&self, tensor: usize, image: usize) -> &'a [F] {
        let len = self.tensors[tensor].len();
        let values: &[F] = if tensor == IMAGES { self.images } else { &self.values[tensor] };
        &values[image * len..(image + 1) * len]
    }

    /// How a tensor is read: normalised and at least 0, or as it is.
    pub(super) fn affine(&self, tensor: usize, image: usize) -> Affine<'a, F> {
        match &self.norms[tensor] {
            Some(norm) => norm.affine(image, 0.0),
            None => {
                let channels = self.tensors[tensor].channels;
                Affine {
                    scale: &self.ones[..channels],
                    shift: &self.zeros[..channels],
                    floor: F::from_f64(f64::NEG_INFINITY),
                }
            }
        }
    }

    /// A block of images as a convolution reads them.
    pub(super) fn frame(&self, tensor: usize, images: Range<usize>, frame: Frame, out: &mut [F]) {
        for (image, out) in images.zip(out.chunks_exact_mut(frame.len())) {
            let affine = self.affine(tensor, image);
            channel_norm::forward(self.image(tensor, image), affine, out, frame);
        }
    }

    /// Adds up what a tensor's norm needs of the gradient n of one image; nothing without a norm.
    pub(super) fn gradient_sums(&self, tensor: usize, image: usize, n: &[F], sums: &mut [f64]) {
        if let Some(norm) = &self.norms[tensor] {
            let (totals, products) = sums.split_at_mut(sums.len() / 2);
            let y = self.image(tensor, image);
            channel_norm::gradient_sums(y, norm.mean(image), n, totals, products);
        }
    }
}

/// Blocks of at most `most` images.
pub(super) fn blocks(images: Range<usize>, most: usize) -> impl Iterator<Item = Range<usize>> {
    let end = images.end;
    images.step_by(most).map(move |start| start..(start + most).min(end))
}
