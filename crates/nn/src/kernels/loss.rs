//! The head and its cross-entropy in one: the logits of a whole batch never exist.
//!
//! For a chunk of positions, logits `[vocabulary, positions]` are computed block of the vocabulary
//! by block, turned into e^(logit − block maximum) while they are in cache, and the softmax is put
//! together from the blocks' maxima and sums. In backward each block becomes (softmax −
//! one-hot)·scale by one product per element and goes straight into both gradients.

use faer::Accum;
use pulp::Simd;

use super::matmul::{product, view, view_mut};
use super::softmax;
use super::transpose::transpose;
use crate::Float;
use crate::simd::{Vector, dispatched, for_groups};

/// Positions whose logits exist at a time. Two rows of faer's microkernel.
const CHUNK: usize = 192;
/// Tokens of the vocabulary in a block: with [`CHUNK`] positions, 384 KiB of logits.
const BLOCK: usize = 512;

/// Elements of scratch that [`forward_backward`] needs.
pub(crate) fn scratch_len(vocabulary: usize, width: usize, positions: usize) -> usize {
    let chunk = CHUNK.min(positions);
    (vocabulary + width + 2 * vocabulary.div_ceil(BLOCK) + 3) * chunk
}

/// What the gradient of the head is written to.
pub(crate) struct HeadGradient<'a, F> {
    /// dx, overwritten.
    pub(crate) input: &'a mut [F],
    /// dW, added to.
    pub(crate) weight: &'a mut [F],
    /// Factor of the gradient: 1/(number of targets of the whole batch).
    pub(crate) scale: F,
}

/// Returns Σ over positions of −ln softmax(x Wᵀ)[target], with x `[positions, width]`, W
/// `[vocabulary, width]`.
pub(crate) fn forward_backward<F: Float>(
    x: &[F],
    weight: &[F],
    targets: &[u32],
    width: usize,
    scratch: &mut [F],
    mut gradient: Option<HeadGradient<'_, F>>,
) -> f64 {
    let chunk = CHUNK.min(targets.len());
    let mut loss = 0.0;
    for (index, targets) in targets.chunks(chunk).enumerate() {
        let range = index * chunk * width..(index * chunk + targets.len()) * width;
        let gradient = gradient.as_mut().map(|gradient| HeadGradient {
            input: &mut gradient.input[range.clone()],
            weight: &mut *gradient.weight,
            scale: gradient.scale,
        });
        loss += chunk_loss(&x[range], weight, targets, width, scratch, gradient);
    }
    loss
}

