//! Runs that other programs recorded, as [`wd_lab::Record`]s: the same arms, pairs and verdict as
//! for runs of this program.
//!
//! The way of the data: a path → the format of what lies there ([`find`](mod@find)) → runs, each
//! with settings and curves ([`run`], one file of [`formats`] a format) → which setting is λ, η and
//! the seed, which curve the training and the validation loss ([`roles`]) → records.
//!
//! | format | file |
//! |---|---|
//! | TensorBoard event files | [`formats::tensorboard`] |
//! | W&B `.wandb` | [`formats::wandb`] |
//! | MLflow, SQLite and file store | `formats::mlflow`, [`formats::mlflow_files`] |
//! | trackio | `formats::trackio` |
//! | Optuna, SQLite and journal | `formats::optuna`, [`formats::optuna_journal`] |
//! | Lightning's `CSVLogger` | [`formats::lightning`] |
//! | Hugging Face `trainer_state.json` | [`formats::hugging_face`] |
//! | DVCLive | [`formats::dvclive`] |
//! | CSV, JSON lines, Parquet, long or wide | [`formats::table`] |
//! | text, by a regular expression | [`formats::text`] |
//! | JSON lines of one run | [`formats::metric_lines`] |
//!
//! Nothing is executed and nothing is written into what is read. Every reader ends in runs or in an
//! error that names the file; a torn or damaged end of a file loses what comes after it, and the
//! run says so.

mod error;
pub mod export;
mod files;
pub mod find;
mod format;
pub mod formats;
mod further_settings;
mod import;
mod lenient;
pub mod names;
pub mod page;
mod recognise;
pub mod roles;
pub mod run;
pub mod save;
mod tell_apart;

pub use error::ImportError;
pub use export::export;
pub use find::{ReadOptions, read};
pub use format::Format;
pub use import::{Import, Imported, import};
pub use recognise::recognised;
pub use roles::RoleOptions;
pub use run::{Run, State};
