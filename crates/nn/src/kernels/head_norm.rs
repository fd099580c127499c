//! QK-norm: RMSNorm of each head's query and key, with one gain for all queries and one for all
//! keys.
//!
//! y = x·r·gain with r = 1/√(mean of x² + ε) over the head's columns.

use pulp::Simd;

use crate::Float;
use crate::simd::{Vector, dispatched, for_groups};

dispatched! {
    /// out ← qkv with its queries (columns 0..C) and keys (C..2C) normalised, its values copied; r
    /// of every head goes to `statistics` (`[rows, 2·heads]`).
    pub(crate) fn forward = forward_body(
        out: &'a mut [F],
        qkv: &'a [F],
        query_gain: &'a [F],
        key_gain: &'a [F],
        epsilon: F,
        statistics: &'a mut [F],
        width: usize,
    )
}

dispatched! {
    /// On entry the first 2C columns of `gradient` are those of the normalised queries and keys, on
    /// return of the raw ones in `qkv`.
    pub(crate) fn backward = backward_body(
        gradient: &'a mut [F],
        qkv: &'a [F],
        query_gain: &'a [F],
        key_gain: &'a [F],
        statistics: &'a [F],
        query_gain_gradient: &'a mut [F],
        key_gain_gradient: &'a mut [F],
        width: usize,
    )
}

#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "the body of a kernel takes its operands one by one")]
fn forward_body<F: Float, S: Simd>(
    simd: S,
    out: &mut [F],
    qkv: &[F],
    query_gain: &[F],
    key_gain: &[F],
    epsilon: F,
    statistics: &mut [F],
    width: usize,
) {
    let columns = query_gain.len();
    let reciprocal_columns = F::from_f64(1.0 / columns as f64);
    let rows = out.chunks_exact_mut(3 * width).zip(qkv.chunks_exact(3 * width));
    for ((out, qkv), statistics) in rows.zip(statistics.chunks_exact_mut(2 * width / columns)) {
        out[2 * width..].copy_from_slice(&qkv[2 * width..]);
        let heads = out[..2 * width].chunks_exact_mut(columns).zip(qkv.chunks_exact(columns));
        for (head, ((out, x), statistic)) in heads.zip(statistics).enumerate() {
            let gain = if head * columns < width { query_gain } else { key_gain };
            let mut squares = Vector::constant(simd, 0.0);
            for_groups!(Vector::<F, S>::LANES, columns, |group| {
                let x = Vector::load(simd, x, group);
                squares = x.mul_add(x, squares);
            });
            *statistic = F::from_f64(1.0) / (squares.sum() * reciprocal_columns + epsilon).root();
            let reciprocal = Vector::splat(simd, *statistic);
            for_groups!(Vector::<F, S>::LANES, columns, |group| {
                (Vector::load(simd, x, group) * reciprocal * Vector::load(simd, gain, group))
                    .store(out, group);
            });
        }
    }
}

#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "the body of a kernel takes its operands one by one")]
fn backward_body<F: Float, S: Simd>(
    simd: S,
    gradient: &mut [F],
    qkv: &[F],
    query_gain: &[F],
    key_gain: &[F],
    statistics: &[F],
    query_gain_gradient: &mut [F],
    key_gain_gradient: &mut [F],
    width: usize,
) {
    let columns = query_gain.len();
    let reciprocal_columns = F::from_f64(1.0 / columns as f64);
    let rows = gradient.chunks_exact_mut(3 * width).zip(qkv.chunks_exact(3 * width));
    for ((gradient, qkv), statistics) in rows.zip(statistics.chunks_exact(2 * width / columns)) {
        let heads = gradient[..2 * width].chunks_exact_mut(columns).zip(qkv.chunks_exact(columns));
        for (head, ((gradient, x), statistic)) in heads.zip(statistics).enumerate() {
            let (gain, gain_gradient) = if head * columns < width {
                (query_gain, &mut *query_gain_gradient)
            } else {
                (key_gain, &mut *key_gain_gradient)
            };
            let reciprocal = Vector::splat(simd, *statistic);
            let mut total = Vector::constant(simd, 0.0);
            for_groups!(Vector::<F, S>::LANES, columns, |group| {
                let normalised = Vector::load(simd, x, group) * reciprocal;
                let dy = Vector::load(simd, gradient, group);
                total = (dy * Vector::load(simd, gain, group)).mul_add(normalised, total);
                dy.mul_add(normalised, Vector::load(simd, gain_gradient, group))
                    .store(gain_gradient, group);
            });
            let mean = Vector::splat(simd, total.sum() * reciprocal_columns);
            for_groups!(Vector::<F, S>::LANES, columns, |group| {
                let normalised = Vector::load(simd, x, group) * reciprocal;
                let scaled = Vector::load(simd, gradient, group) * Vector::load(simd, gain, group);
                ((scaled - normalised * mean) * reciprocal).store(gradient, group);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::finite_difference::{assert_gradient, dot, normals};

    #[test]
    fn backward_is_the_gradient() {
        let (rows, heads, head_width) = (2, 2, 5);
        let width = heads * head_width;
        let (qkv, dy) = (normals(1, rows * 3 * width), normals(2, rows * 3 * width));
        let (query_gain, key_gain) = (normals(3, head_width), normals(4, head_width));
        let run = |qkv: &[f64], query_gain: &[f64], key_gain: &[f64]| {
            let (mut out, mut statistics) =
                (vec![f64::NAN; qkv.len()], vec![f64::NAN; rows * 2 * heads]);
            forward(&mut out, qkv, query_gain, key_gain, 1e-3, &mut statistics, width);
            (out, statistics)
        };
        let (out, statistics) = run(&qkv, &query_gain, &key_gain);
        assert_eq!(out[2 * width..3 * width], qkv[2 * width..3 * width], "values stay as they are");
        let (mut gradient, mut dquery, mut dkey) =
            (dy.clone(), vec![0.0; head_width], vec![0.0; head_width]);
        backward(
            &mut gradient,
            &qkv,
            &query_gain,
            &key_gain,
            &statistics,
            &mut dquery,
            &mut dkey,
            width,
        );
        assert_gradient("qkv", &qkv, &gradient, |qkv| {
            dot(&run(qkv, &query_gain, &key_gain).0, &dy)
        });
        assert_gradient("query gain", &query_gain, &dquery, |gain| {
            dot(&run(&qkv, gain, &key_gain).0, &dy)
        });
        assert_gradient("key gain", &key_gain, &dkey, |gain| {
            dot(&run(&qkv, &query_gain, gain).0, &dy)
        });
    }
}
