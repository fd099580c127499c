//! torchtune's YAML.

use wd_decay::ScheduleKind;

use super::optimizer::Known;
use super::reading::Reading;
use super::{Declaration, Dialect, rate};

pub(super) static DIALECT: Dialect = Dialect {
    name: "torchtune",
    matches: |clues| {
        let own = ["optimizer._component_", "model._component_", "checkpointer._component_"];
        clues.keys(&own, &["lr_scheduler", "epochs", "max_steps_per_epoch", "tokenizer"])
    },
    read,
};

/// Defaults are those of the optimizer's class.
fn read(reading: &Reading) -> Declaration {
    let mut declaration = Declaration::default();
    let name = reading.text("optimizer._component_").unwrap_or("torch.optim.AdamW");
    let known = Known::named(name);
    declaration.set_lambda(reading, "optimizer.weight_decay", known.map(|known| known.lambda));
    declaration.betas = reading.pair("optimizer.betas");
    declaration.momentum = reading.number("optimizer.momentum");
    declaration.set_optimizer(name, known);
    declaration.set_rate(reading.number("optimizer.lr"), known);
    let epochs = reading.count("epochs").unwrap_or(1);
    declaration.epochs = Some(epochs as f64);
    declaration.fine_tunes = true;
    declaration.note_adapter(reading);
    declaration.steps = (reading.count("max_steps_per_epoch"))
        .filter(|steps| *steps > 0)
        .and_then(|steps| steps.checked_mul(epochs));
    if declaration.steps.is_some() {
        declaration.epochs = None;
    }
    let warmup = reading.number("lr_scheduler.num_warmup_steps");
    let component = reading.text("lr_scheduler._component_").unwrap_or_default();
    if component.contains("cosine") {
        declaration.schedule = rate::schedule(ScheduleKind::Cosine, warmup, declaration.steps, 0.0);
    } else if component.is_empty() {
        declaration.schedule = rate::schedule(ScheduleKind::Constant, None, declaration.steps, 1.0);
    }
    // `dtype` is that of the weights, and there is no copy in 32 bits.
    declaration.is_pure_bf16 = reading.word("dtype").map(|dtype| dtype == "bf16");
    declaration
}
