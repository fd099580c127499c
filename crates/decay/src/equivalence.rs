#![doc = include_str!("../docs/equivalence.md")]

use crate::shrink::{PenaltyPath, StepShrink, shrink};
use crate::{
    DecayError, DecayRule, LearningRate, Momenta, OptimizerKind, PeakLearningRate, UpdateNoise,
};

/// The quantity that is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Known {
    /// λ of the rule.
    Lambda(f64),
    /// τ in steps.
    TauSteps(f64),
    /// Root mean square of the weights in equilibrium.
    Rms(f64),
    /// Norm of the tensor in equilibrium.
    Radius(f64),
    /// Angle, in radians, by which the weights turn each step.
    Angle(f64),
    /// Learning rate under `hyperball` that turns the weights as fast.
    HyperballLearningRate(f64),
}

/// All of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Equivalence {
    /// λ of the rule.
    pub lambda: f64,
    /// s, the share of the weights that a step takes.
    pub shrink: f64,
    /// τ = 1/s, in steps.
    pub tau_steps: f64,
    /// Steps within which the mean square comes near its equilibrium by a factor e.
    pub relaxation_steps: f64,
    /// Root mean square of the weights in equilibrium.
    pub rms: f64,
    /// Norm of the tensor in equilibrium.
    pub radius: f64,
    /// Angle, in radians, by which the weights turn each step.
    pub angle: f64,
    /// Learning rate under `hyperball` that turns the weights as fast.
    pub hyperball_learning_rate: f64,
}

/// From one quantity to all, for a tensor of `elements` coordinates at a constant `learning_rate`.
///
/// | parameter | range |
/// |---|---|
/// | `rule` | any but `hyperball`; `coupled-l2` for SGD alone |
/// | `noise` | the update of the optimizer |
/// | `learning_rate`, `elements`, `known` | finite and above 0 |
///
/// # Errors
/// For numbers out of range; where there is no equilibrium that λ decides, with the reason; for a
/// quantity that no shrink up to 1 could bring about.
///
/// ```
/// use wd_decay::{DecayRule, Known, UpdateNoise, equivalence};
///
/// let adam = UpdateNoise::Adam { beta1: 0.9 };
/// let of = |known| equivalence(DecayRule::Decoupled, adam, 1e-3, 64 * 64, known);
/// let equilibrium = of(Known::Lambda(0.1))?;
/// assert!((equilibrium.tau_steps - 1e4).abs() < 1e-6);
/// assert!((equilibrium.rms - (1e-3 / 0.2_f64).sqrt()).abs() < 1e-5);
/// // √(2ηλ(1 − β₁)/(1 + β₁)), a third of Levanter's √(ηλ).
/// assert!((equilibrium.hyperball_learning_rate - 3.244e-3).abs() < 1e-6);
/// let back = of(Known::Radius(equilibrium.radius))?;
/// assert!((back.lambda - 0.1).abs() < 1e-9);
/// # Ok::<(), wd_decay::DecayError>(())
/// ```
pub fn equivalence(
    rule: DecayRule,
    noise: UpdateNoise,
    learning_rate: f64,
    elements: usize,
    known: Known,
) -> Result<Equivalence, DecayError> {
    positive("the learning rate", learning_rate)?;
    positive("the number of elements", elements as f64)?;
    let shrink_of_one = shrink_of_one(rule, &noise, learning_rate)?;
    let (diffusion, mean_square) = (noise.diffusion(), noise.mean_square());
    positive("the mean square of the update", mean_square)?;
    let side = (elements as f64).sqrt();
    let from_rms = |rms: f64| lost_to_shrink(learning_rate.powi(2) * diffusion / rms.powi(2));
    let from_angle = |angle: f64| lost_to_shrink(angle.powi(2) * diffusion / mean_square);
    let (what, value, shrink) = match known {
        Known::Lambda(lambda) => ("λ", lambda, lambda * shrink_of_one),
        Known::TauSteps(tau) => ("τ", tau, 1.0 / tau),
        Known::Rms(rms) => ("the equilibrium RMS", rms, from_rms(rms)),
        Known::Radius(radius) => ("the radius", radius, from_rms(radius / side)),
        Known::Angle(angle) => ("the angle", angle, from_angle(angle)),
        Known::HyperballLearningRate(rate) => {
            ("the learning rate of hyperball", rate, from_angle(rate.atan()))
        }
    };
    positive(what, value)?;
    // NaN: no shrink at all would do.
    if shrink.is_nan() || shrink > 1.0 {
        let fastest = noise.equilibrium(learning_rate, 1.0);
        return Err(DecayError::OutOfReach { what, value, rms: fastest.rms, angle: fastest.angle });
    }
    let equilibrium = noise.equilibrium(learning_rate, shrink);
    Ok(Equivalence {
        lambda: shrink / shrink_of_one,
        shrink,
        tau_steps: 1.0 / shrink,
        relaxation_steps: equilibrium.relaxation_steps,
        rms: equilibrium.rms,
        radius: equilibrium.rms * side,
        angle: equilibrium.angle,
        hyperball_learning_rate: equilibrium.angle.tan(),
    })
}

/// s(2 − s) → s; NaN above 1. In this form small numbers keep their digits.
fn lost_to_shrink(lost: f64) -> f64 {
    lost / (1.0 + (1.0 - lost).sqrt())
}

