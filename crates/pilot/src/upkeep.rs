//! What is done to a study besides running it: another chance, a stop, room on the disk.

use std::fs;
use std::path::Path;

use serde::Serialize;
use wd_page::{Content, Page, Section, number};
use wd_store::write_file;

use crate::PilotError;
use crate::attempt::that_counts;
use crate::life::{Life, Watcher};
use crate::standing::Standing;
use crate::study::ProgramStudy;

/// Trials that get another chance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Retried {
    /// Their names.
    pub trials: Vec<String>,
}

/// Folders that count for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Collected {
    /// Their paths.
    pub folders: Vec<std::path::PathBuf>,
    /// Their size.
    pub bytes: u64,
    /// Whether they were removed, or only listed.
    pub removed: bool,
}

impl ProgramStudy {
    /// Gives trials that failed as often as they may another chance: those that are named, or all.
    ///
    /// # Errors
    /// [`PilotError::NoTrial`], [`PilotError::Io`].
    pub fn retry(&self, names: &[String]) -> Result<Retried, PilotError> {
        let wanted = match names {
            [] => self.trials.iter().collect(),
            names => names.iter().map(|name| self.named(name)).collect::<Result<Vec<_>, _>>()?,
        };
        let mut retried = Retried { trials: Vec::new() };
        for trial in wanted {
            let (standing, attempts) = self.standing(trial)?;
            if let Standing::GivenUp { .. } = standing {
                for attempt in &attempts {
                    attempt.retry()?;
                }
                retried.trials.push(trial.name.clone());
            }
        }
        Ok(retried)
    }

    /// Asks all pilots that work now to stop. Those that start later work on.
    ///
    /// # Errors
    /// [`PilotError::Store`] when the folder cannot be written.
    pub fn stop(&self) -> Result<(), PilotError> {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let word = format!("{}-{}", std::process::id(), now.unwrap_or_default().as_nanos());
        Ok(write_file(&self.root.join(STOP), word.as_bytes())?)
    }

    /// The attempts that count for nothing, since their trial has its result in another one;
    /// `with_others` also the trials that do not follow from the study file any more. An attempt
    /// that somebody works on is left alone. `remove` removes them.
    ///
    /// # Errors
    /// [`PilotError::Io`].
    pub fn collect_garbage(
        &self,
        with_others: bool,
        remove: bool,
    ) -> Result<Collected, PilotError> {
        let mut folders = Vec::new();
        for trial in &self.trials {
            let (_, attempts) = self.standing(trial)?;
            let Some((counts, _)) = that_counts(&attempts) else { continue };
            let mut watcher = Watcher::default();
            for attempt in attempts.iter().filter(|attempt| attempt.number != counts.number) {
                let period = self.declaration.limits.heartbeat;
                if attempt.end().is_some() || watcher.look(attempt, period) == Life::Gone {
                    folders.push(attempt.folder.clone());
                }
            }
        }
        if with_others {
            folders.extend(self.others()?);
        }
        let bytes = folders.iter().map(|folder| size(folder)).sum();
        if remove {
            for folder in &folders {
                fs::remove_dir_all(folder).map_err(PilotError::io("remove", folder))?;
            }
        }
        Ok(Collected { folders, bytes, removed: remove })
    }
}

impl Retried {
    /// The page.
    pub fn page(&self) -> Page {
        let lead = match self.trials.len() {
            0 => "No trial has failed as often as it may.".to_owned(),
            many => format!("{} may be tried again.", wd_page::counted(many, "trial")),
        };
        let names = self.trials.iter().cloned().map(Content::Paragraph).collect();
        page("Another chance", lead, names)
    }
}

impl Collected {
    /// The page.
    pub fn page(&self) -> Page {
        let what = wd_page::counted(self.folders.len(), "folder");
        let size = number::bytes(self.bytes);
        let lead = match (self.folders.is_empty(), self.removed) {
            (true, _) => "Nothing here counts for nothing.".to_owned(),
            (false, true) => format!("{what} removed: {size}."),
            (false, false) => format!("{what} may go: {size}."),
        };
        let folders =
            self.folders.iter().map(|folder| Content::Paragraph(folder.display().to_string()));
        page("Garbage", lead, folders.collect())
    }
}

fn page(kind: &'static str, lead: String, contents: Vec<Content>) -> Page {
    let sections = match contents.is_empty() {
        true => Vec::new(),
        false => vec![Section::terminal(contents)],
    };
    Page { kind, lead, sections, ..Page::default() }
}

/// The name of the file that changes when pilots are to stop.
const STOP: &str = "stop";

/// What that file says; nothing where there is none.
pub(crate) fn stop_word(root: &Path) -> Vec<u8> {
    fs::read(root.join(STOP)).unwrap_or_default()
}

/// The bytes below a folder.
fn size(folder: &Path) -> u64 {
    let mut total = 0;
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(status) if status.is_dir() => waiting.push(entry.path()),
                Ok(status) => total += status.len(),
                Err(_) => {}
            }
        }
    }
    total
}
