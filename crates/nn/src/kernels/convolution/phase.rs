//! The phases of a strided convolution: the gradient of the input, cut into convolutions of stride
//! 1.

use super::shape::ConvolutionShape;

/// What pixels of one remainder modulo the stride see of a kernel, along one axis.
#[derive(Debug, Clone, Copy)]
pub(super) struct Phase {
    /// First pixel of the phase.
    pub(super) pixel: usize,
    /// Pixels of the phase.
    pub(super) pixels: usize,
    /// First tap that they see; the others follow in steps of the stride.
    pub(super) tap: usize,
    /// Taps that they see.
    pub(super) taps: usize,
    /// Output position, relative to the phase's pixel, that the last of these taps comes from.
    pub(super) shift: isize,
}

impl Phase {
    pub(super) fn all(shape: &ConvolutionShape, size: usize) -> Vec<Self> {
        let phase = |pixel: usize| {
            let tap = (pixel + shape.padding) % shape.stride;
            let taps = shape.kernel.saturating_sub(tap).div_ceil(shape.stride);
            Self {
                pixel,
                pixels: size.saturating_sub(pixel).div_ceil(shape.stride),
                tap,
                taps,
                shift: ((pixel + shape.padding) / shape.stride) as isize - taps as isize + 1,
            }
        };
        (0..shape.stride.min(size)).map(phase).collect()
    }

    /// Border that the phase needs around an output gradient of `positions` positions.
    pub(super) fn border(&self, positions: usize) -> usize {
        if self.taps == 0 || self.pixels == 0 {
            return 0;
        }
        let last = self.shift + (self.taps + self.pixels) as isize - 2;
        let beyond = last - positions as isize + 1;
        (-self.shift).max(beyond).max(0) as usize
    }
}
