//! What changes on disk when a run goes on: sizes and times of its files.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use wd_import::recognised;

use crate::index::Roots;

/// The files of a run directory that are read here.
const FILES: [&str; 9] = [
    "plan.json",
    "metrics.bin",
    "events.jsonl",
    "evaluations.jsonl",
    "confusion.json",
    "rounded.jsonl",
    "config.toml",
    ".lock",
    "checkpoints",
];

/// Sizes and times of some files as one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Stamp(pub(super) u64);

/// Files that lead out of the folders.
#[derive(Debug)]
pub(super) struct LeadsOut;

impl Stamp {
    /// Of a run directory.
    pub(super) fn of_run(directory: &Path, roots: &Roots) -> Result<Self, LeadsOut> {
        let mut hasher = DefaultHasher::new();
        for file in FILES {
            add(&directory.join(file), roots, &mut hasher)?;
        }
        Ok(Stamp(hasher.finish()))
    }

    /// Of single files.
    pub(super) fn of_files<'a>(
        files: impl IntoIterator<Item = &'a Path>,
        roots: &Roots,
    ) -> Result<Self, LeadsOut> {
        let mut hasher = DefaultHasher::new();
        for file in files {
            add(file, roots, &mut hasher)?;
        }
        Ok(Stamp(hasher.finish()))
    }

    /// Of everything below a folder, or of a file and what lies beside it under its name, such as
    /// the journal of a database.
    pub(super) fn of_all(path: &Path, roots: &Roots) -> Result<Self, LeadsOut> {
        let mut hasher = DefaultHasher::new();
        let mut entries = 0;
        all(path, roots, &mut hasher, &mut entries)?;
        if path.is_file() {
            for ending in ["-wal", "-journal"] {
                let mut beside = path.as_os_str().to_owned();
                beside.push(ending);
                add(Path::new(&beside), roots, &mut hasher)?;
            }
        }
        Ok(Stamp(hasher.finish()))
    }
}

/// The most files that are looked at, and how deep.
const MOST: usize = 200_000;
const DEEPEST: usize = 16;

fn all(
    path: &Path,
    roots: &Roots,
    hasher: &mut DefaultHasher,
    entries: &mut usize,
) -> Result<(), LeadsOut> {
    let mut folders = vec![(path.to_owned(), 0)];
    while let Some((path, depth)) = folders.pop() {
        *entries += 1;
        if *entries > MOST {
            break;
        }
        // Links to folders are not followed, and files that no reader knows are not read: a study
        // may lie beside an environment of Python, or have its data linked.
        let is_link = fs::symlink_metadata(&path).is_ok_and(|found| found.is_symlink());
        if is_link && (path.is_dir() || recognised(&path).is_none()) {
            continue;
        }
        add(&path, roots, hasher)?;
        let is_folder = fs::symlink_metadata(&path).is_ok_and(|found| found.is_dir());
        if is_folder && depth < DEEPEST {
            let inside = fs::read_dir(&path).into_iter().flatten().flatten();
            folders.extend(inside.map(|entry| (entry.path(), depth + 1)));
        }
    }
    Ok(())
}

fn add(path: &Path, roots: &Roots, hasher: &mut DefaultHasher) -> Result<(), LeadsOut> {
    let Ok(mut found) = fs::symlink_metadata(path) else {
        0.hash(hasher);
        return Ok(());
    };
    if found.is_symlink() {
        if roots.leads_out(path) {
            return Err(LeadsOut);
        }
        let Ok(behind) = fs::metadata(path) else { return Ok(()) };
        found = behind;
    }
    (found.ino(), found.len(), found.mtime(), found.mtime_nsec()).hash(hasher);
    Ok(())
}
