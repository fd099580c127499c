//! What a checkpoint holds: weights and running statistics by tensor, optimizer state and moving
//! average by arena, and where the loop stands.

use serde::{Deserialize, Serialize};
use wd_data::Position;
use wd_nn::ParameterLayout;
use wd_store::{Checkpoint, RunDirectory, Status, TensorView};

use crate::{engine::Engine, error::TrainError, plan::RunPlan};

/// What a checkpoint holds besides tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct LoopState {
    position: Position,
    optimizer_steps: u64,
    /// BLAKE3 of the initial weights: an anchor must not change under a resumed run.
    initial_weights: String,
    /// BLAKE3 of the run's `plan.json`; checkpoints of before it was kept have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plan: Option<String>,
}

/// What a run's checkpoints have in common.
pub(crate) struct Origin {
    /// BLAKE3 of the weights that the run started from.
    pub(crate) initial_weights: String,
    /// BLAKE3 of its `plan.json`.
    pub(crate) plan: String,
}

/// Names of the arenas of the moving average, beside the optimizer's.
const AVERAGE: &str = "average";
const AVERAGE_RUNNING: &str = "average_running";

/// Writes a checkpoint.
pub(crate) fn save(
    plan: &RunPlan,
    directory: &RunDirectory,
    step: u64,
    engine: &Engine,
    origin: &Origin,
) -> Result<(), TrainError> {
    let weights = engine.weights();
    let model: Vec<TensorView<'_>> = views(&plan.layout, weights.parameters)
        .chain(views(&plan.running, weights.running))
        .collect();
    let mut arenas = engine.optimizer_state();
    if let Some(average) = engine.average() {
        arenas.push((AVERAGE, average.parameters));
        if !average.running.is_empty() {
            arenas.push((AVERAGE_RUNNING, average.running));
        }
    }
    let shapes: Vec<[usize; 1]> = arenas.iter().map(|(_, values)| [values.len()]).collect();
    let optimizer: Vec<TensorView<'_>> = arenas
        .iter()
        .zip(&shapes)
        .map(|((name, values), shape)| (*name, shape.as_slice(), *values))
        .collect();
    let state = LoopState {
        position: engine.position(),
        optimizer_steps: engine.steps_taken(),
        initial_weights: origin.initial_weights.clone(),
        plan: Some(origin.plan.clone()),
    };
    let state = serde_json::to_value(state)
        .map_err(|error| TrainError::Checkpoint { step, reason: error.to_string() })?;
    directory.checkpoints().save(step, &model, &optimizer, &state)?;
    Ok(())
}

/// The tensors of an arena.
fn views<'a>(
    layout: &'a ParameterLayout,
    values: &'a [f32],
) -> impl Iterator<Item = TensorView<'a>> {
    layout
        .segments
        .iter()
        .map(|segment| (segment.path.as_str(), segment.shape.as_slice(), &values[segment.range()]))
}

/// The checkpoint at `step`, or the last one. An older one in place of the last would be other
/// weights than those that were asked for.
pub(crate) fn of(directory: &RunDirectory, step: Option<u64>) -> Result<Checkpoint, TrainError> {
    let checkpoints = directory.checkpoints();
    if let Some(step) = step {
        return Ok(checkpoints.load(step)?);
    }
    let mut older = checkpoints.steps()?;
    let last = match directory.status()? {
        Status::Finished { step } => Some(step).filter(|_| !older.is_empty()),
        _ => older.last().copied(),
    };
    let Some(step) = last else {
        return Err(TrainError::NoCheckpoint { directory: directory.path().to_owned() });
    };
    older.retain(|other| *other != step);
    checkpoints.load(step).map_err(|source| TrainError::LastCheckpoint {
        step,
        older,
        source: Box::new(source),
    })
}

/// Puts a checkpoint back into the engine of a run of this origin.
pub(crate) fn restore(
    plan: &RunPlan,
    checkpoint: Checkpoint,
    engine: &mut Engine,
    origin: &Origin,
) -> Result<(), TrainError> {
    let step = checkpoint.step;
    let misfit = |reason: String| TrainError::Checkpoint { step, reason };
    let weights = weights(plan, &checkpoint)?;
    let state: LoopState =
        serde_json::from_value(checkpoint.state).map_err(|error| misfit(error.to_string()))?;
    if state.plan.as_ref().is_some_and(|plan| *plan != origin.plan) {
        return Err(misfit(
            "it was saved under another plan than plan.json holds, so it is of another run; use \
             another run directory, or put the plan.json of its run back"
                .to_owned(),
        ));
    }
    let mut arenas: Vec<(String, Vec<f32>)> =
        checkpoint.optimizer.into_iter().map(|(name, _, values)| (name, values)).collect();
    let average = match engine.average() {
        None => None,
        Some(average) => {
            let mut take = |name: &str, len: usize| {
                if len == 0 {
                    return Ok(Vec::new());
                }
                let position = arenas.iter().position(|(other, _)| other == name);
                let found = position.map(|position| arenas.remove(position).1);
                found
                    .filter(|found| found.len() == len)
                    .ok_or_else(|| misfit(format!("it has no `{name}` of {len} numbers")))
            };
            let parameters = take(AVERAGE, average.parameters.len())?;
            Some((parameters, take(AVERAGE_RUNNING, average.running.len())?))
        }
    };
    engine.restore(weights, average, &arenas, state.optimizer_steps)?;
    if state.initial_weights != origin.initial_weights {
        return Err(misfit(
            "the weights it started from (model.init_from) have changed since".to_owned(),
        ));
    }
    engine.seek(state.position)
}

/// The weights in a checkpoint, and what batch norm holds.
pub(crate) fn weights(
    plan: &RunPlan,
    checkpoint: &Checkpoint,
) -> Result<(Vec<f32>, Vec<f32>), TrainError> {
    let arena = |layout: &ParameterLayout| {
        let mut arena = vec![0.0; layout.len];
        for segment in &layout.segments {
            let is_it = |(name, shape, _): &&(String, Vec<usize>, Vec<f32>)| {
                *name == segment.path && *shape == segment.shape
            };
            let Some((_, _, values)) = checkpoint.model.iter().find(is_it) else {
                let reason =
                    format!("it has no tensor `{}` of shape {:?}", segment.path, segment.shape);
                return Err(TrainError::Checkpoint { step: checkpoint.step, reason });
            };
            arena[segment.range()].copy_from_slice(values);
        }
        Ok(arena)
    };
    Ok((arena(&plan.layout)?, arena(&plan.running)?))
}

/// The moving average in a checkpoint, of the weights and of what batch norm holds, each as long as
/// it has to be.
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
