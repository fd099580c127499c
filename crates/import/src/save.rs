//! An import as a study on disk: what `wd report` reads like a study of this program.

use std::collections::BTreeSet;
use std::path::Path;

use wd_lab::Study;
use wd_lab::record::RECORDED_STEP;
use wd_store::{Column, Event, EventKind, RunDirectory, Status};

use crate::import::Imported;
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
            write_run(&trial.directory, run)?;
        }
        study.save()?;
        Ok(study)
    }
}

fn write_run(path: &Path, run: &Imported) -> Result<(), ImportError> {
    let directory = RunDirectory::create_or_open(path)?;
    let lock = directory.lock()?;
    let steps: BTreeSet<u64> =
        run.curves.values().flat_map(|curve| curve.steps.iter().copied()).collect();
    let tags = run.curves.keys().filter(|tag| is_a_column(tag));
    let columns: Vec<Column> = ["step", RECORDED_STEP]
        .into_iter()
        .map(Column::f64)
        .chain(tags.clone().map(Column::f64))
        .collect();
    let mut writer = lock.metrics_writer(&columns, 0)?;
    let curves: Vec<_> = tags.filter_map(|tag| run.curves.get(tag)).collect();
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
    writer.sync()?;
    directory.append_event(&Event::now(EventKind::Started, 0, "recorded by another program"))?;
    match &run.status {
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

/// Names that the file itself uses are no curves of another program's.
fn is_a_column(tag: &str) -> bool {
    !tag.is_empty() && tag != "step" && tag != RECORDED_STEP
}
