//! Prior on what? A matrix that is a product ABᵀ, under coupled L2 on A and B, and under AdamW.
//!
//! At its minimum over all factors of one product, (λ/2)(‖A‖² + ‖B‖²) is λ‖ABᵀ‖_*, λ times the sum
//! of the singular values (Srebro, Rennie & Jaakkola 2004; Kobayashi et al., arXiv 2410.23819). So
//! coupled L2 on the factors of ½‖ABᵀ − D‖² takes λ off every singular value of D, down to 0.
//! AdamW's decay goes beside the gradient: as its rate goes to 0 it comes to rest where the
//! gradient does, at D itself.

use faer::Mat;
use serde::Serialize;
use wd_decay::{DecayRule, LearningRate, PeakLearningRate};
use wd_optim::{
    AdamParameters, Direction, Optimizer, OptimizerConfig, StepSettings, TensorSettings,
};

use crate::StudyError;

/// Singular values of D, a diagonal matrix.
const TARGET: [f64; 5] = [1.0, 0.8, 0.6, 0.4, 0.2];
const SIZE: usize = TARGET.len();
/// Elements of a factor.
const FACTOR: usize = SIZE * SIZE;
/// Steps of each run.
const STEPS: usize = 20_000;
/// Learning rate of SGD.
const RATE: f64 = 0.05;
/// Peak of AdamW's.
const ADAM_RATE: f64 = 0.01;
/// λ of SGD with coupled L2.
const LAMBDAS: [f64; 3] = [0.1, 0.3, 0.5];

/// The singular values that a run ends with.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Factorised {
    /// What trained it, in words.
    pub optimizer: &'static str,
    /// λ.
    pub lambda: f64,
    /// Singular values of ABᵀ, descending.
    pub singular_values: Vec<f64>,
    /// What a nuclear norm of strength λ on ABᵀ would leave: max(0, σ − λ).
    pub thresholded: Vec<f64>,
}

impl Factorised {
    /// Every run.
    ///
    /// # Errors
    /// An optimizer that refuses a step, or a decomposition that does not converge.
    pub fn all() -> Result<Vec<Self>, StudyError> {
        let sgd = Direction::Sgd { momentum: 0.0, dampening: 0.0, nesterov: false };
        let adam = Direction::Adam(AdamParameters { beta2: 0.99, ..AdamParameters::default() });
        let mut all = Vec::new();
        for lambda in LAMBDAS {
            let config = (sgd, DecayRule::CoupledL2);
            all.push(Self::of("SGD, coupled L2", config, lambda, &|_| RATE)?);
        }
        let cosine = |step: usize| {
            let share = step as f64 / (STEPS - 1) as f64;
            0.5 * ADAM_RATE * (1.0 + (std::f64::consts::PI * share).cos())
        };
        all.push(Self::of("AdamW, cosine to 0", (adam, DecayRule::Decoupled), 1.0, &cosine)?);
        Ok(all)
    }

    /// The largest distance of a singular value from max(0, σ − λ).
    pub fn off_threshold(&self) -> f64 {
        largest_distance(&self.singular_values, &self.thresholded)
    }

    /// The largest distance of a singular value from that of D.
    pub fn off_target(&self) -> f64 {
        largest_distance(&self.singular_values, &TARGET)
    }

    fn of(
        optimizer: &'static str,
        (direction, rule): (Direction, DecayRule),
        lambda: f64,
        rate: &dyn Fn(usize) -> f64,
    ) -> Result<Self, StudyError> {
        let product = train(direction, rule, lambda, rate)?;
        let values = product.singular_values().map_err(|error| StudyError::Decomposition {
            what: "a product of two factors",
            problem: format!("{error:?}"),
        })?;
        Ok(Factorised {
            optimizer,
            lambda,
            singular_values: values,
            thresholded: TARGET.iter().map(|value| (value - lambda).max(0.0)).collect(),
        })
    }
}

