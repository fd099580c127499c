//! Configurations that lie beside checkpoints, by their names.

use std::fs;
use std::path::{Path, PathBuf};

use crate::AuditError;
use crate::limits::Limits;

/// Names under which trainers leave the configuration of a run.
const NAMES: [&str; 22] = [
    "config.json",
    "config.yaml",
    "config.yml",
    "args.yaml",
    "args.yml",
    "args.json",
    "hparams.yaml",
    "hparams.yml",
    "hyperparameters.yaml",
    "hyperparams.yaml",
    "params.txt",
    "ds_config.json",
    "deepspeed_config.json",
    "zero_config.json",
    "training_args.json",
    "train_config.yaml",
    "train_config.json",
    "train.yaml",
    "config.toml",
    "train_config.toml",
    "opt.yaml",
    "torchtune_config.yaml",
];

/// Names of folders that hold checkpoints of a run whose folder is above them.
const CHECKPOINT_FOLDERS: [&str; 10] = [
    "checkpoints",
    "checkpoint",
    "weights",
    "ckpts",
    "ckpt",
    "checkpoint-",
    "step",
    "global_step",
    "iter_",
    "epoch",
];

/// Endings of texts that are configurations when a user names them.
const ENDINGS: [&str; 7] = ["json", "yaml", "yml", "toml", "txt", "py", "cfg"];

/// Whether a file that a user names is a configuration: by its ending alone.
pub(super) fn is_configuration(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    !name.ends_with(".index.json")
        && ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

/// Configurations in a folder; and in the one above, if this one holds only checkpoints of a run.
pub(super) fn in_folder(folder: &Path, limits: Limits) -> Result<Vec<PathBuf>, AuditError> {
    let mut found = listed(folder, limits)?;
    let absolute = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let name = absolute.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let is_part = CHECKPOINT_FOLDERS.iter().any(|known| match known.strip_suffix(['-', '_']) {
        Some(_) => name.starts_with(known),
        None => name == *known || is_numbered(&name, known),
    });
    if is_part {
        // The path as the user wrote it, as far as that has a folder above.
        let above = match folder.parent() {
            Some(above) if !above.as_os_str().is_empty() && folder.file_name().is_some() => above,
            _ => absolute.parent().unwrap_or(folder),
        };
        found.extend(listed(above, limits)?);
    }
    Ok(found)
}

/// `step1000` for `step`.
fn is_numbered(name: &str, known: &str) -> bool {
    let rest = name.strip_prefix(known).map(|rest| rest.trim_start_matches(['-', '_']));
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Configurations beside a file.
pub(super) fn beside(file: &Path, limits: Limits) -> Result<Vec<PathBuf>, AuditError> {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => in_folder(folder, limits),
        _ => in_folder(Path::new("."), limits),
    }
}

fn listed(folder: &Path, limits: Limits) -> Result<Vec<PathBuf>, AuditError> {
    let mut found = Vec::new();
    for path in entries(folder, limits)? {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        // nanoGPT's are named after what they train: `train_gpt2.py` of `config/`.
        let is_python = name.ends_with(".py")
            && (name.starts_with("config") || name.starts_with("train_") || name.contains("_cfg"));
        if (NAMES.contains(&name.as_ref()) || is_python) && path.is_file() {
            found.push(path);
        }
    }
    let hydra = folder.join(".hydra").join("config.yaml");
    found.extend(hydra.is_file().then_some(hydra));
    Ok(found)
}

/// What a folder holds, by name.
pub(super) fn entries(folder: &Path, limits: Limits) -> Result<Vec<PathBuf>, AuditError> {
    let io = |source| AuditError::Io { path: folder.to_owned(), source };
    let listed = fs::read_dir(folder).map_err(io)?.take(limits.files);
    let mut paths: Vec<PathBuf> = listed
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(io)?;
    paths.sort();
    Ok(paths)
}
