//! Max and average pooling, and the global average, of max(scale·y + shift, floor) over NHWC images.
//!
//! The affine map and ReLU come from the normalisation before ([`Affine`]); the pooled input is computed on the way and
//! never stored. Backward writes the gradient n at z = scale·y + shift, ReLU's backward included.

use pulp::Simd;
use serde::{Deserialize, Serialize};

use crate::Float;
use crate::kernels::channel_norm::Affine;
use crate::simd::{Vector, dispatched, for_groups};

/// What a pooling window keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// The largest number of a window, as `torch.nn.MaxPool2d`; the gradient goes to the first of equal ones.
    #[default]
    Max,
    /// The mean over the window's pixels within the image, as `torch.nn.AvgPool2d(count_include_pad=False)`.
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
