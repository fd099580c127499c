//! Plans of the first format, which `wd` 0.1.0 wrote while it was developed.
//!
//! They name rule, optimizer, roles and schedules by words, hold the learning rate and the shrink
//! of every step, and leave the anchor, the initial weights and the shapes of the schedules to
//! `config.toml`. Both files together say what a [`Plan`] says.

use std::path::PathBuf;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use wd_decay::{
    Anchor, DecayRule, Dtype, Momenta, OptimizerKind, Preset, Schedule, ScheduleKind, Storage, Unit,
};

use super::{Plan, PlannedImages, PlannedTensor};

/// `plan.json` as it was; the arrays that follow from the schedules are not read.
#[derive(Deserialize)]
struct Written {
    program: String,
    seed: u64,
    steps: u64,
    #[serde(default = "tokens")]
    unit: Unit,
    tokens_per_step: u64,
    training_tokens: u64,
    validation_tokens: u64,
    epochs: f64,
    corpus_hash: String,
    images: Option<PlannedImages>,
    parameters: u64,
    decayed_parameters: u64,
    optimizer: OptimizerKind,
    beta1: f64,
    rule: DecayRule,
    cautious: bool,
    lambda: f64,
    peak_learning_rate: f64,
    schedule: ScheduleKind,
    kappa: f64,
    tau_steps: Option<f64>,
    tau_fraction: Option<f64>,
    tokens_per_parameter: f64,
    tensors: Vec<PlannedTensor>,
}

fn tokens() -> Unit {
    Unit::Token
}

/// `[schedule]` and `[decay.schedule]`, with the defaults of that time.
#[derive(Deserialize)]
#[serde(default)]
struct Section {
    kind: ScheduleKind,
    warmup: Length,
    floor: f64,
    decay: Length,
}

impl Default for Section {
    fn default() -> Self {
        let (warmup, decay) = (Length::Share(0.05), Length::Share(0.2));
        Section { kind: ScheduleKind::Cosine, warmup, floor: 0.1, decay }
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Length {
    Steps(u64),
    Share(f64),
}

impl Section {
    fn over(&self, steps: u64) -> Result<Schedule, String> {
        let length = |length: Length| match length {
            Length::Steps(steps) => steps,
            Length::Share(share) => (share * steps as f64).round() as u64,
        };
        let (warmup, decay) = (length(self.warmup), length(self.decay));
        Schedule::new(self.kind, warmup, steps, self.floor, decay)
            .map_err(|error| error.to_string())
    }
}

/// Reads the plan of a run directory of format 1.
///
/// # Errors
/// What is wrong with one of the two texts.
pub(crate) fn read(plan: &[u8], config: &str) -> Result<Plan, String> {
    let written: Written = serde_json::from_slice(plan).map_err(|error| error.to_string())?;
    let config: toml::Table =
        config.parse().map_err(|error| format!("config.toml beside it: {error}"))?;
    let steps = written.steps;
    let schedule: Section = at(&config, "schedule", None)?.unwrap_or_default();
    let schedule = Section { kind: written.schedule, ..schedule }.over(steps)?;
    let lambda_schedule = match at::<Section>(&config, "decay", Some("schedule"))? {
        Some(section) => section.over(steps)?,
        None => Schedule::new(ScheduleKind::Constant, 0, steps, 0.1, 0)
            .map_err(|error| error.to_string())?,
    };
    let policy = at(&config, "decay", Some("policy"))?.unwrap_or(match written.rule {
        DecayRule::Hyperball => Preset::Matrices,
        _ => Preset::Nanogpt,
    });
    Ok(Plan {
        format: Plan::FORMAT,
        program: written.program,
        seed: written.seed,
        steps,
        unit: written.unit,
        samples_per_step: written.tokens_per_step,
        training_samples: written.training_tokens,
        validation_samples: written.validation_tokens,
        epochs: written.epochs,
        samples_per_parameter: written.tokens_per_parameter,
        data_path: at(&config, "data", Some("path"))?.unwrap_or_else(PathBuf::new),
        corpus_hash: written.corpus_hash,
        text: None,
        images: written.images,
        model: model(&config)?,
        init_from: at(&config, "model", Some("init_from"))?,
        parameters: written.parameters,
        decayed_parameters: written.decayed_parameters,
        dtype: Dtype::F32,
        storage: Storage::F32,
        optimizer: written.optimizer,
        momenta: momenta(&config, written.optimizer, written.beta1)?,
        clip: at(&config, "optim", Some("clip"))?.unwrap_or(1.0),
        policy,
        rule: written.rule,
        cautious: written.cautious,
        anchor: at(&config, "decay", Some("anchor"))?.unwrap_or(Anchor::Zero),
        lambda: written.lambda,
        lambda_schedule,
        peak_learning_rate: written.peak_learning_rate,
        schedule,
        effective_rate_of: None,
        kappa: written.kappa,
        tau_steps: written.tau_steps,
        tau_fraction: written.tau_fraction,
        tensors: written.tensors,
    })
}

/// A section of the configuration, or a key of it; absent where it was not written.
fn at<T: DeserializeOwned>(
    config: &toml::Table,
    section: &str,
    key: Option<&str>,
) -> Result<Option<T>, String> {
    let found = match (config.get(section), key) {
        (Some(section), Some(key)) => section.get(key),
        (section, _) => section,
    };
    let place = key.map_or(section.to_owned(), |key| format!("{section}.{key}"));
    found
        .map(|value| value.clone().try_into())
        .transpose()
        .map_err(|error| format!("{place} of config.toml beside it: {}", error.message()))
}

/// The plan held β₁, or the momentum of the optimizers that have one.
fn momenta(config: &toml::Table, optimizer: OptimizerKind, first: f64) -> Result<Momenta, String> {
    let nesterov = at(config, "optim", Some("nesterov"))?;
    Ok(match optimizer {
        OptimizerKind::Sgd => Momenta {
            momentum: first,
            dampening: at(config, "optim", Some("dampening"))?.unwrap_or(0.0),
            nesterov: nesterov.unwrap_or(false),
            ..Momenta::default()
        },
        OptimizerKind::Muon => Momenta {
            momentum: first,
            nesterov: nesterov.unwrap_or(true),
            beta1: at(config, "optim", Some("beta1"))?.unwrap_or(0.9),
            beta2: at(config, "optim", Some("beta2"))?.unwrap_or(0.95),
            ..Momenta::default()
        },
        _ => {
            let usual = if optimizer == OptimizerKind::Lion { 0.99 } else { 0.95 };
            let beta2 = at(config, "optim", Some("beta2"))?.unwrap_or(usual);
            Momenta { beta1: first, beta2, ..Momenta::default() }
        }
    })
}

/// The network in a few words.
fn model(config: &toml::Table) -> Result<String, String> {
    if let Some(kind) = at::<String>(config, "model", Some("kind"))?.filter(|kind| kind != "gpt") {
        return Ok(kind);
    }
    let size = |key: &str| -> Result<String, String> {
        let size = at::<u64>(config, "model", Some(key))?;
        Ok(size.map_or("?".to_owned(), |size| size.to_string()))
    };
    Ok(format!(
        "{} layers, width {}, {} heads, context {}",
        size("layers")?,
        size("width")?,
        size("heads")?,
        size("context")?
    ))
}
