//! torchtitan's TOML, as it was until 2025. Its Python configurations of today are no literals: a
//! distributed checkpoint says more.

use wd_decay::{Schedule, ScheduleKind};

use super::optimizer::Known;
use super::reading::Reading;
use super::{Declaration, Dialect, rate};

pub(super) static DIALECT: Dialect = Dialect {
    name: "torchtitan",
    matches: |clues| {
        let own = [
            "job.dump_folder",
            "lr_scheduler.decay_ratio",
            "lr_scheduler.decay_type",
            "training.local_batch_size",
            "parallelism",
            "activation_checkpoint",
            "metrics.log_freq",
        ];
        let shared = ["training.steps", "training.seq_len", "optimizer.lr", "model.flavor"];
        if clues.has("training") { clues.keys(&own, &shared) } else { 0 }
    },
    read,
};

/// Defaults: AdamW at 8e-4, λ 0.1, β 0.9 and 0.95; 200 steps of warm-up, then a line to 0 over all
/// that is left unless `decay_ratio` says less.
fn read(reading: &Reading) -> Declaration {
    let mut declaration = Declaration::default();
    declaration.set_lambda(reading, "optimizer.weight_decay", Some(0.1));
    let name = reading.text("optimizer.name").unwrap_or("AdamW");
    declaration.betas = Some(reading.betas(("optimizer.beta1", "optimizer.beta2"), (0.9, 0.95)));
    declaration.set_optimizer(name, Known::named(name));
    declaration.rate = Some(reading.declared("optimizer.lr", 8e-4));
    declaration.steps = reading.count("training.steps").or(Some(10_000));
    // −1 stands for one local batch a device, and the number of devices is not here.
    declaration.batch = reading.number("training.global_batch_size").filter(|batch| *batch > 0.0);
    declaration.sequence = Some(reading.number("training.seq_len").unwrap_or(2048.0));
    declaration.schedule = schedule(reading, declaration.steps);
    declaration.is_pure_bf16 =
        Some(reading.word("training.dtype").is_some_and(|dtype| dtype == "bfloat16"));
    declaration
}

fn schedule(reading: &Reading, steps: Option<u64>) -> Option<Schedule> {
    let key = |name: &str| format!("lr_scheduler.{name}");
    let warmup = reading.number(&key("warmup_steps")).or(Some(200.0));
    let floor = reading.number(&key("min_lr_factor")).unwrap_or(0.0);
    let form = reading.word(&key("decay_type")).unwrap_or_else(|| "linear".to_owned());
    match (reading.number(&key("decay_ratio")), form.as_str()) {
        (Some(share), "linear") => {
            let decay = (share * steps? as f64).round();
            rate::stable(warmup, steps, floor, decay.max(1.0))
        }
        (None, "linear") => rate::schedule(ScheduleKind::Linear, warmup, steps, floor),
        (None, "cosine") => rate::schedule(ScheduleKind::Cosine, warmup, steps, floor),
        _ => None,
    }
}