/// The shrink that λ = 1 comes to.
fn shrink_of_one(
    rule: DecayRule,
    noise: &UpdateNoise,
    learning_rate: f64,
) -> Result<f64, DecayError> {
    let none = |reason: &'static str| Err(DecayError::NoEquivalence { rule, reason });
    let path = match *noise {
        UpdateNoise::Sgd { momentum, nesterov, .. } => PenaltyPath {
            optimizer: Some(OptimizerKind::Sgd),
            momenta: Momenta { momentum, nesterov, ..Momenta::default() },
            gradient_rms: None,
            weight_rms: 0.0,
        },
        _ => PenaltyPath::default(),
    };
    let (rate, peak) = (LearningRate(learning_rate), PeakLearningRate(learning_rate));
    match (shrink(rule, 1.0, rate, peak, &path), noise) {
        (StepShrink::Share(share), _) => Ok(share.0),
        (StepShrink::Sphere, _) => none(
            "its norm is the initial one, and its angle the learning rate; ask for the rule that \
             it is to be compared with",
        ),
        (StepShrink::HiddenInGradient, UpdateNoise::Adam { .. }) => none(
            "Adam divides the penalty by √v̂ as it does the gradient, so the rate of its decay \
             goes by the gradients' size",
        ),
        (StepShrink::HiddenInGradient, _) => none(
            "the direction keeps no sizes, so the penalty has no strength of its own beside the \
             gradient",
        ),
    }
}

fn positive(what: &'static str, value: f64) -> Result<(), DecayError> {
    if value.is_finite() && value > 0.0 {
        Ok(())
    } else {
        Err(DecayError::NotPositive { what, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MuonScale;
    use proptest::prelude::*;

    fn noises() -> [UpdateNoise; 4] {
        [
            UpdateNoise::Adam { beta1: 0.9 },
            UpdateNoise::Lion { beta1: 0.9, beta2: 0.99 },
            UpdateNoise::Sgd { momentum: 0.9, nesterov: false, gradient_mean_square: 1e-4 },
            UpdateNoise::Muon {
                momentum: 0.95,
                nesterov: false,
                scale: MuonScale::Shape { fan_in: 64 },
            },
        ]
    }

    proptest! {
        #[test]
        fn each_gives_all_others_back(
            exponents in (-5.0..-1.0f64, -8.0..-0.5f64),
            rule in 0..6usize,
            noise in 0..4usize,
            elements in 1..1_000_000usize,
        ) {
            let (rate, shrink) = (10f64.powf(exponents.0), 10f64.powf(exponents.1));
            let noise = noises()[noise];
            let rule = DecayRule::ALL[rule];
            let of = |known| equivalence(rule, noise, rate, elements, known);
            if rule == DecayRule::CoupledL2 && !matches!(noise, UpdateNoise::Sgd { .. }) {
                let refused = matches!(of(Known::TauSteps(10.0)), Err(DecayError::NoEquivalence { .. }));
                prop_assert!(refused);
                return Ok(());
            }
            let all = of(Known::TauSteps(1.0 / shrink)).unwrap();
            prop_assert!((all.shrink / shrink - 1.0).abs() < 1e-12);
            prop_assert!((all.radius.powi(2) / all.rms.powi(2) / elements as f64 - 1.0).abs() < 1e-9);
            for known in [
                Known::Lambda(all.lambda),
                Known::Rms(all.rms),
                Known::Radius(all.radius),
                Known::Angle(all.angle),
                Known::HyperballLearningRate(all.hyperball_learning_rate),
            ] {
                let back = of(known).unwrap();
                prop_assert!((back.shrink / shrink - 1.0).abs() < 1e-9, "{known:?}: {} \
                    {shrink}", back.shrink);
                prop_assert!((back.lambda / all.lambda - 1.0).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn formulas_of_the_literature() {
        // Kosson et al. 2024, table 1; Lion's and SGD's are of first order in ηλ.
        let (rate, lambda) = (1e-3, 0.1);
        let angle =
            |rule, noise| equivalence(rule, noise, rate, 1, Known::Lambda(lambda)).unwrap().angle;
        let [adam, lion, sgd, _] = noises();
        let near = |found: f64, expected: f64| {
            assert!((found / expected - 1.0).abs() < 1e-3, "{found} {expected}")
        };
        near(angle(DecayRule::Decoupled, adam), (2.0 * rate * lambda * 0.1 / 1.9_f64).sqrt());
        near(angle(DecayRule::CoupledL2, sgd), (2.0 * rate * lambda / 1.9_f64).sqrt());
        let spread = 0.01 + 0.81 * 0.01 / 1.99_f64;
        near(
            angle(DecayRule::Decoupled, lion),
            (std::f64::consts::PI * rate * lambda * spread).sqrt(),
        );
    }

    #[test]
    fn what_theory_does_not_give_is_refused_with_the_reason() {
        let adam = UpdateNoise::Adam { beta1: 0.9 };
        let message = |rule, rate, elements, known| {
            equivalence(rule, adam, rate, elements, known).unwrap_err().to_string()
        };
        let decoupled = DecayRule::Decoupled;
        assert!(message(decoupled, 1e-3, 1, Known::Lambda(0.0)).starts_with("λ is 0"));
        assert!(
            message(decoupled, 1e-3, 1, Known::Angle(f64::NAN)).starts_with("the angle is NaN")
        );
        assert!(
            message(decoupled, 0.0, 1, Known::Lambda(0.1)).starts_with("the learning rate is 0")
        );
        assert!(message(decoupled, 1e-3, 0, Known::Lambda(0.1)).contains("elements"));
        assert!(message(decoupled, 1e-3, 1, Known::Rms(1e-4)).contains("no decay brings"));
        assert!(message(decoupled, 1e-3, 1, Known::Angle(0.5)).contains("0.229"));
        assert!(message(decoupled, 1e-3, 1, Known::Lambda(1e4)).contains("no decay brings"));
        assert!(message(DecayRule::CoupledL2, 1e-3, 1, Known::Lambda(0.1)).contains("√v̂"));
        assert!(message(DecayRule::Hyperball, 1e-3, 1, Known::Angle(0.1)).contains("initial one"));
    }
}
