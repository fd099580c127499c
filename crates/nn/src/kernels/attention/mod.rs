//! Attention, causal or not, a block of queries at a time: O = softmax(Q Kᵀ/√d) V for every sequence and head.
//!
//! Scores are kept transposed, `[keys, queries]`, so that the softmax of 16 queries runs in the lanes of a register.
//! Where it is causal, keys after the last query of a register are never looked at. The backward computes the probabilities again from
//! the stored log-sum-exp (Dao, "FlashAttention-2", 2307.08691, algorithm 2): with D_i = dO_i·O_i,
//! dV = Pᵀ dO, dS = P ∘ (dO Vᵀ − D)/√d, dQ = dS K, dK = dSᵀ Q.
//!
//! With dropout a mask m multiplies P on its way to V, and dO Vᵀ on its way back; D is unchanged by it.

use pulp::Simd;

use super::dropout::{self, Mask};
use super::tile::{self, ROWS, Strided, for_tiles};
use crate::Float;
use crate::simd::{Group, Vector, dispatched, for_groups};

/// Queries in a block.
const QUERIES: usize = 64;
/// The same where every query sees every key, and short blocks save nothing: an 8 × 8 image of patches and its class
/// token are one block, five registers wide.
const BIDIRECTIONAL_QUERIES: usize = 80;

/// Sizes of one call: `qkv` is `[sequences·context, 3·width]`, query, key and value side by side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AttentionShape {
    pub(crate) sequences: usize,
    pub(crate) context: usize,
    pub(crate) heads: usize,
    pub(crate) head_width: usize,
    /// Index of the first sequence within the batch, for the dropout mask.
    pub(crate) first_sequence: usize,
    /// Does a query see the keys up to its own position only?
    pub(crate) causal: bool,
}

impl AttentionShape {
    fn width(self) -> usize {
        self.heads * self.head_width
    }

    /// Queries in a block.
    fn queries(self) -> usize {
        if self.causal { QUERIES } else { BIDIRECTIONAL_QUERIES }
    }

    /// Elements of scratch that [`forward`] and [`backward`] need.
    pub(crate) fn scratch_len(self) -> usize {
        let queries = self.queries().min(self.context);
        (3 * self.context + 2 * self.head_width + 2) * queries
    }

    /// Every block of queries of every head of every sequence, the blocks of a head in order.
    fn blocks(self) -> impl Iterator<Item = Block> {
        let per_head = self.context.div_ceil(self.queries());
        (0..self.sequences * self.heads * per_head).map(move |index| {
            let start = index % per_head * self.queries();
            let end = (start + self.queries()).min(self.context);
            Block {
                shape: self,
                sequence: index / per_head / self.heads,
                head: index / per_head % self.heads,
                start,
                end,
            }
        })
    }
}

/// Some queries of one head of one sequence.
#[derive(Clone, Copy)]
struct Block {
    shape: AttentionShape,
    sequence: usize,
    head: usize,
    /// First query of the block.
    start: usize,
    /// One past its last query.
    end: usize,
}

impl Block {
    fn queries(self) -> usize {
        self.end - self.start
    }

    /// Keys that any of its queries sees.
    fn keys(self) -> usize {
        if self.shape.causal { self.end } else { self.shape.context }
    }

    /// Where the head's query, key or value (`part` 0, 1, 2) of position `row` starts in `qkv`.
    fn part(self, part: usize, row: usize) -> usize {
        let width = self.shape.width();
        (self.sequence * self.shape.context + row) * 3 * width
            + part * width
            + self.head * self.shape.head_width
    }

    /// Where the head's columns of the block's first row start in a `[rows, width]` matrix.
    fn row(self) -> usize {
        (self.sequence * self.shape.context + self.start) * self.shape.width()
            + self.head * self.shape.head_width
    }

    /// The block's place in a `[sequences, heads, context]` array.
    fn statistics(self) -> std::ops::Range<usize> {
        let first = (self.sequence * self.shape.heads + self.head) * self.shape.context;
        first + self.start..first + self.end
    }

    /// One past the last key that matters to any query of `group`, rounded up so that a tile of queries never
    /// straddles two ends.
    fn keys_seen(self, group: Group, lanes: usize) -> usize {
        if !self.shape.causal {
            return self.keys();
        }
        let step = lanes.max(ROWS);
        (self.start + (group.start / step + 1) * step).min(self.end)
    }

