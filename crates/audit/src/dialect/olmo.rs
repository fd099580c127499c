//! OLMo's YAML, before OLMo-core.

use wd_decay::ScheduleKind;

use super::optimizer::Known;
use super::reading::{Reading, whole};
use super::{Declaration, Dialect, rate};

pub(super) static DIALECT: Dialect = Dialect {
    name: "OLMo",
    matches: |clues| {
        let own = [
            "optimizer.learning_rate",
            "optimizer.decay_norm_and_bias",
            "optimizer.decay_embeddings",
            "optimizer.no_decay_norm_and_bias",
        ];
        let shared = ["global_train_batch_size", "max_duration", "scheduler.t_warmup", "run_name"];
        clues.keys(&own, &shared)
    },
    read,
};

/// Defaults of `OptimizerConfig`: LionW, λ 0.01, rate 1e-4, β 0.9 and 0.95; gains, biases and
/// embeddings do not decay.
fn read(reading: &Reading) -> Declaration {
    let mut declaration = Declaration::default();
    declaration.set_lambda(reading, "optimizer.weight_decay", Some(0.01));
    let lambda = declaration.lambda.map_or(0.01, |lambda| lambda.value);
    let name = reading.text("optimizer.name").unwrap_or("lionw");
    declaration.betas = reading.pair("optimizer.betas").or(Some((0.9, 0.95)));
    declaration.set_optimizer(name, Known::named(name));
    declaration.rate = Some(reading.declared("optimizer.learning_rate", 1e-4));
    let spares = reading.truth("optimizer.no_decay_norm_and_bias");
    let gains = reading.truth("optimizer.decay_norm_and_bias").or(spares.map(|spares| !spares));
    let of = |decays: Option<bool>| decays.map(|decays| if decays { lambda } else { 0.0 });
    declaration.set_group("norm", of(gains));
    declaration.set_group("bias", of(gains));
    declaration.set_group("embedding", of(reading.truth("optimizer.decay_embeddings")));
    declaration.batch = reading.number("global_train_batch_size").or(Some(512.0));
    declaration.sequence = reading.number("model.max_sequence_length");
    declaration.steps = steps(reading, &declaration);
    let warmup = reading.number("scheduler.t_warmup").or(Some(100.0));
    let lowest = reading.number("scheduler.alpha_f").unwrap_or(0.1);
    let stated = reading.count("scheduler.t_max");
    declaration.note_length(stated);
    let lengths = (stated.or(declaration.steps), declaration.steps);
    let name = reading.text("scheduler.name").unwrap_or("cosine_with_warmup");
    declaration.schedule = match name {
        "cosine_with_warmup" => rate::over(ScheduleKind::Cosine, warmup, lengths, lowest),
        "linear_with_warmup" => rate::over(ScheduleKind::Linear, warmup, lengths, lowest),
        "constant" | "constant_with_warmup" => {
            rate::over(ScheduleKind::Constant, warmup, lengths, 1.0)
        }
        _ => None,
    };
    declaration.is_pure_bf16 = Some(false);
    declaration
}

/// Steps, or tokens where the text ends with a T: `2e12T`.
fn steps(reading: &Reading, declaration: &Declaration) -> Option<u64> {
    let tokens = reading.text("max_duration").and_then(|text| text.strip_suffix('T'));
    let Some(tokens) = tokens else { return reading.count("max_duration") };
    let a_step = declaration.batch? * declaration.sequence?;
    let tokens: f64 = tokens.trim().replace('_', "").parse().ok()?;
    if a_step > 0.0 { whole((tokens / a_step).floor()) } else { None }
}
