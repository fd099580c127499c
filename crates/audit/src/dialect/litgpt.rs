//! litgpt's `hyperparameters.yaml`.

use wd_decay::ScheduleKind;

use super::optimizer::Known;
use super::reading::{Reading, whole};
use super::{Declaration, Dialect, rate};

pub(super) static DIALECT: Dialect = Dialect {
    name: "litgpt",
    matches: |clues| {
        let own = [
            "train.lr_warmup_steps",
            "train.max_seq_length",
            "train.micro_batch_size",
            "train.global_batch_size",
            "optimizer.init_args",
            "train.log_interval",
        ];
        if clues.has("train") {
            clues.keys(&own, &["precision", "out_dir", "optimizer"])
        } else {
            0
        }
    },
    read,
};

/// Defaults are PyTorch's for the optimizer: `optimizer: AdamW` alone has λ 0.01. The rate falls in
/// a cosine to `min_lr`, 6e-5, after 100 steps of warm-up.
fn read(reading: &Reading) -> Declaration {
    let mut declaration = Declaration::default();
    let alone = reading.text("optimizer");
    let name = alone.or_else(|| reading.text("optimizer.class_path")).unwrap_or("AdamW");
    let known = Known::named(name);
    let key = |name: &str| format!("optimizer.init_args.{name}");
    declaration.set_lambda(reading, &key("weight_decay"), known.map(|known| known.lambda));
    declaration.betas = reading.pair(&key("betas"));
    declaration.momentum = reading.number(&key("momentum"));
    declaration.set_optimizer(name, known);
    declaration.set_rate(reading.number(&key("lr")), known);
    declaration.batch = reading.number("train.global_batch_size");
    declaration.sequence = reading.number("train.max_seq_length");
    declaration.steps = reading.count("train.max_steps").or_else(|| {
        let tokens = reading.number("train.max_tokens")?;
        let a_step = declaration.batch? * declaration.sequence?;
        if a_step > 0.0 { whole((tokens / a_step).floor()) } else { None }
    });
    let lowest = reading.number("train.min_lr").unwrap_or(6e-5);
    let floor = rate::floor(Some(lowest), declaration.rate.map(|rate| rate.value));
    let warmup = reading.number("train.lr_warmup_steps").or(Some(100.0));
    declaration.schedule = rate::schedule(ScheduleKind::Cosine, warmup, declaration.steps, floor);
    declaration.is_pure_bf16 = reading.text("precision").map(|precision| precision == "bf16-true");
    declaration
}
