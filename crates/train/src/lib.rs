//! One run: configuration → plan → loop → run directory.
//!
//! | file | question it answers |
//! |---|---|
//! | [`config`] | what may a person write? What did they write, and what is wrong with it? |
//! | `data` | which data? |
//! | `plan` | what follows from it, before the first step? |
//! | `run` | from the plan to the end: the loop |
//! | `engine` | where the loop meets the data, the network and the optimizer |
//! | `task` | text or images: a gradient, scores |
//! | `resume`, `checkpoint` | what is on disk, and does it fit? |
//! | `metrics`, `observer` | which numbers are kept of each step, and what is told? |
//! | `evaluation`, `average` | how well do the weights classify? And their moving average? |
//! | `evaluate` | how well do the weights of a finished run classify other images? |
//! | `rounded` | what do the weights of a finished run lose when they are rounded to few bits? |
//! | `sample` | what does a language model write? |
//! | `weights` | the weights in files, in our own names or in another library's |
//! | `bench`, `cost` | how fast, how large? |
//!
//! A run that was stopped at any moment and called again ends with the same bits as one that never
//! stopped: the state is the weights, the optimizer's arenas, the loader's position and the step,
//! and all randomness is a function of (seed, step).

mod average;
mod bench;
mod checkpoint;
pub mod config;
mod cost;
mod data;
mod engine;
mod error;
mod evaluate;
mod evaluation;
mod metrics;
mod observer;
mod pace;
mod plan;
mod resume;
mod rounded;
mod run;
mod sample;
mod task;
mod threads;
mod weights;

pub use bench::{BenchResult, BenchShape, bench, peak_memory_bytes};
pub use config::{ConfigError, ConfigFault, ConfigSource, KEYS, ModelConfig, RunConfig};
pub use cost::Cost;
pub use data::ImageData;
pub use error::TrainError;
pub use evaluate::evaluate_run;
pub use metrics::{RUN_COLUMNS, TENSOR_MEASURES};
pub use observer::{Observer, Outcome, Progress};
pub use plan::{Declaration, RunPlan};
pub use resume::Resume;
pub use rounded::evaluate_rounded;
pub use run::{RunOptions, run};
pub use sample::{Sample, SampleOptions, sample};
pub use threads::start_threads;
pub use weights::export_run;
