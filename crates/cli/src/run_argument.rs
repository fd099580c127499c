//! A run directory that is named on the command line.

use std::path::Path;

use wd_page::words::quoted;
use wd_store::RunDirectory;

use crate::diagnostics::CommandError;

/// Opens the run in a folder. A study in its place is told apart, and its runs are named.
pub(crate) fn open_run(directory: &Path) -> Result<RunDirectory, CommandError> {
    if directory.join("study.json").exists() {
        let trials = directory.join("trials");
        let entries = std::fs::read_dir(&trials).into_iter().flatten().flatten();
        let mut runs: Vec<_> = entries.map(|entry| entry.path()).collect();
        runs.sort();
        let fix = match runs.first() {
            Some(first) => format!(
                "name one of the {} runs in {}, for example {}",
                runs.len(),
                trials.display(),
                quoted(&first.display().to_string())
            ),
            None => "none of its runs has begun".to_owned(),
        };
        return Err(CommandError::usage(format!("{} is a study", directory.display()), fix));
    }
    Ok(RunDirectory::open(directory)?)
}
