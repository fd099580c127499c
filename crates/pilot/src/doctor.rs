//! Does the folder keep the promises that a study rests on, and can its program be started?

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use serde::Serialize;
use wd_page::{Content, Page, Section, Table, number};

use crate::PilotError;
use crate::declaration::{FILE, of_settings};
use crate::study::ProgramStudy;

/// Threads that try to make the same folder at once, and how often.
const RIVALS: usize = 8;
const ROUNDS: usize = 50;

/// One check.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    /// What was tried.
    pub what: &'static str,
    /// Is it as it should be?
    pub is_well: bool,
    /// What was seen.
    pub seen: String,
    /// What rests on it.
    pub matters: &'static str,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Health {
    /// The folder.
    pub folder: PathBuf,
    /// Each check.
    pub checks: Vec<Check>,
}

impl Health {
    /// Is everything as it should be?
    pub fn is_well(&self) -> bool {
        self.checks.iter().all(|check| check.is_well)
    }

    /// The page.
    pub fn page(&self) -> Page {
        let mut table = Table::new(&["what", "well?", "what was seen"], 3);
        for check in &self.checks {
            let well = if check.is_well { "yes" } else { "NO" };
            table.rows.push(vec![check.what.to_owned(), well.to_owned(), check.seen.clone()]);
        }
        let mut contents = vec![Content::Table(table)];
        for check in self.checks.iter().filter(|check| !check.is_well) {
            let (reason, fix) =
                (format!("{}: {}", check.what, check.seen), check.matters.to_owned());
            contents.push(Content::Warning { reason, fix });
        }
        let lead = match self.is_well() {
            true => format!("{} keeps what a study rests on.", self.folder.display()),
            false => format!("{} does not keep what a study rests on.", self.folder.display()),
        };
        Page {
            kind: "A folder examined",
            lead,
            sections: vec![Section::terminal(contents)],
            ..Page::default()
        }
    }
}

/// Examines a folder, and the study in it where there is one.
///
/// # Errors
/// [`PilotError::Io`] when the folder is not there.
pub fn examine(root: &Path) -> Result<Health, PilotError> {
    let root = fs::canonicalize(root).map_err(PilotError::io("open", root))?;
    let place = root.join(format!(".doctor-{}", std::process::id()));
    let mut checks = Vec::new();
    match fs::create_dir(&place) {
        Err(error) => checks.push(Check {
            what: "the folder can be written",
            is_well: false,
            seen: error.to_string(),
            matters: "nothing can be run here; a report can still be read",
        }),
        Ok(()) => {
            checks.push(exclusive(&place));
            checks.push(replacing(&place));
            checks.push(locking(&place));
            checks.push(speed(&place));
            fs::remove_dir_all(&place).map_err(PilotError::io("remove", &place))?;
        }
    }
    if root.join(FILE).is_file() {
        checks.extend(program(&root));
    }
    Ok(Health { folder: root, checks })
}

/// Of several that make the same folder at once one succeeds.
fn exclusive(place: &Path) -> Check {
    let barrier = Barrier::new(RIVALS);
    let made: Vec<Vec<bool>> = thread::scope(|scope| {
        let rivals: Vec<_> = (0..RIVALS)
            .map(|_| {
                scope.spawn(|| {
                    let try_one = |round: usize| {
                        barrier.wait();
                        fs::create_dir(place.join(format!("claim-{round}"))).is_ok()
                    };
                    (0..ROUNDS).map(try_one).collect()
                })
            })
            .collect();
        rivals.into_iter().map(|rival| rival.join().unwrap_or_default()).collect()
    });
    let winners =
        |round: usize| made.iter().filter(|won| won.get(round).copied().unwrap_or(false)).count();
    let wrong = (0..ROUNDS).filter(|round| winners(*round) != 1).count();
    Check {
        what: "mkdir excludes",
        is_well: wrong == 0,
        seen: match wrong {
            0 => format!("{RIVALS} tried at once, {ROUNDS} times: one made the folder each time"),
            _ => format!("in {wrong} of {ROUNDS} rounds not exactly one of {RIVALS} made it"),
        },
        matters: "an attempt belongs to whoever made its folder: put the study on another disk",
    }
}

