//! Rotary position embedding of queries and keys, in place.
//!
//! Rotate-half pairing (Llama, GPT-NeoX): with half = d/2, angle θ_i(t) = t·base^(−2i/d) and i <
//! half, (x_i, x_{i+half}) ← (x_i cos θ − x_{i+half} sin θ, x_{i+half} cos θ + x_i sin θ). Backward
//! is the rotation by −θ.

use pulp::Simd;

use crate::Float;
use crate::simd::{Vector, dispatched, for_groups};

/// Cosines and sines of every position, `[context, half]` each.
#[derive(Debug, Clone)]
pub(crate) struct RotaryTable<F> {
    pub(crate) cosines: Vec<F>,
    pub(crate) sines: Vec<F>,
    pub(crate) half: usize,
}

impl<F: Float> RotaryTable<F> {
    pub(crate) fn new(context: usize, head_width: usize, base: f64) -> Self {
        let half = head_width / 2;
        let angle = |index: usize| {
            let (position, i) = (index / half, index % half);
            position as f64 * base.powf(-2.0 * i as f64 / head_width as f64)
        };
        let table = |function: fn(f64) -> f64| {
            (0..context * half).map(|index| F::from_f64(function(angle(index)))).collect()
        };
        Self { cosines: table(f64::cos), sines: table(f64::sin), half }
    }
}

/// Rotates the first `rotated` columns of every row of `qkv` (rows of `columns`), head by head; row
/// t stands at position t mod context. `backward` rotates the other way.
pub(crate) fn rotate<F: Float>(
    qkv: &mut [F],
    columns: usize,
    rotated: usize,
    context: usize,
    table: &RotaryTable<F>,
    backward: bool,
) {
    let sign = F::from_f64(if backward { -1.0 } else { 1.0 });
    for (index, row) in qkv.chunks_exact_mut(columns).enumerate() {
        let start = index % context * table.half;
        let (cosines, sines) =
            (&table.cosines[start..start + table.half], &table.sines[start..start + table.half]);
        rotate_row(&mut row[..rotated], cosines, sines, sign);
    }
}

dispatched! {
    /// Rotates every head of one row.
    fn rotate_row = rotate_row_body(row: &'a mut [F], cosines: &'a [F], sines: &'a [F], sign: F)
}

#[inline(always)]
fn rotate_row_body<F: Float, S: Simd>(simd: S, row: &mut [F], cosines: &[F], sines: &[F], sign: F) {
    let half = cosines.len();
    let (sign, zero) = (Vector::splat(simd, sign), Vector::constant(simd, 0.0));
    for head in row.chunks_exact_mut(2 * half) {
        let (first, second) = head.split_at_mut(half);
        for_groups!(Vector::<F, S>::LANES, half, |group| {
            let (x, y) = (Vector::load(simd, first, group), Vector::load(simd, second, group));
            let cosine = Vector::load(simd, cosines, group);
            let sine = Vector::load(simd, sines, group) * sign;
            x.mul_add(cosine, (zero - y) * sine).store(first, group);
            y.mul_add(cosine, x * sine).store(second, group);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::finite_difference::{assert_gradient, dot, normals};

    #[test]
    fn rotates_pairs_by_position_and_backward_is_the_gradient() {
        let (context, heads, head_width) = (3, 2, 6);
        let (width, rows) = (heads * head_width, 2 * context);
        let table = RotaryTable::<f64>::new(context, head_width, 100.0);
        let (x, dy) = (normals(1, rows * 3 * width), normals(2, rows * 3 * width));
        let run = |x: &[f64]| {
            let mut x = x.to_vec();
            rotate(&mut x, 3 * width, 2 * width, context, &table, false);
            x
        };
        let y = run(&x);
        let (row, head, i) = (5, 1, 2);
        let at =
            |values: &[f64], offset: usize| values[row * 3 * width + head * head_width + offset];
        let angle = (row % context) as f64 * 100f64.powf(-2.0 * i as f64 / head_width as f64);
        let expected = at(&x, i) * angle.cos() - at(&x, i + head_width / 2) * angle.sin();
        assert!((at(&y, i) - expected).abs() < 1e-14);
        assert_eq!(y[2 * width..3 * width], x[2 * width..3 * width], "values do not turn");

        let mut dx = dy.clone();
        rotate(&mut dx, 3 * width, 2 * width, context, &table, true);
        assert_gradient("rotary", &x, &dx, |x| dot(&run(x), &dy));
    }
}
