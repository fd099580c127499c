//! What the tests share: every optimizer that there is, over arenas of numbers that a formula
//! gives.

use wd_decay::{DecayRule, LearningRate, PeakLearningRate};
use wd_optim::{
    AdamParameters, Direction, Optimizer, OptimizerConfig, StepSettings, TensorSettings,
};

pub(crate) const ADAM: AdamParameters = AdamParameters { beta1: 0.9, beta2: 0.95, epsilon: 1e-8 };

/// Every direction, in every variant of its arithmetic.
pub(crate) fn directions() -> Vec<(&'static str, Direction)> {
    let sgd = |momentum, dampening, nesterov| Direction::Sgd { momentum, dampening, nesterov };
    vec![
        ("sgd", sgd(0.0, 0.0, false)),
        ("sgd with momentum", sgd(0.9, 0.0, false)),
        ("sgd with dampening", sgd(0.9, 0.5, false)),
        ("sgd with nesterov", sgd(0.9, 0.0, true)),
        ("adam", Direction::Adam(ADAM)),
        ("lion", Direction::Lion { beta1: 0.9, beta2: 0.99 }),
        ("muon", muon(false)),
        ("muon with nesterov", muon(true)),
    ]
}

pub(crate) fn muon(nesterov: bool) -> Direction {
    Direction::Muon {
        momentum: 0.95,
        nesterov,
        newton_schulz_steps: 5,
        auxiliary: ADAM,
        auxiliary_learning_rate_ratio: 0.5,
    }
}

pub(crate) fn config(direction: Direction, rule: DecayRule) -> OptimizerConfig {
    OptimizerConfig { direction, rule, cautious: false, clip: None }
}

/// Every combination of direction, rule that decays and cautious that is not refused.
pub(crate) fn configs() -> Vec<(String, OptimizerConfig)> {
    let mut configs = Vec::new();
    let decays = |rule: &DecayRule| *rule != DecayRule::Hyperball;
    for (name, direction) in directions() {
        for rule in DecayRule::ALL.iter().copied().filter(decays) {
            for cautious in [false, true] {
                let config = OptimizerConfig { cautious, ..config(direction, rule) };
                if config.validate().is_ok() {
                    configs.push((
                        format!("{name}, {rule}{}", if cautious { ", cautious" } else { "" }),
                        config,
                    ));
                }
            }
        }
    }
    configs
}

/// Every direction on a sphere.
pub(crate) fn held() -> Vec<(String, OptimizerConfig)> {
    let of =
        |(name, direction)| (format!("{name}, hyperball"), config(direction, DecayRule::Hyperball));
    directions().into_iter().map(of).collect()
}

/// Every arithmetic: of the rules that decay two only, since the others differ from `decoupled` in
/// a number, not in what is done.
pub(crate) fn arithmetics() -> Vec<(String, OptimizerConfig)> {
    let is_one_of_two = |config: &OptimizerConfig| {
        matches!(config.rule, DecayRule::CoupledL2 | DecayRule::Decoupled)
    };
    configs().into_iter().filter(|(_, config)| is_one_of_two(config)).chain(held()).collect()
}

/// Tensors of these shapes, one after another; all but matrices and convolutions are auxiliary.
pub(crate) fn tensors(shapes: &[&[usize]], lambda: f64) -> (Vec<TensorSettings>, usize) {
    let mut offset = 0;
    let tensors = shapes
        .iter()
        .map(|shape| {
            let tensor = TensorSettings {
                offset,
                shape: shape.to_vec(),
                lambda,
                auxiliary: shape.len() < 2,
            };
            offset += tensor.len();
            tensor
        })
        .collect();
    (tensors, offset)
}

pub(crate) fn optimizer(
    config: OptimizerConfig,
    shapes: &[&[usize]],
    lambda: f64,
) -> (Optimizer, usize) {
    let (mut tensors, length) = tensors(shapes, lambda);
    let holds = config.rule == DecayRule::Hyperball;
    for tensor in &mut tensors {
        if holds && tensor.auxiliary {
            tensor.lambda = 0.0;
        }
    }
    let mut optimizer = Optimizer::new(config, tensors, length).unwrap();
    if holds {
        optimizer.set_norm_target(&wave(length, 0.5, 0.0), 1.0).unwrap();
    }
    (optimizer, length)
}

pub(crate) fn settings(rate: f64, peak: f64) -> StepSettings {
    StepSettings {
        learning_rate: LearningRate(rate),
        peak_learning_rate: PeakLearningRate(peak),
        lambda_factor: 1.0,
    }
}

/// Numbers around ±`scale` with no pattern that a test would notice.
pub(crate) fn wave(length: usize, scale: f64, phase: f64) -> Vec<f32> {
    (0..length)
        .map(|index| {
            (scale * ((index * index) as f64 * 0.37 + index as f64 * 1.3 + phase).sin()) as f32
        })
        .collect()
}

pub(crate) fn norm(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt()
}

/// Runs `steps` steps on gradients that depend on the weights, at a learning rate that falls to
/// half.
pub(crate) fn train(
    optimizer: &mut Optimizer,
    weights: &mut [f32],
    steps: std::ops::Range<usize>,
    peak: f64,
) {
    for step in steps {
        let noise = wave(weights.len(), 0.5, 0.7 * step as f64);
        let gradients: Vec<f32> =
            weights.iter().zip(noise).map(|(weight, noise)| 0.3 * weight + noise).collect();
        optimizer
            .step(weights, &gradients, settings(peak * (1.0 - step as f64 / 200.0), peak))
            .unwrap();
    }
}
