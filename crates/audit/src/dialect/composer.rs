//! The YAML of Composer and llm-foundry.

use wd_decay::{Declared, Schedule, ScheduleKind};

use super::optimizer::Known;
use super::reading::{Reading, whole};
use super::{Declaration, Dialect, rate};

pub(super) static DIALECT: Dialect = Dialect {
    name: "Composer",
    matches: |clues| {
        let own = [
            "device_train_microbatch_size",
            "algorithms",
            "fsdp_config",
            "eval_first",
            "callbacks.lr_monitor",
        ];
        let shared =
            ["max_duration", "global_train_batch_size", "optimizer.name", "scheduler.t_warmup"];
        // OLMo has the same shape and another key for the rate.
        let is_decoupled =
            clues.text("optimizer.name").is_some_and(|name| name.starts_with("decoupled"));
        let sure = clues.keys(&own, &shared).max(if is_decoupled { 8 } else { 0 });
        if clues.has("optimizer.learning_rate") { 0 } else { sure }
    },
    read,
};

/// λ of the `decoupled_*` optimizers is the shrink at the first rate, not λ times the rate: a step
/// takes λ·η/η₀. Defaults: 1e-5 and β 0.9, 0.95 for AdamW, 0 for SGD.
fn read(reading: &Reading) -> Declaration {
    let mut declaration = Declaration::default();
    let name = reading.text("optimizer.name").unwrap_or("decoupled_adamw");
    let known = Known::named(name);
    declaration.set_lambda(reading, "optimizer.weight_decay", known.map(|known| known.lambda));
    declaration.betas = reading.pair("optimizer.betas");
    declaration.momentum = reading.number("optimizer.momentum");
    declaration.set_optimizer(name, known);
    if declaration.is_independent_of_rate {
        declaration.scaling = Some(
            "a step shrinks by λ times the rate over the first rate, not by λ times the rate"
                .to_owned(),
        );
    }
    declaration.rate = (reading.number("optimizer.lr").map(Declared::stated))
        .or(known.and_then(|known| known.rate).map(Declared::by_default));
    declaration.batch = reading.number("global_train_batch_size");
    declaration.sequence = reading.number("max_seq_len");
    declaration.steps = time(reading, "max_duration").and_then(|time| time.batches());
    declaration.schedule = schedule(reading, declaration.steps);
    declaration.is_pure_bf16 =
        reading.text("fsdp_config.mixed_precision").map(|mode| mode == "PURE");
    declaration
}

/// A time of Composer: a number with a unit.
struct Time<'a> {
    number: f64,
    unit: &'a str,
}

impl Time<'_> {
    /// Steps, where the unit is that.
    fn batches(&self) -> Option<u64> {
        if self.unit == "ba" { whole(self.number) } else { None }
    }
}

fn time<'a>(reading: &Reading<'a>, key: &str) -> Option<Time<'a>> {
    let text = reading.text(key)?.trim();
    let end = text.find(|c: char| c.is_alphabetic())?;
    let (number, unit) = text.split_at_checked(end)?;
    Some(Time { number: number.replace('_', "").parse().ok()?, unit })
}

fn schedule(reading: &Reading, steps: Option<u64>) -> Option<Schedule> {
    // `0.05dur` is a share of the run.
    let warmup = match time(reading, "scheduler.t_warmup") {
        Some(time) if time.unit == "dur" => Some((time.number * steps? as f64).round()),
        Some(time) => Some(time.batches()? as f64),
        None => None,
    };
    let lowest = reading.number("scheduler.alpha_f");
    match reading.text("scheduler.name")? {
        "cosine_with_warmup" => {
            rate::schedule(ScheduleKind::Cosine, warmup, steps, lowest.unwrap_or(0.0))
        }
        "linear_decay_with_warmup" => {
            rate::schedule(ScheduleKind::Linear, warmup, steps, lowest.unwrap_or(0.0))
        }
        "constant_with_warmup" => rate::schedule(ScheduleKind::Constant, warmup, steps, 1.0),
        "inv_sqrt_with_warmup" => {
            rate::schedule(ScheduleKind::InverseSquareRoot, warmup, steps, lowest.unwrap_or(0.0))
        }
        _ => None,
    }
}
