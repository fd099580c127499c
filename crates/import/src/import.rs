//! From runs to records: what tells them apart, how each ended, and which are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use wd_lab::record::{Curve, Recording};
use wd_lab::{Analysis, AnalysisOptions, Record, analyse_records};
use wd_page::{counted, words::printable};
use wd_store::Status;

use crate::ImportError;
use crate::find::{self, Format, ReadOptions};
use crate::roles::{RoleOptions, assign};
use crate::run::{Run, State};

/// A run counts as shorter than the others of its arm below this share of their steps.
const SHORT: f64 = 0.99;

/// A run with the settings that tell it from others, and how it ended.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The name that its program gave it.
    pub name: String,
    /// What tells it from others, roles included.
    pub settings: BTreeMap<String, String>,
    /// How far it came.
    pub status: Status,
    /// Everything that it recorded.
    pub curves: Arc<BTreeMap<String, Curve>>,
}

/// Recorded runs, read and understood.
#[derive(Debug, Clone)]
pub struct Import {
    /// The format in which they were recorded.
    pub format: Format,
    /// What their names mean.
    pub recording: Recording,
    /// The runs.
    pub runs: Vec<Imported>,
}

/// Reads the runs at some paths and says what their names mean.
///
/// # Errors
/// [`ImportError`]: nothing that can be read, a damaged file, a role that cannot be told.
pub fn import(
    paths: &[PathBuf],
    reading: &ReadOptions<'_>,
    roles: &RoleOptions,
) -> Result<Import, ImportError> {
    let mut reading = reading.clone();
    reading.curves.extend([&roles.train, &roles.validation].into_iter().flatten().cloned());
    let (format, runs) = find::read(paths, &reading)?;
    understand(format, runs, roles)
}

/// What runs mean that were read already.
fn understand(
    format: Format,
    mut runs: Vec<Run>,
    options: &RoleOptions,
) -> Result<Import, ImportError> {
    let mut recording = assign(format, &runs, options)?;
    recording.notes = lost(&runs);
    only_with_lambda(&mut runs, &mut recording)?;
    forget_incidental(&mut runs, &mut recording, options)?;
    forget_what_follows_the_seed(&mut runs, &mut recording);
    number_seeds(&mut runs, &mut recording);
    let statuses = statuses(&runs, &recording);
    let mut imported: Vec<Imported> = runs
        .into_iter()
        .zip(statuses)
        .map(|(run, status)| Imported {
            name: run.name,
            settings: run.settings,
            status,
            curves: Arc::new(run.curves),
        })
        .collect();
    drop_repetitions(&mut imported, &mut recording);
    Ok(Import { format, recording, runs: imported })
}

impl Import {
    /// The runs as records.
    pub fn records(&self) -> Vec<Record> {
        let recording = Arc::new(self.recording.clone());
        let record = |run: &Imported| {
            let (recording, curves) = (Arc::clone(&recording), Arc::clone(&run.curves));
            Record::recorded(run.settings.clone(), recording, run.status.clone(), curves)
        };
        self.runs.iter().map(record).collect()
    }

    /// Arms, comparisons and verdict.
    ///
    /// # Errors
    /// [`ImportError::Lab`] when no run has finished.
    pub fn analyse(&self, options: &AnalysisOptions) -> Result<Analysis, ImportError> {
        Ok(analyse_records(self.records(), options)?)
    }
}

/// What was lost or replaced while the files were read.
fn lost(runs: &[Run]) -> Vec<String> {
    let mut notes = Vec::new();
    let remarks: Vec<String> = runs
        .iter()
        .flat_map(|run| run.remarks.iter().map(move |remark| format!("{}: {remark}", run.name)))
        .collect();
    if let Some((first, rest)) = remarks.split_first() {
        let more = match rest.len() {
            0 => String::new(),
            more => format!(" (and {more} more such remarks)"),
        };
        notes.push(format!("Something of a log is lost: {}{more}.", printable(first)));
    }
    let replaced: u64 = runs.iter().map(|run| run.replaced).sum();
    if replaced > 0 {
        let restarted = runs.iter().filter(|run| run.replaced > 0).count();
        notes.push(format!(
            "{} in {} replaced by later ones, since the log goes back to an earlier step there.",
            counted(replaced, "point"),
            counted(restarted, "run")
        ));
    }
    notes
}