fn largest_distance(found: &[f64], expected: &[f64]) -> f64 {
    found.iter().zip(expected).map(|(one, other)| (one - other).abs()).fold(0.0, f64::max)
}

/// ABᵀ after all steps on ½‖ABᵀ − D‖², from factors of fixed random numbers.
fn train(
    direction: Direction,
    rule: DecayRule,
    lambda: f64,
    rate: &dyn Fn(usize) -> f64,
) -> Result<Mat<f64>, StudyError> {
    let config = OptimizerConfig { direction, rule, cautious: false, clip: None };
    let factor =
        |offset| TensorSettings { offset, shape: vec![SIZE, SIZE], lambda, auxiliary: false };
    let mut optimizer = Optimizer::new(config, vec![factor(0), factor(FACTOR)], 2 * FACTOR)?;
    let peak = PeakLearningRate(rate(0));
    let mut weights: Vec<f32> =
        (0..2 * FACTOR).map(|index| 0.6 * (index as f32 * 1.7 + 0.3).sin()).collect();
    for step in 0..STEPS {
        let gradient: Vec<f32> = gradient(&weights).iter().map(|slope| *slope as f32).collect();
        let settings = StepSettings {
            learning_rate: LearningRate(rate(step)),
            peak_learning_rate: peak,
            lambda_factor: 1.0,
        };
        optimizer.step(&mut weights, &gradient, settings)?;
    }
    let (a, b) = factors(&weights);
    Ok(&a * b.transpose())
}

/// A and B.
fn factors(weights: &[f32]) -> (Mat<f64>, Mat<f64>) {
    let factor = |offset: usize| {
        Mat::from_fn(SIZE, SIZE, |row, column| f64::from(weights[offset + row * SIZE + column]))
    };
    (factor(0), factor(FACTOR))
}

/// (ABᵀ − D)B, then (ABᵀ − D)ᵀA.
fn gradient(weights: &[f32]) -> Vec<f64> {
    let (a, b) = factors(weights);
    let mut rest: Mat<f64> = &a * b.transpose();
    for (index, value) in TARGET.iter().enumerate() {
        rest[(index, index)] -= value;
    }
    let (of_a, of_b) = (&rest * &b, rest.transpose() * &a);
    [of_a, of_b]
        .iter()
        .flat_map(|slope| (0..FACTOR).map(|at| slope[(at / SIZE, at % SIZE)]).collect::<Vec<_>>())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gradient_is_that_of_the_loss() {
        let weights: Vec<f32> = (0..2 * FACTOR).map(|index| (index as f32).cos()).collect();
        let loss = |weights: &[f32]| {
            let (a, b) = factors(weights);
            let product = &a * b.transpose();
            let mut sum = 0.0;
            for row in 0..SIZE {
                for column in 0..SIZE {
                    let target = if row == column { TARGET[row] } else { 0.0 };
                    sum += 0.5 * (product[(row, column)] - target).powi(2);
                }
            }
            sum
        };
        let found = gradient(&weights);
        for at in 0..2 * FACTOR {
            let moved = |by: f32| {
                let mut other = weights.clone();
                other[at] += by;
                (loss(&other), f64::from(other[at]))
            };
            let ((high, right), (low, left)) = (moved(1e-2), moved(-1e-2));
            let expected = (high - low) / (right - left);
            assert!((found[at] - expected).abs() < 1e-3 * (1.0 + expected.abs()), "{at}");
        }
    }

    #[test]
    fn coupled_l2_on_factors_is_a_nuclear_norm_and_adamw_is_not() {
        let all = Factorised::all().expect("runs");
        for run in &all[..LAMBDAS.len()] {
            assert!(run.off_threshold() < 1e-4, "{run:?}");
            assert!(run.off_target() > 0.9 * run.lambda.min(0.2), "{run:?}");
        }
        let adamw = &all[LAMBDAS.len()];
        assert!(adamw.off_target() < 1e-3, "{adamw:?}");
        assert!(adamw.off_threshold() > 0.1, "{adamw:?}");
    }
}
