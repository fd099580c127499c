//! Normalisation per channel of NHWC images, in the form that batch, group and no normalisation
//! share: an affine map.
//!
//! Batch norm is y ↦ (y − μ)·r·gain + bias with one μ and r = 1/√(σ² + ε) a channel; group norm has
//! them per image. So a convolution's output y is kept as it is, and whoever reads it computes z =
//! scale·y + shift and max(z, 0) on its way: the normalised activation is never stored. Backward:
//! from the gradient n at z come the sums Σ n and Σ n·(y − μ), and from these the gradient at y,
//! which is affine again: α·n + κ·y + δ.
//!
//! All kernels take one image, `[pixel][channel]`.

use pulp::Simd;

use crate::Float;
use crate::kernels::convolution::Frame;
use crate::simd::{Group, Vector, dispatched, for_groups};

/// Pixels summed in the numbers' own precision before they join a sum in f64.
const CHUNK: usize = 64;
/// Independent sums, to hide the latency of an addition.
const CHAINS: usize = 4;
/// Most lanes of a register.
const MOST_LANES: usize = 16;

/// z = scale·y + shift, then at least `floor`: 0 for ReLU, −∞ for none.
#[derive(Clone, Copy)]
pub(crate) struct Affine<'a, F> {
    pub(crate) scale: &'a [F],
    pub(crate) shift: &'a [F],
    pub(crate) floor: F,
}

/// Coefficients of a gradient α·n + κ·y + δ.
#[derive(Clone, Copy)]
pub(crate) struct AffineGradient<'a, F> {
    pub(crate) alpha: &'a [F],
    pub(crate) kappa: &'a [F],
    pub(crate) delta: &'a [F],
}

impl<F: Float> Affine<'_, F> {
    /// scale·y + shift, without the floor.
    #[inline(always)]
    pub(crate) fn at<S: Simd>(&self, simd: S, y: &[F], group: Group) -> Vector<F, S> {
        let (scale, shift) =
            (Vector::load(simd, self.scale, group), Vector::load(simd, self.shift, group));
        Vector::load(simd, y, group).mul_add(scale, shift)
    }

    /// With the floor; NaN stays NaN.
    #[inline(always)]
    pub(crate) fn floored<S: Simd>(&self, simd: S, y: &[F], group: Group) -> Vector<F, S> {
        Vector::splat(simd, self.floor).max(self.at(simd, y, group))
    }
}

impl<F: Float> AffineGradient<'_, F> {
    #[inline(always)]
    fn at<S: Simd>(&self, simd: S, n: &[F], y: &[F], group: Group) -> Vector<F, S> {
        let load = |values: &[F]| Vector::load(simd, values, group);
        let rest = load(y).mul_add(load(self.kappa), load(self.delta));
        load(n).mul_add(load(self.alpha), rest)
    }
}

