//! A run directory that is named on the command line.

use std::path::Path;

use wd_page::counted;
use wd_page::words::quoted;
use wd_store::RunDirectory;

use crate::diagnostics::CommandError;

/// Opens the run in a folder. A study in its place, or a folder of runs, is told apart, and its
/// runs are named.
pub(crate) fn open_run(directory: &Path) -> Result<RunDirectory, CommandError> {
    let trials = directory.join("trials");
    let (what, folder) = match directory.join("study.json").exists() {
        true => ("a study", trials.as_path()),
        false => ("a folder of runs", directory),
    };
    let runs = RunDirectory::below(folder);
    let is_study = folder != directory;
    // A study has a lock as a run has.
    if !is_study && (RunDirectory::is_one(directory) || runs.is_empty()) {
        return Ok(RunDirectory::open(directory)?);
    }
    let fix = match runs.first() {
        Some(first) => format!(
            "name one of the {} in {}, for example {}",
            counted(runs.len(), "run"),
            folder.display(),
            quoted(&first.display().to_string())
        ),
        None => "none of its runs has begun".to_owned(),
    };
    Err(CommandError::usage(format!("{} is {what}", directory.display()), fix))
}
