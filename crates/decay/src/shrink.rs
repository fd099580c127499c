//! What one step takes off the weights when no gradient comes in between: computed here alone.

use crate::{
    Application, DecayRule, LearningRate, Momenta, OptimizerKind, PeakLearningRate, Shrink,
};

/// What a step does to weights that no gradient moves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StepShrink {
    /// It takes this share off them.
    Share(Shrink),
    /// It takes a part off them that depends on gradients which are not known.
    HiddenInGradient,
    /// It holds their norm: what it takes off is what the update added.
    Sphere,
}

impl StepShrink {
    /// The share, where it is known.
    pub const fn share(self) -> Option<f64> {
        match self {
            StepShrink::Share(share) => Some(share.0),
            StepShrink::HiddenInGradient | StepShrink::Sphere => None,
        }
    }
}

/// The way that a penalty in the gradient takes to the weights.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PenaltyPath {
    /// What forms the direction; absent where it is not known.
    pub optimizer: Option<OptimizerKind>,
    /// How it remembers earlier gradients.
    pub momenta: Momenta,
    /// √E\[g²\], the root mean square of a coordinate of the gradient.
    pub gradient_rms: Option<f64>,
    /// Root mean square of the weights, whose penalty Adam divides by as well as by the gradient.
    pub weight_rms: f64,
}

impl PenaltyPath {
    /// What Adam divides the gradient and its penalty by: √(E\[g²\] + λ²E\[w²\]), the root mean
    /// square of their sum, in which they are unrelated.
    pub fn denominator(&self, lambda: f64) -> Option<f64> {
        Some(self.gradient_rms?.hypot(lambda * self.weight_rms))
    }
}

/// What a step of `rule` takes off the weights.
///
/// | rule and optimizer | s_t |
/// |---|---|
/// | a rule that shrinks | its shrink |
/// | coupled L2 under SGD | η_tλ(1 − τ)/(1 − μ): the penalty's gradient goes through the momentum μ |
/// | coupled L2 under Adam | η_tλ/√(E\[g²\] + λ²E\[w²\]), like any gradient: needs their RMS |
///
/// ```
/// use wd_decay::shrink::{PenaltyPath, StepShrink, shrink};
/// use wd_decay::{DecayRule, LearningRate, Momenta, OptimizerKind, PeakLearningRate, Shrink};
///
/// let momenta = Momenta { momentum: 0.9, ..Momenta::default() };
/// let optimizer = Some(OptimizerKind::Sgd);
/// let sgd = PenaltyPath { optimizer, momenta, ..PenaltyPath::default() };
/// let (rate, peak) = (LearningRate(0.1), PeakLearningRate(0.1));
/// let share = shrink(DecayRule::CoupledL2, 1e-4, rate, peak, &sgd).share().unwrap();
/// assert!((share - 1e-4).abs() < 1e-18);
///
/// let adam = PenaltyPath { optimizer: Some(OptimizerKind::Adam), ..sgd };
/// let hidden = shrink(DecayRule::CoupledL2, 1e-4, rate, peak, &adam);
/// assert_eq!(hidden, StepShrink::HiddenInGradient);
/// ```
pub fn shrink(
    rule: DecayRule,
    lambda: f64,
    rate: LearningRate,
    peak: PeakLearningRate,
    path: &PenaltyPath,
) -> StepShrink {
    use OptimizerKind::{Adam, Adamw, Radam, Sgd};
    let share = match (rule.apply(lambda, rate, peak), path.optimizer) {
        (Application::Sphere, _) => return StepShrink::Sphere,
        (Application::Shrink(shrink), _) => Some(shrink.0),
        (Application::Gradient(0.0), _) => Some(0.0),
        (Application::Gradient(lambda), Some(Sgd)) => Some(rate.0 * lambda * path.momenta.gain()),
        (Application::Gradient(lambda), Some(Adam | Adamw | Radam)) => {
            path.denominator(lambda).map(|denominator| rate.0 * lambda / denominator)
        }
        (Application::Gradient(_), _) => None,
    };
    share.map_or(StepShrink::HiddenInGradient, |share| StepShrink::Share(Shrink(share)))
}
