//! What λ does to a small language model that sees each token at most once: λ × schedule × seed.
//!
//! Its analysis and its page are those of every study of λ ([`wd_lab::analyse`]).

use crate::{Definition, StudyError};

/// The base configuration of every trial.
pub const BASE: &str = include_str!("base.toml");

/// The shipped text, as JSONL compressed with zstd: the State of the Union addresses.
pub const CORPUS: &[u8] = include_bytes!("../../../../corpora/state-of-the-union.jsonl.zst");

/// Name of the file that [`CORPUS`] is written to.
pub const CORPUS_FILE: &str = "state-of-the-union.jsonl.zst";

/// Below this many steps the warm-up is a handful of steps and κ next to nothing.
pub const LEAST_STEPS: u64 = 100;

/// What the study trains.
///
/// # Errors
/// A program that was built with a damaged `study.toml`.
pub fn definition() -> Result<Definition, StudyError> {
    Definition::read("crates/studies/src/force/study.toml", include_str!("study.toml"))
}
