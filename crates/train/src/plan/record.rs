//! What `plan.json` says of a run.

use wd_decay::{Choice, Schedule, tokens_per_parameter};
use wd_nn::ParameterLayout;
use wd_optim::OptimizerConfig;
use wd_store::{Plan, PlannedTensor};

use super::{hyperball, optimizer::momenta};
use crate::{
    config::{ModelConfig, RunConfig},
    data::PlannedData,
};

/// The record of a run of `steps` steps.
#[expect(clippy::too_many_arguments, reason = "everything that was resolved goes into the record")]
pub(super) fn record(
    config: &RunConfig,
    data: PlannedData,
    model: &ModelConfig,
    layout: &ParameterLayout,
    choices: &[Choice],
    rate_ratios: &[f64],
    optimizer: &OptimizerConfig,
    schedule: Schedule,
    lambda_schedule: Schedule,
    steps: u64,
) -> Plan {
    let tensors = tensors(config, layout, choices, rate_ratios);
    let parameters = layout.len as u64;
    let seen = steps * data.per_step;
    let mut record = Plan {
        format: Plan::FORMAT,
        program: format!("wd {}", env!("CARGO_PKG_VERSION")),
        seed: config.run.seed,
        steps,
        unit: data.unit,
        samples_per_step: data.per_step,
        training_samples: data.training,
        validation_samples: data.validation,
        epochs: seen as f64 / data.training as f64,
        samples_per_parameter: tokens_per_parameter(seen, parameters),
        data_path: config.data.path.clone(),
        corpus_hash: data.hash,
        text: data.text,
        images: data.images,
        model: model.describe(),
        init_from: config.model.init_from.clone(),
        parameters,
        decayed_parameters: tensors
            .iter()
            .filter(|tensor| tensor.lambda != 0.0)
            .map(|tensor| tensor.parameters)
            .sum(),
        dtype: config.optim.storage.dtype(),
        storage: config.optim.storage,
        optimizer: config.optim.kind,
        momenta: momenta(&optimizer.direction),
        clip: config.optim.clip,
        policy: config.decay.policy(),
        rule: optimizer.rule,
        cautious: config.decay.cautious,
        anchor: config.decay.anchor.clone(),
        lambda: config.decay.lambda(),
        lambda_schedule,
        peak_learning_rate: config.optim.lr,
        schedule,
        effective_rate_of: config.optim.effective_rate_of.clone(),
        kappa: 0.0,
        tau_steps: None,
        tau_fraction: None,
        tensors,
    };
    let timescale = record.timescale();
    record.kappa = timescale.kappa;
    record.tau_steps = timescale.tau_steps;
    record.tau_fraction = timescale.tau_fraction;
    record
}

fn tensors(
    config: &RunConfig,
    layout: &ParameterLayout,
    choices: &[Choice],
    rate_ratios: &[f64],
) -> Vec<PlannedTensor> {
    let holds = config.decay.holds();
    let choices = choices.iter().zip(rate_ratios);
    let tensors =
        layout.segments.iter().zip(choices).map(|(segment, (choice, ratio))| PlannedTensor {
            path: segment.path.clone(),
            shape: segment.shape.clone(),
            role: segment.role,
            parameters: segment.len() as u64,
            lambda: choice.lambda,
            rate_ratio: *ratio,
            reason: if holds { hyperball::reason(choice) } else { choice.reason() },
            initial_rms: segment.initial_mean.hypot(segment.initial_std),
        });
    tensors.collect()
}
