//! timm's `args.yaml`, and the Namespace in its checkpoints.

use wd_decay::{DecayRule, Declared, OptimizerKind};

use super::optimizer::Known;
use super::reading::Reading;
use super::{Declaration, Dialect, rate};

pub(super) static DIALECT: Dialect = Dialect {
    name: "timm",
    matches: |clues| {
        let own =
            ["lr_base", "opt_betas", "sched", "warmup_lr", "smoothing", "drop_path", "opt_eps"];
        let shared = ["opt", "weight_decay", "warmup_epochs", "min_lr", "layer_decay", "epochs"];
        if clues.has("opt") || clues.has("sched") { clues.keys(&own, &shared) } else { 0 }
    },
    read,
};

/// Defaults of `train.py`: SGD with Nesterov momentum 0.9, λ 2e-5, `lr_base` 0.1 at 256 images.
fn read(reading: &Reading) -> Declaration {
    let mut declaration = Declaration::default();
    declaration.set_lambda(reading, "weight_decay", Some(2e-5));
    let name = reading.text("opt").unwrap_or("sgd");
    let known = Known::named(name);
    declaration.betas = reading.pair("opt_betas");
    declaration.momentum = Some(reading.number("momentum").unwrap_or(0.9));
    declaration.set_optimizer(name, known);
    // `sgdw` and the names that end in c decouple; `momentum` and `sgd` do not.
    if matches!(name, "sgdw" | "sgdc") {
        declaration.set_rule(OptimizerKind::Sgd, DecayRule::Decoupled);
    }
    if known.is_none_or(|known| known.kind != OptimizerKind::Sgd) {
        declaration.momentum = None;
    }
    let images = reading.number("batch_size").unwrap_or(128.0);
    let accumulation = reading.number("grad_accum_steps").unwrap_or(1.0);
    let world = reading.number("world_size");
    declaration.batch = world.map(|world| images * accumulation * world);
    set_rate(reading, name, images * accumulation * world.unwrap_or(1.0), &mut declaration);
    // Steps follow from the number of images, which is not here.
    let epochs = reading.number("epochs").filter(|epochs| *epochs > 0.0).unwrap_or(300.0);
    declaration.epochs = Some(epochs);
    declaration.schedule_words = schedule(reading, epochs, declaration.rate);
    reading.mark("layer_decay");
    declaration
}

/// The default: a cosine after five epochs of warm-up. Other forms have no words here.
fn schedule(reading: &Reading, epochs: f64, rate: Option<Declared>) -> Option<String> {
    if reading.text("sched").is_some_and(|form| form != "cosine") {
        return None;
    }
    let warmup = reading.number("warmup_epochs").unwrap_or(5.0);
    let floor = rate::floor(reading.number("min_lr"), rate.map(|rate| rate.value));
    let share = (1e6 * warmup / epochs).round() / 1e4;
    (0.0..100.0).contains(&share).then(|| format!("cosine,warmup={share}%,floor={floor}"))
}

/// Where `lr` is null it is `lr_base` times the batch over 256, or the root of that for adaptive
/// optimizers. A number of devices that is not written is taken as one, and the rate is then a
/// default.
fn set_rate(reading: &Reading, name: &str, batch: f64, declaration: &mut Declaration) {
    if let Some(stated) = reading.number("lr") {
        declaration.rate = Some(Declared::stated(stated));
        return;
    }
    let base = reading.number("lr_base").unwrap_or(0.1);
    let size = reading.number("lr_base_size").unwrap_or(256.0);
    let is_adaptive = ["ada", "lamb"].iter().any(|part| name.contains(part));
    let form = reading.word("lr_base_scale").filter(|form| !form.is_empty());
    let is_root = form.map_or(is_adaptive, |form| form == "sqrt");
    if size <= 0.0 {
        return;
    }
    let share = if is_root { (batch / size).sqrt() } else { batch / size };
    declaration.rate = Some(match declaration.batch {
        Some(_) => Declared::stated(base * share),
        None => Declared::by_default(base * share),
    });
}
