//! A study: a base configuration, grids over it, and a folder for each trial.
//!
//! ```text
//! OUT/study.json            title, grids, trials
//! OUT/base.toml             the base configuration
//! OUT/trials/NAME/          run directory of a trial, with trial.toml = base + settings
//! ```
//!
//! The same command on the same folder continues what is there; another grid adds trials to it. A
//! trial that a new grid shares with an old one (the same configuration, whatever axes led to it)
//! is not made twice.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wd_store::{FolderLock, write_file};

use crate::LabError;
use crate::configuration::{Flat, changes, flatten};
use crate::grid::Grid;
use crate::naming::{folder_name, is_a_folder, names};
use crate::record::{Record, Recording};
use crate::setting::{Setting, apply, parse_value};

/// Version of `study.json`. In format 1 the name of a trial was made of all of its settings; such
/// studies continue.
const FORMAT: u32 = 2;

/// The evaluations after the last step: studies that differ in these alone are the same.
const EVALUATE_KEY: &str = "run.evaluate";

/// One run of a study.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// Short, readable name; also the name of its folder. Once given it stays.
    pub name: String,
    /// What it changes in the base configuration.
    pub settings: Vec<Setting>,
    /// Its run directory.
    pub directory: PathBuf,
    /// Its whole configuration, as TOML.
    pub configuration: String,
}

impl Trial {
    /// Where its configuration is written.
    pub fn configuration_path(&self) -> PathBuf {
        self.directory.join("trial.toml")
    }

    /// Where the launcher puts what its process says on standard error.
    pub fn log_path(&self) -> PathBuf {
        self.directory.join("log.txt")
    }
}

/// A base configuration and the trials made from it.
#[derive(Debug, Clone)]
pub struct Study {
    root: PathBuf,
    title: String,
    base: String,
    grids: Vec<Vec<String>>,
    trials: Vec<Trial>,
    recording: Option<Arc<Recording>>,
}

/// `study.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StudyFile {
    format: u32,
    title: String,
    /// BLAKE3 of `base.toml`.
    base_hash: String,
    /// The axes of each grid that was added.
    grids: Vec<Vec<String>>,
    /// Name → settings, in the order in which the trials were added.
    trials: Vec<TrialEntry>,
    /// What the names of another program mean, in a study of its runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recording: Option<Recording>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrialEntry {
    name: String,
    settings: Vec<String>,
}

impl Study {
    /// Opens the study in `root`, or starts one there; nothing is written before [`Study::save`].
    ///
    /// # Errors
    /// [`LabError::BaseChanged`] when `root` holds a study of another base configuration (comments,
    /// order and the spelling of numbers may differ), [`LabError::Toml`] when `base` is not TOML,
    /// and those of [`Study::open`].
    pub fn open_or_create(root: &Path, title: &str, base: &str) -> Result<Self, LabError> {
        let wanted = flatten(base)?;
        if !root.join("study.json").exists() {
            return Ok(Study {
                root: root.to_owned(),
                title: title.to_owned(),
                base: base.to_owned(),
                grids: Vec::new(),
                trials: Vec::new(),
                recording: None,
            });
        }
        let study = Study::open(root)?;
        if study.recording.is_some() {
            return Err(LabError::Study {
                path: root.join("study.json"),
                problem: "it is about runs of another program; choose another folder".to_owned(),
            });
        }
        // What is evaluated after the last step changes no run.
        let trained = |mut flat: Flat| {
            flat.remove(EVALUATE_KEY);
            flat
        };
        let changes = changes(&trained(flatten(&study.base)?), &trained(wanted));
        if changes.is_empty() {
            Ok(study)
        } else {
            Err(LabError::BaseChanged { root: root.to_owned(), changes })
        }
    }

