//! What a run does with its weights: the data that it reads, the network that sees them, and how both are judged.
//!
//! The loop knows no more of text or images than this: a gradient of the next batch, numbers with names, a position.

mod images;
mod language;

use std::sync::Arc;

use wd_data::Position;
use wd_nn::DropoutKey;

use crate::{ImageData, ModelConfig, RunPlan, TrainError};
use images::Images;
use language::Language;

/// Numbers of an evaluation, by the name of their column in `metrics.bin`.
pub(crate) type Scores = Vec<(&'static str, f64)>;

/// Weights and what batch norm has gathered beside them.
#[derive(Clone, Copy)]
pub(crate) struct Weights<'a> {
    pub parameters: &'a [f32],
    pub running: &'a [f32],
}

/// Data and a network.
pub(crate) trait Task {
    /// Mean loss of the next batch, and its gradient; `running` is brought up to date.
    fn loss_and_gradient(
        &mut self,
        parameters: &[f32],
        gradients: &mut [f32],
        running: &mut [f32],
        dropout: DropoutKey,
    ) -> Result<f64, TrainError>;

    /// What is said of the weights of a run; less of what has no data.
    fn evaluate(&mut self, weights: Weights<'_>) -> Result<Scores, TrainError>;

    /// What is said of a moving average of the weights.
    fn evaluate_average(&mut self, weights: Weights<'_>) -> Result<Scores, TrainError>;

    /// How far the training data are read.
    fn position(&self) -> Position;

    /// Goes on from there.
    fn seek(&mut self, position: Position) -> Result<(), TrainError>;

    /// Bytes of activations and gradient lanes.
    fn memory_bytes(&self) -> usize;
}

/// The columns that evaluations of a plan fill, beyond those that every run has.
pub(crate) fn columns(plan: &RunPlan) -> Vec<&'static str> {
    let mut columns = Vec::new();
    if let Some(data) = &plan.images {
        columns.extend(images::COLUMNS);
        if data.shifted.is_some() {
            columns.extend(images::SHIFTED_COLUMNS);
        }
    }
    if plan.source.config.run.average.is_some() {
        columns.extend(match plan.images {
            Some(_) => &images::AVERAGE_COLUMNS[..],
            None => &language::AVERAGE_COLUMNS[..],
        });
    }
    columns
}

/// The task of a plan, at the start of its data. Its network is worked on by `threads` threads.
pub(crate) fn open(plan: &RunPlan, threads: usize) -> Result<Box<dyn Task>, TrainError> {
    let source = &plan.source;
    Ok(match (&plan.model, &plan.images) {
        (ModelConfig::Gpt(model), _) => Box::new(Language::open(source, model, threads)?),
        (ModelConfig::Vision(model), Some(data)) => {
            Box::new(Images::open(source, model, Arc::clone(data), threads)?)
        }
        (ModelConfig::Vision(model), None) => {
            let data = Arc::new(ImageData::open(source)?);
            Box::new(Images::open(source, model, data, threads)?)
        }
    })
}
