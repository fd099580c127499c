//! A control of claim 23: does Adam see the size of the gradient at all?
//!
//! Adam's direction is m̂/(√v̂ + ε). With the gradients and ε multiplied by 2ᵏ, m̂ is multiplied by
//! 2ᵏ, v̂ by 2²ᵏ and √v̂ by 2ᵏ, each exactly in binary arithmetic as long as nothing overflows or
//! becomes subnormal: every weight of every step has the same bits.

use serde::Serialize;
use wd_decay::{DecayRule, LearningRate, PeakLearningRate};
use wd_optim::{
    AdamParameters, Direction, Optimizer, OptimizerConfig, StepSettings, TensorSettings,
};

use crate::StudyError;

/// Steps of each run.
const STEPS: usize = 400;
/// Weights.
const WEIGHTS: usize = 1000;
/// Gradients and ε are multiplied by 2ᵏ.
const EXPONENTS: [i32; 4] = [-20, -7, 3, 20];
/// Gradients of a larger norm are clipped to it, before they are multiplied.
const CLIP: f64 = 1.0;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScaledGradients {
    /// Steps of each run.
    pub steps: usize,
    /// Weights.
    pub weights: usize,
    /// k, with the number of weights whose bits differ at any step.
    pub differing: Vec<(i32, usize)>,
}

impl ScaledGradients {
    /// Runs AdamW on a noisy quadratic, as it is and with scaled gradients.
    ///
    /// # Errors
    /// An optimizer that refuses a step.
    pub fn run() -> Result<Self, StudyError> {
        let reference = weights(0)?;
        let mut differing = Vec::new();
        for exponent in EXPONENTS {
            let scaled = weights(exponent)?;
            let pairs = reference.iter().zip(&scaled);
            let apart = pairs.filter(|(one, other)| one.to_bits() != other.to_bits()).count();
            differing.push((exponent, apart));
        }
        Ok(ScaledGradients { steps: STEPS, weights: WEIGHTS, differing })
    }

    /// Are all bits those of the unscaled run?
    pub fn is_equal(&self) -> bool {
        self.differing.iter().all(|(_, count)| *count == 0)
    }

    /// The outcome in a sentence.
    pub(super) fn sentence(&self) -> String {
        let exponents: Vec<String> =
            self.differing.iter().map(|(exponent, _)| format!("2^{exponent}")).collect();
        let outcome = match self.is_equal() {
            true => "gives the same bits".to_owned(),
            false => {
                let most = self.differing.iter().map(|(_, count)| count).max();
                format!("does not give the same bits ({} weights differ)", most.unwrap_or(&0))
            }
        };
        format!(
            "Control: AdamW on clipped gradients and ε multiplied by {} {outcome} in {} steps of \
             {} weights; the size of a gradient does not reach the weights.",
            exponents.join(", "),
            self.steps,
            self.weights
        )
    }
}

/// The weights after all steps, with gradients and ε times 2^`exponent`.
fn weights(exponent: i32) -> Result<Vec<f32>, StudyError> {
    let scale = 2f64.powi(exponent);
    let config = OptimizerConfig {
        direction: Direction::Adam(AdamParameters {
            beta1: 0.9,
            beta2: 0.95,
            epsilon: 1e-8 * scale,
        }),
        rule: DecayRule::Decoupled,
        cautious: false,
        clip: None,
    };
    let tensor = TensorSettings { offset: 0, shape: vec![WEIGHTS], lambda: 0.1, auxiliary: false };
    let mut optimizer = Optimizer::new(config, vec![tensor], WEIGHTS)?;
    let rate = 1e-2;
    let settings = StepSettings {
        learning_rate: LearningRate(rate),
        peak_learning_rate: PeakLearningRate(rate),
        lambda_factor: 1.0,
    };
    let mut weights: Vec<f32> = (0..WEIGHTS).map(|index| noise(index, 0)).collect();
    for step in 1..=STEPS {
        let mut gradient: Vec<f32> = weights
            .iter()
            .enumerate()
            .map(|(index, weight)| weight - 0.5 + noise(index, step))
            .collect();
        let square: f64 = gradient.iter().map(|slope| f64::from(*slope).powi(2)).sum();
        let clip = (CLIP / square.sqrt()).min(1.0) as f32;
        for slope in &mut gradient {
            // The product with the clip is rounded; that with a power of two is exact.
            *slope = *slope * clip * scale as f32;
        }
        optimizer.step(&mut weights, &gradient, settings)?;
    }
    Ok(weights)
}

/// A number between −1 and 1 that looks random.
fn noise(index: usize, step: usize) -> f32 {
    ((index as f32 * 12.9898 + step as f32 * 78.233).sin() * 437.585).fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adam_does_not_see_the_size_of_the_gradient() {
        let found = ScaledGradients::run().expect("a run");
        assert!(found.is_equal(), "{found:?}");
        assert!(found.sentence().contains("gives the same bits"));
    }

    #[test]
    fn a_scale_that_is_no_power_of_two_is_seen() {
        // The test itself can fail: with ε left as it is, a small gradient is another one.
        let plain = weights(0).expect("weights");
        let moved = plain.iter().filter(|weight| weight.abs() > 0.0).count();
        assert_eq!(moved, WEIGHTS);
        let other = ScaledGradients { steps: 1, weights: 2, differing: vec![(3, 1)] };
        assert!(!other.is_equal() && other.sentence().contains("does not give the same bits"));
    }
}
