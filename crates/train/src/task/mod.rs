//! What a run does with its weights: the data that it reads, the network that sees them, and how both are judged.
//!
//! The loop knows no more of text or images than this: a gradient of the next batch, numbers with names, a position.

mod language;

use wd_data::Position;
use wd_nn::DropoutKey;
use wd_store::DataUnit;

use crate::{RunPlan, TrainError};
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
}

/// The columns that evaluations of a plan fill, beyond those that every run has.
pub(crate) fn columns(plan: &RunPlan) -> Vec<&'static str> {
    let average = plan.source.config.run.average.is_some();
    match plan.record.unit {
        DataUnit::Token | DataUnit::Image if average => vec!["average_loss"],
        DataUnit::Token | DataUnit::Image => Vec::new(),
    }
}

/// The task of a plan, at the start of its data. Its network is worked on by `threads` threads.
pub(crate) fn open(plan: &RunPlan, threads: usize) -> Result<Box<dyn Task>, TrainError> {
    Ok(Box::new(Language::open(plan, threads)?))
}
