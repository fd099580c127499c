//! What `plan.json` says of a run.

use wd_decay::{
    Application, Choice, LearningRate, Momenta, PeakLearningRate, Schedule, Timescale,
    tokens_per_parameter,
};
use wd_nn::ParameterLayout;
use wd_optim::{Direction, OptimizerConfig};
use wd_store::{Plan, PlannedTensor};

use super::{hyperball, optimizer::first_momentum};
use crate::{config::RunConfig, data::PlannedData};

/// The record of a run of `steps` steps.
#[expect(clippy::too_many_arguments, reason = "everything that was resolved goes into the record")]
pub(super) fn record(
    config: &RunConfig,
    data: PlannedData,
    layout: &ParameterLayout,
    choices: &[Choice],
    optimizer: &OptimizerConfig,
    schedule: &Schedule,
    lambda_schedule: &Schedule,
    steps: u64,
) -> Plan {
    let shrinks: Vec<f64> = (0..steps)
        .map(|step| shrink(config, optimizer, lambda_schedule.factor(step), schedule.factor(step)))
        .collect();
    let timescale = Timescale::of(&shrinks);
    let tensors = tensors(config, layout, choices);
    let parameters = layout.len as u64;
    let seen = steps * data.per_step;
    Plan {
        format: Plan::FORMAT,
        program: format!("wd {}", env!("CARGO_PKG_VERSION")),
        seed: config.run.seed,
        steps,
        unit: data.unit,
        tokens_per_step: data.per_step,
        training_tokens: data.training,
        validation_tokens: data.validation,
        epochs: seen as f64 / data.training as f64,
        corpus_hash: data.hash,
        images: data.images,
        parameters,
        decayed_parameters: tensors
            .iter()
            .filter(|tensor| tensor.lambda != 0.0)
            .map(|tensor| tensor.parameters)
            .sum(),
        optimizer: config.optim.kind.name().to_owned(),
        beta1: first_momentum(&optimizer.direction),
        rule: optimizer.rule.name().to_owned(),
        cautious: config.decay.cautious,
        lambda: config.decay.lambda(),
        peak_learning_rate: config.optim.lr,
        schedule: config.schedule.kind.name().to_owned(),
        schedule_description: schedule.describe(),
        kappa: timescale.kappa,
        tau_steps: timescale.tau_steps,
        tau_fraction: timescale.tau_fraction,
        tokens_per_parameter: tokens_per_parameter(seen, parameters),
        learning_rates: (0..steps).map(|step| config.optim.lr * schedule.factor(step)).collect(),
        shrinks,
        tensors,
    }
}

/// What λ takes of a weight at a step with these factors on λ and η; 0 where the configuration
/// cannot tell.
fn shrink(
    config: &RunConfig,
    optimizer: &OptimizerConfig,
    lambda_factor: f64,
    rate_factor: f64,
) -> f64 {
    let lambda = config.decay.lambda() * lambda_factor;
    let rate = LearningRate(config.optim.lr * rate_factor);
    match optimizer.rule.apply(lambda, rate, PeakLearningRate(config.optim.lr)) {
        Application::Shrink(shrink) => shrink.0,
        Application::Gradient(lambda) => match optimizer.direction {
            Direction::Sgd { momentum, dampening, nesterov } => {
                let momentum = Momenta { momentum, dampening, nesterov, ..Momenta::default() };
                rate.0 * lambda * momentum.gain()
            }
            // It is divided, or cut to its sign, with the gradient.
            _ => 0.0,
        },
        // What it takes to hold the norm.
        Application::Sphere => 0.0,
    }
}

fn tensors(config: &RunConfig, layout: &ParameterLayout, choices: &[Choice]) -> Vec<PlannedTensor> {
    let holds = config.decay.holds();
    let tensors = layout.segments.iter().zip(choices).map(|(segment, choice)| PlannedTensor {
        path: segment.path.clone(),
        shape: segment.shape.clone(),
        role: segment.role.to_string(),
        parameters: segment.len() as u64,
        lambda: choice.lambda,
        reason: if holds { hyperball::reason(choice) } else { choice.reason() },
        initial_rms: segment.initial_mean.hypot(segment.initial_std),
    });
    tensors.collect()
}
