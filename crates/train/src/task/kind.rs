//! Text or images: the loop knows no more of them than a gradient of the next batch, scores, a
//! position.

use std::{sync::Arc, time::Duration};

use wd_data::Position;
use wd_nn::DropoutKey;

use super::images::{self, Images};
use super::scores::Scores;
use super::text::{self, Text};
use crate::{
    config::ModelConfig, data::ImageData, error::TrainError, plan::RunPlan, weights::Weights,
};

/// Data and a network.
pub(crate) enum Task {
    Text(Box<Text>),
    Images(Box<Images>),
}

impl Task {
    /// The task of a plan, at the start of its data. Its network is worked on by `threads` threads.
    pub(crate) fn open(plan: &RunPlan, threads: usize) -> Result<Self, TrainError> {
        let source = &plan.source;
        Ok(match (&plan.model, &plan.images) {
            (ModelConfig::Gpt(model), _) => {
                Task::Text(Box::new(Text::open(source, model, threads)?))
            }
            (ModelConfig::Vision(model), images) => {
                let images = match images {
                    Some(images) => Arc::clone(images),
                    None => Arc::new(ImageData::open(source)?),
                };
                Task::Images(Box::new(Images::open(source, model, images, threads)?))
            }
        })
    }

    /// Mean loss of the next batch, and its gradient; `running` is brought up to date.
    pub(crate) fn loss_and_gradient(
        &mut self,
        parameters: &[f32],
        gradients: &mut [f32],
        running: &mut [f32],
        dropout: DropoutKey,
    ) -> Result<f64, TrainError> {
        match self {
            Task::Text(text) => text.loss_and_gradient(parameters, gradients, dropout),
            Task::Images(images) => {
                images.loss_and_gradient(parameters, gradients, running, dropout)
            }
        }
    }

    /// What is said of the weights of a run; less of what has no data.
    pub(crate) fn evaluate(&mut self, weights: Weights<'_>) -> Result<Scores, TrainError> {
        match self {
            Task::Text(text) => text.evaluate(weights),
            Task::Images(images) => images.evaluate(weights),
        }
    }

    /// What is said of a moving average of the weights.
    pub(crate) fn evaluate_average(&mut self, weights: Weights<'_>) -> Result<Scores, TrainError> {
        match self {
            Task::Text(text) => text.evaluate_average(weights),
            Task::Images(images) => images.evaluate_average(weights),
        }
    }

    /// Test images by their class and the one that these weights take them for; none for text.
    pub(crate) fn confusion(
        &mut self,
        weights: Weights<'_>,
    ) -> Result<Option<Vec<Vec<u64>>>, TrainError> {
        match self {
            Task::Text(_) => Ok(None),
            Task::Images(images) => images.confusion(weights),
        }
    }

    /// How far the training data are read.
    pub(crate) fn position(&self) -> Position {
        match self {
            Task::Text(text) => text.position(),
            Task::Images(images) => images.position(),
        }
    }

    /// Goes on from there.
    pub(crate) fn seek(&mut self, position: Position) -> Result<(), TrainError> {
        match self {
            Task::Text(text) => text.seek(position),
            Task::Images(images) => images.seek(position),
        }
    }

    /// How long steps have waited for data that another thread prepares; `None` where the step
    /// itself reads them.
    pub(crate) fn waited(&self) -> Option<Duration> {
        match self {
            Task::Text(_) => None,
            Task::Images(images) => Some(images.waited()),
        }
    }

    /// Bytes of activations and gradient accumulators.
    pub(crate) fn memory_bytes(&self) -> usize {
        match self {
            Task::Text(text) => text.memory_bytes(),
            Task::Images(images) => images.memory_bytes(),
        }
    }
}

/// The columns that evaluations of a plan fill, beyond those that every run has.
pub(crate) fn columns(plan: &RunPlan) -> Vec<&'static str> {
    let mut columns = Vec::new();
    if let Some(data) = &plan.images {
        columns.extend(images::COLUMNS);
        if !data.wrong_labels.is_empty() {
            columns.extend(images::WRONG_LABEL_COLUMNS);
        }
        if data.shifted.is_some() {
            columns.extend(images::SHIFTED_COLUMNS);
        }
    }
    if plan.source.config.run.average.is_some() {
        columns.extend(match plan.images {
            Some(_) => &images::AVERAGE_COLUMNS[..],
            None => &text::AVERAGE_COLUMNS[..],
        });
    }
    columns
}
