//! Hugging Face's `TrainingArguments`: JSON, YAML, or the pickle `training_args.bin`.

use wd_decay::{Curve, Point, Schedule, ScheduleKind};

use super::optimizer::Known;
use super::reading::Reading;
use super::setting::as_typed;
use super::{Declaration, Dialect, rate};

pub(super) static DIALECT: Dialect = Dialect {
    name: "Hugging Face",
    matches: |clues| {
        if clues.is_called(&["TrainingArguments", "SFTConfig", "training_args.bin"]) {
            return 100;
        }
        let own =
            ["per_device_train_batch_size", "lr_scheduler_type", "adam_beta1", "adam_epsilon"];
        // Megatron has `adam_beta1` too, and calls the rate `lr`.
        if clues.has("lr") && !clues.has("learning_rate") {
            return 0;
        }
        let shared = ["learning_rate", "num_train_epochs", "output_dir", "weight_decay"];
        clues.keys(&own, &shared)
    },
    read,
};

pub(super) fn read(reading: &Reading) -> Declaration {
    read_with(reading, "optim", 0.0)
}

/// Reads the arguments; `optimizer` is the key of the optimizer's name, and `lambda` the default.
pub(super) fn read_with(reading: &Reading, optimizer: &str, lambda: f64) -> Declaration {
    let mut declaration = Declaration::default();
    declaration.set_lambda(reading, "weight_decay", Some(lambda));
    // The enumeration's values are `adamw_torch_fused`, `adamw_bnb_8bit`, `lion_32bit`, `sgd` …
    let name = reading.word(optimizer).unwrap_or_else(|| "adamw_torch_fused".to_owned());
    declaration.betas = Some(reading.betas(("adam_beta1", "adam_beta2"), (0.9, 0.999)));
    declaration.set_optimizer(&name, Known::named(&name));
    let peak = reading.declared("learning_rate", 5e-5);
    declaration.rate = Some(peak);
    // max_steps is −1 where epochs count.
    declaration.steps = reading.count("max_steps").filter(|steps| *steps > 0);
    // The number of devices is no argument, and unless it is written beside them it is unknown.
    let per_device = reading.number("per_device_train_batch_size").unwrap_or(8.0);
    let accumulation = reading.number("gradient_accumulation_steps").unwrap_or(1.0);
    let world = reading.number("world_size");
    declaration.batch = world.map(|world| per_device * accumulation * world);
    declaration.schedule = schedule(reading, &declaration, "linear", peak.value);
    if declaration.steps.is_none() {
        declaration.schedule_words =
            words_of_any_length(reading, &declaration, "linear", peak.value);
        declaration.epochs = reading.number("num_train_epochs").filter(|epochs| *epochs > 0.0);
    }
    declaration.fine_tunes = reading.has("model_name_or_path");
    declaration.note_adapter(reading);
    reading.mark("lr_scheduler_kwargs");
    declaration
}

/// The schedule where epochs count and the number of steps is not known: its warm-up is a number of
/// steps, or a share.
pub(super) fn words_of_any_length(
    reading: &Reading,
    declaration: &Declaration,
    default: &str,
    peak: f64,
) -> Option<String> {
    const STEPS: u64 = 1_000_000_000;
    let long = Declaration { steps: Some(STEPS), ..declaration.clone() };
    let found = schedule(reading, &long, default, peak)?;
    let in_steps = reading.number("warmup_steps").is_some_and(|steps| steps >= 1.0);
    let share = || format!("{}%", 100.0 * found.warmup as f64 / STEPS as f64);
    as_typed(&found, (!in_steps).then(share))
}

/// The schedule under `lr_scheduler_type`. Warm-up is a number of steps, or since version 5 a share
/// below 1; before, the share is `warmup_ratio`.
pub(super) fn schedule(
    reading: &Reading,
    declaration: &Declaration,
    default: &str,
    peak: f64,
) -> Option<Schedule> {
    let steps = declaration.steps;
    let stated = reading.number("warmup_steps").filter(|warmup| *warmup > 0.0);
    let warmup = stated.or_else(|| reading.number("warmup_ratio").filter(|share| *share < 1.0));
    let name = reading.word("lr_scheduler_type").or_else(|| reading.word("lr_scheduler"));
    let setting = |key: &str| reading.number(&format!("lr_scheduler_kwargs.{key}"));
    let lowest = || {
        let share = setting("min_lr_rate").or_else(|| reading.number("cosine_min_lr_ratio"));
        share.unwrap_or_else(|| rate::floor(setting("min_lr"), Some(peak)))
    };
    match name.as_deref().unwrap_or(default) {
        "linear" => rate::schedule(ScheduleKind::Linear, warmup, steps, 0.0),
        "cosine" | "cosine_with_min_lr" => {
            rate::schedule(ScheduleKind::Cosine, warmup, steps, lowest())
        }
        "cosine_with_restarts" => {
            let cycles = setting("num_cycles").unwrap_or(1.0);
            restarts(cycles, rate::schedule(ScheduleKind::Cosine, warmup, steps, 0.0)?)
        }
        // Without a warm-up the Trainer takes 10,000 steps in its place, which has no form here.
        "inverse_sqrt" if warmup.is_some() => {
            rate::schedule(ScheduleKind::InverseSquareRoot, warmup, steps, 0.0)
        }
        // Without warm-up, whatever the arguments say of it.
        "constant" => rate::schedule(ScheduleKind::Constant, None, steps, 1.0),
        "constant_with_warmup" => rate::schedule(ScheduleKind::Constant, warmup, steps, 1.0),
        "warmup_stable_decay" => rate::stable(
            warmup,
            steps,
            setting("min_lr_ratio").unwrap_or(0.0),
            setting("num_decay_steps")?,
        ),
        "polynomial" if setting("power").unwrap_or(1.0) == 1.0 => {
            let floor = rate::floor(Some(setting("lr_end").unwrap_or(1e-7)), Some(peak));
            rate::schedule(ScheduleKind::Linear, warmup, steps, floor)
        }
        _ => None,
    }
}

/// A cosine that falls to zero so many times, each from the peak.
fn restarts(cycles: f64, once: Schedule) -> Option<Schedule> {
    if cycles == 1.0 {
        return Some(once);
    }
    let steps = once.steps;
    let mut points = rate::rise(once.warmup, steps);
    let start = once.warmup as f64 / steps as f64;
    let most = points.len() as f64 + 2.0 * cycles;
    if cycles < 1.0 || cycles.fract() != 0.0 || !(3.0..=24.0).contains(&most) {
        return None;
    }
    for cycle in 1..=cycles as u64 {
        let share = (start + (1.0 - start) * cycle as f64 / cycles).min(1.0);
        points.push(Point { share, factor: 0.0, curve: Curve::Cosine });
        if cycle as f64 != cycles {
            points.push(Point { share, factor: 1.0, curve: Curve::Step });
        }
    }
    rate::through(&points, steps)
}
