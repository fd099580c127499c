//! A normalisation's numbers during a step: moments in, affine maps out.

use super::plan::{NormKind, Normalisation, Tensor};
use crate::Float;
use crate::kernels::channel_norm::{Affine, AffineGradient};

/// ε of every normalisation, torch's default for both.
const EPSILON: f64 = 1e-5;
/// Weight of a batch's statistics in the running ones, torch's default.
const MOMENTUM: f64 = 0.1;

/// The state of one tensor's normalisation. A *row* is what shares statistics: the batch, or an image.
pub(crate) struct NormState<F> {
    norm: Normalisation,
    channels: usize,
    pixels: usize,
    /// Are there statistics of every image of its own?
    by_image: bool,
    /// Mean and Σ (y − mean)² of every image: `[image][2][channel]`.
    pub(crate) moments: Vec<f64>,
    /// Σ n and Σ n·(y − μ) of every image: `[image][2][channel]`.
    pub(crate) sums: Vec<f64>,
    /// μ and r of every row, `[row][2][channel]`.
    statistics: Vec<f64>,
    /// μ again, scale and shift: `[row][3][channel]`.
    affine: Vec<F>,
    /// α, κ, δ: `[row][3][channel]`.
    gradient: Vec<F>,
}

impl<F: Float> NormState<F> {
    pub(crate) fn new(tensor: &Tensor, norm: Normalisation, images: usize) -> Self {
        let channels = tensor.channels;
        let by_image = matches!(norm.kind, NormKind::Group { .. });
        let rows = if by_image { images } else { 1 };
        Self {
            norm,
            channels,
            pixels: tensor.pixels(),
            by_image,
            moments: vec![0.0; images * 2 * channels],
            sums: vec![0.0; images * 2 * channels],
            statistics: vec![0.0; rows * 2 * channels],
            affine: vec![F::from_f64(0.0); rows * 3 * channels],
            gradient: vec![F::from_f64(0.0); rows * 3 * channels],
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        size_of_val(self.moments.as_slice())
            + size_of_val(self.sums.as_slice())
            + size_of_val(self.statistics.as_slice())
            + size_of_val(self.affine.as_slice())
            + size_of_val(self.gradient.as_slice())
    }

    /// Does the kind read the moments in training?
    pub(crate) fn wants_moments(&self) -> bool {
        !matches!(self.norm.kind, NormKind::Bias)
    }

    fn third(&self, values: &'static str, image: usize, index: usize) -> std::ops::Range<usize> {
        let _ = values;
        let row = if self.by_image { image } else { 0 };
        let start = (row * 3 + index) * self.channels;
        start..start + self.channels
    }

    /// μ of the image's row.
    pub(crate) fn mean(&self, image: usize) -> &[F] {
        &self.affine[self.third("affine", image, 0)]
    }

    /// The normalisation as an affine map, without a floor.
    pub(crate) fn affine(&self, image: usize) -> Affine<'_, F> {
        Affine {
            scale: &self.affine[self.third("affine", image, 1)],
            shift: &self.affine[self.third("affine", image, 2)],
            floor: F::from_f64(f64::NEG_INFINITY),
        }
    }

    /// Its backward.
    pub(crate) fn gradient(&self, image: usize) -> AffineGradient<'_, F> {
        AffineGradient {
            alpha: &self.gradient[self.third("gradient", image, 0)],
            kappa: &self.gradient[self.third("gradient", image, 1)],
            delta: &self.gradient[self.third("gradient", image, 2)],
        }
    }
}
