//! An import as a study on disk: what `wd report` reads like a study of this program.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use wd_lab::Study;
use wd_lab::record::{Curve, RECORDED_STEP};
use wd_store::{Column, Event, EventKind, RunDirectory, Status};

use crate::{Import, ImportError};

impl Import {
    /// Writes a study: a run directory for each run, with all its curves, and last `study.json`,
    /// without which nothing counts.
    ///
    /// # Errors
    /// [`ImportError::Lab`] when there is a study already, [`ImportError::Store`] when something
    /// cannot be written.
    pub fn save(&self, root: &Path, title: &str) -> Result<Study, ImportError> {
        let runs = self.runs.iter().map(|run| (run.name.clone(), run.settings.clone()));
        let study = Study::of_recorded(root, title, self.recording.clone(), runs.collect())?;
        for (trial, run) in study.trials().iter().zip(&self.runs) {
            write_curves(&trial.directory, &run.curves)?;
            write_end(&trial.directory, &run.status)?;
        }
        study.save()?;
        Ok(study)
    }
}

/// Writes the curves of a run into a run directory.
///
/// # Errors
/// [`ImportError::Store`] when something cannot be written.
pub fn write_curves(path: &Path, curves: &BTreeMap<String, Curve>) -> Result<(), ImportError> {
    let directory = RunDirectory::create_or_open(path)?;
    let lock = directory.lock()?;
    let steps: BTreeSet<u64> =
        curves.values().flat_map(|curve| curve.steps.iter().copied()).collect();
    let tags = curves.keys().filter(|tag| is_a_column(tag));
    let columns: Vec<Column> = ["step", RECORDED_STEP]
        .into_iter()
        .map(Column::f64)
        .chain(tags.clone().map(Column::f64))
        .collect();
    let mut writer = lock.metrics_writer(&columns, 0)?;
    let curves: Vec<_> = tags.filter_map(|tag| curves.get(tag)).collect();
    let mut places = vec![0; curves.len()];
    let mut row = Vec::with_capacity(columns.len());
    for (number, step) in steps.into_iter().enumerate() {
        row.clear();
        row.extend([number as f64 + 1.0, step as f64]);
        for (curve, place) in curves.iter().zip(&mut places) {
            let value = (curve.steps.get(*place) == Some(&step)).then(|| curve.values[*place]);
            *place += usize::from(value.is_some());
            row.push(value.unwrap_or(f64::NAN));
        }
        writer.append(&row)?;
    }
    Ok(writer.sync()?)
}

/// Writes how a run ended into its run directory.
fn write_end(path: &Path, status: &Status) -> Result<(), ImportError> {
    let directory = RunDirectory::open(path)?;
    directory.append_event(&Event::now(EventKind::Started, 0, "recorded by another program"))?;
    match status {
        Status::Finished { step } => {
            directory.append_event(&Event::now(EventKind::Finished, *step, ""))?;
        }
        Status::Diverged { step, message, .. } => {
            directory.append_event(&Event::now(EventKind::Diverged, *step, message))?;
        }
        _ => {}
    }
    Ok(())
}

/// The curves of a run directory: what [`write_curves`] wrote, or what a run of this program recorded
/// of its losses, rates and norms, without those of single tensors.
///
/// # Errors
/// [`ImportError::Store`] when there is none, or it is damaged.
pub fn read_curves(path: &Path) -> Result<BTreeMap<String, Curve>, ImportError> {
    let metrics = RunDirectory::open(path)?.metrics()?;
    let is_recorded = metrics.has_column(RECORDED_STEP);
    let steps = metrics.column(if is_recorded { RECORDED_STEP } else { "step" })?;
    let mut curves = BTreeMap::new();
    for column in metrics.columns() {
        let name = &column.name;
        // A column `measure/path` of a run of this program is that of a tensor.
        if !is_a_column(name) || (!is_recorded && name.contains('/')) {
            continue;
        }
        let mut curve = Curve::default();
        for (step, value) in steps.iter().zip(metrics.column(name)?) {
            if !value.is_nan() {
                curve.steps.push(*step as u64);
                curve.values.push(value);
            }
        }
        curves.insert(name.clone(), curve);
    }
    curves.retain(|_, curve| !curve.steps.is_empty());
    Ok(curves)
}

/// Names that the file itself uses are no curves of another program's.
fn is_a_column(tag: &str) -> bool {
    !tag.is_empty() && tag != "step" && tag != RECORDED_STEP
}
