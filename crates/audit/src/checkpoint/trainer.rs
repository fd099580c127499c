//! The folder of a checkpoint of Hugging Face's Trainer, and what looks like one: torchtune's and
//! litgpt's, with their weights beside their optimizer.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::AuditError;
use crate::file::distributed::METADATA;

use super::find::ReadOptions;
use super::{Checkpoint, Format, LoggedRate, Writer, configuration, distributed, index, single};

/// Files and folders, and what each adds. Of the weights, the first kind that is there counts.
const WEIGHTS: [&str; 12] = [
    "model.safetensors.index.json",
    "model.safetensors",
    "pytorch_model.bin.index.json",
    "pytorch_model.bin",
    "consolidated.safetensors",
    "consolidated.00.pth",
    "lit_model.pth",
    "adapter_model.safetensors",
    "adapter_model.bin",
    "diffusion_pytorch_model.safetensors",
    "model.pt",
    "model.pth",
];
const WEIGHTS_FOLDERS: [&str; 1] = ["pytorch_model_fsdp_0"];
const OPTIMIZERS: [&str; 4] = ["optimizer.pt", "optimizer.bin", "recipe_state.pt", "optimizer.pth"];
const OPTIMIZER_FOLDERS: [&str; 1] = ["optimizer_0"];
const SCHEDULERS: [&str; 2] = ["scheduler.pt", "scheduler.bin"];
const ARGUMENTS: &str = "training_args.bin";
const STATE: &str = "trainer_state.json";

/// Whether a folder holds the parts of one checkpoint.
pub(super) fn is_one(folder: &Path) -> bool {
    let has = |name: &&str| folder.join(name).is_file();
    let holds_metadata = |name: &&str| folder.join(name).join(METADATA).is_file();
    let parts = [ARGUMENTS, STATE];
    parts.iter().any(has)
        || OPTIMIZERS.iter().any(has)
        || SCHEDULERS.iter().any(has)
        || WEIGHTS.iter().any(has)
        || WEIGHTS_FOLDERS.iter().chain(&OPTIMIZER_FOLDERS).any(holds_metadata)
}

/// Reads such a folder.
pub(super) fn read(folder: &Path, options: &ReadOptions) -> Result<Checkpoint, AuditError> {
    let mut whole = Checkpoint::empty(folder, Format::Folder);
    let file = |name: &str| Some(folder.join(name)).filter(|path| path.is_file());
    let inner = |name: &str| Some(folder.join(name)).filter(|path| path.join(METADATA).is_file());
    // Training arguments first: they say who wrote the rest.
    if let Some(path) = file(ARGUMENTS) {
        whole.add_file(&path, options)?;
        whole.writer = Writer::HuggingFaceTrainer;
    }
    if let Some(path) = WEIGHTS.iter().find_map(|name| file(name)) {
        whole.add_weights(&path, options)?;
    } else if let Some(path) = WEIGHTS_FOLDERS.iter().find_map(|name| inner(name)) {
        distributed::add(&mut whole, &path, options)?;
    } else {
        for path in numbered_weights(folder, options)? {
            whole.add_weights(&path, options)?;
        }
    }
    if let Some(path) = OPTIMIZERS.iter().find_map(|name| file(name)) {
        whole.add_file(&path, options)?;
    } else if let Some(path) = OPTIMIZER_FOLDERS.iter().find_map(|name| inner(name)) {
        distributed::add(&mut whole, &path, options)?;
    }
    if let Some(path) = SCHEDULERS.iter().find_map(|name| file(name)) {
        whole.add_schedule(&path, options)?;
    }
    if let Some(path) = file(STATE) {
        add_state(&mut whole, &path, options)?;
    }
    let is_trainer = file(STATE).is_some();
    if is_trainer {
        whole.writer = Writer::HuggingFaceTrainer;
    } else if file("lit_model.pth").is_some() {
        whole.writer = Writer::LitGpt;
    }
    let is_unsaid = matches!(whole.writer, Writer::Unknown | Writer::OptimizerStateDict);
    if is_unsaid && !whole.model.is_empty() {
        whole.writer = Writer::StateDict;
    }
    whole.format = Format::Folder;
    Ok(whole)
}

