//! Configurations that lie beside checkpoints, by their names.

use std::fs;
use std::io::Read;
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
const ENDINGS: [&str; 10] =
    ["json", "yaml", "yml", "toml", "txt", "py", "cfg", "sh", "args", "conf"];

/// Endings of files that are never read as text, whatever they begin with.
const CHECKPOINT_ENDINGS: [&str; 10] =
    ["pt", "pth", "bin", "ckpt", "tar", "safetensors", "distcp", "pkl", "pickle", "npz"];

/// Whether a file that a user names is a configuration: by its ending, or where that says nothing
/// by whether it is text.
pub fn is_configuration(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    if name.ends_with(".index.json") {
        return false;
    }
    match ending.as_deref() {
        Some(ending) if ENDINGS.contains(&ending) => true,
        Some(ending) if CHECKPOINT_ENDINGS.contains(&ending) => false,
        _ => begins_as_text(path),
    }
}

/// Whether the first bytes of a file are text. A file that cannot be read is none.
fn begins_as_text(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    // A letter may be cut at the end of what was read.
    let is_text = match std::str::from_utf8(&head) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    let is_control = |byte: &u8| *byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
    read.is_ok() && path.is_file() && !head.is_empty() && is_text && !head.iter().any(is_control)
}

/// Bytes by which text is told.
const HEAD: u64 = 1024;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_a_user_names_is_a_configuration_whatever_its_ending() {
        let folder = tempfile::tempdir().unwrap();
        let written = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            path
        };
        for name in ["run.sh", "params", "train.hydra", "flags.args"] {
            assert!(is_configuration(&written(name, b"--lr 1e-3 --weight-decay 0.1\n")), "{name}");
        }
        for (name, bytes) in [
            ("a.pt", &b"version https://git-lfs.github.com/spec/v1\n"[..]),
            ("b", &b"PK\x03\x04\0\0"[..]),
            ("c", &b"\x80\x02}q\0"[..]),
            ("d", &b""[..]),
            ("e.index.json", &b"{}"[..]),
        ] {
            assert!(!is_configuration(&written(name, bytes)), "{name}");
        }
        assert!(!is_configuration(folder.path()));
    }
}
