//! The weights of a finished run on other images than it was judged on.

use std::sync::Arc;

use wd_store::RunDirectory;

use crate::{
    checkpoint,
    config::{ConfigSource, ModelConfig, Shifted},
    error::TrainError,
    plan::RunPlan,
    task::Images,
    weights::Weights,
};

/// How well a classifier does on a set of images.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Score {
    /// The loss that was minimised, without label smoothing.
    pub loss: f64,
    /// Mean negative log-likelihood, in nats an image.
    pub negative_log_likelihood: f64,
    /// Share of right predictions.
    pub accuracy: f64,
    /// Expected calibration error over 15 bins.
    pub calibration_error: f64,
    /// How the classes of other images were paired, where that was not by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paired: Option<String>,
}

/// Scores the weights of a run's last checkpoint, or their moving average, on its test images, or
/// on shifted ones instead: corrupted, or others.
///
/// # Errors
/// A run on text, one without a checkpoint or without an average, images that are missing or do not
/// fit.
pub fn evaluate_run(
    directory: &RunDirectory,
    shifted: Option<Shifted>,
    average: bool,
) -> Result<Score, TrainError> {
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
    let Some(checkpoint) = directory.checkpoints().latest()?.checkpoint else {
        return Err(TrainError::NoCheckpoint { directory: directory.path().to_owned() });
    };
    let (parameters, running) = match average {
        true => checkpoint::average(&checkpoint, plan.layout.len, plan.running.len)?,
        false => checkpoint::weights(&plan, &checkpoint)?,
    };
    let threads = rayon::current_num_threads();
    let mut images = Images::open(&plan.source, model, Arc::clone(data), threads)?;
    let weights = Weights { parameters: &parameters, running: &running };
    let evaluation = images.score_test(is_shifted, weights)?;
    Ok(Score {
        loss: evaluation.loss(),
        negative_log_likelihood: evaluation.negative_log_likelihood(),
        accuracy: evaluation.accuracy(),
        calibration_error: evaluation.calibration_error(),
        paired: data.shifted.as_ref().and_then(|test| test.set.paired()).map(str::to_owned),
    })
}
