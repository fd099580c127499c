//! What a run directory holds already, and how a run goes on from it.

use wd_store::{Checkpoint, Event, EventKind, RunDirectory, Status, StoreError};

use crate::{
    config::ConfigSource,
    error::TrainError,
    observer::{Observer, Outcome},
    plan::RunPlan,
};

/// What to do with an earlier run in the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resume {
    /// Continue it if there is one, else start.
    Auto,
    /// Refuse a directory that holds a run.
    Never,
    /// Refuse a directory that holds none.
    Require,
}

/// Where a run starts.
pub(crate) enum Start {
    /// At step 0.
    Fresh,
    /// After a checkpoint.
    From(Box<Checkpoint>),
    /// Nowhere: it has ended already.
    Ended,
}

/// Looks at the directory, refuses what does not belong together, and writes the configuration and
/// plan of a new run.
pub(crate) fn prepare(
    plan: &RunPlan,
    directory: &RunDirectory,
    resume: Resume,
    observer: &mut dyn Observer,
) -> Result<Start, TrainError> {
    // The caller holds the lock, so a run that has not ended reads as running.
    let status = directory.status()?;
    let holds_a_run = directory.config_path().exists() && directory.plan_path().exists();
    if holds_a_run {
        if resume == Resume::Never {
            return Err(TrainError::Exists { directory: directory.path().to_owned() });
        }
        refuse_another_run(plan, directory, observer)?;
    }
    if !holds_a_run && !directory.checkpoints().steps()?.is_empty() {
        return Err(TrainError::Orphans { directory: directory.path().to_owned() });
    }
    match status {
        Status::Diverged { .. } if holds_a_run => return Ok(Start::Ended),
        Status::Finished { step } if holds_a_run && !is_to_redo(directory, step, observer)? => {
            return Ok(Start::Ended);
        }
        _ => {}
    }
    let latest = directory.checkpoints().latest()?;
    for skipped in latest.skipped {
        observer.notice(&format!(
            "the checkpoint of step {} cannot be used and is passed over: {}",
            skipped.step, skipped.error
        ));
    }
    match latest.checkpoint {
        Some(checkpoint) if holds_a_run => {
            let event = Event::now(EventKind::Resumed, checkpoint.step, "");
            directory.append_event(&event)?;
            Ok(Start::From(Box::new(checkpoint)))
        }
        _ if resume == Resume::Require => {
            Err(TrainError::NothingToResume { directory: directory.path().to_owned() })
        }
        _ => {
            directory.write_config(&plan.source.text)?;
            directory.write_plan(&plan.record)?;
            directory.append_event(&Event::now(EventKind::Started, 0, ""))?;
            Ok(Start::Fresh)
        }
    }
}

/// Whether the last steps of a finished run are to be done again: its last checkpoint is damaged or
/// gone, and an older one is whole. A run whose checkpoints were all removed stays as it is.
fn is_to_redo(
    directory: &RunDirectory,
    last: u64,
    observer: &mut dyn Observer,
) -> Result<bool, TrainError> {
    let checkpoints = directory.checkpoints();
    let steps = checkpoints.steps()?;
    if steps.is_empty() {
        return Ok(false);
    }
    let damage = match checkpoints.verify(last) {
        Ok(()) => return Ok(false),
        Err(error @ (StoreError::Damaged { .. } | StoreError::Missing { .. })) => error,
        Err(error) => return Err(error.into()),
    };
    let older = steps.iter().rev().find(|step| **step < last && checkpoints.verify(**step).is_ok());
    match older {
        Some(older) => observer.notice(&format!(
            "the run is finished, but its last checkpoint cannot be used: {damage}. The steps \
             since step {older} are done again"
        )),
        None => observer.notice(&format!(
            "the run is finished, but its last checkpoint cannot be used, and no older one is \
             whole: {damage}. Its measurements are there; for its weights, train it again in a new \
             directory"
        )),
    }
    Ok(older.is_some())
}

/// A checkpoint of one configuration must not go on under another: that is how a new λ is silently
/// lost.
fn refuse_another_run(
    plan: &RunPlan,
    directory: &RunDirectory,
    observer: &mut dyn Observer,
) -> Result<(), TrainError> {
    let other = |differences: String| TrainError::OtherRun {
        directory: directory.path().to_owned(),
        differences,
    };
    let before = directory.read_config()?;
    let name = directory.config_path().display().to_string();
    let before = ConfigSource::parse(&name, before)?.config;
    let now = &plan.source.config;
    if before != *now {
        let before = toml::Value::try_from(before).map_err(|error| other(error.to_string()))?;
        let now = toml::Value::try_from(now).map_err(|error| other(error.to_string()))?;
        let mut lines = Vec::new();
        differences("", Some(&before), Some(&now), &mut lines);
        return Err(other(lines.join("\n")));
    }
    let recorded = match directory.read_plan() {
        Ok(recorded) => recorded,
        // It follows from the configuration, which is the same; the checkpoint knows its hash.
        Err(error @ StoreError::Damaged { .. }) => {
            observer.notice(&format!("{error}; it is written anew from the configuration"));
            return Ok(directory.write_plan(&plan.record)?);
        }
        Err(error) => return Err(error.into()),
    };
    if recorded.corpus_hash != plan.record.corpus_hash {
        return Err(other(format!("  the data at {} have changed since", now.data.path.display())));
    }
    Ok(())
}

/// Lists the keys at which two configurations differ.
fn differences(
    key: &str,
    before: Option<&toml::Value>,
    now: Option<&toml::Value>,
    lines: &mut Vec<String>,
) {
    match (before, now) {
        (Some(toml::Value::Table(before)), Some(toml::Value::Table(now))) => {
            let mut keys: Vec<&String> = before.keys().chain(now.keys()).collect();
            keys.sort();
            keys.dedup();
            for part in keys {
                let key = if key.is_empty() { part.clone() } else { format!("{key}.{part}") };
                differences(&key, before.get(part), now.get(part), lines);
            }
        }
        (before, now) if before != now => {
            let show = |value: Option<&toml::Value>| {
                value.map_or("absent".to_owned(), |value| value.to_string())
            };
            lines.push(format!("  {key}: {} there, {} here", show(before), show(now)));
        }
        _ => {}
    }
}

/// How an ended run ended.
pub(crate) fn earlier_outcome(directory: &RunDirectory) -> Result<Outcome, TrainError> {
    if let Status::Diverged { step, tensor, .. } = directory.status()? {
        return Ok(Outcome::Diverged {
            step,
            tensor,
            last_checkpoint: directory.checkpoints().steps()?.last().copied(),
        });
    }
    let metrics = directory.metrics()?;
    let last = |name: &str| -> Result<Option<f64>, TrainError> {
        if !metrics.has_column(name) {
            return Ok(None);
        }
        let column = metrics.column(name)?;
        Ok(column.last().copied().filter(|value| !value.is_nan()))
    };
    Ok(Outcome::Finished {
        last_batch_loss: last("train_loss")?,
        train_loss: last("train_eval_loss")?,
        validation_loss: last("validation_loss")?,
        test_accuracy: last("test_accuracy")?,
    })
}
