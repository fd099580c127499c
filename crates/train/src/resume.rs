//! What a run directory holds already, and how a run goes on from it.

use wd_nn::ParameterLayout;
use wd_optim::Optimizer;
use wd_store::{Checkpoint, Event, EventKind, RunDirectory, Status, TensorView};

use crate::{
    ConfigSource, Outcome, RunPlan, TrainError,
    average::Average,
    run::{LoopState, Observer},
    task::Weights,
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

/// Looks at the directory, refuses what does not belong together, and writes the configuration and plan of a new run.
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
        refuse_another_run(plan, directory)?;
    }
    if let Status::Finished { .. } | Status::Diverged { .. } = status
        && holds_a_run
    {
        return Ok(Start::Ended);
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

/// A checkpoint of one configuration must not go on under another: that is how a new λ is silently lost.
fn refuse_another_run(plan: &RunPlan, directory: &RunDirectory) -> Result<(), TrainError> {
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
    let recorded = directory.read_plan()?;
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
        train_loss: last("train_loss")?,
        validation_loss: last("validation_loss")?,
        test_accuracy: last("test_accuracy")?,
    })
}

/// Names of the arenas of the moving average, beside the optimizer's.
const AVERAGE: &str = "average";
const AVERAGE_RUNNING: &str = "average_running";

/// Writes a checkpoint: weights and running statistics by tensor, optimizer state and moving average by arena.
pub(crate) fn save(
    plan: &RunPlan,
    directory: &RunDirectory,
    step: u64,
    weights: Weights<'_>,
    optimizer: &Optimizer,
    average: Option<&Average>,
    state: &LoopState,
) -> Result<(), TrainError> {
    let model: Vec<TensorView<'_>> = views(&plan.layout, weights.parameters)
        .chain(views(&plan.running, weights.running))
        .collect();
    let mut arenas = optimizer.state();
    if let Some(average) = average {
        arenas.push((AVERAGE, &average.parameters));
        if !average.running.is_empty() {
            arenas.push((AVERAGE_RUNNING, &average.running));
        }
    }
    let shapes: Vec<[usize; 1]> = arenas.iter().map(|(_, values)| [values.len()]).collect();
    let optimizer: Vec<TensorView<'_>> = arenas
        .iter()
        .zip(&shapes)
        .map(|((name, values), shape)| (*name, shape.as_slice(), *values))
        .collect();
    let state = serde_json::to_value(state)
        .map_err(|error| TrainError::Checkpoint { step, reason: error.to_string() })?;
    directory.checkpoints().save(step, &model, &optimizer, &state)?;
    Ok(())
}

/// The tensors of an arena.
pub(crate) fn views<'a>(
    layout: &'a ParameterLayout,
    values: &'a [f32],
) -> impl Iterator<Item = TensorView<'a>> {
    layout
        .segments
        .iter()
        .map(|segment| (segment.path.as_str(), segment.shape.as_slice(), &values[segment.range()]))
}

/// Fills the weights, and what batch norm holds, from a checkpoint.
pub(crate) fn restore_weights(
    plan: &RunPlan,
    checkpoint: &Checkpoint,
    parameters: &mut [f32],
    running: &mut [f32],
) -> Result<(), TrainError> {
    let misfit = |reason: String| TrainError::Checkpoint { step: checkpoint.step, reason };
    for (layout, arena) in [(&plan.layout, parameters), (&plan.running, running)] {
        for segment in &layout.segments {
            let tensor = checkpoint
                .model
                .iter()
                .find(|(name, shape, _)| *name == segment.path && *shape == segment.shape);
            let Some((_, _, values)) = tensor else {
                return Err(misfit(format!(
                    "it has no tensor `{}` of shape {:?}",
                    segment.path, segment.shape
                )));
            };
            arena[segment.range()].copy_from_slice(values);
        }
    }
    Ok(())
}

/// The moving average in a checkpoint, of the weights and of what batch norm holds, each as long as it has to be.
pub(crate) fn average(
    checkpoint: &Checkpoint,
    parameters: usize,
    running: usize,
) -> Result<(Vec<f32>, Vec<f32>), TrainError> {
    let arena = |name: &str, len: usize| match len {
        0 => Ok(Vec::new()),
        _ => checkpoint
            .optimizer
            .iter()
            .find(|(other, _, values)| other == name && values.len() == len)
            .map(|(_, _, values)| values.clone())
            .ok_or(TrainError::NoAverage { step: checkpoint.step }),
    };
    Ok((arena(AVERAGE, parameters)?, arena(AVERAGE_RUNNING, running)?))
}

/// Puts a checkpoint back into the optimizer, the weights, the running statistics and the moving average.
pub(crate) fn restore(
    plan: &RunPlan,
    checkpoint: Checkpoint,
    optimizer: &mut Optimizer,
    parameters: &mut [f32],
    running: &mut [f32],
    average: Option<&mut Average>,
) -> Result<LoopState, TrainError> {
    let step = checkpoint.step;
    let misfit = |reason: String| TrainError::Checkpoint { step, reason };
    restore_weights(plan, &checkpoint, parameters, running)?;
    let state: LoopState =
        serde_json::from_value(checkpoint.state).map_err(|error| misfit(error.to_string()))?;
    let mut arenas: Vec<(String, Vec<f32>)> =
        checkpoint.optimizer.into_iter().map(|(name, _, values)| (name, values)).collect();
    if let Some(average) = average {
        for (name, arena) in
            [(AVERAGE, &mut average.parameters), (AVERAGE_RUNNING, &mut average.running)]
        {
            if arena.is_empty() {
                continue;
            }
            let position = arenas.iter().position(|(other, _)| other == name);
            let found = position.map(|position| arenas.remove(position).1);
            *arena = found
                .filter(|found| found.len() == arena.len())
                .ok_or_else(|| misfit(format!("it has no `{name}` of {} numbers", arena.len())))?;
        }
    }
    optimizer.restore(&arenas, state.optimizer_steps)?;
    Ok(state)
}
