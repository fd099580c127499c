//! nanoGPT: `config/*.py`, and `config` in its checkpoints.

use wd_decay::{DecayRule, OptimizerKind, ScheduleKind};

use super::reading::Reading;
use super::{Declaration, Dialect, rate};

pub(super) static DIALECT: Dialect = Dialect {
    name: "nanoGPT",
    matches: |clues| {
        let own =
            ["max_iters", "lr_decay_iters", "eval_iters", "always_save_checkpoint", "init_from"];
        let shared = ["block_size", "warmup_iters", "gradient_accumulation_steps", "n_embd"];
        clues.keys(&own, &shared)
    },
    read,
};

/// Defaults of `train.py`: λ 0.1, 6e-4 to 6e-5 over 600,000 steps after 2,000, β 0.9 and 0.95,
/// 12 sequences of 1,024 tokens 40 times a step. `gradient_accumulation_steps` is divided by the number of devices,
/// so that the product holds for any number of them.
fn read(reading: &Reading) -> Declaration {
    let mut declaration = Declaration::default();
    declaration.set_lambda(reading, "weight_decay", Some(0.1));
    let peak = reading.declared("learning_rate", 6e-4);
    let lowest = reading.number("min_lr").unwrap_or(6e-5);
    let steps = reading.count("max_iters").or(Some(600_000));
    declaration.set_optimizer("AdamW", None);
    declaration.set_rule(OptimizerKind::Adamw, DecayRule::Decoupled);
    declaration.betas = Some(reading.betas(("beta1", "beta2"), (0.9, 0.95)));
    declaration.rate = Some(peak);
    declaration.steps = steps;
    let accumulation = reading.number("gradient_accumulation_steps").unwrap_or(40.0);
    declaration.batch = Some(reading.number("batch_size").unwrap_or(12.0) * accumulation);
    declaration.sequence = Some(reading.number("block_size").unwrap_or(1024.0));
    declaration.init_std = Some(0.02);
    declaration.is_pure_bf16 = Some(false);
    declaration.schedule = if reading.truth("decay_lr").unwrap_or(true) {
        let length = reading.count("lr_decay_iters").or(Some(600_000));
        let warmup = reading.number("warmup_iters").or(Some(2000.0));
        let floor = rate::floor(Some(lowest), Some(peak.value));
        declaration.note_length(length);
        rate::over(ScheduleKind::Cosine, warmup, (length, steps), floor)
    } else {
        rate::schedule(ScheduleKind::Constant, None, steps, 1.0)
    };
    declaration
}
