//! The runs of a study, of which only what has changed is read again.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rayon::prelude::*;
use wd_import::{ReadOptions, RoleOptions, import};
use wd_lab::configuration::{Flat, flatten};
use wd_lab::{Record, Study};
use wd_page::Page;
use wd_page::words::{printable, printable_lines};
use wd_pilot::ProgramStudy;
use wd_store::{RunDirectory, Status};

use super::said::Said;
use super::stamp::{LeadsOut, Stamp};
use crate::index::{Found, Kind, Roots};

/// So long what was seen on disk stands: the trainer writes about once a second.
const STANDS: Duration = Duration::from_millis(400);
/// Logs of other programs are read whole: not again before ten times as long as that took.
const SLOWNESS: u32 = 10;

/// A run, and what is known of it.
pub(crate) struct LiveRun {
    /// Its name for people; also in addresses.
    pub(crate) name: String,
    /// Its directory; absent for runs of other programs.
    pub(crate) directory: Option<PathBuf>,
    /// What is known of it.
    pub(crate) record: Record,
    stamp: Stamp,
}

/// The runs of a study.
#[derive(Default)]
pub(crate) struct Runs {
    /// The title of the study.
    pub(crate) title: String,
    /// Every run.
    pub(crate) runs: Vec<LiveRun>,
    /// The study of a sweep.
    pub(crate) study: Option<Study>,
    /// Where a study of a program stands.
    pub(crate) standing: Option<Page>,
    /// Why nothing, or not everything, can be shown.
    pub(crate) problem: Option<String>,
    /// What is said of λ, by the runs that have ended.
    pub(super) said: Said,
    version: u64,
    files: Stamp,
    looked_at: Option<Instant>,
    /// How long reading took.
    took: Duration,
}

/// What is known of each run, or why nothing is.
type Read = Result<(), String>;

impl Runs {
    /// A number that changes when anything does.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Whether something may change without anybody's doing.
    pub(crate) fn is_under_way(&self) -> bool {
        self.runs.iter().any(|run| matches!(run.record.status, Status::Running { .. }))
    }

    /// The run of this name.
    pub(crate) fn named(&self, name: &str) -> Option<&LiveRun> {
        self.runs.iter().find(|run| run.name == name)
    }

    /// Looks at the disk, unless somebody just did.
    pub(super) fn refresh(&mut self, found: &Found, roots: &Roots) {
        let stands = match found.kind {
            Kind::Foreign | Kind::Program => STANDS.max(SLOWNESS * self.took),
            Kind::Study | Kind::Runs => STANDS,
        };
        if self.looked_at.is_some_and(|at| at.elapsed() < stands) {
            return;
        }
        let begun = Instant::now();
        let outcome = match found.kind {
            Kind::Study => self.read_study(&found.path, roots),
            Kind::Runs => self.read_beside(&found.path, roots),
            Kind::Program => self.read_program(&found.path, roots),
            Kind::Foreign => self.read_foreign(&found.path, roots),
        };
        self.problem = outcome.err().map(|problem| printable_lines(&problem));
        self.took = begun.elapsed();
        self.looked_at = Some(Instant::now());
        if self.title.is_empty() {
            self.title.clone_from(&found.name);
        }
        let mut hasher = DefaultHasher::new();
        (self.files.0, &self.problem, &self.title).hash(&mut hasher);
        for run in &self.runs {
            (&run.name, run.stamp.0, format!("{:?}", run.record.status)).hash(&mut hasher);
        }
        self.version = hasher.finish();
    }

    fn read_study(&mut self, root: &Path, roots: &Roots) -> Read {
        let files = [root.join("study.json"), root.join("base.toml")];
        let files = Stamp::of_files(files.iter().map(PathBuf::as_path), roots);
        let files = files.map_err(|LeadsOut| leads_out(root))?;
        if self.study.is_none() || files != self.files {
            let study = Study::open(root).map_err(|error| error.to_string())?;
            self.title = printable(study.title());
            self.study = Some(study);
            self.files = files;
        }
        let Some(study) = &self.study else { return Ok(()) };
        let wanted = study.trials().iter().map(|trial| {
            let read = || study.record(trial).map_err(|error| error.to_string());
            (trial.name.clone(), trial.directory.clone(), read)
        });
        let wanted: Vec<_> = wanted.collect();
        let mut problems = Vec::new();
        self.runs = renewed(std::mem::take(&mut self.runs), wanted, roots, &mut problems);
        first_of(problems)
    }