fn names(runs: &[&str]) -> String {
    let shown: Vec<String> = runs.iter().take(4).map(|name| printable(name)).collect();
    let more = if runs.len() > 4 { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// Leaves out runs whose λ is not a number.
fn only_with_lambda(runs: &mut Vec<Run>, recording: &mut Recording) -> Result<(), ImportError> {
    let has_lambda = |run: &Run| {
        let value = run.settings.get(&recording.lambda).and_then(|value| value.parse::<f64>().ok());
        value.is_some_and(|value| value >= 0.0 && value.is_finite())
    };
    let without: Vec<&str> =
        runs.iter().filter(|run| !has_lambda(run)).map(|run| run.name.as_str()).collect();
    if without.len() == runs.len() {
        let problem = format!("no run has a number for λ in `{}`", recording.lambda);
        return Err(ImportError::Role { option: "lambda_from", problem, list: Vec::new() });
    }
    if !without.is_empty() {
        let note = format!(
            "{} left out, without a number for λ in `{}`: {}.",
            counted(without.len(), "run"),
            recording.lambda,
            names(&without)
        );
        runs.retain(has_lambda);
        recording.notes.push(note);
    }
    Ok(())
}

/// Forgets settings that do not tell arms apart: those that the person names, and texts that are
/// different in every run, such as names, folders and times.
fn forget_incidental(
    runs: &mut [Run],
    recording: &mut Recording,
    options: &RoleOptions,
) -> Result<(), ImportError> {
    let keys: BTreeSet<String> = runs.iter().flat_map(|run| run.settings.keys().cloned()).collect();
    if let Some(unknown) = options.ignore.iter().find(|key| !keys.contains(*key)) {
        let problem = format!("no run has a setting `{unknown}`; these are there");
        let list = keys.into_iter().collect();
        return Err(ImportError::Role { option: "ignore", problem, list });
    }
    let roles =
        [Some(&recording.lambda), recording.learning_rate.as_ref(), recording.seed.as_ref()];
    let plays_a_role = |key: &String| roles.contains(&Some(key));
    let is_incidental = |key: &String| {
        let values: Vec<&String> = runs.iter().filter_map(|run| run.settings.get(key)).collect();
        let distinct: BTreeSet<&&String> = values.iter().collect();
        values.len() > 2
            && distinct.len() == values.len()
            && values.iter().all(|value| value.parse::<f64>().is_err())
    };
    let forgotten: Vec<String> = keys
        .into_iter()
        .filter(|key| !plays_a_role(key))
        .filter(|key| options.ignore.contains(key) || is_incidental(key))
        .collect();
    for run in runs.iter_mut() {
        run.settings.retain(|key, _| !forgotten.contains(key));
    }
    if !forgotten.is_empty() {
        recording.notes.push(format!(
            "Settings that were not taken to tell arms apart: {}.",
            forgotten.join(", ")
        ));
    }
    Ok(())
}

/// Forgets settings that have another value for each seed and the same one wherever the seed is the
/// same, such as the seed of the data.
fn forget_what_follows_the_seed(runs: &mut [Run], recording: &mut Recording) {
    let Some(seed) = recording.seed.clone() else { return };
    let keys: BTreeSet<String> = runs.iter().flat_map(|run| run.settings.keys().cloned()).collect();
    let roles = [Some(&recording.lambda), recording.learning_rate.as_ref(), Some(&seed)];
    let follows = |key: &String| {
        let of = |run: &Run, key: &String| run.settings.get(key).cloned().unwrap_or_default();
        let pairs: BTreeSet<(String, String)> =
            runs.iter().map(|run| (of(run, &seed), of(run, key))).collect();
        let seeds: BTreeSet<&String> = pairs.iter().map(|(seed, _)| seed).collect();
        let values: BTreeSet<&String> = pairs.iter().map(|(_, value)| value).collect();
        seeds.len() > 1 && seeds.len() == pairs.len() && values.len() == pairs.len()
    };
    let following: Vec<String> =
        keys.into_iter().filter(|key| !roles.contains(&Some(key)) && follows(key)).collect();
    if following.is_empty() {
        return;
    }
    for run in runs.iter_mut() {
        run.settings.retain(|key, _| !following.contains(key));
    }
    recording.notes.push(format!("Settings that only follow the seed: {}.", following.join(", ")));
}

/// Makes every seed a number: of texts their order, and without a seed the order of the runs of an
/// arm.
fn number_seeds(runs: &mut [Run], recording: &mut Recording) {
    let Some(key) = recording.seed.clone() else {
        let mut counts: BTreeMap<BTreeMap<String, String>, u64> = BTreeMap::new();
        for run in runs.iter_mut() {
            let count = counts.entry(run.settings.clone()).or_default();
            run.settings.insert(Recording::RUN_NUMBER.to_owned(), count.to_string());
            *count += 1;
        }
        return;
    };
    let seeds: BTreeSet<String> =
        runs.iter().map(|run| run.settings.get(&key).cloned().unwrap_or_default()).collect();
    if seeds.iter().all(|seed| seed.parse::<u64>().is_ok()) {
        return;
    }
    recording.notes.push(format!(
        "The seeds in `{key}` are no whole numbers; they are numbered from 0 in their order."
    ));
    for run in runs.iter_mut() {
        let own = run.settings.get(&key).cloned().unwrap_or_default();
        let number = seeds.iter().position(|seed| *seed == own).unwrap_or(0);
        run.settings.insert(key.clone(), number.to_string());
    }
}

/// How each run ended. The last number of the loss that decides must be there and finite, and a run
/// must be as long as the others of its arm, which differ from it only in the seed.
fn statuses(runs: &[Run], recording: &Recording) -> Vec<Status> {
    let losses: Vec<&String> =
        [&recording.validation, &recording.training].into_iter().flatten().collect();
    let seed = recording.seed.as_deref().unwrap_or(Recording::RUN_NUMBER);
    let rest = |run: &Run| -> BTreeMap<String, String> {
        let mut rest = run.settings.clone();
        rest.remove(seed);
        rest
    };
    let last = |run: &Run| {
        losses.iter().filter_map(|tag| run.curves.get(*tag)?.steps.last().copied()).max()
    };
    let mut longest: BTreeMap<BTreeMap<String, String>, u64> = BTreeMap::new();
    for run in runs {
        let most = longest.entry(rest(run)).or_default();
        *most = (*most).max(last(run).unwrap_or(0));
    }
    let status = |run: &Run| {
        let step = last(run).unwrap_or(0);
        let ends: Vec<Option<f64>> = losses
            .iter()
            .map(|tag| run.curves.get(*tag).and_then(|curve| curve.values.last().copied()))
            .collect();
        if ends.iter().flatten().any(|value| !value.is_finite()) {
            let message = "the last logged loss is not finite".to_owned();
            return Status::Diverged { step, tensor: None, message };
        }
        let is_short = (step as f64) < SHORT * longest.get(&rest(run)).copied().unwrap_or(0) as f64;
        let is_missing = ends.first().is_none_or(Option::is_none);
        match run.state == State::Unfinished || is_short || is_missing {
            true => Status::Interrupted { step },
            false => Status::Finished { step },
        }
    };
    runs.iter().map(status).collect()
}

/// Of runs with the same settings and the same seed one counts: the first that finished.
fn drop_repetitions(runs: &mut Vec<Imported>, recording: &mut Recording) {
    let mut kept: BTreeMap<BTreeMap<String, String>, usize> = BTreeMap::new();
    let mut chosen: Vec<Imported> = Vec::new();
    let mut dropped = Vec::new();
    let is_finished = |run: &Imported| matches!(run.status, Status::Finished { .. });
    for run in runs.drain(..) {
        match kept.get(&run.settings).copied() {
            None => {
                kept.insert(run.settings.clone(), chosen.len());
                chosen.push(run);
            }
            Some(place) => {
                let Some(known) = chosen.get_mut(place) else { continue };
                if is_finished(&run) && !is_finished(known) {
                    dropped.push(std::mem::replace(known, run).name);
                } else {
                    dropped.push(run.name);
                }
            }
        }
    }
    *runs = chosen;
    if !dropped.is_empty() {
        let list: Vec<&str> = dropped.iter().map(String::as_str).collect();
        recording.notes.push(format!(
            "{} left out, since another has the same settings and the same seed: {}.",
            counted(dropped.len(), "run"),
            names(&list)
        ));
    }
}
