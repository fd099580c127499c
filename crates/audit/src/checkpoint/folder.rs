//! A folder: one checkpoint of several files, or several checkpoints.

use std::path::{Path, PathBuf};

use crate::AuditError;
use crate::file::distributed::METADATA;

use super::find::ReadOptions;
use super::{
    Checkpoint, configuration, deepspeed, distributed, megatron, olmo, run_directory, single,
    torchtune, trainer,
};

/// Folders within folders that are looked into for checkpoints.
const DEPTH: usize = 3;

/// Endings of files that may be checkpoints by themselves.
const ENDINGS: [&str; 8] = ["pt", "pth", "ckpt", "bin", "tar", "safetensors", "pkl", "pyth"];

/// Files that belong to a training and hold nothing of weights or decay.
const BYSTANDERS: [&str; 6] =
    ["rng_state", "random_states", "scaler", "dataloader", "sampler", "custom_checkpoint"];

/// Reads the checkpoints of a folder.
pub(super) fn read(folder: &Path, options: &ReadOptions) -> Result<Vec<Checkpoint>, AuditError> {
    let mut found = Vec::new();
    let mut failed = Vec::new();
    let mut left = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = left.pop() {
        if let Some(whole) = whole(&folder, options) {
            match whole {
                Ok(whole) => found.extend(whole),
                Err(error) => failed.push(error),
            }
            continue;
        }
        let entries = configuration::entries(&folder, options.limits)?;
        let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) =
            entries.into_iter().partition(|path| path.is_dir());
        for file in files.iter().filter(|file| may_be_checkpoint(file)) {
            match single::read(file, options) {
                Ok(checkpoint) => found.push(checkpoint),
                Err(error) => failed.push(error),
            }
        }
        if depth < DEPTH {
            let inner = folders.into_iter().filter(|folder| !is_hidden(folder));
            left.extend(inner.rev().map(|folder| (folder, depth + 1)));
        }
        if found.len() + left.len() > options.limits.files {
            break;
        }
    }
    match (found.first_mut(), failed.is_empty()) {
        (None, false) => Err(failed.swap_remove(0)),
        (Some(first), false) => {
            first.remarks.extend(failed.iter().map(|error| format!("Left out: {error}.")));
            Ok(found)
        }
        _ => Ok(found),
    }
}

/// The checkpoint that a folder is as a whole, if it is one.
fn whole(folder: &Path, options: &ReadOptions) -> Option<Result<Vec<Checkpoint>, AuditError>> {
    if run_directory::is_one(folder) {
        return Some(run_directory::read(folder, options));
    }
    match run_directory::part_of(folder) {
        Some((run, Some(step))) => {
            return Some(run_directory::read_step(run, step, options).map(|one| vec![one]));
        }
        Some((run, None)) => return Some(run_directory::read(run, options)),
        None => {}
    }
    if let Some(read) = megatron::read(folder, options) {
        return Some(read.map(|checkpoint| vec![checkpoint]));
    }
    let read = if let Some(shards) = deepspeed::shards(folder, options) {
        with_trainer(folder, deepspeed::read(&shards, options), options)
    } else if folder.join(METADATA).is_file() {
        distributed::read(folder, options)
    } else if olmo::is_one(folder) {
        olmo::read(folder, options)
    } else if torchtune::is_one(folder) {
        torchtune::read(folder, options)
    } else if trainer::is_one(folder) {
        trainer::read(folder, options)
    } else {
        return None;
    };
    Some(read.map(|checkpoint| vec![checkpoint]))
}

/// Hugging Face's Trainer keeps DeepSpeed's shards in a folder of its checkpoint: what it says of
/// arguments, schedule and steps belongs to them.
fn with_trainer(
    folder: &Path,
    shards: Result<Checkpoint, AuditError>,
    options: &ReadOptions,
) -> Result<Checkpoint, AuditError> {
    let mut shards = shards?;
    if trainer::is_one(folder) {
        let mut around = trainer::read(folder, options)?;
        shards.path = folder.to_owned();
        shards.rates.append(&mut around.rates);
        shards.embedded.append(&mut around.embedded);
        shards.remarks.append(&mut around.remarks);
        for clock in around.clocks {
            shards.add_clock(&clock.name, clock.steps);
        }
        if shards.schedulers.is_empty() {
            shards.schedulers = around.schedulers;
        }
        if shards.model.is_empty() {
            shards.model = around.model;
        }
    }
    Ok(shards)
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

fn may_be_checkpoint(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
        && !BYSTANDERS.iter().any(|bystander| name.starts_with(bystander))
        && path.is_file()
}
