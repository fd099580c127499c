//! Whole files that appear at once: written aside, brought to the disk, then renamed.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::StoreError;

/// Marks a small file that is being written aside: `.plan.json.tmp-1234`.
const MARK: &str = ".tmp-";

/// The place aside of `path` for this process.
pub(crate) fn place_aside(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    path.with_file_name(format!(".{name}{MARK}{}", std::process::id()))
}

/// Writes a file that a user has named, at once as everything here, and makes the folders that it
/// lacks.
///
/// # Errors
/// [`StoreError::DiskFull`] with the bytes that were needed, [`StoreError::Io`]; both name the
/// path.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        create_directory(parent)?;
    }
    write_aside(path, bytes)
}

/// Replaces the content of `path` by `bytes`, at once: at no moment does a reader see anything but
/// the old or the new content, not even after a power loss.
///
/// # Errors
/// [`StoreError::DiskFull`] with the bytes that were needed, [`StoreError::Io`]; both name the
/// path.
pub(crate) fn write_aside(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let aside = place_aside(path);
    let written = File::create(&aside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .map_err(StoreError::write(path, bytes.len() as u64))
        .and_then(|()| move_in_place(&aside, path));
    if written.is_err() {
        // Best effort: it frees the room it took; what stays is swept by the next lock.
        let _ = fs::remove_file(&aside);
    }
    written
}

/// Renames a finished file or directory into place and brings the rename to the disk.
pub(crate) fn move_in_place(aside: &Path, path: &Path) -> Result<(), StoreError> {
    fs::rename(aside, path).map_err(StoreError::write(path, 0))?;
    match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => sync_directory(parent),
        None => Ok(()),
    }
}

/// Brings a directory's entries to the disk. Only Unix can; elsewhere the file system orders
/// renames itself.
pub(crate) fn sync_directory(path: &Path) -> Result<(), StoreError> {
    if cfg!(unix) {
        File::open(path)
            .and_then(|directory| directory.sync_all())
            .map_err(StoreError::io("sync", path))?;
    }
    Ok(())
}

/// Removes what killed processes left aside in `directory`. Only the holder of the run's lock may
/// call this.
pub(crate) fn sweep_files(directory: &Path) -> Result<(), StoreError> {
    for entry in fs::read_dir(directory).map_err(StoreError::io("list", directory))? {
        let entry = entry.map_err(StoreError::io("list", directory))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_aside = name.starts_with('.')
            && name
                .rsplit_once(MARK)
                .is_some_and(|(_, id)| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()));
        if is_aside && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            // Losing the race against another sweep is no error: the file is gone either way.
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// Makes a directory and its parents where they are missing, and brings its name to the disk.
pub(crate) fn create_directory(path: &Path) -> Result<(), StoreError> {
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path).map_err(StoreError::write(path, 0))?;
    match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => sync_directory(parent),
        None => Ok(()),
    }
}
