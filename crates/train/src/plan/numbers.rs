//! Checks that need nothing but the number itself.

use wd_data::text::Order;
use wd_decay::{Anchor, DecayRule, OptimizerKind};
use wd_nn::VisionConfig;

use super::hyperball;
use crate::config::{ConfigFault, ModelConfig, RunConfig};

/// Refuses numbers out of their range, and settings that do not go together.
pub(super) fn check_numbers(config: &RunConfig) -> Result<(), ConfigFault> {
    check_optimizer(config)?;
    check_decay(config)?;
    check_run(config)?;
    check_data(config)?;
    check_sizes(config)
}

/// Steps of a run: their schedules are walked through while it is planned, which takes seconds for
/// these, and their measurements would fill a disk.
const MOST_STEPS: u64 = 100_000_000;
/// Blocks of a transformer: the list of their tensors takes memory before any of their numbers.
const MOST_LAYERS: usize = 10_000;
/// Tokens or images a step.
const MOST_PER_STEP: usize = 1 << 32;

/// Refuses a number of steps that no run has.
pub(super) fn check_steps(steps: u64) -> Result<(), ConfigFault> {
    let meaning = "how many batches are trained on";
    at_most("run.steps", steps as f64, steps <= MOST_STEPS, "be at most 100,000,000", meaning)
}

/// Refuses sizes before they are allocated.
fn check_sizes(config: &RunConfig) -> Result<(), ConfigFault> {
    // Weights that come from a file can be written and judged as they are.
    if config.run.steps == Some(0) && config.model.init_from.is_none() {
        return Err(ConfigFault::Zero { key: "run.steps" });
    }
    check_steps(config.run.steps.unwrap_or(0))?;
    let (layers, context) = match &config.model.network {
        ModelConfig::Gpt(model) => (model.layers, model.context),
        ModelConfig::Vision(VisionConfig::Vit(model)) => (model.layers, 1),
        ModelConfig::Vision(_) => (1, 1),
    };
    let meaning = "how many blocks follow each other";
    at_most("model.layers", layers as f64, layers <= MOST_LAYERS, "be at most 10,000", meaning)?;
    for (key, value, meaning) in [
        (
            "data.sequences",
            config.data.sequences,
            "how many windows of model.context tokens a step takes",
        ),
        ("data.batch", config.data.batch, "how many images a step takes"),
    ] {
        let Some(value) = value else { continue };
        let holds = value.checked_mul(context).is_some_and(|samples| samples <= MOST_PER_STEP);
        at_most(key, value as f64, holds, "make steps of at most 2^32 samples", meaning)?;
    }
    Ok(())
}

fn at_most(
    key: &str,
    value: f64,
    holds: bool,
    range: &'static str,
    meaning: &'static str,
) -> Result<(), ConfigFault> {
    if holds { Ok(()) } else { Err(out_of_range(key, value, range, meaning)) }
}

fn out_of_range(
    key: impl Into<String>,
    value: f64,
    range: &'static str,
    meaning: &'static str,
) -> ConfigFault {
    ConfigFault::OutOfRange { key: key.into(), value, range, meaning }
}

fn not_negative(
    key: impl Into<String>,
    value: f64,
    meaning: &'static str,
) -> Result<(), ConfigFault> {
    match value.is_finite() && value >= 0.0 {
        true => Ok(()),
        false => Err(out_of_range(key, value, "be finite and not negative", meaning)),
    }
}

fn check_optimizer(config: &RunConfig) -> Result<(), ConfigFault> {
    let rate = config.optim.lr;
    if !(rate.is_finite() && rate > 0.0) {
        let meaning = "a peak learning rate such as 1e-3";
        return Err(out_of_range("optim.lr", rate, "be finite and positive", meaning));
    }
    not_negative("optim.clip", config.optim.clip, "0 switches the clipping off")?;
    if config.optim.kind == OptimizerKind::Adamw && config.decay.rule == Some(DecayRule::CoupledL2)
    {
        return Err(ConfigFault::Conflict {
            key: "decay.rule",
            reason: "AdamW with coupled L2 is Adam: the name would hide what is done",
            mend: "write optim.kind = \"adam\", or leave decay.rule out for decoupled decay",
        });
    }
    Ok(())
}

fn check_decay(config: &RunConfig) -> Result<(), ConfigFault> {
    let decay = &config.decay;
    not_negative("decay.lambda", decay.lambda(), "0 switches the decay off")?;
    if let Anchor::Norm(ratio) = decay.anchor {
        let meaning = "a multiple of each tensor's initial norm, such as 1.0";
        not_negative("decay.anchor.norm", ratio, meaning)?;
    }
    for (glob, lambda) in &decay.overrides {
        let key = format!("decay.overrides.{glob}");
        not_negative(key, *lambda, "the λ of the tensors that match")?;
    }
    if let Some(decay) = config.optim.layer_decay
        && !(decay > 0.0 && decay <= 1.0)
    {
        let meaning = "the factor from each block to the one before it, such as 0.75";
        return Err(out_of_range("optim.layer_decay", decay, "lie in (0, 1]", meaning));
    }
    for (glob, rate) in &config.optim.overrides {
        let key = format!("optim.overrides.{glob}");
        not_negative(key, *rate, "the peak learning rate of the tensors that match")?;
    }
    if decay.holds() { hyperball::check(decay) } else { Ok(()) }
}

fn check_run(config: &RunConfig) -> Result<(), ConfigFault> {
    if matches!(config.model.network, ModelConfig::Gpt(_)) && !config.run.evaluate.is_empty() {
        return Err(ConfigFault::Foreign {
            key: "run.evaluate".to_owned(),
            owner: "images: there is no corruption of text".to_owned(),
            instead: None,
        });
    }
    if let Some(average) = config.run.average
        && !(average > 0.0 && average < 1.0)
    {
        let meaning = "0.999 averages over about the last thousand steps";
        return Err(out_of_range("run.average", average, "lie between 0 and 1", meaning));
    }
    Ok(())
}

fn check_data(config: &RunConfig) -> Result<(), ConfigFault> {
    let fraction = config.data.validation_fraction();
    if !(0.0..1.0).contains(&fraction) {
        let meaning = "0.05 holds out a twentieth of the text; 0 holds out nothing";
        return Err(out_of_range("data.validation_fraction", fraction, "lie in [0, 1)", meaning));
    }
    for (key, value) in [
        ("data.sequences", config.data.sequences.map_or(1, |n| n as u64)),
        ("data.epochs", config.data.epochs),
        ("data.validation_windows", config.data.validation_windows()),
        ("data.batch", config.data.batch.map_or(1, |n| n as u64)),
        ("data.evaluation_images", config.data.evaluation_images.map_or(1, |n| n as u64)),
        ("run.measure_every", config.run.measure_every),
        ("run.keep_checkpoints", config.run.keep_checkpoints),
    ] {
        if value == 0 {
            return Err(ConfigFault::Zero { key });
        }
    }
    if config.data.order == Some(Order::Sequential) && config.data.epochs > 1 {
        return Err(ConfigFault::Conflict {
            key: "data.epochs",
            reason: "data.order = \"sequential\" is one pass",
            mend: "use data.epochs = 1, or the shuffled order",
        });
    }
    Ok(())
}
