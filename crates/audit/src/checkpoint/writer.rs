//! Who wrote a file, by the keys that only its program uses.

use crate::file::pickle::Object;

use super::Writer;

/// A program, the keys that its files have all of, and the key of its version.
struct Signature {
    writer: Writer,
    keys: &'static [&'static str],
    version: Option<&'static str>,
}

const fn row(
    writer: Writer,
    keys: &'static [&'static str],
    version: Option<&'static str>,
) -> Signature {
    Signature { writer, keys, version }
}

/// From the most particular to the most general: the first that fits is it.
const SIGNATURES: [Signature; 24] = [
    row(Writer::Lightning, &["pytorch-lightning_version"], Some("pytorch-lightning_version")),
    row(Writer::Ultralytics, &["train_args", "updates"], Some("version")),
    row(Writer::Ultralytics, &["train_args", "ema"], Some("version")),
    row(Writer::Mmengine, &["meta", "state_dict", "message_hub"], Some("meta.mmengine_version")),
    row(Writer::Mmengine, &["meta.mmengine_version"], Some("meta.mmengine_version")),
    row(Writer::Mmengine, &["meta.mmcv_version", "state_dict"], Some("meta.mmcv_version")),
    row(Writer::Fairseq, &["last_optimizer_state"], None),
    row(Writer::Fairseq, &["optimizer_history", "model"], None),
    row(Writer::Composer, &["state.timestamp"], Some("state.composer_version")),
    row(Writer::Composer, &["state.model", "rng"], None),
    row(Writer::Megatron, &["checkpoint_version", "iteration"], None),
    row(Writer::Megatron, &["opt_param_scheduler", "iteration"], None),
    row(Writer::DeepSpeed, &["ds_version"], Some("ds_version")),
    row(Writer::DeepSpeed, &["ds_config", "module"], None),
    row(Writer::NanoGpt, &["model", "model_args", "iter_num"], None),
    row(Writer::LitGpt, &["model", "iter_num", "step_count"], None),
    row(Writer::Torchtune, &["epochs_run", "seed"], None),
    row(Writer::Torchtune, &["epochs_run", "total_epochs"], None),
    row(Writer::Timm, &["arch", "state_dict", "args"], None),
    row(Writer::OpenClip, &["epoch", "name", "state_dict"], None),
    row(Writer::Detectron2, &["model", "optimizer", "scheduler", "iteration"], None),
    row(Writer::Detectron2, &["model", "__author__", "matching_heuristics"], None),
    row(Writer::Detectron2, &["model", "scheduler", "iteration"], None),
    row(Writer::OptimizerStateDict, &["param_groups", "state"], None),
];

/// The writer of a file by its object, and the version that it gives.
pub(super) fn recognise(root: Object<'_>) -> (Writer, Option<String>) {
    if root.class().is_some_and(|(module, _)| module.starts_with("transformers.")) {
        return (Writer::HuggingFaceTrainer, None);
    }
    let fits = |row: &&Signature| row.keys.iter().all(|key| root.at_path(key).is_some());
    let Some(row) = SIGNATURES.iter().find(fits) else { return (Writer::Unknown, None) };
    let version = row.version.and_then(|key| root.at_path(key)).and_then(Object::text);
    (row.writer, version.map(str::to_owned))
}
