//! What can go wrong between a configuration file and a finished run.

use std::path::PathBuf;

use thiserror::Error;

use crate::config::fault::ConfigError;

/// Errors of planning, training, exporting.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "a variant's message says what its fields are")]
pub enum TrainError {
    /// The configuration cannot be run.
    #[error(transparent)]
    Config(#[from] Box<ConfigError>),
    /// The configuration file cannot be read.
    #[error("cannot read the configuration {path}: {source}")]
    ReadConfig { path: PathBuf, source: std::io::Error },
    /// The run directory holds another run.
    #[error(
        "{directory} holds a run with another configuration; what differs:\n{differences}\nUse \
         another run directory, or restore the configuration."
    )]
    OtherRun { directory: PathBuf, differences: String },
    /// A run that was to start anew, in a directory that holds one.
    #[error("{directory} already holds a run: continue it, or start in a new directory")]
    Exists { directory: PathBuf },
    /// A run that was to be continued, where there is none.
    #[error("{directory} holds no checkpoint to resume from: start the run at step 0")]
    NothingToResume { directory: PathBuf },
    /// A weights file does not fit the model.
    #[error("{path} does not fit the model: {reason}")]
    Weights { path: PathBuf, reason: String },
    /// The model has no form in another library.
    #[error(
        "this model cannot be written in another library's tensor names: {reason}. The run's \
         checkpoints/step-N/model.safetensors holds it in its own names."
    )]
    NoForm { reason: String },
    /// An export would replace the configuration of other weights.
    #[error(
        "{path} is there already and is of another model: its weights could not be read any more. \
         Export into a folder of its own, or ask to overwrite it."
    )]
    OtherConfig { path: PathBuf },
    /// The run kept no moving average of its weights.
    #[error(
        "the checkpoint of step {step} holds no moving average: train with run.average, for \
         example 0.999"
    )]
    NoAverage { step: u64 },
    /// A run on text, where images are to be classified.
    #[error("{directory} holds a run on text: only classifiers of images can be judged on images")]
    OnText { directory: PathBuf },
    /// A run on images where one on text is needed.
    #[error("{directory} is a run on images: only one on text writes")]
    OnImages { directory: PathBuf },
    /// A temperature that no text can be drawn at.
    #[error("the temperature is {temperature}: give a number of 0 or more, such as 0.8")]
    Temperature { temperature: f64 },
    /// A prompt with characters that the run's tokenizer has no token for.
    #[error("the run's tokenizer cannot write this prompt")]
    Prompt,
    /// A number of bits that weights cannot be rounded to.
    #[error("weights cannot be rounded to integers of {bits} bits: give 2 to 16")]
    RoundingBits { bits: u8 },
    /// Nothing was held out to judge weights by.
    #[error(
        "{directory} holds a run that held nothing out: there is nothing to judge its weights by \
         (data.validation_fraction)"
    )]
    NothingHeldOut { directory: PathBuf },
    /// The run has no checkpoint yet.
    #[error("{directory} holds no checkpoint yet: train it first")]
    NoCheckpoint { directory: PathBuf },
    /// The last checkpoint cannot be used, and nobody has said that another will do.
    #[error("the last checkpoint, of step {step}, cannot be used: {source}. {}", others(older))]
    LastCheckpoint { step: u64, older: Vec<u64>, source: Box<wd_store::StoreError> },
    /// Checkpoints without the configuration and plan that they belong to.
    #[error(
        "{directory} holds checkpoints, but not the configuration and plan of the run that they \
         belong to: put config.toml and plan.json back, move the checkpoints away, or use another \
         run directory"
    )]
    Orphans { directory: PathBuf },
    /// The optimizer state of a checkpoint does not fit this run.
    #[error("the checkpoint of step {step} does not fit this run: {reason}")]
    Checkpoint { step: u64, reason: String },
    /// The thread pool could not be made.
    #[error("cannot start {}: {reason}", wd_page::counted(threads, "thread"))]
    Threads { threads: usize, reason: String },
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

/// What there is in place of the last checkpoint.
fn others(older: &[u64]) -> String {
    if older.is_empty() {
        return "There is no other; train the run again in a new directory".to_owned();
    }
    let steps: Vec<String> = older.iter().rev().map(u64::to_string).collect();
    format!(
        "Continuing the run does the steps since an older checkpoint again; for older weights, \
         give their step: {}",
        steps.join(", ")
    )
}
