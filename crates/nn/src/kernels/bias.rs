//! Adding a bias to every row, and summing rows back into its gradient.

use pulp::Simd;

use crate::Float;
use crate::simd::{Vector, dispatched, for_groups};

dispatched! {
    /// y += bias in every row.
    pub(crate) fn forward = forward_body(y: &'a mut [F], bias: &'a [F])
}

dispatched! {
    /// bias gradient += Σ over rows of dy.
    pub(crate) fn backward = backward_body(bias_gradient: &'a mut [F], dy: &'a [F])
}

#[inline(always)]
fn forward_body<F: Float, S: Simd>(simd: S, y: &mut [F], bias: &[F]) {
    let columns = bias.len();
    for row in y.chunks_exact_mut(columns) {
        for_groups!(Vector::<F, S>::LANES, columns, |group| {
            (Vector::load(simd, row, group) + Vector::load(simd, bias, group)).store(row, group);
        });
    }
}

#[inline(always)]
fn backward_body<F: Float, S: Simd>(simd: S, bias_gradient: &mut [F], dy: &[F]) {
    let columns = bias_gradient.len();
    // Four rows at a time: a quarter of the traffic to the sums.
    let mut quads = dy.chunks_exact(4 * columns);
    for quad in &mut quads {
        let (first, second) = quad.split_at(2 * columns);
        let (a, b) = first.split_at(columns);
        let (c, d) = second.split_at(columns);
        for_groups!(Vector::<F, S>::LANES, columns, |group| {
            let pair = Vector::load(simd, a, group) + Vector::load(simd, b, group);
            let other = Vector::load(simd, c, group) + Vector::load(simd, d, group);
            (Vector::load(simd, bias_gradient, group) + (pair + other)).store(bias_gradient, group);
        });
    }
    for row in quads.remainder().chunks_exact(columns) {
        for_groups!(Vector::<F, S>::LANES, columns, |group| {
            (Vector::load(simd, bias_gradient, group) + Vector::load(simd, row, group))
                .store(bias_gradient, group);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forward_adds_to_every_row_and_backward_sums_the_rows() {
        for rows in 1..10 {
            let columns = 19;
            let mut y: Vec<f64> = (0..rows * columns).map(|index| index as f64).collect();
            let mut sums = vec![1.0; columns];
            backward(&mut sums, &y);
            for (column, sum) in sums.iter().enumerate() {
                let expected: f64 = (0..rows).map(|row| (row * columns + column) as f64).sum();
                assert_eq!(*sum, 1.0 + expected);
            }
            let bias: Vec<f64> = (0..columns).map(|column| 0.5 * column as f64).collect();
            forward(&mut y, &bias);
            assert!(
                y.iter()
                    .enumerate()
                    .all(|(index, y)| *y == index as f64 + 0.5 * (index % columns) as f64)
            );
        }
    }
}
