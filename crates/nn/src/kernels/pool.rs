//! Max and average pooling, and the global average, of max(scale·y + shift, floor) over NHWC
//! images.
//!
//! The affine map and ReLU come from the normalisation before ([`Affine`]); the pooled input is
//! computed on the way and never stored. Backward writes the gradient n at z = scale·y + shift,
//! ReLU's backward included.

use pulp::Simd;
use serde::{Deserialize, Serialize};

use crate::Float;
use crate::kernels::channel_norm::Affine;
use crate::simd::{Vector, dispatched, for_groups};

/// What a pooling window keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// The largest number of a window, as `torch.nn.MaxPool2d`; the gradient goes to the first of
    /// equal ones.
    #[default]
    Max,
    /// The mean over the window's pixels within the image, as
    /// `torch.nn.AvgPool2d(count_include_pad=False)`.
    Average,
}

/// Windows of `kernel` × `kernel` pixels, `stride` apart, over images of `height` × `width`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PoolShape {
    pub(crate) pooling: Pooling,
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    /// At most half the kernel, so that no window is empty.
    pub(crate) padding: usize,
}

impl PoolShape {
    fn positions(&self, size: usize) -> usize {
        (size + 2 * self.padding - self.kernel) / self.stride + 1
    }

    pub(crate) fn output_height(&self) -> usize {
        self.positions(self.height)
    }

    pub(crate) fn output_width(&self) -> usize {
        self.positions(self.width)
    }

    /// The pixels of a window along an axis of `size` pixels.
    #[inline(always)]
    fn window(&self, position: usize, size: usize) -> std::ops::Range<usize> {
        let start = position * self.stride;
        start.saturating_sub(self.padding)
            ..(start + self.kernel).saturating_sub(self.padding).min(size)
    }
}