/// A rename replaces at once, and what was written is read.
fn replacing(place: &Path) -> Check {
    let path = place.join("whole");
    let outcome = (0..20).try_for_each(|round| {
        let text = format!("{round}").repeat(1000);
        wd_store::write_file(&path, text.as_bytes()).map_err(|error| error.to_string())?;
        match fs::read_to_string(&path) {
            Ok(read) if read == text => Ok(()),
            Ok(_) => Err("an old content was read after the new one was in place".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    });
    Check {
        what: "rename replaces",
        is_well: outcome.is_ok(),
        seen: outcome.err().unwrap_or_else(|| "20 files replaced, each read whole".to_owned()),
        matters: "how an attempt ended is written aside and renamed: put the study on another disk",
    }
}

/// Locks exclude; nothing here rests on it.
fn locking(place: &Path) -> Check {
    let path = place.join("lock");
    let open = || OpenOptions::new().create(true).append(true).open(&path);
    let excludes = (|| {
        let (first, second) = (open()?, open()?);
        first.lock()?;
        let is_free = second.try_lock().is_ok();
        Ok::<bool, std::io::Error>(!is_free)
    })();
    let seen = match excludes {
        Ok(true) => "they exclude on this machine".to_owned(),
        Ok(false) => "they do not exclude; studies of programs do not rest on them".to_owned(),
        Err(error) => format!("{error}; studies of programs do not rest on them"),
    };
    Check { what: "locks", is_well: true, seen, matters: "" }
}

/// How long a small file takes to reach the disk.
fn speed(place: &Path) -> Check {
    const FILES: u32 = 20;
    let started = Instant::now();
    let outcome = (0..FILES).try_for_each(|number| {
        let mut file = File::create(place.join(format!("small-{number}")))?;
        file.write_all(b"{}")?;
        file.sync_all()
    });
    let each = started.elapsed().as_secs_f64() / f64::from(FILES);
    Check {
        what: "small files",
        is_well: outcome.is_ok(),
        seen: match outcome {
            Ok(()) => format!("{} each until they are on the disk", number::duration(each)),
            Err(error) => error.to_string(),
        },
        matters: "results cannot be kept: is the disk full?",
    }
}

/// The study file is right, and its program is there.
fn program(root: &Path) -> Vec<Check> {
    let matters = "the study cannot be run as it is";
    let study = match ProgramStudy::open(root) {
        Ok(study) => study,
        Err(error) => {
            let seen = error.to_string();
            return vec![Check { what: "the study file", is_well: false, seen, matters }];
        }
    };
    let seen = wd_page::counted(study.trials.len(), "trial");
    let file = Check { what: "the study file", is_well: true, seen, matters };
    let Some(trial) = study.trials.first() else { return vec![file] };
    let mut values = of_settings(&study.declaration, &trial.settings);
    values.insert("home".to_owned(), root.display().to_string());
    let words: Vec<String> =
        study.declaration.command.iter().map(|word| word.fill(&values)).collect();
    let word = words.first().cloned().unwrap_or_default();
    let found = find_program(&word);
    let program = Check {
        what: "the program",
        is_well: found.is_some(),
        seen: match found {
            Some(path) => path.display().to_string(),
            None => format!("`{word}` is not found, or may not be executed"),
        },
        matters,
    };
    let absent = files_at_home(&study, &values);
    let files = Check {
        what: "the files of the command",
        is_well: absent.is_empty(),
        seen: match absent.is_empty() {
            true => "those beside the study file are there".to_owned(),
            false => format!("not there: {}", absent.join(", ")),
        },
        matters: "the command names them: put them beside the study file, or mend its command",
    };
    vec![file, program, files]
}

/// The files beside the study file that its command names and that are not there: whatever the
/// first trial writes lies in its own folder.
fn files_at_home(study: &ProgramStudy, values: &BTreeMap<String, String>) -> Vec<String> {
    let at_home = study.declaration.command.iter().filter_map(|word| {
        let (before, _) =
            word.written().split_once("{home}/").filter(|(before, _)| !before.contains('{'))?;
        let filled = word.fill(values);
        Some(filled.get(before.len()..)?.to_owned())
    });
    at_home.filter(|path| !Path::new(path).exists()).collect()
}

/// The file that a first word starts.
fn find_program(word: &str) -> Option<PathBuf> {
    let is_one = |path: &Path| {
        use std::os::unix::fs::PermissionsExt;
        fs::metadata(path).is_ok_and(|s| s.is_file() && s.permissions().mode() & 0o111 != 0)
    };
    if word.contains('/') {
        return Some(PathBuf::from(word)).filter(|path| is_one(path));
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(word)).find(|path| is_one(path))
}
