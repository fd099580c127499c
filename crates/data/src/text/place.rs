//! Where a corpus is put: written aside, next to its place, then renamed into it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::corpus::{DOCUMENTS_FILE, SIDECAR_FILE, TOKENIZER_FILE};
use super::error::TextError;
use crate::FileError;

/// Held by the process that writes aside, so that others can tell its work from what a killed
/// process left.
const LOCK_FILE: &str = ".lock";

/// What stands at the place of a corpus.
pub(crate) enum Occupant {
    /// Nothing, or an empty directory.
    Nothing,
    /// The files of a corpus and nothing else.
    Corpus,
}

/// Looks at what stands at `out`; an error if it must never be removed.
pub(crate) fn occupant(out: &Path) -> Result<Occupant, TextError> {
    let entries = match fs::read_dir(out) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Occupant::Nothing),
        Err(error) => return Err(FileError::io("open", out)(error).into()),
    };
    let mut is_empty = true;
    for entry in entries {
        let name = entry.map_err(FileError::io("list", out))?.file_name();
        let name = name.to_string_lossy();
        let is_shard = name.strip_prefix("tokens-").is_some_and(|rest| rest.ends_with(".bin"));
        let known = [SIDECAR_FILE, TOKENIZER_FILE, DOCUMENTS_FILE, LOCK_FILE];
        if !is_shard && !known.contains(&&*name) {
            return Err(TextError::InTheWay {
                path: out.to_owned(),
                problem: format!("it holds `{name}`, which is no part of a corpus"),
            });
        }
        is_empty = false;
    }
    Ok(if is_empty { Occupant::Nothing } else { Occupant::Corpus })
}

/// A directory next to a place, which becomes that place or disappears.
pub(crate) struct Aside {
    place: PathBuf,
    path: PathBuf,
    _lock: File,
}

impl Aside {
    /// Makes the directory, and sweeps away what killed processes left next to the same place.
    pub(crate) fn new(place: &Path) -> Result<Self, TextError> {
        // A link to a directory stays a link: what it points to is replaced.
        let place = place
            .canonicalize()
            .or_else(|_| std::path::absolute(place))
            .map_err(FileError::io("find", place))?;
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent).map_err(FileError::io("create", parent))?;
        }
        sweep(&place)?;
        loop {
            let path = beside(&place, "partial")?;
            fs::create_dir(&path).map_err(FileError::io("create", &path))?;
            let lock = path.join(LOCK_FILE);
            let file = match File::create(&lock) {
                Ok(file) => file,
                // Swept by another process between the two calls.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(FileError::io("create", &lock)(error).into()),
            };
            file.lock().map_err(FileError::io("lock", &lock))?;
            // Whoever sweeps holds the lock meanwhile: if the file is still there, it stays.
            if lock.exists() {
                return Ok(Aside { place, path, _lock: file });
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Brings the directory to the disk and renames it to its place, unless something stands there:
    /// then it is left aside and the answer is no.
    pub(crate) fn put_in_place(&self) -> Result<bool, TextError> {
        let entries = fs::read_dir(&self.path).map_err(FileError::io("list", &self.path))?;
        for entry in entries {
            let path = entry.map_err(FileError::io("list", &self.path))?.path();
            OpenOptions::new()
                .write(true)
                .open(&path)
                .and_then(|file| file.sync_all())
                .map_err(FileError::io("write", &path))?;
        }
        sync_directory(&self.path)?;
        match fs::rename(&self.path, &self.place) {
            Ok(()) => {}
            Err(_) if matches!(occupant(&self.place)?, Occupant::Corpus) => return Ok(false),
            Err(error) => return Err(FileError::io("rename", &self.path)(error).into()),
        }
        // Only now, so that a directory aside is never without it. Should it stay, it is a known
        // and empty file.
        let _ = fs::remove_file(self.place.join(LOCK_FILE));
        self.place.parent().map_or(Ok(()), sync_directory)?;
        Ok(true)
    }

    /// Puts the directory in the place of the corpus that stands there. Readers that have that one
    /// open keep it.
    pub(crate) fn replace(&self) -> Result<(), TextError> {
        let old = beside(&self.place, "replaced")?;
        fs::rename(&self.place, &old).map_err(FileError::io("rename", &self.place))?;
        if !self.put_in_place()? {
            return Err(TextError::InTheWay {
                path: self.place.clone(),
                problem: "another process has just put a corpus there".to_owned(),
            });
        }
        fs::remove_dir_all(&old).map_err(FileError::io("remove", &old))?;
        Ok(())
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // After a failure. In place, there is nothing left under this name.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// A free name next to `place`: `.NAME.partial-PROCESS-NUMBER`.
fn beside(place: &Path, mark: &str) -> Result<PathBuf, TextError> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let mut name = prefix(place, mark)?;
    name.push(format!("{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed)));
    Ok(place.with_file_name(name))
}

fn prefix(place: &Path, mark: &str) -> Result<OsString, TextError> {
    let name = place.file_name().ok_or_else(|| TextError::InTheWay {
        path: place.to_owned(),
        problem: "it is not the name of a directory that could be made".to_owned(),
    })?;
    let mut prefix = OsString::from(".");
    prefix.push(name);
    prefix.push(format!(".{mark}-"));
    Ok(prefix)
}

/// Removes what killed processes left: directories of this place whose lock nobody holds.
fn sweep(place: &Path) -> Result<(), TextError> {
    let (partial, replaced) = (prefix(place, "partial")?, prefix(place, "replaced")?);
    let Some(parent) = place.parent() else {
        return Ok(());
    };
    for entry in fs::read_dir(parent).map_err(FileError::io("list", parent))?.flatten() {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        // Losing a race against another sweep is no failure: the directory is gone either way.
        if name.starts_with(partial.as_encoded_bytes()) {
            match File::open(entry.path().join(LOCK_FILE)) {
                Ok(lock) => {
                    if lock.try_lock().is_ok() {
                        let _ = fs::remove_dir_all(entry.path());
                    }
                }
                // Made this moment, or by a process killed in such a moment: only removed if it is
                // empty.
                Err(_) => drop(fs::remove_dir(entry.path())),
            }
        } else if name.starts_with(replaced.as_encoded_bytes()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}

/// Brings a directory's entries to the disk; only Unix can.
fn sync_directory(path: &Path) -> Result<(), TextError> {
    if cfg!(unix) {
        File::open(path)
            .and_then(|directory| directory.sync_all())
            .map_err(FileError::io("write", path))?;
    }
    Ok(())
}
