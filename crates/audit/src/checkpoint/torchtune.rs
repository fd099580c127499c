//! A run of torchtune: weights in `epoch_N/`, the recipe's state beside them in `recipe_state/`.

use std::path::{Path, PathBuf};

use crate::AuditError;

use super::find::ReadOptions;
use super::{Checkpoint, Format, Writer, configuration, single, trainer};

fn state(folder: &Path) -> PathBuf {
    folder.join("recipe_state").join("recipe_state.pt")
}

/// Whether a folder is such a run.
pub(super) fn is_one(folder: &Path) -> bool {
    state(folder).is_file()
}

/// Reads the state with the weights of the last epoch, which it was saved with.
pub(super) fn read(folder: &Path, options: &ReadOptions) -> Result<Checkpoint, AuditError> {
    let epoch = |path: &PathBuf| -> Option<u64> {
        let name = path.file_name()?.to_str()?;
        name.strip_prefix("epoch_")?.parse().ok().filter(|_| path.is_dir())
    };
    let entries = configuration::entries(folder, options.limits)?;
    let last = entries.into_iter().filter_map(|path| Some((epoch(&path)?, path))).max();
    let mut checkpoint = match &last {
        Some((_, weights)) => trainer::read(weights, options)?,
        None => Checkpoint::empty(folder, Format::Folder),
    };
    single::add(&mut checkpoint, &state(folder), options)?;
    checkpoint.path = folder.to_owned();
    checkpoint.format = Format::Folder;
    checkpoint.writer = Writer::Torchtune;
    Ok(checkpoint)
}
