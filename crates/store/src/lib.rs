//! The run directory: the one on-disk format that everything after training reads.
//!
//! ```text
//! RUN/
//!   .lock                    held by the process that trains here; contains its process id
//!   config.toml              the configuration, as given
//!   plan.json                what was decided before the first step            → [`Plan`]
//!   metrics.bin              one fixed-width row a step, append-only            → [`MetricsReader`]
//!   evaluations.jsonl        its weights on other images, where asked for             → [`Evaluation`]
//!   confusion.json           test images by their class and the one they are taken for      → [`Confusion`]
//!   rounded.jsonl            losses of its weights, rounded to few bits, where asked for  → [`RoundedLoss`]
//!   events.jsonl             started, resumed, checkpoint, finished, …          → [`EventLog`]
//!   checkpoints/step-N/      model.safetensors, optimizer.safetensors, state.json → [`Checkpoints`]
//! ```
//!
//! The directory is the truth, and it is written so that nothing is lost: whatever the moment of a
//! kill, a full disk or a damaged file, everything that was complete before stays readable. Small
//! files and checkpoints are written aside, brought to the disk and renamed; `metrics.bin` and
//! `events.jsonl` only grow, and a torn end is dropped. One process writes (it holds a
//! [`RunLock`]); any number of others may read at the same time.
//!
//! ```
//! use wd_store::{Column, Event, EventKind, RunDirectory, Status};
//! # let parent = tempfile::tempdir()?;
//! # let path = parent.path().join("run");
//! let run = RunDirectory::create_or_open(&path)?;
//! let lock = run.lock()?;
//! run.append_event(&Event::now(EventKind::Started, 0, "a run of 2 steps"))?;
//!
//! let mut metrics = lock.metrics_writer(&[Column::f64("step"), Column::f64("train_loss")], 0)?;
//! metrics.append(&[1.0, 5.25])?;
//! metrics.append(&[2.0, 5.0])?;
//! metrics.sync()?;
//! run.checkpoints().save(2, &[("w", &[2], &[0.5, -0.5])], &[], &serde_json::json!({ "epoch": 0 }))?;
//! run.append_event(&Event::now(EventKind::Finished, 2, "done"))?;
//!
//! assert_eq!(run.metrics()?.column("train_loss")?, [5.25, 5.0]);
//! assert_eq!(run.status()?, Status::Finished { step: 2 });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(target_endian = "big")]
compile_error!(
    "the run directory is little-endian and its tensors are cast in place: big-endian machines are \
     not supported"
);

mod aside;
mod checkpoint;
mod confusion;
mod error;
mod evaluation;
mod event;
mod lines;
mod lock;
mod metrics;
mod plan;
mod rounded;
mod run_directory;
mod status;
mod tensor_file;

pub use aside::write_file;
pub use checkpoint::{Checkpoint, Checkpoints, Latest, SkippedCheckpoint};
pub use confusion::Confusion;
pub use error::StoreError;
pub use evaluation::Evaluation;
pub use event::{Event, EventKind, EventLog};
pub use lock::{FolderLock, RunLock};
pub use metrics::{Column, ColumnType, MetricsReader, MetricsWriter, ROLE_MEASURES};
pub use plan::{Plan, PlannedImages, PlannedTensor, PlannedText};
pub use rounded::RoundedLoss;
pub use run_directory::RunDirectory;
pub use status::Status;
pub use tensor_file::{Tensor, TensorView, read_safetensors, write_safetensors};
