//! From the sums of a pass to what a step reports.

use crate::pass::Sums;

/// What one step did to one tensor. All norms are Euclidean; w is the tensor *before* the step.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TensorMeasurement {
    /// ‖w‖.
    pub weight_norm: f64,
    /// ‖g‖, before clipping and without the decay.
    pub gradient_norm: f64,
    /// ‖Δw‖ of the whole step, decay included, as it came out in `f32`.
    pub update_norm: f64,
    /// ‖Δw‖/‖w‖, the effective learning rate; infinite when weights of zero move.
    pub relative_update: f64,
    /// Cosine of w and the direction u. Since u is subtracted, a positive cosine means that the
    /// direction shrinks the weights. 0 when either is zero, or the learning rate.
    pub cosine: f64,
    /// Norm of the decay: of what it took from the weights, as it came out in `f32`, and under the
    /// cautious modifier only from the coordinates that decayed; under Hyperball, what bringing the
    /// weights back to their norm took from (or gave to) them. Under coupled L2, where the decay
    /// is a part of the gradient, ηλ‖w − a‖: what it would move under plain gradient descent.
    pub decay_norm: f64,
    /// Is a weight, a gradient or an update infinite or not a number, or too large to be squared in
    /// `f32`?
    pub nonfinite: bool,
}

/// What one step did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepReport<'a> {
    /// Norm of all gradients taken together, before clipping.
    pub gradient_norm: f64,
    /// What the gradients were multiplied by; 1 when nothing was clipped.
    pub clip_factor: f64,
    /// One measurement a tensor, in the order the optimizer was made with.
    pub tensors: &'a [TensorMeasurement],
}

impl TensorMeasurement {
    /// `decay_scale` is what the measured decay has still to be multiplied by.
    pub(crate) fn of(sums: &Sums, decay_scale: f64) -> Self {
        let ratio = |above: f64, below: f64| if above == 0.0 { 0.0 } else { above / below };
        let (weight_norm, update_norm) = (sums.weight.sqrt(), sums.update.sqrt());
        let lengths = weight_norm * sums.direction.sqrt();
        TensorMeasurement {
            weight_norm,
            gradient_norm: sums.gradient.sqrt(),
            update_norm,
            relative_update: ratio(update_norm, weight_norm),
            cosine: if lengths == 0.0 { 0.0 } else { sums.product / lengths },
            decay_norm: decay_scale * sums.decay.sqrt(),
            nonfinite: !(sums.weight.is_finite()
                && sums.gradient.is_finite()
                && sums.update.is_finite()),
        }
    }
}