    fn read_beside(&mut self, folder: &Path, roots: &Roots) -> Read {
        let mut folders = match RunDirectory::is_one(folder) {
            true => vec![folder.to_owned()],
            // The kind of the entry itself: links are not followed.
            false => {
                let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
                let folders = entries.filter(|entry| entry.file_type().is_ok_and(|k| k.is_dir()));
                let folders = folders.map(|entry| entry.path());
                folders.filter(|path| RunDirectory::is_one(path)).collect()
            }
        };
        folders.sort();
        if folders.is_empty() {
            self.runs.clear();
            return Err("There is no run in this folder any more.".to_owned());
        }
        let wanted = folders.into_iter().map(|path| {
            let name = printable(&path.file_name().unwrap_or_default().to_string_lossy());
            let directory = path.clone();
            let read = move || read_alone(&path);
            (name, directory, read)
        });
        let wanted: Vec<_> = wanted.collect();
        let mut problems = Vec::new();
        self.runs = renewed(std::mem::take(&mut self.runs), wanted, roots, &mut problems);
        first_of(problems)
    }

    fn read_program(&mut self, root: &Path, roots: &Roots) -> Read {
        let files = Stamp::of_all(root, roots).map_err(|LeadsOut| leads_out(root))?;
        let study = ProgramStudy::open(root).map_err(|error| error.to_string())?;
        self.title = printable(&study.declaration().title);
        // A pilot's life shows in no file's size.
        self.standing = study.status().map(|status| status.page()).ok();
        if files == self.files {
            return Ok(());
        }
        let import = study.import().map_err(|error| error.to_string())?;
        self.take(&import);
        self.files = files;
        Ok(())
    }

    fn read_foreign(&mut self, path: &Path, roots: &Roots) -> Read {
        let files = Stamp::of_all(path, roots).map_err(|LeadsOut| leads_out(path))?;
        if files == self.files {
            return self.problem.clone().map_or(Ok(()), Err);
        }
        self.files = files;
        let (reading, roles) = (ReadOptions::default(), RoleOptions::default());
        let read = import(&[path.to_owned()], &reading, &roles).map_err(|error| {
            format!(
                "{error}. `wd report {}` has options that say what names mean.",
                wd_page::words::quoted(&path.display().to_string())
            )
        })?;
        self.take(&read);
        Ok(())
    }

    fn take(&mut self, import: &wd_import::Import) {
        let records = import.records().into_iter().zip(&import.runs);
        let runs = records.map(|(record, run)| LiveRun {
            name: printable(&run.name),
            directory: None,
            record,
            stamp: Stamp::default(),
        });
        self.runs = runs.collect();
    }
}

/// A run that no study made is described by its `config.toml`.
fn read_alone(path: &Path) -> Result<Record, String> {
    let settings = RunDirectory::open(path)
        .and_then(|run| run.read_config())
        .map_or_else(|_| Ok(Flat::new()), |text| flatten(&text));
    let record = settings.and_then(|settings| Record::read(path, settings));
    record.map_err(|error| error.to_string())
}

/// The runs that are wanted: those that have not changed as they were, the others read.
fn renewed<R: Fn() -> Result<Record, String> + Sync + Send>(
    known: Vec<LiveRun>,
    wanted: Vec<(String, PathBuf, R)>,
    roots: &Roots,
    problems: &mut Vec<String>,
) -> Vec<LiveRun> {
    let mut known: std::collections::HashMap<PathBuf, LiveRun> =
        known.into_iter().filter_map(|run| Some((run.directory.clone()?, run))).collect();
    let wanted: Vec<_> = wanted
        .into_iter()
        .map(|(name, directory, read)| (known.remove(&directory), name, directory, read))
        .collect();
    let read: Vec<Result<LiveRun, String>> = wanted
        .into_par_iter()
        .map(|(known, name, directory, read)| {
            let stamp = Stamp::of_run(&directory, roots);
            let stamp = stamp.map_err(|LeadsOut| leads_out(&directory))?;
            if let Some(known) = known.filter(|known| known.stamp == stamp)
                && still_so(&known.record.status, &directory)
            {
                return Ok(known);
            }
            let record = read()?;
            Ok(LiveRun { name, directory: Some(directory), record, stamp })
        })
        .collect();
    let mut runs = Vec::with_capacity(read.len());
    for run in read {
        match run {
            Ok(run) => runs.push(run),
            Err(problem) => problems.push(problem),
        }
    }
    runs
}

/// A process that is killed changes no file: its lock says that it is gone.
fn still_so(status: &Status, directory: &Path) -> bool {
    !matches!(status, Status::Running { .. })
        || RunDirectory::open(directory).is_ok_and(|run| run.is_locked().unwrap_or(false))
}

fn leads_out(path: &Path) -> String {
    format!(
        "{} has a link that leads out of the folders that are served: nothing behind it is read.",
        path.display()
    )
}

fn first_of(problems: Vec<String>) -> Read {
    match problems.as_slice() {
        [] => Ok(()),
        [one] => Err(one.clone()),
        [first, others @ ..] => Err(format!("{first} (and {} more like it)", others.len())),
    }
}
