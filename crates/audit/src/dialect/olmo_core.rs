//! OLMo-core's `config.json`.

use wd_decay::{Schedule, ScheduleKind};

use super::optimizer::Known;
use super::reading::{Reading, number, whole};
use super::{Declaration, Dialect, rate};
use crate::checkpoint::Value;

pub(super) static DIALECT: Dialect = Dialect {
    name: "OLMo-core",
    matches: |clues| {
        let own = ["train_module.optim", "trainer.max_duration", "data_loader.global_batch_size"];
        let own = clues.keys(&own, &["model", "dataset", "trainer", "optim"]);
        if clues.has("train_module.optim") || clues.has("optim") { own } else { 0 }
    },
    read,
};

/// Defaults of `AdamWConfig`: λ 0.01, rate 1e-3, β 0.9 and 0.999. Batches are counted in tokens.
fn read(reading: &Reading) -> Declaration {
    // Before train modules there was one `optim` for the trainer.
    let root = if reading.has("train_module.optim") { "train_module." } else { "" };
    let key = |name: &str| format!("{root}optim.{name}");
    let mut declaration = Declaration::default();
    declaration.set_lambda(reading, &key("weight_decay"), Some(1e-2));
    declaration.betas = reading.pair(&key("betas"));
    let class = reading.text(&key("_CLASS_")).unwrap_or("olmo_core.optim.AdamWConfig");
    // `…SkipStepAdamWConfig` is AdamW.
    let class = class.rsplit('.').next().unwrap_or(class).trim_end_matches("Config");
    declaration.set_optimizer(class, Known::named(class));
    let peak = reading.declared(&key("lr"), 1e-3);
    declaration.rate = Some(peak);
    if let Some(Value::List(overrides)) = reading.at(&key("group_overrides")) {
        for group in overrides {
            set_override(&mut declaration, group);
        }
    }
    let tokens = reading.number("data_loader.global_batch_size");
    let context = reading
        .number("train_module.max_sequence_length")
        .or_else(|| reading.number("dataset.sequence_length"));
    declaration.batch = tokens.zip(context).map(|(tokens, context)| tokens / context);
    declaration.sequence = context;
    declaration.steps = steps(reading, tokens);
    declaration.schedule = schedule(reading, root, declaration.steps);
    declaration
}

fn set_override(declaration: &mut Declaration, group: &Value) {
    let Some(lambda) = group.at("opts.weight_decay").and_then(number) else { return };
    let Some(Value::List(patterns)) = group.get("params") else { return };
    for pattern in patterns.iter().filter_map(Value::text) {
        declaration.set_group(pattern, Some(lambda));
    }
}

/// `max_duration` is a value with a unit: steps, tokens or epochs.
fn steps(reading: &Reading, tokens_a_step: Option<f64>) -> Option<u64> {
    let value = reading.number("trainer.max_duration.value")?;
    match reading.word("trainer.max_duration.unit")?.as_str() {
        "steps" => whole(value),
        "tokens" => tokens_a_step
            .filter(|a_step| *a_step > 0.0)
            .and_then(|a_step| whole((value / a_step).floor())),
        _ => None,
    }
}

fn schedule(reading: &Reading, root: &str, steps: Option<u64>) -> Option<Schedule> {
    let root = if reading.has("train_module.scheduler") { root } else { "" };
    let key = |name: &str| format!("{root}scheduler.{name}");
    let class = reading.text(&key("_CLASS_"))?;
    let class = class.rsplit('.').next().unwrap_or(class);
    let share = reading.number(&key("warmup_fraction"));
    let warmup = reading.number(&key("warmup")).or_else(|| reading.number(&key("warmup_steps")));
    let warmup = warmup.or(share);
    let lowest = reading.number(&key("alpha_f")).unwrap_or(0.1);
    match class {
        "CosWithWarmup" => {
            let length = reading.count(&key("t_max")).or(steps);
            rate::over(ScheduleKind::Cosine, warmup.or(Some(2000.0)), (length, steps), lowest)
        }
        "LinearWithWarmup" => rate::schedule(ScheduleKind::Linear, warmup, steps, lowest),
        "ConstantWithWarmup" | "ConstantScheduler" => {
            rate::schedule(ScheduleKind::Constant, warmup, steps, 1.0)
        }
        "WSD" => {
            let decay = reading.number(&key("decay"));
            let decay = decay.or_else(|| reading.number(&key("decay_fraction")))?;
            rate::stable(warmup, steps, reading.number(&key("decay_min_lr")).unwrap_or(0.0), decay)
        }
        _ => None,
    }
}
