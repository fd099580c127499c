//! The norm of all gradients, before a step that clips them.

use pulp::{Simd, WithSimd};

use crate::pass::BLOCK;

/// Added to the norm before dividing by it, as `torch.nn.utils.clip_grad_norm_` does.
const NORM_EPSILON: f32 = 1e-6;

/// Σ g² of a chunk, added in the order of the fused pass, so that both give the same bits.
pub(crate) struct SquaredNorm<'a>(pub(crate) &'a [f32]);

impl WithSimd for SquaredNorm<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let mut total = 0.0;
        for block in self.0.chunks(BLOCK) {
            let (lanes, rest) = S::as_simd_f32s(block);
            let mut sum = simd.splat_f32s(0.0);
            for &lane in lanes {
                sum = simd.mul_add_e_f32s(lane, lane, sum);
            }
            if !rest.is_empty() {
                let lane = simd.partial_load_f32s(rest);
                sum = simd.mul_add_e_f32s(lane, lane, sum);
            }
            total += f64::from(simd.reduce_sum_f32s(sum));
        }
        total
    }
}

/// What gradients of this norm are multiplied by: min(1, largest/(norm + 1e-6)), in `f32` as
/// PyTorch does it.
pub(crate) fn factor(largest: f64, norm: f64) -> f32 {
    (largest as f32 / (norm as f32 + NORM_EPSILON)).min(1.0)
}
