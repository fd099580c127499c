//! Lightning's `hparams.yaml` and `hyper_parameters`: names that each author chose.

use super::reading::Reading;
use super::{Declaration, Dialect, unknown};

pub(super) static DIALECT: Dialect = Dialect {
    name: "Lightning",
    matches: |clues| {
        let is_named =
            clues.is_called(&["hyper_parameters", "datamodule_hyper_parameters", "hparams.yaml"]);
        // A trainer of whose own keys three are there reads its own; single names are everybody's.
        if is_named { 12 } else { 0 }
    },
    read,
};

/// No defaults: the module's code has them, and the optimizer states in the checkpoint are to be
/// trusted, not this.
fn read(reading: &Reading) -> Declaration {
    unknown::read(reading).unwrap_or_default()
}