dispatched! {
    /// out, in its frame, ← max(scale·y + shift, floor).
    pub(crate) fn forward = forward_body(y: &'a [F], affine: Affine<'a, F>, out: &'a mut [F], frame: Frame)
}

#[inline(always)]
fn forward_body<F: Float, S: Simd>(
    simd: S,
    y: &[F],
    affine: Affine<'_, F>,
    out: &mut [F],
    frame: Frame,
) {
    let channels = frame.channels;
    let len = frame.width * channels;
    for (row, y) in y.chunks_exact(len).enumerate() {
        let out = &mut out[frame.first() + row * frame.pitch()..][..len];
        for (y, out) in y.chunks_exact(channels).zip(out.chunks_exact_mut(channels)) {
            for_groups!(Vector::<F, S>::LANES, channels, |group| {
                affine.floored(simd, y, group).store(out, group);
            });
        }
    }
}

dispatched! {
    /// out ← max(a's affine map + b's, 0): where a branch rejoins the stream. Without b, max(a's,
    /// 0).
    pub(crate) fn join_forward = join_forward_body(
        a: &'a [F],
        a_affine: Affine<'a, F>,
        b: Option<(&'a [F], Affine<'a, F>)>,
        out: &'a mut [F],
    )
}

#[inline(always)]
fn join_forward_body<F: Float, S: Simd>(
    simd: S,
    a: &[F],
    a_affine: Affine<'_, F>,
    b: Option<(&[F], Affine<'_, F>)>,
    out: &mut [F],
) {
    let (lanes, channels) = (Vector::<F, S>::LANES, a_affine.scale.len());
    let zero = Vector::constant(simd, 0.0);
    let pixels = a.chunks_exact(channels).zip(out.chunks_exact_mut(channels));
    match b {
        None => {
            for (a, out) in pixels {
                for_groups!(lanes, channels, |group| {
                    zero.max(a_affine.at(simd, a, group)).store(out, group);
                });
            }
        }
        Some((b, b_affine)) => {
            for ((a, out), b) in pixels.zip(b.chunks_exact(channels)) {
                for_groups!(lanes, channels, |group| {
                    let sum = a_affine.at(simd, a, group) + b_affine.at(simd, b, group);
                    zero.max(sum).store(out, group);
                });
            }
        }
    }
}

dispatched! {
    /// gradient ← itself where `out` is above 0, else 0.
    pub(crate) fn join_backward = join_backward_body(out: &'a [F], gradient: &'a mut [F])
}

#[inline(always)]
fn join_backward_body<F: Float, S: Simd>(simd: S, out: &[F], gradient: &mut [F]) {
    let len = out.len();
    let gradient = &mut gradient[..len];
    for_groups!(Vector::<F, S>::LANES, len, |group| {
        let kept =
            Vector::load(simd, out, group).where_positive(Vector::load(simd, gradient, group));
        kept.store(gradient, group);
    });
}

dispatched! {
    /// n ← (itself if `add` +) d where scale·y + shift is above 0: ReLU's backward.
    pub(crate) fn relu_backward = relu_backward_body(
        y: &'a [F],
        affine: Affine<'a, F>,
        d: &'a [F],
        n: &'a mut [F],
        add: bool,
    )
}

#[inline(always)]
fn relu_backward_body<F: Float, S: Simd>(
    simd: S,
    y: &[F],
    affine: Affine<'_, F>,
    d: &[F],
    n: &mut [F],
    add: bool,
) {
    let channels = affine.scale.len();
    let pixels =
        y.chunks_exact(channels).zip(d.chunks_exact(channels)).zip(n.chunks_exact_mut(channels));
    for ((y, d), n) in pixels {
        for_groups!(Vector::<F, S>::LANES, channels, |group| {
            let mut kept = affine.at(simd, y, group).where_positive(Vector::load(simd, d, group));
            if add {
                kept += Vector::load(simd, n, group);
            }
            kept.store(n, group);
        });
    }
}

dispatched! {
    /// out, in its frame, ← α·n + κ·y + δ.
    pub(crate) fn backward = backward_body(
        n: &'a [F],
        y: &'a [F],
        gradient: AffineGradient<'a, F>,
        out: &'a mut [F],
        frame: Frame,
    )
}

#[inline(always)]
fn backward_body<F: Float, S: Simd>(
    simd: S,
    n: &[F],
    y: &[F],
    gradient: AffineGradient<'_, F>,
    out: &mut [F],
    frame: Frame,
) {
    let channels = frame.channels;
    let len = frame.width * channels;
    for (row, (n, y)) in n.chunks_exact(len).zip(y.chunks_exact(len)).enumerate() {
        let out = &mut out[frame.first() + row * frame.pitch()..][..len];
        let pixels = n
            .chunks_exact(channels)
            .zip(y.chunks_exact(channels))
            .zip(out.chunks_exact_mut(channels));
        for ((n, y), out) in pixels {
            for_groups!(Vector::<F, S>::LANES, channels, |group| {
                gradient.at(simd, n, y, group).store(out, group);
            });
        }
    }
}

dispatched! {
    /// n ← α·n + κ·y + δ, or with a sum instead sum += α·n + κ·y + δ.
    pub(crate) fn backward_in_place = backward_in_place_body(
        n: &'a mut [F],
        y: &'a [F],
        gradient: AffineGradient<'a, F>,
        sum: Option<&'a mut [F]>,
    )
}

#[inline(always)]
fn backward_in_place_body<F: Float, S: Simd>(
    simd: S,
    n: &mut [F],
    y: &[F],
    gradient: AffineGradient<'_, F>,
    sum: Option<&mut [F]>,
) {
    let (lanes, channels) = (Vector::<F, S>::LANES, gradient.alpha.len());
    let pixels = n.chunks_exact_mut(channels).zip(y.chunks_exact(channels));
    match sum {
        None => {
            for (n, y) in pixels {
                for_groups!(lanes, channels, |group| {
                    gradient.at(simd, n, y, group).store(n, group);
                });
            }
        }
        Some(sum) => {
            for ((n, y), sum) in pixels.zip(sum.chunks_exact_mut(channels)) {
                for_groups!(lanes, channels, |group| {
                    let total = gradient.at(simd, n, y, group) + Vector::load(simd, sum, group);
                    total.store(sum, group);
                });
            }
        }
    }
}

/// Σ over pixels of each of `$count` vectors, which `$term` computes for the group of channels of a
/// pixel: f64 sums per lane.
macro_rules! sum_pixels {
    ($F:ty, $simd:expr, $count:expr, $pixels:expr, $group:expr, |$pixel:ident| $term:expr) => {{
        let mut totals = [[0.0f64; MOST_LANES]; $count];
        let mut start = 0;
        while start < $pixels {
            let end = (start + CHUNK).min($pixels);
            let mut chains = [[Vector::<$F, S>::constant($simd, 0.0); $count]; CHAINS];
            let mut first = start;
            while first + CHAINS <= end {
                for (chain, sums) in chains.iter_mut().enumerate() {
                    let $pixel = first + chain;
                    let terms: [Vector<$F, S>; $count] = $term;
                    for (sum, term) in sums.iter_mut().zip(terms) {
                        *sum += term;
                    }
                }
                first += CHAINS;
            }
            for $pixel in first..end {
                let terms: [Vector<$F, S>; $count] = $term;
                for (sum, term) in chains[0].iter_mut().zip(terms) {
                    *sum += term;
                }
            }
            for (index, totals) in totals.iter_mut().enumerate() {
                let mut lanes = [<$F>::from_f64(0.0); MOST_LANES];
                let pairs =
                    (chains[0][index] + chains[1][index]) + (chains[2][index] + chains[3][index]);
                pairs.store(&mut lanes, Group { start: 0, len: $group.len });
                for (total, lane) in totals.iter_mut().zip(lanes) {
                    *total += lane.to_f64();
                }
            }
            start = end;
        }
        totals
    }};
}

dispatched! {
    /// Mean of every channel over the image's pixels, and Σ (y − mean)².
    pub(crate) fn moments = moments_body(y: &'a [F], mean: &'a mut [f64], squares: &'a mut [f64])
}

#[inline(always)]
fn moments_body<F: Float, S: Simd>(simd: S, y: &[F], mean: &mut [f64], squares: &mut [f64]) {
    let channels = mean.len();
    let pixels = y.len() / channels;
    for_groups!(Vector::<F, S>::LANES, channels, |group| {
        let [sums] = sum_pixels!(F, simd, 1, pixels, group, |pixel| {
            [Vector::load(simd, &y[pixel * channels..], group)]
        });
        let mut center = [F::from_f64(0.0); MOST_LANES];
        for (lane, mean) in mean[group.start..][..group.len].iter_mut().enumerate() {
            // Squares are taken around a number that F can hold; what it differs from the mean is
            // corrected below.
            center[lane] = F::from_f64(sums[lane] / pixels as f64);
            *mean = sums[lane] / pixels as f64;
        }
        let center_vector = Vector::load(simd, &center, Group { start: 0, len: group.len });
        let [sums] = sum_pixels!(F, simd, 1, pixels, group, |pixel| {
            let deviation = Vector::load(simd, &y[pixel * channels..], group) - center_vector;
            [deviation * deviation]
        });
        for (lane, squares) in squares[group.start..][..group.len].iter_mut().enumerate() {
            let off = mean[group.start + lane] - center[lane].to_f64();
            *squares = (sums[lane] - pixels as f64 * off * off).max(0.0);
        }
    });
}

dispatched! {
    /// Σ n and Σ n·(y − mean) of every channel over the image's pixels.
    pub(crate) fn gradient_sums = gradient_sums_body(
        y: &'a [F],
        mean: &'a [F],
        n: &'a [F],
        sums: &'a mut [f64],
        products: &'a mut [f64],
    )
}

#[inline(always)]
fn gradient_sums_body<F: Float, S: Simd>(
    simd: S,
    y: &[F],
    mean: &[F],
    n: &[F],
    sums: &mut [f64],
    products: &mut [f64],
) {
    let channels = mean.len();
    let pixels = y.len() / channels;
    for_groups!(Vector::<F, S>::LANES, channels, |group| {
        let mean = Vector::load(simd, mean, group);
        let totals = sum_pixels!(F, simd, 2, pixels, group, |pixel| {
            let n = Vector::load(simd, &n[pixel * channels..], group);
            let deviation = Vector::load(simd, &y[pixel * channels..], group) - mean;
            [n, n * deviation]
        });
        sums[group.start..][..group.len].copy_from_slice(&totals[0][..group.len]);
        products[group.start..][..group.len].copy_from_slice(&totals[1][..group.len]);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::finite_difference::normals;

    #[test]
    fn sums_equal_plain_sums_for_every_remainder() {
        for channels in [1, 3, 16, 21] {
            for pixels in [1, 2, 5, 63, 64, 130] {
                let (y, n) = (normals(1, pixels * channels), normals(2, pixels * channels));
                let (mut mean, mut squares) = (vec![f64::NAN; channels], vec![f64::NAN; channels]);
                moments(&y, &mut mean, &mut squares);
                let (mut sums, mut products) = (mean.clone(), mean.clone());
                gradient_sums(&y, &mean, &n, &mut sums, &mut products);
                for channel in 0..channels {
                    let column = |values: &[f64]| -> Vec<f64> {
                        values.iter().skip(channel).step_by(channels).copied().collect()
                    };
                    let (y, n) = (column(&y), column(&n));
                    let expected = y.iter().sum::<f64>() / pixels as f64;
                    assert!((mean[channel] - expected).abs() < 1e-13);
                    let deviation = |y: &f64| y - expected;
                    let expected: f64 = y.iter().map(|y| deviation(y).powi(2)).sum();
                    assert!((squares[channel] - expected).abs() < 1e-11);
                    assert!((sums[channel] - n.iter().sum::<f64>()).abs() < 1e-12);
                    let expected: f64 = y.iter().zip(&n).map(|(y, n)| n * deviation(y)).sum();
                    assert!((products[channel] - expected).abs() < 1e-11);
                }
            }
        }
    }

    #[test]
    fn a_variance_far_below_the_square_of_the_mean_survives_f32() {
        // Σ y² − n·mean² would lose every digit.
        let y: Vec<f32> = (0..4096).map(|index| 1000.0 + (index % 2) as f32 / 64.0).collect();
        let (mut mean, mut squares) = ([0.0], [0.0]);
        moments(&y, &mut mean, &mut squares);
        assert!((mean[0] - (1000.0 + 1.0 / 128.0)).abs() < 1e-4);
        let expected = 4096.0 / (128.0 * 128.0);
        assert!((squares[0] - expected).abs() < 1e-3 * expected, "{squares:?}");
    }

    #[test]
    fn not_a_number_passes_relu() {
        let affine = Affine { scale: &[1.0f32], shift: &[0.0], floor: 0.0 };
        let frame = Frame { height: 1, width: 3, channels: 1, border: 0 };
        let mut out = [0.0; 3];
        forward(&[f32::NAN, -1.0, 2.0], affine, &mut out, frame);
        assert!(out[0].is_nan() && out[1..] == [0.0, 2.0]);
    }
}
