//! What can go wrong between a configuration file and a finished run.

use std::{ops::Range, path::PathBuf};

use thiserror::Error;

/// A configuration that cannot be run, with the place in its text.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct ConfigError {
    /// Name of the file, for messages.
    pub name: String,
    /// The whole text that was read (with overrides applied).
    pub text: String,
    /// The bytes of `text` that are wrong, where known.
    pub span: Option<Range<usize>>,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

/// Errors of planning, training, exporting.
#[derive(Debug, Error)]
pub enum TrainError {
    /// The configuration cannot be run.
    #[error(transparent)]
    Config(#[from] Box<ConfigError>),
    /// The configuration file cannot be read.
    #[error("cannot read the configuration {path}: {source}")]
    ReadConfig {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// The run directory holds another run.
    #[error(
        "{directory} holds a run with another configuration; what differs:\n{differences}\nUse another --run-dir, or restore the configuration."
    )]
    OtherRun {
        /// The run directory.
        directory: PathBuf,
        /// The keys that differ, one a line.
        differences: String,
    },
    /// `--resume never` on a directory that holds a run.
    #[error(
        "{directory} already holds a run; --resume never starts only in a new directory (use --resume auto to continue it)"
    )]
    Exists {
        /// The run directory.
        directory: PathBuf,
    },
    /// `--resume require` where there is nothing to resume.
    #[error("{directory} holds no checkpoint to resume from; --resume auto would start at step 0")]
    NothingToResume {
        /// The run directory.
        directory: PathBuf,
    },
    /// A weights file does not fit the model.
    #[error("{path} does not fit the model: {reason}")]
    Weights {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// The model has no form in another library.
    #[error(
        "this model cannot be written in another library's tensor names: {reason}. The run's checkpoints/step-N/model.safetensors holds it in its own names."
    )]
    NoForm {
        /// What the other library does not have.
        reason: String,
    },
    /// An export would replace the configuration of other weights.
    #[error(
        "{path} is there already and is of another model: its weights could not be read any more. Export into a folder of \
         its own, or say --force."
    )]
    OtherConfig {
        /// The file.
        path: PathBuf,
    },
    /// The run kept no moving average of its weights.
    #[error(
        "the checkpoint of step {step} holds no moving average: train with run.average, for example `--set run.average=0.999`"
    )]
    NoAverage {
        /// Step of the checkpoint.
        step: u64,
    },
    /// The run has no checkpoint yet.
    #[error("{directory} holds no checkpoint yet: train it first")]
    NoCheckpoint {
        /// The run directory.
        directory: PathBuf,
    },
    /// The optimizer state of a checkpoint does not fit this run.
    #[error("the checkpoint of step {step} does not fit this run: {reason}")]
    Checkpoint {
        /// Step of the checkpoint.
        step: u64,
        /// What does not fit.
        reason: String,
    },
    /// The thread pool could not be made.
    #[error("cannot start {}: {reason}", wd_decay::counted(threads, "thread"))]
    Threads {
        /// Number of threads asked for.
        threads: usize,
        /// The reason.
        reason: String,
    },
    /// From the decay rules.
    #[error(transparent)]
    Decay(#[from] wd_decay::DecayError),
    /// From the optimizer.
    #[error(transparent)]
    Optim(#[from] wd_optim::OptimError),
    /// From the model.
    #[error(transparent)]
    Model(#[from] wd_nn::NnError),
    /// From the corpus.
    #[error(transparent)]
    Text(#[from] wd_data::text::TextError),
    /// From the images.
    #[error(transparent)]
    Images(#[from] wd_data::images::ImageError),
    /// From the run directory.
    #[error(transparent)]
    Store(#[from] wd_store::StoreError),
}
