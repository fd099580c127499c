//! Hugging Face's `trainer_state.json`.
//!
//! `log_history` is a list of rows with a `step`. `loss` at a step is the mean of the last
//! `logging_steps` steps, and `train_loss` of the last row the mean over the whole run: neither is
//! the loss of the weights at that step. λ is not in this file: it stands in `training_args.bin`
//! and `optimizer.pt` of a checkpoint, which the caller's reader opens.
//!
//! Source: `transformers/trainer_callback.py`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::files::read_text;
use crate::find::CheckpointReader;
use crate::names::whole;
use crate::run::{Averaging, Run, State};
use crate::{ImportError, lenient};

/// The name of the file.
pub const FILE: &str = "trainer_state.json";

/// The folder of a run, of which this is a state: that of the run itself or of its checkpoint.
pub fn run_folder(state: &Path) -> PathBuf {
    let folder = state.parent().unwrap_or(state);
    let is_checkpoint =
        folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with("checkpoint-"));
    match folder.parent() {
        Some(parent) if is_checkpoint => parent.to_owned(),
        _ => folder.to_owned(),
    }
}

/// Reads a run from the states in its folder and its checkpoints: the one with the most steps
/// counts.
///
/// # Errors
/// [`ImportError::Io`], [`ImportError::Damaged`] when no state can be read.
pub fn read(
    name: &str,
    folder: &Path,
    states: &[PathBuf],
    checkpoint: Option<CheckpointReader<'_>>,
) -> Result<Run, ImportError> {
    let mut best: Option<(f64, Value)> = None;
    let mut first_error = None;
    for path in states {
        let text = read_text(path)?;
        let state = match lenient::json(text.as_bytes()) {
            Ok(state) => state,
            Err(error) => {
                first_error.get_or_insert(ImportError::damaged(path, error));
                continue;
            }
        };
        let step = state.get("global_step").and_then(Value::as_f64).unwrap_or(-1.0);
        if best.as_ref().is_none_or(|(most, _)| step >= *most) {
            best = Some((step, state));
        }
    }
    let Some((_, state)) = best else {
        return Err(first_error
            .unwrap_or_else(|| ImportError::damaged(folder, format!("there is no {FILE}"))));
    };
    let mut run = Run::new(name, folder);
    run.averaging = Averaging::Window;
    history(&mut run, &state);
    let steps = |key: &str| state.get(key).and_then(Value::as_f64);
    if let (Some(done), Some(planned)) = (steps("global_step"), steps("max_steps")) {
        run.state = if done >= planned { State::Finished } else { State::Unfinished };
    }
    if let Some(read) = checkpoint {
        let mut folders = checkpoints(folder);
        folders.extend(states.iter().rev().filter_map(|state| state.parent().map(Path::to_owned)));
        folders.push(folder.to_owned());
        for folder in folders {
            let found = read(&folder);
            if !found.is_empty() {
                for (key, value) in found {
                    run.set_text(&key, &value);
                }
                break;
            }
        }
    }
    Ok(run)
}

/// The checkpoints in the folder of a run, the one of most steps first.
fn checkpoints(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let numbered = entries.filter_map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        Some((name.strip_prefix("checkpoint-")?.parse::<u64>().ok()?, entry.path()))
    });
    let mut found: Vec<(u64, PathBuf)> = numbered.collect();
    found.sort();
    found.into_iter().rev().map(|(_, path)| path).collect()
}

fn history(run: &mut Run, state: &Value) {
    let rows = state.get("log_history").and_then(Value::as_array);
    for row in rows.into_iter().flatten().filter_map(Value::as_object) {
        let Some(step) = row.get("step").and_then(Value::as_f64).and_then(whole) else { continue };
        for (tag, value) in row {
            if let (Some(number), false) =
                (lenient::number(value), matches!(&**tag, "step" | "epoch"))
            {
                // The mean over the whole run is no point of a curve.
                let tag = match tag.as_str() {
                    "train_loss" => "train_loss (mean over the run)",
                    tag => tag,
                };
                run.push(tag, step, number);
            }
        }
    }
}
