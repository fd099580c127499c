//! fairseq: `cfg` of its checkpoints and its YAML, or the Namespace `args` of older ones.

use wd_decay::{DecayRule, OptimizerKind, Schedule, ScheduleKind};

use super::optimizer::Known;
use super::reading::Reading;
use super::{Declaration, Dialect, rate};

pub(super) static DIALECT: Dialect = Dialect {
    name: "fairseq",
    matches: |clues| {
        let own = [
            "optimization.max_update",
            "optimization.update_freq",
            "optimizer._name",
            "optimizer.adam_betas",
            "max_update",
            "update_freq",
            "adam_betas",
        ];
        clues.keys(
            &own,
            &["task", "criterion", "lr_scheduler", "weight_decay", "distributed_world_size"],
        )
    },
    read,
};

/// Defaults: λ 0; fairseq's `adam` is an AdamW, β 0.9 and 0.999.
fn read(reading: &Reading) -> Declaration {
    // Tables since Hydra, flat arguments before.
    let is_flat = !reading.has("optimization") && !reading.has("optimizer._name");
    let key = |table: &str, name: &str| match is_flat {
        true => name.to_owned(),
        false => format!("{table}.{name}"),
    };
    let mut declaration = Declaration::default();
    declaration.set_lambda(reading, &key("optimizer", "weight_decay"), Some(0.0));
    let name = match is_flat {
        true => reading.text("optimizer"),
        false => reading.text("optimizer._name"),
    };
    let name = name.unwrap_or("adam");
    let is_adam = name == "adam";
    declaration.betas = reading.pair(&key("optimizer", "adam_betas"));
    declaration.set_optimizer(name, Known::named(name));
    if is_adam {
        declaration.set_rule(OptimizerKind::Adamw, DecayRule::Decoupled);
    }
    let peak = reading.numbers(&key("optimization", "lr")).first().copied();
    declaration.set_rate(peak, None);
    declaration.steps =
        reading.count(&key("optimization", "max_update")).filter(|steps| *steps > 0);
    let sequences = match is_flat {
        true => reading.number("batch_size").or_else(|| reading.number("max_sentences")),
        false => reading.number("dataset.batch_size"),
    };
    let accumulation = reading.numbers(&key("optimization", "update_freq")).first().copied();
    let world = reading.number(&key("distributed_training", "distributed_world_size"));
    declaration.batch = sequences
        .zip(world)
        .map(|(sequences, world)| sequences * world * accumulation.unwrap_or(1.0));
    declaration.schedule = schedule(reading, is_flat, declaration.steps);
    declaration
}

fn schedule(reading: &Reading, is_flat: bool, steps: Option<u64>) -> Option<Schedule> {
    let (name, warmup) = match is_flat {
        true => (reading.text("lr_scheduler"), reading.number("warmup_updates")),
        false => {
            (reading.text("lr_scheduler._name"), reading.number("lr_scheduler.warmup_updates"))
        }
    };
    match name? {
        "inverse_sqrt" => rate::schedule(ScheduleKind::InverseSquareRoot, warmup, steps, 0.0),
        "polynomial_decay" => rate::schedule(ScheduleKind::Linear, warmup, steps, 0.0),
        "cosine" => rate::schedule(ScheduleKind::Cosine, warmup, steps, 0.0),
        "fixed" => rate::schedule(ScheduleKind::Constant, warmup, steps, 1.0),
        _ => None,
    }
}