    /// One past the last key that matters to any of the `rows` queries from `row` of the block.
    fn keys_of_rows(self, row: usize, rows: usize) -> usize {
        if self.shape.causal { (self.start + row + rows).min(self.end) } else { self.keys() }
    }

    /// The first query of the block that sees key `key`.
    fn first_query(self, key: usize) -> usize {
        if self.shape.causal { key.saturating_sub(self.start) } else { 0 }
    }

    /// Is it the first block of queries to see key `key`?
    fn is_first(self, key: usize) -> bool {
        if self.shape.causal { key >= self.start } else { self.start == 0 }
    }

    /// 1/√d.
    fn scale<F: Float>(self) -> F {
        F::from_f64(1.0 / (self.shape.head_width as f64).sqrt())
    }

    /// Fills `multipliers` `[keys, queries]` with the mask's factors.
    fn draw_dropout<F: Float>(self, multipliers: &mut [F], mask: Mask) -> &[F] {
        multipliers.fill(F::from_f64(1.0));
        let shape = self.shape;
        let head = (shape.first_sequence + self.sequence) * shape.heads + self.head;
        for (key, row) in multipliers.chunks_exact_mut(self.queries()).enumerate() {
            // Element (head, key, query) of the whole batch's mask.
            dropout::apply(
                row,
                mask,
                ((head * shape.context + key) * shape.context + self.start) as u64,
            );
        }
        multipliers
    }
}

/// out `[rows, width]` ← attention; `log_sums` `[sequences, heads, context]` ← log-sum-exp of each query's scores.
pub(crate) fn forward<F: Float>(
    qkv: &[F],
    out: &mut [F],
    log_sums: &mut [F],
    shape: AttentionShape,
    mask: Option<Mask>,
    scratch: &mut [F],
) {
    for block in shape.blocks() {
        let size = block.keys() * block.queries();
        let (scores, scratch) = scratch.split_at_mut(size);
        let (multipliers, scratch) = scratch.split_at_mut(size);
        let (transposed, scratch) = scratch.split_at_mut(shape.head_width * block.queries());
        let sums = &mut scratch[..block.queries()];
        let multipliers = mask.map(|mask| block.draw_dropout(multipliers, mask));
        let log_sums = &mut log_sums[block.statistics()];
        probabilities_forward(qkv, scores, log_sums, sums, block, multipliers, transposed);
        mix_forward(scores, &qkv[block.part(2, 0)..], sums, &mut out[block.row()..], block);
    }
}

/// dqkv ← gradient of queries, keys and values, overwritten.
#[expect(clippy::too_many_arguments, reason = "a kernel takes its operands one by one")]
pub(crate) fn backward<F: Float>(
    qkv: &[F],
    out: &[F],
    log_sums: &[F],
    dout: &[F],
    dqkv: &mut [F],
    shape: AttentionShape,
    mask: Option<Mask>,
    scratch: &mut [F],
) {
    for block in shape.blocks() {
        let size = block.keys() * block.queries();
        let (probabilities, scratch) = scratch.split_at_mut(size);
        let (gradients, scratch) = scratch.split_at_mut(size);
        let (multipliers, scratch) = scratch.split_at_mut(size);
        let multipliers = mask.map(|mask| block.draw_dropout(multipliers, mask));
        let (out, dout) = (&out[block.row()..], &dout[block.row()..]);
        let log_sums = &log_sums[block.statistics()];
        probabilities_backward(
            qkv,
            out,
            dout,
            log_sums,
            probabilities,
            gradients,
            block,
            multipliers,
            scratch,
        );

        query_backward(
            gradients,
            &qkv[block.part(1, 0)..],
            &mut dqkv[block.part(0, block.start)..],
            block,
        );
        let (width, stride) = (shape.width(), 3 * shape.width());
        let query = &qkv[block.part(0, block.start)..];
        key_backward(gradients, query, stride, &mut dqkv[block.part(1, 0)..], block);
        key_backward(probabilities, dout, width, &mut dqkv[block.part(2, 0)..], block);
    }
}

