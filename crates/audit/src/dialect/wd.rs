//! The `config.toml` of this program's own runs.

use wd_decay::{DecayRule, OptimizerKind, ScheduleKind};

use super::optimizer::Known;
use super::reading::{Reading, number};
use super::{Declaration, Dialect, rate};
use crate::checkpoint::Value;

pub(super) const NAME: &str = "wd train";

pub(super) static DIALECT: Dialect = Dialect {
    name: NAME,
    matches: |clues| {
        let own = ["decay.lambda", "decay.rule", "decay.policy", "decay.anchor", "decay.overrides"];
        let known = clues
            .keys(&own, &["optim.kind", "optim.lr", "run.steps", "schedule.kind", "data.path"]);
        if clues.has("optim") { known } else { 0 }
    },
    read,
};

/// λ is 0 unless stated; under `hyperball` it is a switch, and on.
fn read(reading: &Reading) -> Declaration {
    let mut declaration = Declaration::default();
    let rule: Option<DecayRule> = reading.text("decay.rule").and_then(|rule| rule.parse().ok());
    let holds = rule == Some(DecayRule::Hyperball);
    declaration.set_lambda(reading, "decay.lambda", Some(if holds { 1.0 } else { 0.0 }));
    let kind: OptimizerKind =
        reading.text("optim.kind").and_then(|kind| kind.parse().ok()).unwrap_or_default();
    let is_lion = reading.word("optim.kind").as_deref() == Some("lion");
    let defaults = (0.9, if is_lion { 0.99 } else { 0.95 });
    declaration.betas = Some(reading.betas(("optim.beta1", "optim.beta2"), defaults));
    declaration.momentum = reading.number("optim.momentum");
    declaration.set_optimizer(kind.name(), Known::named(kind.name()));
    declaration.set_rule(kind, rule.unwrap_or(kind.default_rule()));
    declaration.set_rate(reading.number("optim.lr"), None);
    if let Some(Value::Table(own)) = reading.at("optim.overrides") {
        let largest = own.iter().filter_map(|(_, rate)| number(rate)).max_by(f64::total_cmp);
        let usual = declaration.rate.map_or(0.0, |rate| rate.value);
        declaration.largest_rate = largest.filter(|&rate| rate > usual);
    }
    declaration.steps = reading.count("run.steps");
    declaration.batch = reading.number("data.sequences").or_else(|| reading.number("data.batch"));
    declaration.sequence = reading.number("model.context");
    let own = reading.number("decay.schedule.floor").zip(declaration.lambda);
    if reading.word("decay.schedule.kind").is_some_and(|kind| kind != "constant") {
        declaration.final_lambda = own.map(|(floor, lambda)| floor * lambda.value);
    }
    if let Some(Value::Table(overrides)) = reading.at("decay.overrides") {
        for (pattern, lambda) in overrides {
            declaration.set_group(pattern, number(lambda));
        }
    }
    let form: ScheduleKind =
        reading.text("schedule.kind").and_then(|kind| kind.parse().ok()).unwrap_or_default();
    let warmup = reading.number("schedule.warmup").or(Some(0.05));
    let floor = reading.number("schedule.floor").unwrap_or(0.1);
    declaration.schedule = match form {
        ScheduleKind::WarmupStableDecay => {
            let decay = reading.number("schedule.decay").unwrap_or(0.2);
            rate::stable(warmup, declaration.steps, floor, decay)
        }
        form => rate::schedule(form, warmup, declaration.steps, floor),
    };
    // Shares are rounded to the nearest step here, and up by Hugging Face.
    reading.mark("decay.schedule");
    declaration.is_pure_bf16 = Some(false);
    declaration
}
