//! Looks through the folders: studies of sweeps, studies of any program, runs side by side, and
//! what other programs logged.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use wd_import::{Format, recognised};
use wd_page::words::printable;
use wd_pilot::ProgramStudy;
use wd_store::RunDirectory;

use super::inside::Roots;

/// How deep folders are looked into.
const DEEPEST: usize = 8;
/// The most folders and files that are looked at.
const MOST_ENTRIES: usize = 300_000;

/// A study that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Its name in addresses.
    pub(crate) id: String,
    /// Its name for people: where it lies below the folder that was named.
    pub(crate) name: String,
    /// Its folder or file.
    pub(crate) path: PathBuf,
    /// What it is.
    pub(crate) kind: Kind,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A study of `wd sweep`, `wd reproduce` or `wd import`.
    Study,
    /// A study of `wd study`.
    Program,
    /// Run directories beside each other, or one alone.
    Runs,
    /// What another program logged.
    Foreign,
}

impl Kind {
    /// In a few words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Kind::Study => "study",
            Kind::Program => "study of a program",
            Kind::Runs => "runs",
            Kind::Foreign => "runs of another program",
        }
    }
}

/// Every study below the folders, in the order of their names.
pub(super) fn look(roots: &Roots) -> Vec<Found> {
    let mut search = Search { found: Vec::new(), entries: 0 };
    for (_, root) in &roots.paths {
        let before = search.found.len();
        search.folder(root, 0);
        let is_nothing = search.found.len() == before;
        // Somebody who names a file, or a folder of tables, means it.
        if is_nothing && (root.is_file() || has_files(root)) {
            search.found.push((root.clone(), Kind::Foreign));
        }
    }
    let mut taken = BTreeSet::new();
    let mut all: Vec<Found> = Vec::new();
    for (path, kind) in search.found {
        if !taken.insert(path.clone()) {
            continue;
        }
        let name = name_below(roots, &path);
        all.push(Found { id: id_of(&name, &path), name, path, kind });
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

struct Search {
    found: Vec<(PathBuf, Kind)>,
    entries: usize,
}

impl Search {
    /// Looks into a folder; whether something of this program, or of another, is there.
    fn folder(&mut self, path: &Path, depth: usize) {
        if path.join("study.json").is_file() {
            self.found.push((path.to_owned(), Kind::Study));
            return;
        }
        if ProgramStudy::is_one(path) {
            self.found.push((path.to_owned(), Kind::Program));
            return;
        }
        if RunDirectory::is_one(path) {
            // A run that was named itself, or lies beside nothing of its kind.
            self.found.push((path.to_owned(), Kind::Runs));
            return;
        }
        let Ok(entries) = fs::read_dir(path) else { return };
        let (mut folders, mut files) = (Vec::new(), Vec::new());
        for entry in entries.flatten() {
            self.entries += 1;
            if self.entries > MOST_ENTRIES {
                return;
            }
            // The kind of the entry itself: links are not followed.
            let Ok(kind) = entry.file_type() else { continue };
            let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
            if kind.is_dir() && !is_hidden {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
        folders.sort();
        files.sort();
        let (runs, others): (Vec<PathBuf>, Vec<PathBuf>) =
            folders.into_iter().partition(|folder| RunDirectory::is_one(folder));
        if !runs.is_empty() {
            self.found.push((path.to_owned(), Kind::Runs));
        }
        // A folder whose files, or whose folders' files, one other program logged is a study of it.
        let logged: Vec<&PathBuf> = files.iter().filter(|file| logged(file).is_some()).collect();
        let of_files = logged.iter().filter_map(|file| self::logged(file));
        let of_folders: Vec<BTreeSet<Format>> =
            others.iter().map(|folder| logs_of(folder)).collect();
        // Of the folder that was named only where it holds nothing else: studies may lie in it.
        let is_all = !of_folders.is_empty() && of_folders.iter().all(|logs| !logs.is_empty());
        let is_whole = depth > 0 || (runs.is_empty() && is_all);
        let programs: BTreeSet<Format> = of_files.chain(of_folders.into_iter().flatten()).collect();
        if is_whole && programs.len() == 1 {
            self.found.push((path.to_owned(), Kind::Foreign));
            return;
        }
        self.found.extend(logged.into_iter().map(|file| (file.clone(), Kind::Foreign)));
        if depth < DEEPEST {
            others.iter().for_each(|folder| self.folder(folder, depth + 1));
        }
    }
}

/// The program that logged this file, if only one that trains writes such files.
fn logged(file: &Path) -> Option<Format> {
    recognised(file).filter(|format| !format.is_general())
}

/// The programs that logged the files in a folder.
fn logs_of(folder: &Path) -> BTreeSet<Format> {
    // A study of this program may have such a log beside its runs.
    let is_own = folder.join("study.json").is_file() || ProgramStudy::is_one(folder);
    if is_own || RunDirectory::is_one(folder) {
        return BTreeSet::new();
    }
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    files.filter_map(|entry| logged(&entry.path())).collect()
}

fn has_files(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.take(1000).any(|entry| recognised(&entry.path()).is_some())
}

/// Where it lies below the folders that were named.
fn name_below(roots: &Roots, path: &Path) -> String {
    let several = roots.paths.len() > 1;
    let below = roots.paths.iter().find_map(|(_, root)| {
        let below = path.strip_prefix(root).ok()?;
        let base = root.file_name().unwrap_or(root.as_os_str()).to_string_lossy();
        Some(match (below.as_os_str().is_empty(), several) {
            (true, _) => base.into_owned(),
            (false, true) => format!("{base}/{}", below.display()),
            (false, false) => below.display().to_string(),
        })
    });
    printable(&below.unwrap_or_else(|| path.display().to_string()))
}

/// Its name in addresses: readable, and no other's.
fn id_of(name: &str, path: &Path) -> String {
    let plain: String = name
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' })
        .take(40)
        .collect();
    let hash = blake3::hash(path.as_os_str().as_encoded_bytes()).to_hex();
    format!("{}-{}", plain.trim_matches('-'), &hash[..6])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn studies_runs_and_logs_are_found_and_links_are_not_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        let make = |path: &str, text: &[u8]| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, text).expect("a file");
        };
        make("sweep/study.json", b"{}");
        make("sweep/trials/a/plan.json", b"{}");
        make("alone/one/plan.json", b"{}");
        make("alone/two/plan.json", b"{}");
        make("boards/x/events.out.tfevents.1.host", b"");
        make("notes/readme.txt", b"hello");
        make("mixed/board/events.out.tfevents.1.host", b"");
        make("mixed/offline/run-1.wandb", b"");
        let elsewhere = tempfile::tempdir().expect("a folder");
        fs::create_dir(elsewhere.path().join("secret")).expect("a folder");
        fs::write(elsewhere.path().join("secret/plan.json"), "{}").expect("a file");
        std::os::unix::fs::symlink(elsewhere.path(), root.join("link")).expect("a link");
        let roots = Roots::of(&[root.to_owned()]).expect("it is there");
        let found = look(&roots);
        let seen: Vec<(&str, Kind)> =
            found.iter().map(|one| (one.name.as_str(), one.kind)).collect();
        let expected = [
            ("alone", Kind::Runs),
            ("boards", Kind::Foreign),
            ("mixed/board", Kind::Foreign),
            ("mixed/offline", Kind::Foreign),
            ("sweep", Kind::Study),
        ];
        assert_eq!(seen, expected);
        // A folder of runs that is named itself is one study, as for `wd report`.
        make("boards/y/events.out.tfevents.1.host", b"");
        let roots = Roots::of(&[root.join("boards")]).expect("it is there");
        let found = look(&roots);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].name.as_str(), found[0].kind), ("boards", Kind::Foreign));
    }
}
