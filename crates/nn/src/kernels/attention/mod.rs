//! Attention, causal or not, a block of queries at a time: O = softmax(Q Kᵀ/√d) V for every
//! sequence and head.
//!
//! Scores are kept transposed, `[keys, queries]`, so that the softmax of 16 queries runs in the
//! lanes of a register. Where it is causal, keys after the last query of a register are never
//! looked at. The backward computes the probabilities again from the stored log-sum-exp (Dao,
//! "FlashAttention-2", 2307.08691, algorithm 2): with D_i = dO_i·O_i, dV = Pᵀ dO, dS = P ∘ (dO Vᵀ −
//! D)/√d, dQ = dS K, dK = dSᵀ Q.
//!
//! With dropout a mask m multiplies P on its way to V, and dO Vᵀ on its way back; D is unchanged by
//! it.

mod block;
mod steps;
#[cfg(test)]
mod tests;

pub(crate) use block::AttentionShape;

use steps::{
    key_backward, mix_forward, probabilities_backward, probabilities_forward, query_backward,
};

use super::dropout::Mask;
use crate::Float;

/// out `[rows, width]` ← attention; `log_sums` `[sequences, heads, context]` ← log-sum-exp of each
/// query's scores.
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
