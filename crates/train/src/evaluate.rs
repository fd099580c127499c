//! The weights of a run on other images than those of its metrics.

use std::sync::Arc;

use wd_data::images::Corruption;
use wd_store::{Evaluation, RunDirectory};

use crate::{
    checkpoint,
    config::{ConfigSource, ModelConfig, Shifted},
    error::TrainError,
    evaluation::Evaluation as Scored,
    plan::RunPlan,
    task::Images,
    weights::Weights,
};

/// Scores the weights of a run after `step` steps (its last checkpoint where none is given), or
/// their moving average, on its test images, or on shifted ones instead: corrupted, or others.
///
/// # Errors
/// A run on text, one without a checkpoint or without an average, a checkpoint that is damaged,
/// images that are missing or do not fit.
pub fn evaluate_run(
    directory: &RunDirectory,
    step: Option<u64>,
    shifted: Option<Shifted>,
    average: bool,
) -> Result<Evaluation, TrainError> {
    let name = directory.config_path().display().to_string();
    let mut source = ConfigSource::parse(&name, directory.read_config()?)?;
    let is_shifted = shifted.is_some();
    source.config.data.shifted = shifted;
    let plan = RunPlan::new(source).map_err(|error| match error {
        // What was asked for does not stand in the run's configuration.
        TrainError::Config(mut error) if is_shifted => {
            error.span = None;
            TrainError::Config(error)
        }
        other => other,
    })?;
    let (ModelConfig::Vision(model), Some(data)) = (&plan.model, &plan.images) else {
        return Err(TrainError::OnText { directory: directory.path().to_owned() });
    };
    let checkpoint = checkpoint::of(directory, step)?;
    let (parameters, running) = match average {
        true => checkpoint::average(&checkpoint, plan.layout.len, plan.running.len)?,
        false => checkpoint::weights(&plan, &checkpoint)?,
    };
    let threads = rayon::current_num_threads();
    let mut images = Images::open(&plan.source, model, Arc::clone(data), threads)?;
    let weights = Weights { parameters: &parameters, running: &running };
    let scores = images.score_test(is_shifted, weights)?;
    let (path, corruption, severity) = match plan.source.config.data.shifted {
        Some(Shifted::Path(path)) => (Some(path), None, 0),
        Some(Shifted::Corrupted(corrupted)) => {
            (None, Some(corrupted.corruption.name().to_owned()), corrupted.severity)
        }
        None => (None, None, 0),
    };
    let paired = data.shifted.as_ref().and_then(|test| test.set.paired()).map(str::to_owned);
    let of =
        Evaluation { data: path, corruption, severity, paired, ..of(checkpoint.step, &scores) };
    Ok(Evaluation { average, ..of })
}

/// The scores of the weights after `step` steps on the test images, which the caller may have
/// changed.
fn of(step: u64, scores: &Scored) -> Evaluation {
    Evaluation {
        step,
        average: false,
        data: None,
        corruption: None,
        severity: 0,
        loss: scores.loss(),
        negative_log_likelihood: scores.negative_log_likelihood(),
        accuracy: scores.accuracy(),
        calibration_error: scores.calibration_error(),
        paired: None,
    }
}

/// Severities of a corruption.
const SEVERITIES: std::ops::RangeInclusive<u8> = 1..=5;

/// Scores the final weights, and their moving average, under the corruptions of `run.evaluate`, and
/// writes the scores into the run directory.
pub(crate) fn at_the_end(
    plan: &RunPlan,
    directory: &RunDirectory,
    weights: Weights<'_>,
    average: Option<Weights<'_>>,
) -> Result<(), TrainError> {
    let kinds = &plan.source.config.run.evaluate;
    let (ModelConfig::Vision(model), Some(data)) = (&plan.model, &plan.images) else {
        return Ok(());
    };
    if kinds.is_empty() {
        return Ok(());
    }
    let threads = rayon::current_num_threads();
    let mut images = Images::open(&plan.source, model, Arc::clone(data), threads)?;
    for kind in kinds {
        for severity in SEVERITIES {
            let corruption = Corruption { kind: *kind, severity, seed: 0 };
            let set = data.test.set.clone().corrupt(corruption)?;
            for (weights, average) in [(Some(weights), false), (average, true)]
                .into_iter()
                .filter_map(|(w, is)| Some((w?, is)))
            {
                let scores = images.score(&set, &data.test.indices, weights)?;
                directory.append_evaluation(&Evaluation {
                    average,
                    corruption: Some(kind.name().to_owned()),
                    severity,
                    ..of(plan.record.steps, &scores)
                })?;
            }
        }
    }
    Ok(())
}