dispatched! {
    /// out `[window][channel]` ← what each window of the image keeps.
    pub(crate) fn forward = forward_body(y: &'a [F], affine: Affine<'a, F>, out: &'a mut [F], shape: PoolShape)
}

#[inline(always)]
fn forward_body<F: Float, S: Simd>(
    simd: S,
    y: &[F],
    affine: Affine<'_, F>,
    out: &mut [F],
    shape: PoolShape,
) {
    let channels = affine.scale.len();
    for (position, out) in out.chunks_exact_mut(channels).enumerate() {
        let rows = shape.window(position / shape.output_width(), shape.height);
        let columns = shape.window(position % shape.output_width(), shape.width);
        let share = Vector::constant(simd, 1.0 / (rows.len() * columns.len()) as f64);
        for_groups!(Vector::<F, S>::LANES, channels, |group| {
            let mut kept = match shape.pooling {
                Pooling::Max => Vector::constant(simd, f64::NEG_INFINITY),
                Pooling::Average => Vector::constant(simd, 0.0),
            };
            for row in rows.clone() {
                for column in columns.clone() {
                    let pixel = &y[(row * shape.width + column) * channels..];
                    let value = affine.floored(simd, pixel, group);
                    kept = match shape.pooling {
                        Pooling::Max => kept.max(value),
                        Pooling::Average => kept + value,
                    };
                }
            }
            if shape.pooling == Pooling::Average {
                kept = kept * share;
            }
            kept.store(out, group);
        });
    }
}

dispatched! {
    /// n ← the gradient at scale·y + shift, from that of the kept values.
    pub(crate) fn backward = backward_body(
        y: &'a [F],
        affine: Affine<'a, F>,
        out_gradient: &'a [F],
        n: &'a mut [F],
        shape: PoolShape,
    )
}

#[inline(always)]
fn backward_body<F: Float, S: Simd>(
    simd: S,
    y: &[F],
    affine: Affine<'_, F>,
    out_gradient: &[F],
    n: &mut [F],
    shape: PoolShape,
) {
    let channels = affine.scale.len();
    let floor = Vector::splat(simd, affine.floor);
    n.fill(F::from_f64(0.0));
    for (position, out_gradient) in out_gradient.chunks_exact(channels).enumerate() {
        let rows = shape.window(position / shape.output_width(), shape.height);
        let columns = shape.window(position % shape.output_width(), shape.width);
        let share = Vector::constant(simd, 1.0 / (rows.len() * columns.len()) as f64);
        for_groups!(Vector::<F, S>::LANES, channels, |group| {
            let gradient = Vector::load(simd, out_gradient, group);
            match shape.pooling {
                Pooling::Average => {
                    let gradient = gradient * share;
                    for row in rows.clone() {
                        for column in columns.clone() {
                            let start = (row * shape.width + column) * channels;
                            let z = affine.at(simd, &y[start..], group);
                            let pixel = &mut n[start..start + channels];
                            let kept = (z - floor).where_positive(gradient);
                            (kept + Vector::load(simd, pixel, group)).store(pixel, group);
                        }
                    }
                }
                Pooling::Max => {
                    let mut highest = Vector::constant(simd, f64::NEG_INFINITY);
                    for row in rows.clone() {
                        for column in columns.clone() {
                            let start = (row * shape.width + column) * channels;
                            highest = highest.max(affine.at(simd, &y[start..], group));
                        }
                    }
                    // Nothing passes a window whose largest number is at the floor.
                    let mut rest = (highest - floor).where_positive(gradient);
                    for row in rows.clone() {
                        for column in columns.clone() {
                            let start = (row * shape.width + column) * channels;
                            let z = affine.at(simd, &y[start..], group);
                            let pixel = &mut n[start..start + channels];
                            let later = (highest - z).where_positive(rest);
                            let kept = (rest - later) + Vector::load(simd, pixel, group);
                            kept.store(pixel, group);
                            rest = later;
                        }
                    }
                }
            }
        });
    }
}

dispatched! {
    /// out `[channel]` ← the mean over the image's pixels.
    pub(crate) fn global_forward = global_forward_body(y: &'a [F], affine: Affine<'a, F>, out: &'a mut [F])
}

#[inline(always)]
fn global_forward_body<F: Float, S: Simd>(simd: S, y: &[F], affine: Affine<'_, F>, out: &mut [F]) {
    let channels = out.len();
    let share = Vector::constant(simd, channels as f64 / y.len() as f64);
    for_groups!(Vector::<F, S>::LANES, channels, |group| {
        let mut sum = Vector::constant(simd, 0.0);
        for pixel in y.chunks_exact(channels) {
            sum += affine.floored(simd, pixel, group);
        }
        (sum * share).store(out, group);
    });
}

dispatched! {
    /// n ← the gradient at scale·y + shift, from that of the means.
    pub(crate) fn global_backward = global_backward_body(
        y: &'a [F],
        affine: Affine<'a, F>,
        out_gradient: &'a [F],
        n: &'a mut [F],
    )
}

#[inline(always)]
fn global_backward_body<F: Float, S: Simd>(
    simd: S,
    y: &[F],
    affine: Affine<'_, F>,
    out_gradient: &[F],
    n: &mut [F],
) {
    let channels = out_gradient.len();
    let share = Vector::constant(simd, channels as f64 / y.len() as f64);
    let floor = Vector::splat(simd, affine.floor);
    for (y, n) in y.chunks_exact(channels).zip(n.chunks_exact_mut(channels)) {
        for_groups!(Vector::<F, S>::LANES, channels, |group| {
            let gradient = Vector::load(simd, out_gradient, group) * share;
            let above = affine.at(simd, y, group) - floor;
            above.where_positive(gradient).store(n, group);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::finite_difference::{assert_gradient, dot, normals};

    const CHANNELS: usize = 19;

    /// Plain loops over max(scale·y + shift, 0).
    fn naive(y: &[f64], scale: &[f64], shift: &[f64], shape: PoolShape) -> Vec<f64> {
        let mut out = Vec::new();
        for row in 0..shape.output_height() {
            for column in 0..shape.output_width() {
                for channel in 0..CHANNELS {
                    let mut seen = Vec::new();
                    for r in 0..shape.kernel {
                        for q in 0..shape.kernel {
                            let (i, j) = (row * shape.stride + r, column * shape.stride + q);
                            if (shape.padding..shape.height + shape.padding).contains(&i)
                                && (shape.padding..shape.width + shape.padding).contains(&j)
                            {
                                let pixel = (i - shape.padding) * shape.width + j - shape.padding;
                                let z =
                                    y[pixel * CHANNELS + channel] * scale[channel] + shift[channel];
                                seen.push(z.max(0.0));
                            }
                        }
                    }
                    out.push(match shape.pooling {
                        Pooling::Max => seen.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                        Pooling::Average => seen.iter().sum::<f64>() / seen.len() as f64,
                    });
                }
            }
        }
        out
    }

    #[test]
    fn equals_plain_loops_and_backward_is_the_gradient() {
        for pooling in [Pooling::Max, Pooling::Average] {
            for (kernel, stride, padding) in [(2, 2, 0), (3, 2, 1), (3, 1, 1), (2, 3, 0), (1, 2, 0)]
            {
                let shape = PoolShape { pooling, height: 7, width: 6, kernel, stride, padding };
                let y = normals(1, 42 * CHANNELS);
                let (scale, shift) = (normals(2, CHANNELS), normals(3, CHANNELS));
                let affine = Affine { scale: &scale, shift: &shift, floor: 0.0 };
                let expected = naive(&y, &scale, &shift, shape);
                let mut out = vec![f64::NAN; expected.len()];
                forward(&y, affine, &mut out, shape);
                let equal = out.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-14);
                assert!(equal, "{shape:?}");

                let out_gradient = normals(4, out.len());
                let mut n = vec![f64::NAN; y.len()];
                backward(&y, affine, &out_gradient, &mut n, shape);
                // n is the gradient at scale·y + shift, as if that were added to.
                let zeros = vec![0.0; n.len()];
                let z: Vec<f64> = y
                    .iter()
                    .enumerate()
                    .map(|(index, y)| y * scale[index % CHANNELS] + shift[index % CHANNELS])
                    .collect();
                let (ones, none) = (vec![1.0; CHANNELS], vec![0.0; CHANNELS]);
                assert_gradient("z", &zeros, &n, |moved| {
                    // A small step: kinks of the maximum are near.
                    let z: Vec<f64> = z.iter().zip(moved).map(|(z, m)| z + m * 1e-3).collect();
                    1e3 * dot(&naive(&z, &ones, &none, shape), &out_gradient)
                });
            }
        }
    }

    #[test]
    fn equal_numbers_give_the_gradient_to_the_first() {
        let shape = PoolShape {
            pooling: Pooling::Max,
            height: 2,
            width: 2,
            kernel: 2,
            stride: 2,
            padding: 0,
        };
        let affine = Affine { scale: &[1.0f32], shift: &[0.0], floor: f32::NEG_INFINITY };
        let mut n = [f32::NAN; 4];
        backward(&[1.0, 3.0, 3.0, 3.0], affine, &[5.0], &mut n, shape);
        assert_eq!(n, [0.0, 5.0, 0.0, 0.0]);
    }
}
