//! What rounding does to weights and to their shrink.

use crate::tensor::{Dtype, Tensor};

/// Relative rounding error of single precision, in which optimizers compute.
pub(crate) const ARITHMETIC: f64 = 1.0 / (1 << 24) as f64;

/// How far the shrink of one step can be from ηλ: 1 − ηλ is rounded to a number just below 1, where
/// neighbours in single precision are 2⁻²⁴ apart. Where ηλ is below half of that, nothing decays.
pub(crate) fn shrink_of_one_step(weights: &Tensor) -> f64 {
    match weights.dtype() {
        Dtype::Float64 => 0.5_f64.powi(54),
        _ => 0.5_f64.powi(25),
    }
}

/// How far the summed shrink of a window can be from Σηλ. Equal rates are rounded alike, so that
/// errors add up; those of different rates are independent of each other, and add up as a random
/// walk does. Where the shrink of a step is a few spacings, the product with the weight is rounded
/// in one direction too, by up to another 2⁻²⁴: at ηλ = 3e-8 what decays is 2.9 times ηλ.
pub(crate) fn shrink_of_window(weights: &Tensor, rates: &[f64], lambda: f64) -> f64 {
    let one = shrink_of_one_step(weights);
    let mean = rates.iter().sum::<f64>() / rates.len().max(1) as f64;
    if mean * lambda.abs() < 8.0 * one {
        return 3.0 * one * rates.len() as f64;
    }
    let mut different = 1_usize;
    for pair in rates.windows(2) {
        different += usize::from(pair[0] != pair[1]);
    }
    rates.len() as f64 / (different as f64).sqrt() * one
}

/// The mean square of what rounding adds to the difference of two stored numbers, from above.
pub(crate) fn squares(before: &Tensor, after: &Tensor) -> impl Fn(f64, f64) -> f64 + use<> {
    // Errors are spread evenly over ±2⁻ᵖ of the number, or less. A step in f32 rounds twice, after
    // the shrink and after the update; weights in a shorter form are two rounded copies.
    let (first, second) = (before.dtype().unit_roundoff(), after.dtype().unit_roundoff());
    move |x, y| ((first * x).powi(2) + (second * y).powi(2)) / 3.0
}

/// Whether numbers are stored in fewer digits than optimizers compute with: such weights are as a
/// rule rounded copies.
pub(crate) fn is_coarse(weights: &Tensor) -> bool {
    weights.dtype().unit_roundoff() > ARITHMETIC
}

/// The mean distance of neighbouring stored numbers, as a share of the number: 2⁻ᵖ⁺¹ at the lower end
/// of each power of two, half of that at the upper end.
pub(crate) fn spacing(weights: &Tensor) -> f64 {
    1.44 * weights.dtype().unit_roundoff()
}

/// The mean square of the noise that a change d of a number takes from being stored twice in few
/// digits: it goes over to the next stored number with probability d/spacing.
pub(crate) fn noise_of_change(spacing: f64, number: f64, change: f64) -> f64 {
    let spacing = spacing * number.abs();
    (change.abs() * spacing).min(spacing * spacing / 6.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Bytes;

    #[test]
    fn the_shrink_of_a_step_is_rounded_by_half_of_the_spacing_below_one() {
        let weights = Tensor::contiguous(Bytes::from(vec![0; 4]), Dtype::Float32, vec![1]).unwrap();
        let half = shrink_of_one_step(&weights);
        assert_eq!(1.0_f32 - (0.99 * half) as f32, 1.0);
        assert!((1.0 - 1.01 * half) as f32 != 1.0);
        assert_eq!(shrink_of_window(&weights, &[1e-3; 100], 0.1), 100.0 * half);
        let falling: Vec<f64> = (1..=100).map(f64::from).collect();
        assert!((shrink_of_window(&weights, &falling, 0.1) - 10.0 * half).abs() < 1e-20);
        assert_eq!(shrink_of_window(&weights, &[3e-6; 100], 0.01), 300.0 * half);
    }
}
