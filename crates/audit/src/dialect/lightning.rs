//! Lightning's `hparams.yaml` and `hyper_parameters`, with names that each author chose, and the
//! configuration of its command line.

use super::reading::Reading;
use super::{Declaration, Dialect, unknown};

pub(super) static DIALECT: Dialect = Dialect {
    name: "Lightning",
    matches: |clues| {
        let is_named =
            clues.is_called(&["hyper_parameters", "datamodule_hyper_parameters", "hparams.yaml"]);
        let own = ["optimizer.class_path", "model.class_path", "trainer.max_steps"];
        let shared = ["trainer.max_epochs", "trainer.precision", "lr_scheduler.class_path"];
        let is_command_line = clues.has("trainer") && clues.has("optimizer.class_path");
        // A trainer of whose own keys three are there reads its own; single names are everybody's.
        match is_command_line {
            true => clues.keys(&own, &shared),
            false if is_named => 12,
            false => 0,
        }
    },
    read,
};

/// No defaults: the module's code has them, and the optimizer states in the checkpoint are to be
/// trusted, not this.
fn read(reading: &Reading) -> Declaration {
    let mut declaration = unknown::read(reading).unwrap_or_default();
    declaration.steps = reading.count("trainer.max_steps").filter(|steps| *steps > 0);
    let epochs = reading.number("trainer.max_epochs").filter(|epochs| *epochs > 0.0);
    declaration.epochs = epochs.filter(|_| declaration.steps.is_none());
    // `bf16-true` keeps the weights themselves in bf16; `bf16-mixed` has them in 32 bits.
    declaration.is_pure_bf16 = reading.text("trainer.precision").map(|kind| kind == "bf16-true");
    let scheduler = reading.text("lr_scheduler.class_path").unwrap_or_default();
    if let Some(name) = scheduler.rsplit('.').next().filter(|name| !name.is_empty()) {
        declaration.remarks.push(format!(
            "its lr_scheduler is {name}, whose keys are not read: say schedule=… behind the file"
        ));
    } else if reading.has("trainer") {
        declaration.schedule_words = Some("constant".to_owned());
    }
    declaration
}