dispatched! {
    /// scores `[keys, queries]` ← e^(score − the query's maximum), times the multipliers; `sums` ← their sum without
    /// multipliers; `log_sums`.
    fn probabilities_forward = probabilities_forward_body(
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
    fn mix_forward = mix_forward_body(scores: &'a [F], value: &'a [F], sums: &'a [F], out: &'a mut [F], block: Block)
}

dispatched! {
    /// probabilities ← P (times the multipliers), gradients ← dS, both `[keys, queries]`.
    fn probabilities_backward = probabilities_backward_body(
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
    fn query_backward = query_backward_body(gradients: &'a [F], key: &'a [F], dquery: &'a mut [F], block: Block)
}

dispatched! {
    /// dkey ← factors·query for keys that no block before this one sees, dkey += … for the others. With P and dO: dvalue.
    fn key_backward = key_backward_body(
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

/// out `[columns, rows]` ← factor · the transpose of `rows` rows of `columns` columns, `stride` apart.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::finite_difference::{assert_gradient, dot, normals};
    use crate::random::Stream;

    /// Two blocks of queries, the second not full.
    const SHAPES: [AttentionShape; 2] = [
        AttentionShape {
            sequences: 2,
            context: QUERIES + 21,
            heads: 2,
            head_width: 5,
            first_sequence: 3,
            causal: true,
        },
        AttentionShape {
            sequences: 2,
            context: BIDIRECTIONAL_QUERIES + 21,
            heads: 2,
            head_width: 5,
            first_sequence: 3,
            causal: false,
        },
    ];

    fn rows(shape: AttentionShape) -> usize {
        shape.sequences * shape.context
    }

    fn run<F: Float>(qkv: &[F], shape: AttentionShape, mask: Option<Mask>) -> (Vec<F>, Vec<F>) {
        let numbers = |len| vec![F::from_f64(f64::NAN); len];
        let mut scratch = numbers(shape.scratch_len());
        let mut out = numbers(rows(shape) * shape.width());
        let mut log_sums = numbers(rows(shape) * shape.heads);
        forward(qkv, &mut out, &mut log_sums, shape, mask, &mut scratch);
        (out, log_sums)
    }

    fn gradient<F: Float>(
        qkv: &[F],
        dout: &[F],
        shape: AttentionShape,
        mask: Option<Mask>,
    ) -> Vec<F> {
        let (out, log_sums) = run(qkv, shape, mask);
        let mut scratch = vec![F::from_f64(f64::NAN); shape.scratch_len()];
        let mut dqkv = vec![F::from_f64(f64::NAN); qkv.len()];
        backward(qkv, &out, &log_sums, dout, &mut dqkv, shape, mask, &mut scratch);
        dqkv
    }

    #[test]
    fn equals_plain_sums() {
        for shape in SHAPES {
            let width = shape.width();
            let qkv = normals(1, rows(shape) * 3 * width);
            let (out, _) = run(&qkv, shape, None);
            let at = |row: usize, part: usize, head: usize, column: usize| {
                qkv[row * 3 * width + part * width + head * shape.head_width + column]
            };
            for (row, head) in
                [(0, 0), (1, 1), (QUERIES - 1, 0), (QUERIES + 19, 1), (rows(shape) - 1, 0)]
            {
                let first = row / shape.context * shape.context;
                let last = if shape.causal { row } else { first + shape.context - 1 };
                let score = |key: usize| {
                    let products = (0..shape.head_width)
                        .map(|column| at(row, 0, head, column) * at(key, 1, head, column));
                    (products.sum::<f64>() / (shape.head_width as f64).sqrt()).exp()
                };
                let total: f64 = (first..=last).map(score).sum();
                for column in 0..shape.head_width {
                    let weighted: f64 =
                        (first..=last).map(|key| score(key) * at(key, 2, head, column)).sum();
                    let ours = out[row * width + head * shape.head_width + column];
                    assert!(
                        (ours - weighted / total).abs() < 1e-12,
                        "row {row}, head {head}, column {column}, {shape:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn backward_is_the_gradient_with_and_without_dropout() {
        for shape in SHAPES {
            let size = rows(shape) * shape.width();
            let (qkv, dout) = (normals(1, 3 * size), normals(2, size));
            for mask in [None, Some(Mask::new(Stream::new(4, 4), 0.3))] {
                let dqkv = gradient(&qkv, &dout, shape, mask);
                assert_gradient("qkv", &qkv, &dqkv, |qkv| dot(&run(qkv, shape, mask).0, &dout));
            }
        }
    }

    #[test]
    fn scores_that_would_overflow_an_exponential_are_fine() {
        for shape in SHAPES {
            let qkv: Vec<f32> = normals(1, rows(shape) * 3 * shape.width())
                .iter()
                .map(|x| (100.0 * x) as f32)
                .collect();
            let (out, _) = run(&qkv, shape, None);
            let dqkv = gradient(&qkv, &out, shape, None);
            assert!(out.iter().chain(&dqkv).all(|value| value.is_finite()));
        }
    }
}
