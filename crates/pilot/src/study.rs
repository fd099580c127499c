//! A study on disk: its file, its trials, and what became of each.
//!
//! ```text
//! DIR/study.toml               what is asked for; the trials follow from it
//! DIR/looks.txt                the sequential rule, fixed before the first trial ran
//! DIR/stop                     changes when the pilots are asked to stop
//! DIR/trials/NAME~HASH/        a trial; attempts/1, attempts/2, … are its starts
//! ```
//!
//! There is no list of trials besides the study file, and nothing in the folder is written by two
//! processes: a study that is read while pilots work is at worst a moment old.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use wd_import::{Format, Import, Imported, Run, roles};
use wd_lab::Recording;
use wd_store::{Status, write_file};

use crate::PilotError;
use crate::attempt::{Attempt, Outcome};
use crate::collect::recorded;
use crate::declaration::{Declaration, FILE};
use crate::looks::{self, Loss};
use crate::standing::Standing;
use crate::trial::{ProgramTrial, trials};

/// A run counts as shorter than the others of its arm below this share of their steps.
const SHORT: f64 = 0.99;

/// A study of any program.
#[derive(Debug, Clone)]
pub struct ProgramStudy {
    pub(crate) root: PathBuf,
    pub(crate) declaration: Declaration,
    pub(crate) trials: Vec<ProgramTrial>,
}

impl ProgramStudy {
    /// Does this folder hold a study of a program? Studies of `wd sweep` have a `study.json`.
    pub fn is_one(root: &Path) -> bool {
        root.join(FILE).is_file() && !root.join("study.json").exists()
    }