    /// Opens the study in `root`.
    ///
    /// # Errors
    /// [`LabError::Io`] when a file cannot be read, [`LabError::Study`] when `study.json` is
    /// damaged, of a newer format, or not about the `base.toml` beside it.
    pub fn open(root: &Path) -> Result<Self, LabError> {
        let path = root.join("study.json");
        let damaged = |problem: String| LabError::Study { path: path.clone(), problem };
        let text = fs::read_to_string(&path).map_err(LabError::io("cannot read", &path))?;
        let file: StudyFile =
            serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        if !(1..=FORMAT).contains(&file.format) {
            return Err(damaged(format!(
                "format {} is not known to this version (it reads formats up to {FORMAT})",
                file.format
            )));
        }
        let base_path = root.join("base.toml");
        let base =
            fs::read_to_string(&base_path).map_err(LabError::io("cannot read", &base_path))?;
        if hash(&base) != file.base_hash {
            return Err(damaged(
                "base.toml has been changed since the study was made; restore it".to_owned(),
            ));
        }
        let mut study = Study {
            root: root.to_owned(),
            title: file.title,
            base,
            grids: file.grids,
            trials: Vec::new(),
            recording: file.recording.map(Arc::new),
        };
        for entry in file.trials {
            let settings: Vec<Setting> = entry
                .settings
                .iter()
                .map(|setting| setting.parse())
                .collect::<Result<_, LabError>>()?;
            if !is_a_folder(&entry.name) || study.trials.iter().any(|t| t.name == entry.name) {
                return Err(damaged(format!(
                    "`{}` is not the name of one trial's folder",
                    entry.name
                )));
            }
            study.trials.push(Trial {
                directory: study.directory_of(&entry.name),
                configuration: apply(&study.base, &settings)?,
                name: entry.name,
                settings,
            });
        }
        Ok(study)
    }

    /// Opens the study in `root`, or starts one there, has `add` add to it, and saves it, while no
    /// other process can do the same: of two that start at once none loses the other's trials.
    ///
    /// # Errors
    /// As [`Study::open_or_create`], `add` and [`Study::save`].
    pub fn extend<T, E: From<LabError>>(
        root: &Path,
        title: &str,
        base: &str,
        add: impl FnOnce(&mut Study) -> Result<T, E>,
    ) -> Result<(Self, T), E> {
        let _lock = FolderLock::wait(root).map_err(LabError::from)?;
        let mut study = Study::open_or_create(root, title, base)?;
        let added = add(&mut study)?;
        study.save()?;
        Ok((study, added))
    }

    /// A study of runs that another program recorded, each with a name and its settings. Nothing is
    /// written before [`Study::save`]; the run directories are the caller's to fill.
    ///
    /// # Errors
    /// [`LabError::Study`] when `root` holds a study already.
    pub fn of_recorded(
        root: &Path,
        title: &str,
        recording: Recording,
        runs: Vec<(String, Flat)>,
    ) -> Result<Self, LabError> {
        let path = root.join("study.json");
        if path.exists() {
            let problem = "there is a study already; choose another folder".to_owned();
            return Err(LabError::Study { path, problem });
        }
        let mut study = Study {
            root: root.to_owned(),
            title: title.to_owned(),
            base: String::new(),
            grids: Vec::new(),
            trials: Vec::new(),
            recording: Some(Arc::new(recording)),
        };
        let mut taken = BTreeSet::new();
        for (wanted, settings) in runs {
            let name = folder_name(&wanted, &mut taken);
            // A key of another program is one part, whatever dots it has.
            let settings: Vec<Setting> = settings
                .into_iter()
                .map(|(key, value)| {
                    let value = parse_value(&value).unwrap_or_else(|_| value.as_str().into());
                    Setting::from_parts(vec![key], value)
                })
                .collect();
            let configuration = apply("", &settings)?;
            let directory = study.directory_of(&name);
            study.trials.push(Trial { name, settings, directory, configuration });
        }
        Ok(study)
    }

    /// What the names of another program mean, in a study of its runs.
    pub fn recording(&self) -> Option<&Recording> {
        self.recording.as_deref()
    }

