//! 100 steps of every optimizer that PyTorch has against what PyTorch made of them; Lion against
//! numpy.
//!
//! `../golden/golden.py` made the numbers, and says how.

use crate::arena::{ADAM, norm, settings};
use serde_json::Value;
use wd_decay::DecayRule;
use wd_optim::{Direction, Optimizer, OptimizerConfig, TensorSettings};

/// Norm of the difference to PyTorch's weights, relative to their norm.
const TOLERANCE: f64 = 1e-6;

pub(crate) fn start(length: usize, seed: usize) -> Vec<f32> {
    (0..length).map(|index| (0.5 * (1.3 * index as f64 + seed as f64).sin()) as f32).collect()
}

pub(crate) fn gradient(weights: &[f32], step: usize, seed: usize) -> Vec<f32> {
    let of = |(index, weight): (usize, &f32)| {
        let pull = 0.5 + 0.1 * (index % 7) as f64;
        let noise = 0.5 * (0.37 * (step as f64 + 1.0) + 1.7 * index as f64 + seed as f64).sin();
        (pull * f64::from(*weight) + noise) as f32
    };
    weights.iter().enumerate().map(of).collect()
}

/// Compares after 1, 10 and 100 steps; returns how many of the last weights differ in any bit.
fn check(
    name: &str,
    direction: Direction,
    rule: DecayRule,
    lambda: f64,
    clip: Option<f64>,
) -> usize {
    let golden: Value = serde_json::from_str(include_str!("../golden/golden.json")).unwrap();
    let peak = golden["peak"].as_f64().unwrap();
    let steps = golden["steps"].as_u64().unwrap() as usize;
    let case = &golden["cases"][name];
    let mut tensors = Vec::new();
    let mut weights = Vec::new();
    for (seed, shape) in case["shapes"].as_array().unwrap().iter().enumerate() {
        let shape: Vec<usize> =
            shape.as_array().unwrap().iter().map(|size| size.as_u64().unwrap() as usize).collect();
        let tensor =
            TensorSettings { offset: weights.len(), auxiliary: shape.len() != 2, shape, lambda };
        weights.extend(start(tensor.len(), seed));
        tensors.push(tensor);
    }
    let config = OptimizerConfig { direction, rule, cautious: false, clip };
    let mut optimizer = Optimizer::new(config, tensors.clone(), weights.len()).unwrap();
    let (mut compared, mut unequal) = (0, 0);
    for step in 0..steps {
        let part = |tensor: &TensorSettings| tensor.offset..tensor.offset + tensor.len();
        let gradients: Vec<f32> = tensors
            .iter()
            .enumerate()
            .flat_map(|(seed, tensor)| gradient(&weights[part(tensor)], step, seed))
            .collect();
        let rate = peak * (1.0 - step as f64 / (2.0 * steps as f64));
        optimizer.step(&mut weights, &gradients, settings(rate, peak)).unwrap();
        let Some(expected) = case["weights"].get((step + 1).to_string()) else {
            continue;
        };
        let expected: Vec<f32> = expected
            .as_array()
            .unwrap()
            .iter()
            .map(|value| value.as_f64().unwrap() as f32)
            .collect();
        assert_eq!(expected.len(), weights.len());
        let difference: Vec<f32> =
            weights.iter().zip(&expected).map(|(found, expected)| found - expected).collect();
        let relative = norm(&difference) / norm(&expected);
        assert!(relative <= TOLERANCE, "{name}, step {}: off by {relative:e}", step + 1);
        unequal = difference.iter().filter(|difference| **difference != 0.0).count();
        compared += 1;
    }
    assert_eq!(compared, 3);
    unequal
}

fn sgd(momentum: f64, dampening: f64, nesterov: bool) -> Direction {
    Direction::Sgd { momentum, dampening, nesterov }
}

#[test]
fn adamw() {
    let adam = Direction::Adam(ADAM);
    check("adamw", adam, DecayRule::Decoupled, 0.1, None);
    check("adamw_fused", adam, DecayRule::Decoupled, 0.1, None);
    check("adamw_without_decay", adam, DecayRule::Decoupled, 0.0, None);
    check("adamw_clipped", adam, DecayRule::Decoupled, 0.1, Some(1.0));
}

#[test]
fn adam_with_coupled_l2() {
    check("adam_coupled", Direction::Adam(ADAM), DecayRule::CoupledL2, 0.1, None);
    check("adam_coupled_clipped", Direction::Adam(ADAM), DecayRule::CoupledL2, 0.1, Some(1.0));
}

#[test]
fn sgd_in_all_its_forms() {
    check("sgd_momentum_clipped", sgd(0.9, 0.0, false), DecayRule::CoupledL2, 0.1, Some(1.0));
    let unequal = [
        check("sgd", sgd(0.0, 0.0, false), DecayRule::CoupledL2, 0.1, None),
        check("sgd_without_decay", sgd(0.0, 0.0, false), DecayRule::CoupledL2, 0.0, None),
        check("sgd_momentum", sgd(0.9, 0.0, false), DecayRule::CoupledL2, 0.1, None),
        check("sgd_dampening", sgd(0.9, 0.5, false), DecayRule::CoupledL2, 0.1, None),
        check("sgd_nesterov", sgd(0.9, 0.0, true), DecayRule::CoupledL2, 0.1, None),
    ];
    // Where there are fused multiply-adds, the operations are PyTorch's one by one.
    assert!(wd_optim::instruction_set() == "baseline" || unequal == [0; 5], "{unequal:?}");
}

#[test]
fn lion() {
    let unequal =
        check("lion", Direction::Lion { beta1: 0.9, beta2: 0.99 }, DecayRule::Decoupled, 0.1, None);
    assert!(wd_optim::instruction_set() == "baseline" || unequal == 0, "{unequal}");
}

#[test]
fn muon() {
    let muon = |nesterov| Direction::Muon {
        momentum: 0.95,
        nesterov,
        newton_schulz_steps: 5,
        auxiliary: ADAM,
        auxiliary_learning_rate_ratio: 0.25,
    };
    check("muon", muon(false), DecayRule::Decoupled, 0.1, None);
    check("muon_nesterov", muon(true), DecayRule::Decoupled, 0.1, None);
    check("muon_wide", muon(true), DecayRule::Decoupled, 0.1, None);
}
