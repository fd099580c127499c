//! What is computed of a block: probabilities, what they mix, and the gradients.

use pulp::Simd;

use super::block::Block;
use crate::Float;
use crate::kernels::tile::{self, Strided, for_tiles};
use crate::simd::{Group, Vector, dispatched, for_groups};

dispatched! {
    /// scores `[keys, queries]` ← e^(score − the query's maximum), times the multipliers; `sums` ←
    /// their sum without multipliers; `log_sums`.
    pub(super) fn probabilities_forward = probabilities_forward_body(
        qkv: &'a [F],
        scores: &'a mut [F],
        log_sums: &'a mut [F],
        sums: &'a mut [F],
        block: Block,
        multipliers: Option<&'a [F]>,
        transposed: &'a mut [F],
    )
}

dispatched! {
    /// out ← scoresᵀ·value, its rows divided by `sums`.
    pub(super) fn mix_forward = mix_forward_body(scores: &'a [F], value: &'a [F], sums: &'a [F], out: &'a mut [F], block: Block)
}

dispatched! {
    /// probabilities ← P (times the multipliers), gradients ← dS, both `[keys, queries]`.
    pub(super) fn probabilities_backward = probabilities_backward_body(
        qkv: &'a [F],
        out: &'a [F],
        dout: &'a [F],
        log_sums: &'a [F],
        probabilities: &'a mut [F],
        gradients: &'a mut [F],
        block: Block,
        multipliers: Option<&'a [F]>,
        scratch: &'a mut [F],
    )
}

