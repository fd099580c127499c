//! Megatron-LM's arguments: the Namespace in its checkpoints, flags of a script, or YAML.

use wd_decay::{DecayRule, OptimizerKind, Schedule, ScheduleKind};

use super::optimizer::Known;
use super::reading::{Reading, whole};
use super::{Declaration, Dialect, rate};

pub(super) static DIALECT: Dialect = Dialect {
    name: "Megatron-LM",
    matches: |clues| {
        let own = [
            "tensor_model_parallel_size",
            "pipeline_model_parallel_size",
            "lr_decay_style",
            "start_weight_decay",
            "end_weight_decay",
            "weight_decay_incr_style",
            "train_iters",
            "train_samples",
            "lr_warmup_iters",
            "lr_warmup_fraction",
        ];
        let shared = ["global_batch_size", "micro_batch_size", "adam_beta1", "weight_decay", "lr"];
        clues.keys(&own, &shared)
    },
    read,
};

/// Defaults: λ 0.01, Adam with decoupled decay, β 0.9 and 0.999, a linear decay of the rate.
fn read(reading: &Reading) -> Declaration {
    let mut declaration = Declaration::default();
    set_lambdas(reading, &mut declaration);
    let name = reading.text("optimizer").unwrap_or("adam");
    declaration.betas = Some(reading.betas(("adam_beta1", "adam_beta2"), (0.9, 0.999)));
    declaration.set_optimizer(name, Known::named(name));
    if name == "adam" {
        match reading.truth("decoupled_weight_decay").unwrap_or(true) {
            true => declaration.set_rule(OptimizerKind::Adamw, DecayRule::Decoupled),
            false => declaration.set_rule(OptimizerKind::Adam, DecayRule::CoupledL2),
        }
    }
    declaration.momentum = reading.number("sgd_momentum").filter(|_| name == "sgd");
    let peak = reading.number("lr");
    declaration.set_rate(peak, None);
    declaration.batch = reading.number("global_batch_size");
    declaration.sequence = reading.number("seq_length");
    let samples = reading.number("train_samples").zip(declaration.batch);
    declaration.steps = reading.count("train_iters").or_else(|| {
        let (samples, batch) = samples.filter(|(_, batch)| *batch > 0.0)?;
        whole((samples / batch).floor())
    });
    declaration.schedule = schedule(reading, &declaration, peak);
    declaration.note_length(length(reading, &declaration));
    declaration.init_std = Some(reading.number("init_method_std").unwrap_or(0.02));
    // The optimizer keeps a copy in 32 bits.
    declaration.is_pure_bf16 = Some(false);
    declaration
}

/// λ goes from start to end where the style is not constant; a constant one is both.
fn set_lambdas(reading: &Reading, declaration: &mut Declaration) {
    let style = reading.word("weight_decay_incr_style").unwrap_or_else(|| "constant".to_owned());
    let first = reading.number("start_weight_decay");
    let last = reading.number("end_weight_decay");
    declaration.set_lambda(reading, "weight_decay", Some(0.01));
    if style != "constant" && first.is_some() {
        declaration.set_lambda(reading, "start_weight_decay", None);
        declaration.final_lambda = last;
    }
    let lambda = declaration.lambda.map(|lambda| lambda.value);
    // The gains of queries and keys decay with the rest, where Megatron spares other gains.
    let decays = reading.truth("apply_wd_to_qk_layernorm") == Some(true);
    declaration.set_group("norms of queries and keys", lambda.filter(|_| decays));
}

/// A number of samples in steps.
fn in_samples(reading: &Reading, declaration: &Declaration, key: &str) -> Option<u64> {
    let batch = declaration.batch.filter(|batch| *batch > 0.0)?;
    whole((reading.number(key)? / batch).floor())
}

/// The steps over which the rate falls, where that is stated.
fn length(reading: &Reading, declaration: &Declaration) -> Option<u64> {
    let stated = reading.count("lr_decay_iters");
    stated.or_else(|| in_samples(reading, declaration, "lr_decay_samples"))
}

fn schedule(reading: &Reading, declaration: &Declaration, peak: Option<f64>) -> Option<Schedule> {
    let length = length(reading, declaration).or(declaration.steps)?;
    let warmup = reading.number("lr_warmup_iters").filter(|warmup| *warmup > 0.0).or_else(|| {
        let share = reading.number("lr_warmup_fraction").map(|share| share * length as f64);
        share
            .map(f64::round)
            .or_else(|| Some(in_samples(reading, declaration, "lr_warmup_samples")? as f64))
    });
    let floor = rate::floor(reading.number("min_lr"), peak);
    let lengths = (Some(length), declaration.steps);
    match reading.word("lr_decay_style").as_deref().unwrap_or("linear") {
        "linear" => rate::over(ScheduleKind::Linear, warmup, lengths, floor),
        "cosine" => rate::over(ScheduleKind::Cosine, warmup, lengths, floor),
        "constant" => rate::over(ScheduleKind::Constant, warmup, lengths, 1.0),
        "wsd" => {
            let decay = reading.number("lr_wsd_decay_iters")?;
            rate::stable(warmup, Some(length), floor, decay)
        }
        _ => None,
    }
}
