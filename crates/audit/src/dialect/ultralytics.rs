//! ultralytics' `args.yaml` and `train_args`.

use wd_decay::OptimizerKind;
use wd_page::number::short;

use super::optimizer::Known;
use super::reading::Reading;
use super::{Declaration, Dialect};

pub(super) static DIALECT: Dialect = Dialect {
    name: "ultralytics",
    matches: |clues| {
        let own = ["lr0", "lrf", "nbs", "warmup_bias_lr", "close_mosaic", "cos_lr"];
        if clues.is_called(&["train_args"]) && clues.has("weight_decay") {
            return 100;
        }
        clues.keys(&own, &["weight_decay", "momentum", "warmup_epochs", "mosaic", "batch"])
    },
    read,
};

/// Defaults of `cfg/default.yaml`: λ 5e-4, `lr0` 0.01, momentum 0.937, 16 images, nominal batch 64,
/// optimizer `auto`.
///
/// Gradients are accumulated up to the nominal batch, and λ is multiplied with what the batch then
/// is over the nominal one: λ·batch·accumulate/nbs with accumulate = max(round(nbs/batch), 1).
fn read(reading: &Reading) -> Declaration {
    let mut declaration = Declaration::default();
    declaration.set_lambda(reading, "weight_decay", Some(5e-4));
    let name = reading.text("optimizer").unwrap_or("auto");
    let momentum = reading.number("momentum").unwrap_or(0.937);
    let is_automatic = name.eq_ignore_ascii_case("auto");
    if is_automatic {
        // The trainer chooses by the number of steps and overrules lr0 and momentum: AdamW for
        // short trainings, MuSGD (SGD, in older versions) for long ones.
        declaration.optimizer_name = Some(name.to_owned());
        reading.mark("lr0");
    } else {
        let known = Known::named(name);
        declaration.set_optimizer(name, known);
        declaration.rate = Some(reading.declared("lr0", 0.01));
        match declaration.optimizer {
            Some(OptimizerKind::Sgd) => declaration.momentum = Some(momentum),
            // Momentum becomes β₁; β₂ is PyTorch's.
            Some(_) => declaration.betas = Some((momentum, 0.999)),
            None => {}
        }
    }
    set_schedule(reading, &mut declaration);
    let batch = reading.number("batch").or_else(|| reading.number("batch_size"));
    let (batch, nominal) = (batch.unwrap_or(16.0), reading.number("nbs").unwrap_or(64.0));
    if batch >= 1.0 && nominal >= 1.0 {
        // Python rounds halves to even.
        let accumulate = (nominal / batch).round_ties_even().max(1.0);
        declaration.batch = Some(batch * accumulate);
        let factor = batch * accumulate / nominal;
        let lambda = declaration.lambda.map(|lambda| lambda.value);
        declaration.applied_lambda = lambda.map(|lambda| lambda * factor);
        if factor != 1.0 {
            declaration.scaling = Some(format!(
                "times batch {} × accumulation {} over the nominal batch {}",
                short(batch),
                short(accumulate),
                short(nominal)
            ));
        }
    } else {
        // `batch: -1` lets the trainer choose, and the file does not say what it chose.
        declaration.scaling =
            Some("times a batch that the trainer chose over the nominal batch".to_owned());
    }
    declaration
}

/// Defaults: 100 epochs, three of them warm-up, then on the line or cosine that began at the start
/// of the run, to `lrf`.
fn set_schedule(reading: &Reading, declaration: &mut Declaration) {
    let epochs = reading.number("epochs").filter(|&epochs| epochs > 0.0).unwrap_or(100.0);
    let floor = reading.number("lrf").unwrap_or(0.01);
    let warmup = reading.number("warmup_epochs").unwrap_or(3.0);
    declaration.epochs = Some(epochs);
    let share = (1e6 * warmup / epochs).round() / 1e4;
    let is_possible = (0.0..100.0).contains(&share) && (0.0..=1.0).contains(&floor);
    let form = if reading.truth("cos_lr") == Some(true) { "cosine" } else { "linear" };
    declaration.schedule_words =
        is_possible.then(|| format!("{form},warmup={share}%,floor={floor}"));
}
