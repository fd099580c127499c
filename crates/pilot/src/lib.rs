//! Studies of any program: a command, the axes that vary, and pilots that run each trial until its
//! result is on disk, once.
//!
//! The way of the data: `study.toml` → [`Declaration`] → trials, each with an identity → attempts,
//! each a folder made by one `mkdir` → the numbers that the program left, read with `wd_import` →
//! the same arms, pairs and verdict as for every other study.
//!
//! | module | question it answers |
//! |---|---|
//! | [`declaration`] | what does the study file ask for? |
//! | [`trial`] | which trials are that, and which of them are the same? |
//! | [`attempt`], `standing` | what is on disk of a trial, and what counts? |
//! | `owner`, `life` | who works on it, and do they live? |
//! | `process`, `slots` | how is its program started, bound and ended? |
//! | `collect` | what did it record? |
//! | [`looks`] | which seeds does the sequential rule still ask for? |
//! | [`pilot`] | who runs what is left? |
//! | [`study`], [`status`], [`upkeep`], [`doctor`] | the study on disk, read and kept |
//! | [`reuse`] | which results does another study have already? |
//! | [`slurm`] | how are pilots started by a batch system? |
//!
//! Nothing depends on a clock, a lock or a daemon being right: two pilots that take each other for
//! dead cost work, and never a result.

pub mod attempt;
mod collect;
pub mod declaration;
pub mod doctor;
mod error;
mod life;
pub mod looks;
mod owner;
pub mod pilot;
mod process;
pub mod reuse;
mod slots;
pub mod slurm;
mod standing;
pub mod status;
pub mod study;
pub mod trial;
pub mod upkeep;

pub use attempt::{Attempt, End, Outcome};
pub use declaration::Declaration;
pub use error::PilotError;
pub use pilot::{Event, Pilot, PilotOptions, Stopper, Work};
pub use status::{State, StudyStatus, TrialStatus};
pub use study::ProgramStudy;
pub use trial::ProgramTrial;