fn chunk_loss<F: Float>(
    x: &[F],
    weight: &[F],
    targets: &[u32],
    width: usize,
    scratch: &mut [F],
    gradient: Option<HeadGradient<'_, F>>,
) -> f64 {
    let positions = targets.len();
    let vocabulary = weight.len() / width;
    let blocks = vocabulary.div_ceil(BLOCK);
    let (logits, scratch) = scratch.split_at_mut(vocabulary * positions);
    let (x_transposed, scratch) = scratch.split_at_mut(width * positions);
    let (maxima, scratch) = scratch.split_at_mut(blocks * positions);
    let (sums, scratch) = scratch.split_at_mut(blocks * positions);
    let (target_logits, scratch) = scratch.split_at_mut(positions);
    let (maximum, scratch) = scratch.split_at_mut(positions);
    let sum = &mut scratch[..positions];

    transpose(x_transposed, x, width);
    let statistics = maxima.chunks_exact_mut(positions).zip(sums.chunks_exact_mut(positions));
    for (index, (logits, (maxima, sums))) in
        logits.chunks_mut(BLOCK * positions).zip(statistics).enumerate()
    {
        let first = index * BLOCK;
        let rows = logits.len() / positions;
        product(
            view_mut(logits, rows, positions, positions),
            Accum::Replace,
            view(&weight[first * width..(first + rows) * width], rows, width, width),
            view(x_transposed, width, positions, positions),
            F::from_f64(1.0),
        );
        for (position, target) in targets.iter().enumerate() {
            if let Some(row) = (*target as usize).checked_sub(first).filter(|row| *row < rows) {
                target_logits[position] = logits[row * positions + position];
            }
        }
        softmax::columns(logits, maxima, sums);
    }
    combine_blocks(maxima, sums, maximum, sum);

    // Kept in f64: log-sum-exp and the target's logit may both be large and nearly equal.
    let mut loss = 0.0;
    for ((maximum, sum), target_logit) in maximum.iter().zip(&*sum).zip(&*target_logits) {
        loss += sum.to_f64().ln() + (maximum.to_f64() - target_logit.to_f64());
    }

    if let Some(HeadGradient { input, weight: weight_gradient, scale }) = gradient {
        block_factors(maxima, maximum, sum, scale);
        for (index, (logits, factors)) in
            logits.chunks_mut(BLOCK * positions).zip(maxima.chunks_exact(positions)).enumerate()
        {
            let first = index * BLOCK;
            let rows = logits.len() / positions;
            scale_columns(logits, factors);
            for (position, target) in targets.iter().enumerate() {
                if let Some(row) = (*target as usize).checked_sub(first).filter(|row| *row < rows) {
                    let element = &mut logits[row * positions + position];
                    *element -= scale;
                }
            }
            let range = first * width..(first + rows) * width;
            product(
                view_mut(input, positions, width, width),
                if index == 0 { Accum::Replace } else { Accum::Add },
                view(logits, rows, positions, positions).transpose(),
                view(&weight[range.clone()], rows, width, width),
                F::from_f64(1.0),
            );
            product(
                view_mut(&mut weight_gradient[range], rows, width, width),
                Accum::Add,
                view(logits, rows, positions, positions),
                view(x, positions, width, width),
                F::from_f64(1.0),
            );
        }
    }
    loss
}

dispatched! {
    /// The maximum over all blocks and the sum of exponentials relative to it, from each block's
    /// `[blocks, positions]`.
    fn combine_blocks = combine_blocks_body(
        maxima: &'a [F],
        sums: &'a [F],
        maximum: &'a mut [F],
        sum: &'a mut [F],
    )
}

#[inline(always)]
fn combine_blocks_body<F: Float, S: Simd>(
    simd: S,
    maxima: &[F],
    sums: &[F],
    maximum: &mut [F],
    sum: &mut [F],
) {
    let positions = maximum.len();
    for_groups!(Vector::<F, S>::LANES, positions, |group| {
        let mut highest = Vector::constant(simd, f64::NEG_INFINITY);
        for block in maxima.chunks_exact(positions) {
            highest = Vector::load(simd, block, group).max(highest);
        }
        let mut total = Vector::constant(simd, 0.0);
        for (maxima, sums) in maxima.chunks_exact(positions).zip(sums.chunks_exact(positions)) {
            let factor = (Vector::load(simd, maxima, group) - highest).exp();
            total = Vector::load(simd, sums, group).mul_add(factor, total);
        }
        highest.store(maximum, group);
        total.store(sum, group);
    });
}