    /// Opens the study in a folder. Nothing is written.
    ///
    /// # Errors
    /// [`PilotError::Declaration`] and its like when the study file is not what it should be.
    pub fn open(root: &Path) -> Result<Self, PilotError> {
        let root = fs::canonicalize(root).map_err(PilotError::io("open", root))?;
        let declaration = Declaration::read(&root)?;
        let trials = trials(&declaration, &root)?;
        Ok(ProgramStudy { root, declaration, trials })
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The study file.
    pub fn declaration(&self) -> &Declaration {
        &self.declaration
    }

    /// The trials, in the order in which they should run.
    pub fn trials(&self) -> &[ProgramTrial] {
        &self.trials
    }

    /// Adds values to axes of the study file, `seed=5..9`, and gives the study as it is then.
    /// Comments and order stay.
    ///
    /// # Errors
    /// [`PilotError::Declaration`] when there is no such axis or a value is there already; the file
    /// is left as it was.
    pub fn add(root: &Path, axes: &[String]) -> Result<Self, PilotError> {
        let path = root.join(FILE);
        let text = fs::read_to_string(&path).map_err(PilotError::io("read", &path))?;
        let refuse = |problem: String, fix: &str| PilotError::Declaration {
            path: path.clone(),
            problem,
            fix: fix.to_owned(),
        };
        let mut document: toml_edit::DocumentMut =
            text.parse().map_err(|error: toml_edit::TomlError| PilotError::Toml {
                path: path.clone(),
                problem: error.to_string(),
            })?;
        for argument in axes {
            let Some((key, values)) = argument.split_once('=') else {
                return Err(refuse(format!("`{argument}` has no `=`"), "write seed=5..9"));
            };
            let key = key.trim().trim_matches('"');
            let table = document.get_mut("axes").and_then(toml_edit::Item::as_table_like_mut);
            let Some(axis) = table.and_then(|table| find_axis(table, key)) else {
                let known: Vec<String> = Declaration::parse(&path, &text)?
                    .axes
                    .into_iter()
                    .map(|(key, _)| key)
                    .collect();
                let problem = format!("`{key}` is no axis; the axes are {}", known.join(", "));
                return Err(refuse(problem, "another axis makes another study"));
            };
            let old = match &*axis {
                toml_edit::Item::Value(toml_edit::Value::Array(values)) => {
                    let values: Vec<String> =
                        values.iter().map(|value| value.to_string().trim().to_owned()).collect();
                    values.join(",")
                }
                toml_edit::Item::Value(toml_edit::Value::String(text)) => text.value().clone(),
                other => other.to_string().trim().to_owned(),
            };
            *axis = toml_edit::value(format!("{old},{}", values.trim()));
        }
        let longer = document.to_string();
        Declaration::parse(&path, &longer)?;
        write_file(&path, longer.as_bytes())?;
        ProgramStudy::open(root)
    }

    /// Fixes the sequential rule before the first trial, or finds it as it was fixed.
    ///
    /// # Errors
    /// [`PilotError::LooksChanged`] when it is another one now.
    pub(crate) fn fix_looks(&self) -> Result<(), PilotError> {
        looks::fix(&self.root, self.declaration.looks.as_ref())
    }

    /// Where a trial stands, and its attempts.
    pub(crate) fn standing(
        &self,
        trial: &ProgramTrial,
    ) -> Result<(Standing, Vec<Attempt>), PilotError> {
        Standing::read(&trial.folder, &self.declaration.limits)
    }

    /// The trial that people call so.
    pub(crate) fn named(&self, name: &str) -> Result<&ProgramTrial, PilotError> {
        let is_it = |trial: &&ProgramTrial| {
            let folder = trial.folder.file_name().unwrap_or_default();
            trial.name == name || folder.to_string_lossy() == name
        };
        let unknown = || PilotError::NoTrial { name: name.to_owned() };
        self.trials.iter().find(is_it).ok_or_else(unknown)
    }

    /// Folders of trials that do not follow from the study file as it is: of values that were taken
    /// out, or of other inputs.
    pub(crate) fn others(&self) -> Result<Vec<PathBuf>, PilotError> {
        let folder = self.root.join("trials");
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let own: BTreeSet<&Path> = self.trials.iter().map(|trial| trial.folder.as_path()).collect();
        let mut others = Vec::new();
        for entry in fs::read_dir(&folder).map_err(PilotError::io("list", &folder))? {
            let path = entry.map_err(PilotError::io("list", &folder))?.path();
            if path.is_dir() && !own.contains(path.as_path()) {
                others.push(path);
            }
        }
        others.sort();
        Ok(others)
    }

    /// What the trials recorded so far: of each the attempt that counts, and of a trial without one
    /// that it has no result.
    ///
    /// # Errors
    /// [`PilotError::Import`] when no trial has recorded a loss.
    pub fn import(&self) -> Result<Import, PilotError> {
        let mut runs = Vec::new();
        let mut imported = Vec::new();
        for trial in &self.trials {
            let (standing, attempts) = self.standing(trial)?;
            let mut run = Run::new(trial.name.clone(), &trial.folder);
            run.settings = trial.settings.iter().cloned().collect();
            let mut status = Status::New;
            if let Standing::Complete { attempt, end } = standing
                && let Some(attempt) = attempts.iter().find(|one| one.number == attempt)
            {
                run.curves = recorded(&attempt.record_path());
                let step = end.step.unwrap_or(0);
                status = match end.outcome {
                    Outcome::Diverged => {
                        Status::Diverged { step, tensor: None, message: end.reason }
                    }
                    _ => Status::Finished { step },
                };
            }
            if self.declaration.seed.is_none() {
                run.settings.insert(Recording::RUN_NUMBER.to_owned(), "0".to_owned());
            }
            runs.push(run);
            imported.push(status);
        }
        let with_curves: Vec<Run> =
            runs.iter().filter(|run| !run.curves.is_empty()).cloned().collect();
        if with_curves.is_empty() {
            return Err(PilotError::Lab(wd_lab::LabError::NothingToAnalyse {
                problem: format!("none of the {} trials has finished", runs.len()),
                fix: "run the study first; the same command continues what is unfinished"
                    .to_owned(),
            }));
        }
        let mut recording =
            roles::assign(Format::JsonLines, &with_curves, &self.declaration.roles())?;
        recording.program = self.program();
        let mut all: Vec<Imported> =
            runs.into_iter().zip(imported).map(|(run, status)| Imported::of(run, status)).collect();
        self.leave_out_short_ones(&mut all, &mut recording);
        recording.notes.extend(self.note_on_looks()?);
        Ok(Import { format: Format::JsonLines, recording, runs: all })
    }

    /// A run that ended well and is shorter than the others of its arm did something else.
    fn leave_out_short_ones(&self, runs: &mut [Imported], recording: &mut Recording) {
        let seed = self.declaration.seed.as_deref().unwrap_or(Recording::RUN_NUMBER);
        let arm = |run: &Imported| {
            let mut rest = run.settings.clone();
            rest.remove(seed);
            rest
        };
        let last = |run: &Imported| match run.status {
            Status::Finished { step } => Some(step),
            _ => None,
        };
        let mut longest = std::collections::BTreeMap::new();
        for run in runs.iter() {
            if let Some(step) = last(run) {
                let most = longest.entry(arm(run)).or_insert(step);
                *most = step.max(*most);
            }
        }
        for run in runs {
            let most = longest.get(&arm(run)).copied().unwrap_or(0);
            if let Some(step) = last(run)
                && (step as f64) < SHORT * most as f64
            {
                recording.notes.push(format!(
                    "{} is left out: it ends at step {step}, and others of its arm at {most}.",
                    run.name
                ));
                run.status = Status::Interrupted { step };
            }
        }
    }

    /// The program that runs, as people name it.
    fn program(&self) -> String {
        const SCRIPTS: [&str; 6] = ["py", "sh", "jl", "R", "lua", "js"];
        let is_script = |word: &&str| {
            let extension = Path::new(word).extension().unwrap_or_default();
            SCRIPTS.iter().any(|script| extension == *script) && !word.contains('=')
        };
        let words: Vec<&str> = self.declaration.command.iter().map(|word| word.written()).collect();
        let chosen = words.iter().copied().find(is_script);
        let word = chosen.or(words.first().copied()).unwrap_or_default();
        Path::new(word).file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// What is known of each trial's deciding loss.
    pub(crate) fn losses(&self) -> Result<Vec<Loss>, PilotError> {
        self.trials.iter().map(|trial| Ok(loss_of(&self.standing(trial)?.0))).collect()
    }

    fn note_on_looks(&self) -> Result<Option<String>, PilotError> {
        let losses = self.losses()?;
        let arms = looks::arms(&self.declaration, &self.trials, |trial| losses[trial]);
        if arms.is_empty() {
            return Ok(None);
        }
        let decided = arms.iter().filter(|arm| arm.is_decided()).count();
        Ok(Some(format!(
            "Seeds were added by a rule that was fixed before the first look ({}): {decided} of {} \
             decided by it. The intervals here are those of a study whose size was fixed; where \
             seeds were added until something was seen, the rule's decision is the one to quote.",
            looks::words(self.declaration.looks.as_ref()),
            wd_page::counted(arms.len(), "comparison"),
        )))
    }
}

/// What is known of a loss from where its trial stands.
pub(crate) fn loss_of(standing: &Standing) -> Loss {
    match standing {
        Standing::Complete { end, .. } => match (end.outcome, end.loss()) {
            (Outcome::Finished, Some(loss)) => Loss::Is(loss),
            _ => Loss::Diverged,
        },
        // It has no number, and will not get one: the rule goes on without it.
        Standing::GivenUp { .. } => Loss::Diverged,
        _ => Loss::Pending,
    }
}

/// An axis of the study file, under its own key or as a part of nested tables.
fn find_axis<'a>(
    table: &'a mut dyn toml_edit::TableLike,
    key: &str,
) -> Option<&'a mut toml_edit::Item> {
    if table.contains_key(key) {
        return table.get_mut(key).filter(|item| !item.is_table_like());
    }
    let (first, rest) = key.split_once('.')?;
    find_axis(table.get_mut(first)?.as_table_like_mut()?, rest)
}
