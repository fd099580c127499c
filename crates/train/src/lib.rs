//! One run: configuration → plan → loop → run directory.
//!
//! | file | question it answers |
//! |---|---|
//! | [`config`] | what may a person write? |
//! | `parse`, `keys` | what did they write, and where? Does it belong to this kind of model? |
//! | `data`, `model`, `optimizer` | which data, which network, which optimizer? |
//! | `plan` | what follows from it, before the first step? |
//! | `declaration` | what follows from it where the data are not there? |
//! | `run` | the loop |
//! | `task` | what the loop does not know: text or images, a gradient, scores |
//! | `evaluate` | how well do the weights of a finished run classify other images? |
//! | `evaluation`, `average` | how well do the weights classify? And their moving average? |
//! | `resume` | what is on disk, and does it fit? |
//! | `metrics` | which numbers are kept of each step? |
//! | `weights`, `gpt2`, `timm`, `torchvision`, `export` | the weights in another library's names |
//! | `bench`, `cost` | how fast, how large? |
//!
//! A run that was stopped at any moment and called again ends with the same bits as one that never stopped: the
//! state is the weights, the optimizer's arenas, the loader's position and the step, and all randomness is a function
//! of (seed, step).

mod average;
mod bench;
pub mod config;
mod cost;
mod data;
mod declaration;
mod error;
mod evaluate;
mod evaluation;
mod export;
mod gpt2;
mod keys;
mod metrics;
mod model;
mod optimizer;
mod parse;
mod plan;
mod resume;
mod run;
mod task;
mod timm;
mod torchvision;
mod weights;

pub use bench::{BenchResult, BenchShape, bench, peak_memory_bytes};
pub use config::{KEYS, RunConfig};
pub use cost::Cost;
pub use data::images::ImageData;
pub use declaration::Declaration;
pub use error::{ConfigError, TrainError};
pub use evaluate::evaluate_run;
pub use export::export_run;
pub use metrics::TENSOR_MEASURES;
pub use model::ModelConfig;
pub use parse::ConfigSource;
pub use plan::RunPlan;
pub use resume::Resume;
pub use run::{Observer, Outcome, Progress, RunOptions, run};
