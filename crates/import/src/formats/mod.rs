//! One file a format: bytes → [`Run`](crate::Run)s.

pub mod dvclive;
pub mod hugging_face;
pub mod lightning;
pub mod metric_lines;
#[cfg(feature = "sqlite")]
pub mod mlflow;
pub mod mlflow_files;
#[cfg(feature = "sqlite")]
pub mod optuna;
pub mod optuna_journal;
mod protobuf;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
pub mod table;
pub mod tensorboard;
pub mod text;
#[cfg(feature = "sqlite")]
pub mod trackio;
pub mod wandb;
pub mod yaml;
