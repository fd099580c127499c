//! What can go wrong when files are audited, and how to mend it.

use std::io;
use std::path::PathBuf;

/// Every error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The operating system refused.
    #[error("cannot read {path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The answer.
        source: io::Error,
    },
    /// The file is not what it claims to be.
    #[error("{path} is damaged: {fault}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        fault: Fault,
    },
    /// The file is whole, and of a kind that is not read.
    #[error("{path} is {what}, which is not read; {fix}")]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: String,
        /// What can be done.
        fix: String,
    },
    /// Nothing that can be audited lies there.
    #[error(
        "{path} holds no checkpoint, optimizer state or configuration that is known; looked \
             for: {looked_for}"
    )]
    Nothing {
        /// The file or folder.
        path: PathBuf,
        /// Names and kinds that were looked for.
        looked_for: String,
    },
    /// A configuration cannot be read.
    #[error("{path}{}: {reason}", .line.map(|line| format!(", line {line}")).unwrap_or_default())]
    Configuration {
        /// The file.
        path: PathBuf,
        /// Line, from 1, where it is known.
        line: Option<usize>,
        /// What is wrong.
        reason: String,
    },
    /// A name that is not among the known ones.
    #[error("unknown {what} `{given}`{nearest}")]
    Unknown {
        /// What kind of thing was named.
        what: &'static str,
        /// As it was given.
        given: String,
        /// The nearest known name as a question, or nothing.
        nearest: String,
    },
    /// Files that do not belong together were given together.
    #[error("{path} and {other} cannot be compared: {reason}")]
    Unrelated {
        /// The first file.
        path: PathBuf,
        /// The second one.
        other: PathBuf,
        /// Why not.
        reason: String,
    },
}

/// What is wrong in a file, and at which byte.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}{}", .at.map(|at| format!(" (at byte {at})")).unwrap_or_default())]
pub struct Fault {
    /// What is wrong, in a clause.
    pub what: String,
    /// Where in the file, where that is known.
    pub at: Option<u64>,
}

impl Fault {
    /// Something wrong at a byte of the file.
    pub fn at(at: usize, what: impl Into<String>) -> Self {
        Fault { what: what.into(), at: Some(at as u64) }
    }

    /// Something wrong with the file as a whole.
    pub fn whole(what: impl Into<String>) -> Self {
        Fault { what: what.into(), at: None }
    }
}
