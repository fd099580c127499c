//! A normalisation's numbers during a step: moments in, affine maps out.

use super::plan::{NormKind, Normalisation, Tensor};
use crate::Float;
use crate::kernels::channel_norm::{Affine, AffineGradient};

/// ε of every normalisation, torch's default for both.
const EPSILON: f64 = 1e-5;
/// Weight of a batch's statistics in the running ones, torch's default.
const MOMENTUM: f64 = 0.1;

/// Where batch norm takes its statistics from.
pub(crate) enum Statistics<'a, F> {
    /// The batch, in training; the running ones follow.
    Batch(&'a mut [F]),
    /// The running ones, in evaluation.
    Running(&'a [F]),
}

/// The state of one tensor's normalisation. A *row* is what shares statistics: the batch, or an
/// image.
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

    /// Vector `index` of three of the image's row.
    fn vector(&self, image: usize, index: usize) -> std::ops::Range<usize> {
        let row = if self.by_image { image } else { 0 };
        let start = (row * 3 + index) * self.channels;
        start..start + self.channels
    }

    /// μ of the image's row.
    pub(crate) fn mean(&self, image: usize) -> &[F] {
        &self.affine[self.vector(image, 0)]
    }

    /// The normalisation as an affine map, then at least `floor`.
    pub(crate) fn affine(&self, image: usize, floor: f64) -> Affine<'_, F> {
        Affine {
            scale: &self.affine[self.vector(image, 1)],
            shift: &self.affine[self.vector(image, 2)],
            floor: F::from_f64(floor),
        }
    }

    /// Its backward.
    pub(crate) fn gradient(&self, image: usize) -> AffineGradient<'_, F> {
        AffineGradient {
            alpha: &self.gradient[self.vector(image, 0)],
            kappa: &self.gradient[self.vector(image, 1)],
            delta: &self.gradient[self.vector(image, 2)],
        }
    }

    /// The affine maps of `images` images from their moments; in training a batch norm's running
    /// statistics move towards the batch's, the variance by its unbiased estimate.
    pub(crate) fn finish_forward(
        &mut self,
        parameters: &[F],
        statistics: &mut Statistics<'_, F>,
        images: usize,
    ) {
        match self.norm.kind {
            NormKind::Bias => {
                for channel in 0..self.channels {
                    self.set(0, channel, 0.0, 1.0, 1.0, parameters[self.norm.bias + channel]);
                }
            }
            NormKind::Batch { gain, running } => {
                for channel in 0..self.channels {
                    let mean_at = running + channel;
                    let variance_at = mean_at + self.channels;
                    let (mean, variance) = match statistics {
                        Statistics::Running(running) => {
                            (running[mean_at].to_f64(), running[variance_at].to_f64())
                        }
                        Statistics::Batch(running) => {
                            let (mean, squares) = self.combined(channel, images);
                            let count = (images * self.pixels) as f64;
                            let mut follow = |at: usize, value: f64| {
                                let old = F::to_f64(running[at]);
                                running[at] = F::from_f64(old + MOMENTUM * (value - old));
                            };
                            follow(mean_at, mean);
                            follow(variance_at, squares / (count - 1.0));
                            (mean, squares / count)
                        }
                    };
                    let gain = parameters[gain + channel].to_f64();
                    let bias = parameters[self.norm.bias + channel];
                    let reciprocal = 1.0 / (variance + EPSILON).sqrt();
                    self.set(0, channel, mean, reciprocal, gain, bias);
                }
            }
            NormKind::Group { gain, groups } => {
                let size = self.channels / groups;
                for image in 0..images {
                    for group in 0..groups {
                        let channels = group * size..(group + 1) * size;
                        let moments = &self.moments[image * 2 * self.channels..];
                        let means = &moments[channels.clone()];
                        let mean = means.iter().sum::<f64>() / size as f64;
                        let squares: f64 = channels
                            .clone()
                            .map(|channel| {
                                let between = moments[channel] - mean;
                                moments[self.channels + channel]
                                    + self.pixels as f64 * between * between
                            })
                            .sum();
                        let variance = squares / (size * self.pixels) as f64;
                        let reciprocal = 1.0 / (variance + EPSILON).sqrt();
                        for channel in channels {
                            let gain = parameters[gain + channel].to_f64();
                            let bias = parameters[self.norm.bias + channel];
                            self.set(image, channel, mean, reciprocal, gain, bias);
                        }
                    }
                }
            }
        }
    }

    /// Mean and Σ (y − mean)² of a channel over the batch, from those of its images (Chan, Golub &
    /// LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979,
    /// for parts of one size).
    fn combined(&self, channel: usize, images: usize) -> (f64, f64) {
        let moments = self.moments[..images * 2 * self.channels].chunks_exact(2 * self.channels);
        let mean = moments.clone().map(|image| image[channel]).sum::<f64>() / images as f64;
        let squares = moments.map(|image| {
            let between = image[channel] - mean;
            image[self.channels + channel] + self.pixels as f64 * between * between
        });
        (mean, squares.sum())
    }

    /// z = (y − mean)·reciprocal·gain + bias.
    fn set(&mut self, row: usize, channel: usize, mean: f64, reciprocal: f64, gain: f64, bias: F) {
        let scale = reciprocal * gain;
        self.statistics[row * 2 * self.channels + channel] = mean;
        self.statistics[(row * 2 + 1) * self.channels + channel] = reciprocal;
        let affine = [mean, scale, bias.to_f64() - mean * scale];
        for (index, value) in affine.into_iter().enumerate() {
            self.affine[(row * 3 + index) * self.channels + channel] = F::from_f64(value);
        }
    }

    /// The gradients of gain and bias (added to), and the backward's coefficients, from the images'
    /// sums.
    ///
    /// With x̂ = (y − μ)·r and means over what shares statistics:
    /// dy = r·(gain·n − mean(gain·n) − x̂·mean(gain·n·x̂)).
    pub(crate) fn finish_backward(&mut self, parameters: &[F], gradients: &mut [F], images: usize) {
        let channels = self.channels;
        let mut add = |at: usize, value: f64| {
            gradients[at] = F::from_f64(gradients[at].to_f64() + value);
        };
        for channel in 0..channels {
            let total = |index: usize| -> f64 {
                let images = self.sums[..images * 2 * channels].chunks_exact(2 * channels);
                images.map(|sums| sums[index * channels + channel]).sum()
            };
            let (sum, product) = (total(0), total(1));
            add(self.norm.bias + channel, sum);
            match self.norm.kind {
                NormKind::Bias => self.set_gradient(0, channel, 1.0, 0.0, 0.0),
                NormKind::Batch { gain, .. } => {
                    let reciprocal = self.statistics[channels + channel];
                    add(gain + channel, reciprocal * product);
                    let count = (images * self.pixels) as f64;
                    let alpha = reciprocal * parameters[gain + channel].to_f64();
                    let kappa = -alpha * reciprocal * reciprocal * product / count;
                    self.set_gradient(0, channel, alpha, kappa, -alpha * sum / count);
                }
                NormKind::Group { gain, .. } => {
                    let products = (0..images).map(|image| {
                        self.statistics[(image * 2 + 1) * channels + channel]
                            * self.sums[(image * 2 + 1) * channels + channel]
                    });
                    add(gain + channel, products.sum());
                }
            }
        }
        if let NormKind::Group { gain, groups } = self.norm.kind {
            let size = channels / groups;
            let count = (size * self.pixels) as f64;
            for image in 0..images {
                for group in 0..groups {
                    let members = group * size..(group + 1) * size;
                    let mean = |index: usize| {
                        let sums = &self.sums[(image * 2 + index) * channels..][..channels];
                        let terms = members
                            .clone()
                            .map(|channel| parameters[gain + channel].to_f64() * sums[channel]);
                        terms.sum::<f64>() / count
                    };
                    let (mean_n, mean_product) = (mean(0), mean(1));
                    for channel in members.clone() {
                        let reciprocal = self.statistics[(image * 2 + 1) * channels + channel];
                        let alpha = reciprocal * parameters[gain + channel].to_f64();
                        let kappa = -reciprocal.powi(3) * mean_product;
                        self.set_gradient(image, channel, alpha, kappa, -reciprocal * mean_n);
                    }
                }
            }
        }
    }

    /// dy = α·n + κ·(y − μ) + `constant`.
    fn set_gradient(&mut self, row: usize, channel: usize, alpha: f64, kappa: f64, constant: f64) {
        let mean = self.statistics[row * 2 * self.channels + channel];
        let coefficients = [alpha, kappa, constant - kappa * mean];
        for (index, value) in coefficients.into_iter().enumerate() {
            self.gradient[(row * 3 + index) * self.channels + channel] = F::from_f64(value);
        }
    }
}
