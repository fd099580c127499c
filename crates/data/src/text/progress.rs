//! How far a preparation has come.

use std::fmt;

/// What [`prepare`](crate::text::prepare) is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Reading the inputs through, to know whether they have changed.
    Reading,
    /// Counting words, from which a byte-pair vocabulary is learned.
    Learning,
    /// Turning text into tokens.
    Encoding,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Stage::Reading => "reading",
            Stage::Learning => "learning the vocabulary",
            Stage::Encoding => "encoding",
        })
    }
}

/// How far a preparation has come within a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// Bytes of the inputs, as they are on disk, read in this stage.
    pub done: u64,
    /// Bytes of all inputs.
    pub total: u64,
}
