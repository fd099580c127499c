//! mmengine's Python configurations, and their text in its checkpoints.

use wd_decay::OptimizerKind;

use super::optimizer::Known;
use super::reading::{Reading, number};
use super::{Declaration, Dialect};
use crate::checkpoint::Value;

pub(super) static DIALECT: Dialect = Dialect {
    name: "mmengine",
    matches: |clues| {
        let own =
            ["optim_wrapper", "train_cfg", "param_scheduler", "train_dataloader", "auto_scale_lr"];
        // Before mmengine: `optimizer = dict(type=…)` and `optimizer_config`.
        let old = ["optimizer_config", "lr_config", "checkpoint_config", "optimizer.paramwise_cfg"];
        let shared = ["optimizer.type", "default_hooks", "model", "runner"];
        clues.keys(&own, &shared).max(clues.keys(&old, &shared))
    },
    read,
};

/// Defaults are those of the optimizer's class. Multipliers of `paramwise_cfg` give groups a λ of
/// their own.
fn read(reading: &Reading) -> Declaration {
    let is_new = reading.has("optim_wrapper.optimizer");
    let root = if is_new { "optim_wrapper.optimizer" } else { "optimizer" };
    let key = |name: &str| format!("{root}.{name}");
    let mut declaration = Declaration::default();
    let name = reading.text(&key("type")).unwrap_or("SGD");
    let known = Known::named(name);
    declaration.set_lambda(reading, &key("weight_decay"), known.map(|known| known.lambda));
    declaration.betas = reading.pair(&key("betas"));
    declaration.momentum = reading.number(&key("momentum"));
    declaration.set_optimizer(name, known);
    if declaration.optimizer != Some(OptimizerKind::Sgd) {
        declaration.momentum = None;
    }
    declaration.set_rate(reading.number(&key("lr")), known);
    let paramwise = if is_new { "optim_wrapper.paramwise_cfg" } else { "optimizer.paramwise_cfg" };
    if let (Some(config), Some(lambda)) = (reading.at(paramwise), declaration.lambda) {
        set_multipliers(&mut declaration, config, lambda.value);
    }
    declaration.steps =
        reading.count("train_cfg.max_iters").or_else(|| reading.count("runner.max_iters"));
    let epochs = reading.number("train_cfg.max_epochs");
    let epochs = epochs.or_else(|| reading.number("runner.max_epochs"));
    declaration.epochs = epochs.filter(|&epochs| epochs > 0.0 && declaration.steps.is_none());
    // The batch is that of one device; how many there are is not here.
    let is_scaled = reading.truth("auto_scale_lr.enable") == Some(true);
    declaration.batch = reading.number("auto_scale_lr.base_batch_size").filter(|_| is_scaled);
    declaration.is_pure_bf16 = Some(false);
    declaration
}

fn set_multipliers(declaration: &mut Declaration, config: &Value, lambda: f64) {
    const MULTIPLIERS: [(&str, &str); 4] = [
        ("norm_decay_mult", "norm"),
        ("bias_decay_mult", "bias"),
        ("flat_decay_mult", "flat"),
        ("dwconv_decay_mult", "dwconv"),
    ];
    for (key, holds) in MULTIPLIERS {
        let multiplier = config.get(key).and_then(number);
        declaration.set_group(holds, multiplier.map(|multiplier| multiplier * lambda));
    }
    if let Some(Value::Table(customs)) = config.get("custom_keys") {
        for (pattern, custom) in customs {
            let multiplier = custom.get("decay_mult").and_then(number);
            declaration.set_group(pattern, multiplier.map(|multiplier| multiplier * lambda));
        }
    }
}
