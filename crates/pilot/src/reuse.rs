//! Results that another study has already: the same trial is not trained twice.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use wd_import::save::{read_curves, write_curves};
use wd_page::{Content, Page, Section, counted};

use crate::PilotError;
use crate::attempt::{Attempt, that_counts};
use crate::owner::Owner;
use crate::standing::Standing;
use crate::study::ProgramStudy;

/// Results that were taken over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reused {
    /// The trials, each with the attempt of the other study that its result is from.
    pub trials: Vec<(String, PathBuf)>,
    /// Trials of this study that had their result before.
    pub before: usize,
    /// Trials that still have none.
    pub left: usize,
}

impl ProgramStudy {
    /// Takes over the results of trials with the same identity that another study has. Each becomes
    /// an attempt of its own: the curves, what the program said, and how it ended; the files that it
    /// wrote stay where they are. A result that is here already stays.
    ///
    /// # Errors
    /// [`PilotError::OtherMetrics`] when the other study takes other curves for the losses;
    /// [`PilotError::OtherFile`] when a file that the command names differs; [`PilotError::Io`].
    pub fn reuse(&self, other: &ProgramStudy) -> Result<Reused, PilotError> {
        if self.declaration.metrics != other.declaration.metrics {
            return Err(PilotError::OtherMetrics { path: other.root.clone() });
        }
        self.check_files(other)?;
        let mut reused = Reused { trials: Vec::new(), before: 0, left: 0 };
        for trial in &self.trials {
            let (standing, own) = self.standing(trial)?;
            if let Standing::Complete { .. } = standing {
                reused.before += 1;
                continue;
            }
            let same = other.trials.iter().find(|same| same.identity == trial.identity);
            let theirs = match same {
                Some(same) => Attempt::all(&same.folder)?,
                None => Vec::new(),
            };
            let next = own.last().map_or(1, |last| last.number + 1);
            match that_counts(&theirs) {
                Some((source, mut end)) => {
                    end.reused_from = Some(source.folder.clone());
                    end.resumed_from = None;
                    // Another pilot may have begun it meanwhile: then it is its trial.
                    let claimed = Attempt::claim(&trial.folder, next, &Owner::here())?;
                    let Some(attempt) = claimed else { continue };
                    copy(source, &attempt)?;
                    attempt.write_end(&end)?;
                    reused.trials.push((trial.name.clone(), source.folder.clone()));
                }
                None => reused.left += 1,
            }
        }
        Ok(reused)
    }

    /// Files beside the study file, which the command names by a placeholder, have the same name in
    /// every study: only their contents tell whether they are the same.
    fn check_files(&self, other: &ProgramStudy) -> Result<(), PilotError> {
        for word in &self.declaration.command {
            let Some((_, name)) = word.written().split_once("{home}/") else { continue };
            let [own, theirs] = [&self.root, &other.root].map(|root| root.join(name));
            if !own.is_file() {
                continue;
            }
            let read = |path: &Path| fs::read(path).map_err(PilotError::io("read", path));
            if read(&own)? != read(&theirs)? {
                return Err(PilotError::OtherFile { own, theirs });
            }
        }
        Ok(())
    }
}

/// What a result consists of.
fn copy(source: &Attempt, attempt: &Attempt) -> Result<(), PilotError> {
    if let Ok(curves) = read_curves(&source.record_path()) {
        write_curves(&attempt.record_path(), &curves)?;
    }
    let log = source.log_path();
    if log.is_file() {
        fs::copy(&log, attempt.log_path()).map_err(PilotError::io("copy", &log))?;
    }
    Ok(())
}

impl Reused {
    /// The page.
    pub fn page(&self, other: &Path) -> Page {
        let lead = match self.trials.len() {
            0 => format!("{} has no result that is missing here.", other.display()),
            many => format!(
                "{} taken over from {}; {} left to run.",
                counted(many, "result"),
                other.display(),
                counted(self.left, "trial")
            ),
        };
        let names = self.trials.iter().map(|(name, _)| Content::Paragraph(name.clone()));
        let contents: Vec<Content> = names.collect();
        let sections = match contents.is_empty() {
            true => Vec::new(),
            false => vec![Section::full("reused", "Results of another study", contents)],
        };
        Page { kind: "Results taken over", lead, sections, ..Page::default() }
    }
}
