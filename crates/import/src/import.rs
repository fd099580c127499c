//! From runs to records: what tells them apart, how each ended, and which are left out.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use wd_lab::record::{Curve, Recording};
use wd_lab::{Analysis, AnalysisOptions, Record, analyse_records};
use wd_store::Status;

use crate::find::{self, ReadOptions};
use crate::roles::{RoleOptions, assign};
use crate::run::{Run, State};
use crate::tell_apart::{
    drop_repetitions, forget_incidental, forget_what_follows_the_seed, lost, number_seeds,
    only_with_lambda,
};
use crate::{Format, ImportError};

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

impl Imported {
    /// A run as it was read, and how far it came.
    pub fn of(run: Run, status: Status) -> Self {
        let Run { name, settings, curves, .. } = run;
        Imported { name, settings, status, curves: Arc::new(curves) }
    }
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
    let mut imported: Vec<Imported> =
        runs.into_iter().zip(statuses).map(|(run, status)| Imported::of(run, status)).collect();
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
            // From where on no logged loss is a number.
            let begun = losses.iter().filter_map(|tag| {
                let curve = run.curves.get(*tag)?;
                let lost = curve.values.iter().rposition(|value| value.is_finite());
                curve.steps.get(lost.map_or(0, |last| last + 1)).copied()
            });
            let message = "the last logged loss is not finite".to_owned();
            return Status::Diverged { step: begun.min().unwrap_or(step), tensor: None, message };
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
