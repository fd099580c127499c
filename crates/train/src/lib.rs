//! One run: configuration → plan → loop → run directory.
//!
//! | file | question it answers |
//! |---|---|
//! | [`config`] | what may a person write? |
//! | `parse` | what did they write, and where? |
//! | `plan` | what follows from it, before the first step? |
//! | `declaration` | what follows from it where the corpus is not prepared? |
//! | `model`, `optimizer` | which network, which optimizer? |
//! | `run` | the loop |
//! | `resume` | what is on disk, and does it fit? |
//! | `metrics` | which numbers are kept of each step? |
//! | [`gpt2`] | the weights in another library's names |
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
pub mod gpt2;
mod metrics;
mod model;
mod optimizer;
mod parse;
mod plan;
mod resume;
mod run;
mod task;

pub use bench::{BenchResult, BenchShape, bench, peak_memory_bytes};
pub use config::{KEYS, RunConfig};
pub use cost::Cost;
pub use declaration::Declaration;
pub use error::{ConfigError, TrainError};
pub use metrics::TENSOR_MEASURES;
pub use parse::ConfigSource;
pub use plan::RunPlan;
pub use resume::{Resume, export_run};
pub use run::{Observer, Outcome, Progress, RunOptions, run};
