//! Exact symmetries: rescalings by powers of two that change what numbers are called, but no bit of
//! their mantissas.
//!
//! For a scale-invariant loss the gradient at cw is the gradient at w divided by c. Then an
//! optimizer with weights cw, and its hyper-parameters rescaled to match, follows c times the path
//! of the first.

use crate::arena::{ADAM, arithmetics, muon, optimizer, settings, tensors, wave};
use proptest::prelude::*;
use wd_decay::DecayRule;
use wd_optim::{AdamParameters, Direction, Optimizer, OptimizerConfig};

/// The weights after 30 steps on scale-invariant gradients, where weights, η, λ and ε are scaled by
/// these factors.
fn run(direction: Direction, cautious: bool, weight: f64, rate: f64, lambda: f64) -> Vec<f32> {
    let scale_epsilon =
        |adam: AdamParameters| AdamParameters { epsilon: adam.epsilon / weight, ..adam };
    let direction = match direction {
        Direction::Adam(adam) => Direction::Adam(scale_epsilon(adam)),
        Direction::Muon {
            momentum,
            nesterov,
            newton_schulz_steps,
            auxiliary,
            auxiliary_learning_rate_ratio,
        } => {
            let auxiliary = scale_epsilon(auxiliary);
            Direction::Muon {
                momentum,
                nesterov,
                newton_schulz_steps,
                auxiliary,
                auxiliary_learning_rate_ratio,
            }
        }
        other => other,
    };
    let (tensors, length) = tensors(&[&[12, 20], &[37]], 0.3 * lambda);
    let config = OptimizerConfig { direction, rule: DecayRule::Decoupled, cautious, clip: None };
    let mut optimizer = Optimizer::new(config, tensors, length).unwrap();
    let mut weights: Vec<f32> =
        wave(length, 0.5, 0.0).iter().map(|start| start * weight as f32).collect();
    for step in 0..30 {
        // Any function of w/c that is divided by c will do.
        let noise = wave(length, 0.3, step as f64);
        let of = |(current, noise): (&f32, f32)| {
            (0.4 * (current / weight as f32) + noise) / weight as f32
        };
        let gradients: Vec<f32> = weights.iter().zip(noise).map(of).collect();
        let rate = 0.02 * rate * (1.0 - step as f64 / 64.0);
        optimizer.step(&mut weights, &gradients, settings(rate, rate)).unwrap();
    }
    weights.iter().map(|value| value / weight as f32).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn rescaled_runs_agree_in_every_bit(exponent in -6..=6i32, cautious: bool) {
        let c = 2f64.powi(exponent);
        let lion = Direction::Lion { beta1: 0.9, beta2: 0.99 };
        for direction in [Direction::Adam(ADAM), lion, muon(true)] {
            // The size of u does not depend on that of g: (w, η, λ, ε) → (cw, cη, λ/c, ε/c).
            prop_assert_eq!(run(direction, cautious, c, c, 1.0 / c), run(direction, cautious, 1.0, 1.0, 1.0));
        }
        for (momentum, nesterov) in [(0.0, false), (0.9, false), (0.9, true)] {
            let direction = Direction::Sgd { momentum, dampening: 0.0, nesterov };
            // u scales as g: (w, η, λ) → (cw, c²η, λ/c²).
            let scaled = run(direction, cautious, c, c * c, 1.0 / (c * c));
            prop_assert_eq!(scaled, run(direction, cautious, 1.0, 1.0, 1.0));
        }
    }
}

#[test]
fn a_rescaling_that_forgets_lambda_is_noticed() {
    let adam = Direction::Adam(ADAM);
    assert_ne!(run(adam, false, 2.0, 2.0, 1.0), run(adam, false, 1.0, 1.0, 1.0));
}

/// A convolution `[out, in, height, width]` is moved as the matrix `[out, in·height·width]`, by
/// every rule.
#[test]
fn a_convolution_is_the_matrix_of_its_patches() {
    for (name, config) in arithmetics() {
        let run = |shape: &[usize]| {
            let (mut optimizer, length) = optimizer(config, &[shape, &[5]], 0.1);
            let mut weights = wave(length, 0.5, 0.0);
            for step in 0..5 {
                let gradients = wave(length, 0.3, f64::from(step));
                optimizer.step(&mut weights, &gradients, settings(0.02, 0.02)).unwrap();
            }
            weights
        };
        assert_eq!(run(&[6, 3, 2, 2]), run(&[6, 12]), "{name}");
    }
}
