//! What another program recorded, and what its names mean.

use serde::{Deserialize, Serialize};

/// What a training loss is: only that of a fixed set can show that λ acts as a force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrainingLoss {
    /// As this program records it: of each step, and of the final weights on a fixed set.
    #[default]
    OfThisProgram,
    /// Of the weights at that step on a set that is the same every time and for every run.
    FixedSet,
    /// Of the batch of that step alone.
    Batch,
    /// The mean of several steps, whose weights differ.
    RunningMean,
    /// Nobody has said.
    Undeclared,
}

impl TrainingLoss {
    /// May the verdict rest on how the training loss itself moves?
    pub fn shows_a_force(self) -> bool {
        matches!(self, TrainingLoss::OfThisProgram | TrainingLoss::FixedSet)
    }

    /// What it is, in words.
    pub fn words(self) -> &'static str {
        match self {
            TrainingLoss::OfThisProgram => "of each step",
            TrainingLoss::FixedSet => "of a fixed set",
            TrainingLoss::Batch => "of single batches",
            TrainingLoss::RunningMean => "a running mean over steps",
            TrainingLoss::Undeclared => "not declared to be of a fixed set",
        }
    }
}

/// Runs of another program: which setting is λ, η and the seed, and which curve is which loss.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    /// The program or format, for example `TensorBoard`.
    pub program: String,
    /// The setting that is λ.
    pub lambda: String,
    /// The setting that is the peak learning rate.
    pub learning_rate: Option<String>,
    /// The setting that is the seed; without one no runs are paired, and [`Recording::RUN_NUMBER`]
    /// numbers the runs of an arm.
    pub seed: Option<String>,
    /// The curve that is the training loss.
    pub training: Option<String>,
    /// What that training loss is.
    pub training_is: TrainingLoss,
    /// The curve that is the validation loss.
    pub validation: Option<String>,
    /// The curve that is the norm of the gradient.
    pub gradient_norm: Option<String>,
    /// Largest relative difference of the first logged losses of two runs of one seed that are
    /// taken for the same initial weights and batches.
    pub pair_tolerance: f64,
    /// What was left out or put together on the way, in sentences.
    pub notes: Vec<String>,
}

impl Recording {
    /// The default of [`Recording::pair_tolerance`]: what the order of a sum on a CPU may change.
    pub const PAIR_TOLERANCE: f64 = 1e-6;

    /// The setting that numbers runs without a seed.
    pub const RUN_NUMBER: &str = "run number";

    /// The curve that plays the role of a column of this program's runs.
    pub(crate) fn curve_of(&self, column: &str) -> Option<&str> {
        match column {
            "train_loss" | "train_eval_loss" => self.training.as_deref(),
            "validation_loss" => self.validation.as_deref(),
            "gradient_norm" => self.gradient_norm.as_deref(),
            _ => None,
        }
    }
}
