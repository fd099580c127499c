//! DeepSpeed's JSON, also `ds_config` in its shards.

use wd_decay::{DecayRule, Declared, OptimizerKind, Schedule, ScheduleKind};

use super::optimizer::Known;
use super::reading::Reading;
use super::{Declaration, Dialect, rate};

pub(super) static DIALECT: Dialect = Dialect {
    name: "DeepSpeed",
    matches: |clues| {
        let own = [
            "train_micro_batch_size_per_gpu",
            "zero_optimization",
            "optimizer.params",
            "zero_allow_untested_optimizer",
            "wall_clock_breakdown",
            "steps_per_print",
        ];
        let known = if clues.is_called(&["ds_config"]) { 100 } else { 0 };
        clues.keys(&own, &["train_batch_size", "gradient_clipping", "bf16", "fp16"]).max(known)
    },
    read,
};

/// Defaults of `FusedAdam`: λ 0, decoupled unless `adam_w_mode` is off. `"auto"` is filled in by
/// Hugging Face's trainer, and λ is then unknown here.
fn read(reading: &Reading) -> Declaration {
    let mut declaration = Declaration::default();
    set_batch(reading, &mut declaration);
    // Weights in bf16 have a copy in 32 bits.
    declaration.is_pure_bf16 = Some(false);
    let Some(name) = reading.text("optimizer.type") else {
        // The client hands its own optimizer over.
        return declaration;
    };
    let key = "optimizer.params.weight_decay";
    let known = Known::named(name).map(|known| known.with_lambda(0.0));
    declaration.set_lambda(reading, key, known.map(|known| known.lambda));
    if reading.text(key) == Some("auto") {
        declaration.lambda = None;
        declaration.scaling =
            Some("`auto` is replaced by the value of Hugging Face's trainer".to_owned());
    }
    declaration.betas = reading.pair("optimizer.params.betas");
    declaration.momentum = reading.number("optimizer.params.momentum");
    declaration.set_optimizer(name, known);
    if matches!(declaration.optimizer, Some(OptimizerKind::Adam | OptimizerKind::Adamw)) {
        match reading.truth("optimizer.params.adam_w_mode").unwrap_or(true) {
            true => declaration.set_rule(OptimizerKind::Adamw, DecayRule::Decoupled),
            false => declaration.set_rule(OptimizerKind::Adam, DecayRule::CoupledL2),
        }
    }
    let peak = reading.number("optimizer.params.lr");
    let peak = reading.number("scheduler.params.warmup_max_lr").or(peak);
    declaration.rate =
        peak.map(Declared::stated).or_else(|| match reading.text("optimizer.params.lr") {
            Some(_) => None,
            None => Some(Declared::by_default(1e-3)),
        });
    declaration.schedule = schedule(reading);
    declaration.steps = reading.count("scheduler.params.total_num_steps");
    if declaration.schedule.is_none() {
        declaration.take_logarithm_as_linear(reading);
    }
    declaration
}

fn set_batch(reading: &Reading, declaration: &mut Declaration) {
    let micro = reading.number("train_micro_batch_size_per_gpu");
    let accumulation = reading.number("gradient_accumulation_steps").unwrap_or(1.0);
    let world = reading.number("world_size");
    let product = micro.zip(world).map(|(micro, world)| micro * accumulation * world);
    declaration.batch = reading.number("train_batch_size").or(product);
}

impl Declaration {
    /// The warm-up by a logarithm, which is the default, in words as the linear one of its length.
    fn take_logarithm_as_linear(&mut self, reading: &Reading) {
        let key = |name: &str| format!("scheduler.params.{name}");
        let warmup = reading.number(&key("warmup_num_steps")).unwrap_or(1000.0);
        let (form, floor) = match reading.text("scheduler.type") {
            Some("WarmupLR") => ("constant", None),
            Some("WarmupDecayLR") => ("linear", Some(0.0)),
            Some("WarmupCosineLR") => {
                ("cosine", Some(reading.number(&key("cos_min_ratio")).unwrap_or(1e-4)))
            }
            _ => return,
        };
        let floor = floor.map_or_else(String::new, |floor| format!(",floor={floor}"));
        self.schedule_words = Some(format!("{form},warmup={warmup}{floor}"));
        self.remarks.push(
            "its warm-up follows a logarithm (warmup_type): it is taken as a linear one of the \
             same length"
                .to_owned(),
        );
    }
}

/// Warm-up follows a logarithm by default, which has no form here; a linear one must be asked for.
fn schedule(reading: &Reading) -> Option<Schedule> {
    let key = |name: &str| format!("scheduler.params.{name}");
    let warmup = reading.number(&key("warmup_num_steps"));
    let steps = reading.count(&key("total_num_steps"));
    let is_linear = reading.word(&key("warmup_type")).is_some_and(|form| form == "linear");
    let is_known = is_linear || warmup == Some(0.0);
    match reading.text("scheduler.type")? {
        "WarmupDecayLR" if is_known => rate::schedule(ScheduleKind::Linear, warmup, steps, 0.0),
        "WarmupCosineLR" if is_known => {
            let floor = reading.number(&key("cos_min_ratio")).unwrap_or(1e-4);
            rate::schedule(ScheduleKind::Cosine, warmup, steps, floor)
        }
        _ => None,
    }
}