dispatched! {
    /// dquery ← gradientsᵀ·key.
    pub(super) fn query_backward = query_backward_body(gradients: &'a [F], key: &'a [F], dquery: &'a mut [F], block: Block)
}

dispatched! {
    /// dkey ← factors·query for keys that no block before this one sees, dkey += … for the others.
    /// With P and dO: dvalue.
    pub(super) fn key_backward = key_backward_body(
        factors: &'a [F],
        query: &'a [F],
        query_stride: usize,
        dkey: &'a mut [F],
        block: Block,
    )
}

#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "the body of a kernel takes its operands one by one")]
fn probabilities_forward_body<F: Float, S: Simd>(
    simd: S,
    qkv: &[F],
    scores: &mut [F],
    log_sums: &mut [F],
    sums: &mut [F],
    block: Block,
    multipliers: Option<&[F]>,
    transposed: &mut [F],
) {
    let (queries, head_width) = (block.queries(), block.shape.head_width);
    let (stride, lanes) = (3 * block.shape.width(), Vector::<F, S>::LANES);
    transpose(
        transposed,
        &qkv[block.part(0, block.start)..],
        stride,
        queries,
        head_width,
        block.scale(),
    );
    let key = Strided { data: &qkv[block.part(1, 0)..], stride };
    let query = Strided { data: &*transposed, stride: queries };
    for_groups!(lanes, queries, |group| {
        let keys = block.keys_seen(group, lanes);
        for_tiles!(0, keys, |row, R| {
            let tile = tile::by_rows::<F, S, R>(simd, key, row, query, group, (0, head_width));
            for (r, score) in tile.into_iter().enumerate() {
                score.store(&mut scores[(row + r) * queries..], group);
            }
        });
        fill_future(scores, block, group, keys, F::from_f64(f64::NEG_INFINITY));
        let mut maximum = Vector::constant(simd, f64::NEG_INFINITY);
        for row in scores[..keys * queries].chunks_exact(queries) {
            maximum = Vector::load(simd, row, group).max(maximum);
        }
        let mut sum = Vector::constant(simd, 0.0);
        for (index, row) in scores[..keys * queries].chunks_exact_mut(queries).enumerate() {
            let power = (Vector::load(simd, row, group) - maximum).exp();
            sum += power;
            match multipliers {
                None => power.store(row, group),
                Some(multipliers) => {
                    (power * Vector::load(simd, &multipliers[index * queries..], group))
                        .store(row, group);
                }
            }
        }
        maximum.store(log_sums, group);
        sum.store(sums, group);
    });
    for (log_sum, sum) in log_sums.iter_mut().zip(&*sums) {
        *log_sum += F::from_f64(sum.to_f64().ln());
    }
}

#[inline(always)]
fn mix_forward_body<F: Float, S: Simd>(
    simd: S,
    scores: &[F],
    value: &[F],
    sums: &[F],
    out: &mut [F],
    block: Block,
) {
    let (queries, width) = (block.queries(), block.shape.width());
    let probability = Strided { data: scores, stride: queries };
    let value = Strided { data: value, stride: 3 * width };
    for_groups!(Vector::<F, S>::LANES, block.shape.head_width, |group| {
        for_tiles!(0, queries, |row, R| {
            let depth = block.keys_of_rows(row, R);
            let tile = tile::by_columns::<F, S, R>(simd, probability, row, value, group, depth);
            for (r, total) in tile.into_iter().enumerate() {
                (total / Vector::splat(simd, sums[row + r]))
                    .store(&mut out[(row + r) * width..], group);
            }
        });
    });
}

#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "the body of a kernel takes its operands one by one")]
fn probabilities_backward_body<F: Float, S: Simd>(
    simd: S,
    qkv: &[F],
    out: &[F],
    dout: &[F],
    log_sums: &[F],
    probabilities: &mut [F],
    gradients: &mut [F],
    block: Block,
    multipliers: Option<&[F]>,
    scratch: &mut [F],
) {
    let (queries, head_width) = (block.queries(), block.shape.head_width);
    let (width, stride, lanes) =
        (block.shape.width(), 3 * block.shape.width(), Vector::<F, S>::LANES);
    let (transposed, scratch) = scratch.split_at_mut(head_width * queries);
    let (dout_transposed, scratch) = scratch.split_at_mut(head_width * queries);
    let dots = &mut scratch[..queries];
    transpose(
        transposed,
        &qkv[block.part(0, block.start)..],
        stride,
        queries,
        head_width,
        block.scale(),
    );
    transpose(dout_transposed, dout, width, queries, head_width, F::from_f64(1.0));
    for (row, dot) in dots.iter_mut().enumerate() {
        let mut total = Vector::constant(simd, 0.0);
        for_groups!(lanes, head_width, |group| {
            let dout = Vector::load(simd, &dout[row * width..], group);
            total = Vector::load(simd, &out[row * width..], group).mul_add(dout, total);
        });
        *dot = total.sum();
    }

    let key = Strided { data: &qkv[block.part(1, 0)..], stride };
    let value = Strided { data: &qkv[block.part(2, 0)..], stride };
    let query = Strided { data: &*transposed, stride: queries };
    let dout = Strided { data: &*dout_transposed, stride: queries };
    let scale = Vector::splat(simd, block.scale());
    for_groups!(lanes, queries, |group| {
        let keys = block.keys_seen(group, lanes);
        let (log_sum, dot) = (Vector::load(simd, log_sums, group), Vector::load(simd, dots, group));
        for_tiles!(0, keys, |row, R| {
            let scores = tile::by_rows::<F, S, R>(simd, key, row, query, group, (0, head_width));
            let upstream = tile::by_rows::<F, S, R>(simd, value, row, dout, group, (0, head_width));
            for r in 0..R {
                let start = (row + r) * queries;
                let probability = (scores[r] - log_sum).exp();
                let (mut kept, mut upstream) = (probability, upstream[r]);
                if let Some(multipliers) = multipliers {
                    let multiplier = Vector::load(simd, &multipliers[start..], group);
                    kept = kept * multiplier;
                    upstream = upstream * multiplier;
                }
                kept.store(&mut probabilities[start..], group);
                (probability * (upstream - dot) * scale).store(&mut gradients[start..], group);
            }
        });
        fill_future(probabilities, block, group, keys, F::from_f64(0.0));
        fill_future(gradients, block, group, keys, F::from_f64(0.0));
    });
}

#[inline(always)]
fn query_backward_body<F: Float, S: Simd>(
    simd: S,
    gradients: &[F],
    key: &[F],
    dquery: &mut [F],
    block: Block,
) {
    let (queries, stride) = (block.queries(), 3 * block.shape.width());
    let gradient = Strided { data: gradients, stride: queries };
    let key = Strided { data: key, stride };
    for_groups!(Vector::<F, S>::LANES, block.shape.head_width, |group| {
        for_tiles!(0, queries, |row, R| {
            let depth = block.keys_of_rows(row, R);
            let tile = tile::by_columns::<F, S, R>(simd, gradient, row, key, group, depth);
            for (r, total) in tile.into_iter().enumerate() {
                total.store(&mut dquery[(row + r) * stride..], group);
            }
        });
    });
}

#[inline(always)]
fn key_backward_body<F: Float, S: Simd>(
    simd: S,
    factors: &[F],
    query: &[F],
    query_stride: usize,
    dkey: &mut [F],
    block: Block,
) {
    let (queries, stride) = (block.queries(), 3 * block.shape.width());
    let factors = Strided { data: factors, stride: queries };
    let query = Strided { data: query, stride: query_stride };
    for_groups!(Vector::<F, S>::LANES, block.shape.head_width, |group| {
        for_tiles!(0, block.keys(), |row, R| {
            // Queries before a key do not see it.
            let seen = (block.first_query(row), queries);
            let tile = tile::by_rows::<F, S, R>(simd, factors, row, query, group, seen);
            for (r, total) in tile.into_iter().enumerate() {
                let place = &mut dkey[(row + r) * stride..];
                // Where attention is causal, a key's first block of queries is the one it is in.
                let before = if block.is_first(row + r) {
                    Vector::constant(simd, 0.0)
                } else {
                    Vector::load(simd, place, group)
                };
                (before + total).store(place, group);
            }
        });
    });
}

/// Overwrites what the queries of `group` may not see of the keys before `keys`.
#[inline(always)]
fn fill_future<F: Float>(scores: &mut [F], block: Block, group: Group, keys: usize, value: F) {
    if !block.shape.causal {
        return;
    }
    let (queries, start) = (block.queries(), block.start);
    for key in start + group.start + 1..keys {
        let first_that_sees = (key - start).min(group.start + group.len);
        scores[key * queries..][group.start..first_that_sees].fill(value);
    }
}

/// out `[columns, rows]` ← factor · the transpose of `rows` rows of `columns` columns, `stride`
/// apart.
#[inline(always)]
fn transpose<F: Float>(
    out: &mut [F],
    matrix: &[F],
    stride: usize,
    rows: usize,
    columns: usize,
    factor: F,
) {
    for row in 0..rows {
        let values = &matrix[row * stride..][..columns];
        for (column, value) in values.iter().enumerate() {
            out[column * rows + row] = *value * factor;
        }
    }
}
