//! N: what can be said of a tensor between two checkpoints when λ cannot.
//!
//! The slope of w₂ on w₁ is Π(1 − η_j λ) − ⟨Σ ηû, w₁⟩/‖w₁‖²: the pull of the gradient along the
//! weights is of the size of the decay, and no standard error tells them apart. Measured over 100 and
//! 1,500 steps, it gave a λ between −.46 and +.98 of the truth. So it is reported as a drift.

use super::Drift;
use super::pair::Pair;
use crate::measure::{products, side_by_side};
use crate::tensor::Tensor;

const BLOCK: usize = 4096;

/// The drift of a tensor; nothing if one of the two is zero or not finite.
pub(crate) fn of(pair: &Pair<'_>, steps: Option<u64>) -> Option<Drift> {
    let is_equal = is_equal(pair.before, pair.after)?;
    let sums = products(pair.before, pair.after)?;
    if !(sums.first > 0.0 && sums.second > 0.0) || sums.non_finite > 0 {
        return None;
    }
    let along = sums.product / sums.first;
    let rest = 1.0 - sums.product / sums.first * (sums.product / sums.second);
    // The quick sums see a rest of 1e-6 of the square at best; the exact ones decide below it.
    let is_pure_factor = !is_equal && rest < 1e-4 && is_pure_factor(pair, along, steps)?;
    Some(Drift {
        tensor: pair.name.to_owned(),
        along: if is_equal { 1.0 } else { along },
        norm_ratio: if is_equal { 1.0 } else { (sums.second / sums.first).sqrt() },
        is_equal,
        is_pure_factor,
    })
}

/// Whether all elements have the same bits, or the same values where they lie in different forms.
fn is_equal(first: &Tensor, second: &Tensor) -> Option<bool> {
    let is_plain = |tensor: &Tensor| tensor.is_contiguous() && !tensor.is_big_endian();
    if first.dtype() == second.dtype() && is_plain(first) && is_plain(second) {
        return Some(first.bytes()[..] == second.bytes()[..]);
    }
    let mut is_equal = true;
    let is_real = side_by_side(&[first, second], BLOCK, |_, blocks| {
        if let [first, second] = blocks {
            is_equal &= first.iter().zip(second).all(|(x, y)| x.to_bits() == y.to_bits());
        }
    });
    is_real.then_some(is_equal)
}

/// Whether w₂ = a w₁ up to rounding, with a factor that rounding alone does not make.
fn is_pure_factor(pair: &Pair<'_>, along: f64, steps: Option<u64>) -> Option<bool> {
    let (mut square, mut product, mut sum, mut count) = (0.0, 0.0, 0.0, 0.0);
    let tensors = [pair.before, pair.after];
    let mut sums = side_by_side(&tensors, BLOCK, |_, blocks| {
        let [first, second] = blocks else { return };
        for (x, y) in first.iter().zip(second) {
            square += x * x;
            product += x * y;
            sum += x.abs();
            count += 1.0;
        }
    });
    let factor = if square > 0.0 { product / square } else { along };
    let mut rest = 0.0;
    sums &= side_by_side(&tensors, BLOCK, |_, blocks| {
        let [first, second] = blocks else { return };
        rest += first.iter().zip(second).map(|(x, y)| (y - factor * x).powi(2)).sum::<f64>();
    });
    let unit = pair.before.dtype().unit_roundoff().max(pair.after.dtype().unit_roundoff());
    // Each step rounds once, and errors add up as a random walk does.
    let allowed = unit * (1.0 + (steps.unwrap_or(1) as f64).sqrt());
    let moved = (1.0 - factor).abs();
    // Elements of one size that all moved by the same step have one factor too. Its residual is the
    // step times the relative spread of the sizes, which must be seen to be missing.
    let spread = (1.0 - sum * sum / (count * square)).max(0.0).sqrt();
    let limit = allowed.min(0.1 * moved * spread);
    sums.then_some(moved > 2.0 * unit && (rest / square).sqrt() < limit)
}