/// Shards without their index: `model-00001-of-00002.safetensors`.
fn numbered_weights(folder: &Path, options: &ReadOptions) -> Result<Vec<PathBuf>, AuditError> {
    let mut found = configuration::entries(folder, options.limits)?;
    found.retain(|path| {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let is_weights = name.starts_with("model-") || name.starts_with("pytorch_model-");
        is_weights && name.contains("-of-") && path.is_file()
    });
    Ok(found)
}

impl Checkpoint {
    fn add_file(&mut self, path: &Path, options: &ReadOptions) -> Result<(), AuditError> {
        single::add(self, path, options)
    }

    /// Weights keep out the writer that the file alone would have.
    fn add_weights(&mut self, path: &Path, options: &ReadOptions) -> Result<(), AuditError> {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let writer = self.writer;
        match name.ends_with(".index.json") {
            true => index::add(self, path, options)?,
            false => {
                let mut part = Checkpoint::empty(path, Format::Folder);
                single::add(&mut part, path, options)?;
                self.is_in_module_order = part.is_in_module_order;
                self.model.append(&mut part.model);
                self.optimizers.append(&mut part.optimizers);
                self.remarks.append(&mut part.remarks);
                self.embedded.append(&mut part.embedded);
                self.clocks.append(&mut part.clocks);
                if part.writer != Writer::StateDict {
                    self.writer = part.writer;
                }
            }
        }
        if writer != Writer::Unknown {
            self.writer = writer;
        }
        Ok(())
    }

    /// A file that is the state of a schedule by itself.
    fn add_schedule(&mut self, path: &Path, options: &ReadOptions) -> Result<(), AuditError> {
        let settings = single::value(path, options)?;
        if let Some(settings) = super::optimizer::settings(settings) {
            self.absorb_scheduler(settings);
        }
        Ok(())
    }
}

/// What is read of `trainer_state.json`.
#[derive(Deserialize)]
struct TrainerState {
    global_step: Option<f64>,
    #[serde(default)]
    log_history: Vec<Logged>,
}

#[derive(Deserialize)]
struct Logged {
    step: Option<f64>,
    learning_rate: Option<f64>,
}

fn add_state(
    checkpoint: &mut Checkpoint,
    path: &Path,
    options: &ReadOptions,
) -> Result<(), AuditError> {
    let text = index::read_text(path, options)?;
    // Python writes NaN and Infinity into its JSON where a loss is not finite; no rate is.
    let read = match serde_json::from_slice::<TrainerState>(&text) {
        Ok(read) => read,
        Err(_) => serde_json::from_slice(&without_nan(&text)).map_err(|error| {
            let reason = error.to_string();
            let line = Some(error.line());
            AuditError::Configuration { path: path.to_owned(), line, reason }
        })?,
    };
    if let Some(step) = read.global_step {
        checkpoint.add_clock("global_step", step);
    }
    let logged = read
        .log_history
        .iter()
        .filter_map(|logged| Some(LoggedRate { step: logged.step?, rate: logged.learning_rate? }));
    checkpoint.rates.extend(logged);
    Ok(())
}

/// `NaN` and `Infinity` outside of text become `null`.
fn without_nan(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let (mut rest, mut is_text) = (text, false);
    while let Some((&byte, behind)) = rest.split_first() {
        let word = [&b"-Infinity"[..], b"Infinity", b"NaN"].into_iter();
        match word.filter(|_| !is_text).find(|word| rest.starts_with(word)) {
            Some(word) => {
                plain.extend_from_slice(b"null");
                rest = &rest[word.len()..];
            }
            None if is_text && byte == b'\\' => {
                let (escape, behind) = rest.split_at(rest.len().min(2));
                plain.extend_from_slice(escape);
                rest = behind;
            }
            None => {
                is_text ^= byte == b'"';
                plain.push(byte);
                rest = behind;
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_with_losses_that_are_not_finite_is_read() {
        let text = br#"{"a": NaN, "b": [-Infinity, Infinity], "c": "NaN \" NaN"}"#;
        assert_eq!(without_nan(text), br#"{"a": null, "b": [null, null], "c": "NaN \" NaN"}"#);
    }
}
