//! Settings that stand beside what a program recorded: in a file of its own, in the name of a folder,
//! in a table that the person made.

use std::collections::BTreeSet;
use std::path::Path;

use crate::ImportError;
use crate::files::read_text;
use crate::formats::yaml;
use crate::names::settings_of_name;
use crate::run::{Run, spelled};

/// Older runs of W&B have their configuration in `files/config.yaml` alone: each key with a
/// description and a value.
pub(crate) fn wandb_config(run: &mut Run, file: &Path) -> Result<(), ImportError> {
    let path = file.with_file_name("files").join("config.yaml");
    if !path.is_file() {
        return Ok(());
    }
    if let serde_json::Value::Object(members) = yaml::value(&path, &read_text(&path)?)? {
        for (key, entry) in members.iter().filter(|(key, _)| !key.starts_with('_')) {
            if let Some(value) = entry.get("value") {
                run.set(key, value);
            }
        }
    }
    Ok(())
}

/// A run whose program recorded no settings may have them in the name of its folder: they get keys
/// that say so.
pub(crate) fn settings_from_name(run: &mut Run) {
    if run.settings.is_empty() {
        for (key, value) in settings_of_name(&run.name) {
            run.settings.insert(format!("folder:{key}"), spelled(&value.to_string()));
        }
    }
}

/// Adds the settings of a CSV to the runs that its first column names: by their name, by the file
/// or by the folder that they lie in.
pub(crate) fn add_settings(path: &Path, runs: &mut [Run]) -> Result<(), ImportError> {
    let damaged = |error: csv::Error| ImportError::damaged(path, error);
    let mut reader = csv::Reader::from_path(path).map_err(damaged)?;
    let header = reader.headers().map_err(damaged)?.clone();
    let mut known = BTreeSet::new();
    for record in reader.records() {
        let record = record.map_err(damaged)?;
        let wanted = record.get(0).unwrap_or_default();
        let is_place = |place: Option<&std::ffi::OsStr>| place.is_some_and(|name| name == wanted);
        let is_it = |run: &Run| {
            run.name == wanted
                || run.settings.get("file").is_some_and(|file| file == wanted)
                || run.settings.get("folder").is_some_and(|folder| folder == wanted)
                || is_place(run.source.file_name())
        };
        for run in runs.iter_mut().filter(|run| is_it(run)) {
            for (key, cell) in header.iter().zip(&record).skip(1).filter(|(_, c)| !c.is_empty()) {
                run.set_text(key, cell);
            }
            known.insert(run.source.clone());
        }
    }
    if known.is_empty() && !runs.is_empty() {
        let names: Vec<&str> = runs.iter().take(3).map(|run| run.name.as_str()).collect();
        return Err(ImportError::Option {
            option: "settings",
            problem: format!(
                "no name in the first column of {} is that of a run, of its file or of its folder; \
                 runs are called {}{}",
                path.display(),
                names.join(", "),
                if runs.len() > names.len() { " and so on" } else { "" }
            ),
        });
    }
    // The table says what the places meant: they tell no arms apart any more.
    for run in runs.iter_mut().filter(|run| known.contains(&run.source)) {
        run.settings.remove("file");
        run.settings.remove("folder");
    }
    Ok(())
}
