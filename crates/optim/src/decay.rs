//! The arithmetic of decay, coordinate by coordinate: within the gradient, or beside the direction.

use pulp::Simd;

/// This step's decay of one tensor.
#[derive(Clone, Copy, Default)]
pub(crate) struct DecayStep {
    /// λ under coupled L2, otherwise 0.
    pub(crate) penalty: f32,
    /// s under every other rule, otherwise 0.
    pub(crate) shrink: f32,
    /// 1 − s, formed in `f64` and then rounded, as PyTorch does. It is what weights are multiplied
    /// by when they decay to 0, and accurate to 3e-8: a shrink below that does nothing. The
    /// measured decay shows what was done.
    pub(crate) keep: f32,
    /// −1 where weights grow to the norm that they decay to, otherwise 1: the sign that w − a has
    /// for a positive w.
    pub(crate) sign: f32,
}

impl DecayStep {
    /// The step that takes the share s of w − a, where w − a is `reach` times w.
    pub(crate) fn of(shrink: f64, reach: f64) -> Self {
        DecayStep {
            penalty: 0.0,
            shrink: shrink as f32,
            keep: (1.0 - shrink * reach) as f32,
            sign: if reach < 0.0 { -1.0 } else { 1.0 },
        }
    }
}

/// A decay in lanes of `f32`; `distance` is w − a.
pub(crate) trait Decay: Copy + Sync {
    /// Is there an anchor other than 0?
    const ANCHORED: bool;

    /// Does it go into the gradient?
    const COUPLED: bool;

    /// The gradient, with the decay if that goes into it.
    fn penalized<S: Simd>(self, simd: S, gradient: S::f32s, distance: S::f32s) -> S::f32s;

    /// The weights after their decay, where u is the direction that the step is about to subtract.
    fn decayed<S: Simd>(
        self,
        simd: S,
        weights: S::f32s,
        distance: S::f32s,
        direction: S::f32s,
    ) -> S::f32s;
}

/// g ← g + λ(w − a).
#[derive(Clone, Copy)]
pub(crate) struct Coupled<const ANCHORED: bool>(pub(crate) DecayStep);

impl<const ANCHORED: bool> Decay for Coupled<ANCHORED> {
    const ANCHORED: bool = ANCHORED;
    const COUPLED: bool = true;

    #[inline(always)]
    fn penalized<S: Simd>(self, simd: S, gradient: S::f32s, distance: S::f32s) -> S::f32s {
        simd.mul_add_e_f32s(simd.splat_f32s(self.0.penalty), distance, gradient)
    }

    #[inline(always)]
    fn decayed<S: Simd>(self, _: S, weights: S::f32s, _: S::f32s, _: S::f32s) -> S::f32s {
        weights
    }
}

/// w ← w − s(w − a); when cautious, only where u(w − a) ≥ 0.
#[derive(Clone, Copy)]
pub(crate) struct Decoupled<const ANCHORED: bool, const CAUTIOUS: bool>(pub(crate) DecayStep);

impl<const ANCHORED: bool, const CAUTIOUS: bool> Decay for Decoupled<ANCHORED, CAUTIOUS> {
    const ANCHORED: bool = ANCHORED;
    const COUPLED: bool = false;

    #[inline(always)]
    fn penalized<S: Simd>(self, _: S, gradient: S::f32s, _: S::f32s) -> S::f32s {
        gradient
    }

    #[inline(always)]
    fn decayed<S: Simd>(
        self,
        simd: S,
        weights: S::f32s,
        distance: S::f32s,
        direction: S::f32s,
    ) -> S::f32s {
        let decayed = if ANCHORED {
            simd.negate_mul_add_e_f32s(simd.splat_f32s(self.0.shrink), distance, weights)
        } else {
            simd.mul_f32s(weights, simd.splat_f32s(self.0.keep))
        };
        if !CAUTIOUS {
            return decayed;
        }
        // The product of two small numbers may round to −0, which is ≥ 0 as it should be only when
        // the signs agree: so compare signs, and let a zero on either side agree with everything.
        let zero = simd.splat_f32s(0.0);
        let against = |left, right| {
            simd.and_m32s(simd.less_than_f32s(left, zero), simd.greater_than_f32s(right, zero))
        };
        let direction = simd.mul_f32s(direction, simd.splat_f32s(self.0.sign));
        let fights = simd.or_m32s(against(direction, distance), against(distance, direction));
        simd.select_f32s(fights, weights, decayed)
    }
}