dispatched! {
    /// maxima ← e^(maxima − maximum)·scale/sum: what turns a block's exponentials into
    /// softmax·scale.
    fn block_factors = block_factors_body(maxima: &'a mut [F], maximum: &'a [F], sum: &'a [F], scale: F)
}

#[inline(always)]
fn block_factors_body<F: Float, S: Simd>(
    simd: S,
    maxima: &mut [F],
    maximum: &[F],
    sum: &[F],
    scale: F,
) {
    let positions = maximum.len();
    let scale = Vector::splat(simd, scale);
    for maxima in maxima.chunks_exact_mut(positions) {
        for_groups!(Vector::<F, S>::LANES, positions, |group| {
            let power =
                (Vector::load(simd, maxima, group) - Vector::load(simd, maximum, group)).exp();
            (power * scale / Vector::load(simd, sum, group)).store(maxima, group);
        });
    }
}

dispatched! {
    /// Multiplies every row by `factors`, element by element.
    fn scale_columns = scale_columns_body(rows: &'a mut [F], factors: &'a [F])
}

#[inline(always)]
fn scale_columns_body<F: Float, S: Simd>(simd: S, rows: &mut [F], factors: &[F]) {
    let columns = factors.len();
    for row in rows.chunks_exact_mut(columns) {
        for_groups!(Vector::<F, S>::LANES, columns, |group| {
            (Vector::load(simd, row, group) * Vector::load(simd, factors, group)).store(row, group);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::finite_difference::{assert_gradient, normals};

    /// More than two chunks of positions and than one block of the vocabulary, neither a multiple.
    const POSITIONS: usize = 2 * CHUNK + 5;
    const VOCABULARY: usize = BLOCK + 37;
    const WIDTH: usize = 3;

    fn targets() -> Vec<u32> {
        (0..POSITIONS).map(|position| (position * 7919 % VOCABULARY) as u32).collect()
    }

    fn naive(x: &[f64], weight: &[f64], targets: &[u32]) -> f64 {
        let rows = x.chunks_exact(WIDTH).zip(targets);
        rows.map(|(x, target)| {
            let logit = |weight: &[f64]| x.iter().zip(weight).map(|(x, w)| x * w).sum::<f64>();
            let logits: Vec<f64> = weight.chunks_exact(WIDTH).map(logit).collect();
            logits.iter().map(|logit| logit.exp()).sum::<f64>().ln() - logits[*target as usize]
        })
        .sum()
    }

    #[test]
    fn equals_plain_sums_and_backward_is_the_gradient() {
        let (x, weight, targets) =
            (normals(1, POSITIONS * WIDTH), normals(2, VOCABULARY * WIDTH), targets());
        let mut scratch = vec![f64::NAN; scratch_len(VOCABULARY, WIDTH, POSITIONS)];
        let mut run = |x: &[f64], weight: &[f64]| {
            forward_backward(x, weight, &targets, WIDTH, &mut scratch, None)
        };
        let expected = naive(&x, &weight, &targets);
        assert!((run(&x, &weight) - expected).abs() < 1e-10 * expected);

        let (mut dx, mut dweight) = (vec![f64::NAN; x.len()], vec![0.0; weight.len()]);
        let mut other = vec![f64::NAN; scratch_len(VOCABULARY, WIDTH, POSITIONS)];
        let gradient = HeadGradient { input: &mut dx, weight: &mut dweight, scale: 0.5 };
        let loss = forward_backward(&x, &weight, &targets, WIDTH, &mut other, Some(gradient));
        assert_eq!(loss, run(&x, &weight));
        assert_gradient("input", &x, &dx, |x| 0.5 * run(x, &weight));
        assert_gradient("weight", &weight, &dweight, |weight| 0.5 * run(&x, weight));
    }

    #[test]
    fn survives_logits_that_would_overflow_an_exponential() {
        let (x, weight) =
            ([1000.0f32, 0.0, 0.0], [1.0f32, 0.0, 0.0, -1.0, 0.0, 0.0, 0.5, 0.0, 0.0]);
        let mut scratch = vec![0.0; scratch_len(3, WIDTH, 1)];
        assert_eq!(forward_backward(&x, &weight, &[0], WIDTH, &mut scratch, None), 0.0);
        assert_eq!(forward_backward(&x, &weight, &[1], WIDTH, &mut scratch, None), 2000.0);
    }

    #[test]
    fn a_nan_or_an_infinity_is_seen_in_the_loss() {
        for bad in [f32::NAN, f32::INFINITY] {
            let (x, weight) = ([bad, 0.0, 0.0], normals(1, VOCABULARY * WIDTH));
            let weight: Vec<f32> = weight.iter().map(|w| *w as f32).collect();
            let mut scratch = vec![0.0; scratch_len(VOCABULARY, WIDTH, 1)];
            assert!(!forward_backward(&x, &weight, &[2], WIDTH, &mut scratch, None).is_finite());
        }
    }
}