    /// What is known of a trial.
    ///
    /// # Errors
    /// [`LabError::Store`] when its run directory is damaged.
    pub fn record(&self, trial: &Trial) -> Result<Record, LabError> {
        let Some(recording) = &self.recording else {
            return Record::read(&trial.directory, flatten(&trial.configuration)?);
        };
        let settings = trial.settings.iter().map(|setting| (setting.last_part(), setting.value()));
        Record::read_recorded(&trial.directory, settings.collect(), Arc::clone(recording))
    }

    /// Adds the trials of `grid` that the study does not hold yet, and returns all trials of the
    /// grid, old and new, in the order in which they should run.
    ///
    /// # Errors
    /// [`LabError::Setting`] when a key does not fit into the base configuration.
    pub fn add(&mut self, grid: &Grid) -> Result<Vec<Trial>, LabError> {
        self.add_all(std::slice::from_ref(grid))
    }

    /// Adds several grids at once, so that their trials get names that tell all of them apart.
    ///
    /// # Errors
    /// As [`Study::add`].
    pub fn add_all(&mut self, grids: &[Grid]) -> Result<Vec<Trial>, LabError> {
        let mut known: BTreeMap<Flat, usize> = BTreeMap::new();
        let mut others = vec![flatten(&self.base)?];
        for (index, trial) in self.trials.iter().enumerate() {
            let flat = flatten(&trial.configuration)?;
            others.push(flat.clone());
            known.entry(flat).or_insert(index);
        }
        let (mut wanted, mut new, mut flats) = (Vec::new(), Vec::new(), Vec::new());
        for settings in grids.iter().flat_map(Grid::points) {
            let configuration = apply(&self.base, &settings)?;
            let flat = flatten(&configuration)?;
            let next = self.trials.len() + new.len();
            wanted.push(*known.entry(flat.clone()).or_insert_with(|| {
                new.push((settings, configuration));
                flats.push(flat);
                next
            }));
        }
        let taken = self.trials.iter().map(|trial| trial.name.clone()).collect();
        let names = names(&flats, &others, &taken);
        for ((settings, configuration), name) in new.into_iter().zip(names) {
            let directory = self.directory_of(&name);
            self.trials.push(Trial { name, settings, directory, configuration });
        }
        for grid in grids {
            let axes: Vec<String> = grid.axes().iter().map(|axis| axis.to_string()).collect();
            if !self.grids.contains(&axes) {
                self.grids.push(axes);
            }
        }
        Ok(wanted.into_iter().map(|index| self.trials[index].clone()).collect())
    }

    /// Writes `base.toml`, each trial's `trial.toml`, and last `study.json`, each whole or not at
    /// all.
    ///
    /// # Errors
    /// [`LabError::Store`] when something cannot be written.
    pub fn save(&self) -> Result<(), LabError> {
        write_whole(&self.root.join("base.toml"), &self.base)?;
        for trial in &self.trials {
            write_whole(&trial.configuration_path(), &trial.configuration)?;
        }
        let file = StudyFile {
            format: FORMAT,
            title: self.title.clone(),
            base_hash: hash(&self.base),
            grids: self.grids.clone(),
            trials: self
                .trials
                .iter()
                .map(|trial| TrialEntry {
                    name: trial.name.clone(),
                    settings: trial.settings.iter().map(Setting::to_string).collect(),
                })
                .collect(),
            recording: self.recording.as_deref().cloned(),
        };
        let path = self.root.join("study.json");
        let text = serde_json::to_string_pretty(&file)
            .map_err(|error| LabError::Study { path: path.clone(), problem: error.to_string() })?;
        write_whole(&path, &format!("{text}\n"))
    }

    /// The study's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The title given when the study was made.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The base configuration.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The axes of each grid that was added, as they can be typed again.
    pub fn grids(&self) -> &[Vec<String>] {
        &self.grids
    }

    /// Every trial, in the order in which they were added.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    fn directory_of(&self, name: &str) -> PathBuf {
        self.root.join("trials").join(name)
    }
}

fn hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

/// Leaves a file alone that is right already.
fn write_whole(path: &Path, text: &str) -> Result<(), LabError> {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    Ok(write_file(path, text.as_bytes())?)
}
