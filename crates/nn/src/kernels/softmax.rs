//! Softmax down the columns of a matrix: attention scores `[keys, queries]`, logits `[tokens of the
//! vocabulary, positions]`.
//!
//! Laid out so that neighbouring lanes hold different positions, the maximum and the sum need no
//! horizontal step.

use pulp::Simd;

use crate::Float;
use crate::simd::{Vector, dispatched, for_groups};

dispatched! {
    /// maxima ← largest element of each column of `block` (rows of `maxima.len()` elements); block
    /// ← e^(block − its column's maximum); sums ← sum of each column.
    ///
    /// A column may hold −∞ (its element becomes 0) as long as it also holds a larger number.
    pub(crate) fn columns = columns_body(block: &'a mut [F], maxima: &'a mut [F], sums: &'a mut [F])
}

#[inline(always)]
fn columns_body<F: Float, S: Simd>(simd: S, block: &mut [F], maxima: &mut [F], sums: &mut [F]) {
    let columns = maxima.len();
    for_groups!(Vector::<F, S>::LANES, columns, |group| {
        let mut maximum = Vector::constant(simd, f64::NEG_INFINITY);
        for row in block.chunks_exact(columns) {
            maximum = Vector::load(simd, row, group).max(maximum);
        }
        let mut sum = Vector::constant(simd, 0.0);
        for row in block.chunks_exact_mut(columns) {
            let power = (Vector::load(simd, row, group) - maximum).exp();
            power.store(row, group);
            sum += power;
        }
        maximum.store(maxima, group);
        sum.store(sums, group);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::finite_difference::normals;

    #[test]
    fn columns_are_exponentials_relative_to_their_maximum() {
        let (rows, columns_) = (7, 21);
        let mut block: Vec<f32> =
            normals(1, rows * columns_).iter().map(|x| (30.0 * x) as f32).collect();
        block[3 * columns_ + 2] = f32::NEG_INFINITY;
        let before = block.clone();
        let (mut maxima, mut sums) = (vec![0.0; columns_], vec![0.0; columns_]);
        columns(&mut block, &mut maxima, &mut sums);
        for column in 0..columns_ {
            let of = |values: &[f32]| {
                (0..rows).map(|row| f64::from(values[row * columns_ + column])).collect::<Vec<_>>()
            };
            let (old, new) = (of(&before), of(&block));
            let maximum = old.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            assert_eq!(f64::from(maxima[column]), maximum);
            for (old, new) in old.iter().zip(&new) {
                assert!((new - (old - maximum).exp()).abs() < 1e-6);
            }
            assert!((f64::from(sums[column]) - new.iter().sum::<f64>()).abs() < 1e-5);
        }
        assert_eq!(block[3 * columns_ + 2], 0.0);
    }

    #[test]
    fn a_nan_reaches_the_sum() {
        let mut block = vec![0.0f32, 0.0, f32::NAN, 0.0, 0.0, 0.0];
        let (mut maxima, mut sums) = (vec![0.0; 2], vec![0.0; 2]);
        columns(&mut block, &mut maxima, &mut sums);
        assert!(sums[0].is_nan() && sums[1] == 3.0);
    }
}
