//! LLaMA-Factory's YAML: Hugging Face's arguments beside its own.

use wd_decay::{DecayRule, OptimizerKind};

use super::reading::Reading;
use super::{Declaration, Dialect, hugging_face};

pub(super) static DIALECT: Dialect = Dialect {
    name: "LLaMA-Factory",
    matches: |clues| {
        let own = ["finetuning_type", "cutoff_len", "stage", "use_muon", "template"];
        let shared = [
            "model_name_or_path",
            "per_device_train_batch_size",
            "learning_rate",
            "lr_scheduler_type",
            "output_dir",
            "num_train_epochs",
            "weight_decay",
            "dataset",
        ];
        if clues.has("finetuning_type") || clues.has("use_muon") || clues.has("cutoff_len") {
            clues.keys(&own, &shared)
        } else {
            0
        }
    },
    read,
};

/// With `use_muon` the groups are Muon's, and keep λ under the key `wd`.
fn read(reading: &Reading) -> Declaration {
    let mut declaration = hugging_face::read(reading);
    if reading.truth("use_muon") == Some(true) {
        declaration.optimizer_name = Some("Muon".to_owned());
        declaration.set_rule(OptimizerKind::Muon, DecayRule::Decoupled);
    }
    declaration.is_pure_bf16 = reading.truth("pure_bf16");
    declaration.fine_tunes = reading.text("stage") != Some("pt");
    declaration
}
