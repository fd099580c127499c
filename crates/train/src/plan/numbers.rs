//! Checks that need nothing but the number itself.

use wd_data::text::Order;
use wd_decay::{Anchor, DecayRule, OptimizerKind};

use super::hyperball;
use crate::config::{ConfigFault, ModelConfig, RunConfig};

/// Refuses numbers out of their range, and settings that do not go together.
pub(super) fn check_numbers(config: &RunConfig) -> Result<(), ConfigFault> {
    check_optimizer(config)?;
    check_decay(config)?;
    check_run(config)?;
    check_data(config)
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
