//! What lies at a path: which files are of which format.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::formats::{dvclive, hugging_face, mlflow_files, optuna_journal, tensorboard};
use crate::{Format, ImportError};

/// The most entries of folders that are looked at.
const MOST_ENTRIES: usize = 1_000_000;
/// How deep folders are looked into.
const DEEPEST: usize = 16;

/// What was found below some paths: for each format its places, each with the files there.
pub(crate) type Found = BTreeMap<Format, BTreeMap<PathBuf, Vec<PathBuf>>>;

/// Looks at a file, or into a folder. Links to folders are not followed: W&B's `latest-run` leads
/// to a run that is found anyway.
pub(crate) fn look(
    root: &Path,
    path: &Path,
    depth: usize,
    entries: &mut usize,
    found: &mut Found,
) -> Result<(), ImportError> {
    *entries += 1;
    if *entries > MOST_ENTRIES {
        let problem = format!("it has more than {MOST_ENTRIES} files; name a folder within it");
        return Err(ImportError::Unknown { path: root.to_owned(), problem });
    }
    let status = fs::metadata(path).map_err(ImportError::io(path))?;
    if status.is_file() {
        if let Some((format, place)) = recognise(path, depth == 0)? {
            found.entry(format).or_default().entry(place).or_default().push(path.to_owned());
        }
        return Ok(());
    }
    let is_link = fs::symlink_metadata(path).is_ok_and(|status| status.is_symlink());
    if !status.is_dir() || depth > DEEPEST || (is_link && depth > 0) {
        return Ok(());
    }
    if mlflow_files::is_run(path) {
        found.entry(Format::MlflowFiles).or_default().entry(path.to_owned()).or_default();
        return Ok(());
    }
    if dvclive::is_run(path) {
        found.entry(Format::Dvclive).or_default().entry(path.to_owned()).or_default();
        return Ok(());
    }
    let mut inside: Vec<PathBuf> = fs::read_dir(path)
        .map_err(ImportError::io(path))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .collect();
    inside.sort();
    for path in inside {
        look(root, &path, depth + 1, entries, found)?;
    }
    Ok(())
}

/// The format of a file as it is found in a folder; nothing where no program is known that writes
/// it, or where it cannot be read.
pub fn recognised(path: &Path) -> Option<Format> {
    recognise(path, false).ok().flatten().map(|(format, _)| format)
}

/// The format of a file, and the place that it belongs to: a folder where several files make a run,
/// else the file itself. `is_named` says that the person named this very file.
fn recognise(path: &Path, is_named: bool) -> Result<Option<(Format, PathBuf)>, ImportError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder = || path.parent().unwrap_or(Path::new(".")).to_owned();
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    if tensorboard::is_event_file(&name) {
        return Ok(Some((Format::Tensorboard, folder())));
    }
    if extension == "wandb" {
        return Ok(Some((Format::Wandb, path.to_owned())));
    }
    if name == hugging_face::FILE {
        return Ok(Some((Format::HuggingFace, hugging_face::run_folder(path))));
    }
    if name == "metrics.csv" && path.with_file_name("hparams.yaml").is_file() {
        return Ok(Some((Format::Lightning, folder())));
    }
    let own = |format: Format| Ok(Some((format, path.to_owned())));
    let mut head = [0; 64];
    let length = File::open(path)
        .and_then(|file| {
            let mut length = 0;
            let mut file = file.take(64);
            while length < head.len() {
                match file.read(&mut head[length..])? {
                    0 => break,
                    count => length += count,
                }
            }
            Ok(length)
        })
        .map_err(ImportError::io(path))?;
    let head = &head[..length];
    if head.starts_with(b"SQLite format 3\0") {
        return database_format(path).map(|found| found.map(|format| (format, path.to_owned())));
    }
    if head.starts_with(b"PAR1") {
        return own(Format::Parquet);
    }
    if optuna_journal::is_one(&String::from_utf8_lossy(head)) {
        return own(Format::OptunaJournal);
    }
    let is_binary = head.contains(&0);
    match extension.as_str() {
        _ if is_binary || head.is_empty() => Ok(None),
        "csv" | "tsv" => own(Format::Csv),
        "jsonl" | "ndjson" => own(Format::JsonLines),
        "txt" | "log" | "out" => own(Format::Text),
        // Somebody who names a file means it.
        _ if is_named => own(Format::Text),
        _ => Ok(None),
    }
}

#[cfg(feature = "sqlite")]
pub(crate) fn database_format(path: &Path) -> Result<Option<Format>, ImportError> {
    use crate::formats::{mlflow, optuna, sqlite::Database, trackio};
    let tables = Database::open(path)?.tables()?;
    Ok(match () {
        () if mlflow::is_one(&tables) => Some(Format::Mlflow),
        () if optuna::is_one(&tables) => Some(Format::Optuna),
        () if trackio::is_one(&tables) => Some(Format::Trackio),
        () => None,
    })
}

#[cfg(not(feature = "sqlite"))]
pub(crate) fn database_format(path: &Path) -> Result<Option<Format>, ImportError> {
    Err(ImportError::damaged(
        path,
        "it is an SQLite file, and this program was built without SQLite",
    ))
}
