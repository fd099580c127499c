//! What can go wrong when runs of other programs are read.

use std::io;
use std::path::{Path, PathBuf};

/// An error of an import, with what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "a variant's message says what its fields are")]
pub enum ImportError {
    /// The operating system refused.
    #[error("cannot read {}: {source}", .path.display())]
    Io { path: PathBuf, source: io::Error },
    /// A file is not what its name or its first bytes promise.
    #[error("{}: {problem}", .path.display())]
    Damaged { path: PathBuf, problem: String },
    /// Nothing there is a format that is read.
    #[error("{} holds no runs that can be read: {problem}", .path.display())]
    Unknown { path: PathBuf, problem: String },
    /// A table whose columns are measurements, not the curves of runs.
    #[error(
        "{} is a table and no log of runs: none of its columns is a loss over steps",
        .path.display()
    )]
    NoLog { path: PathBuf },
    /// One folder holds runs of several programs.
    #[error(
        "{} holds runs of several programs, and the same runs would count twice: name one folder, \
         or one `format`: {}",
        .path.display(),
        .found.join(", ")
    )]
    Several { path: PathBuf, found: Vec<String> },
    /// An option that does not fit what was read.
    #[error("`{option}`: {problem}")]
    Option { option: &'static str, problem: String },
    /// Which setting or curve plays a role cannot be told.
    #[error("{problem}{}", listed(.list))]
    Role { option: &'static str, problem: String, list: Vec<String> },
    /// Something could not be written.
    #[error("cannot write {}: {problem}", .path.display())]
    Write { path: PathBuf, problem: String },
    /// A table could not be read.
    #[error(transparent)]
    Table(#[from] wd_data::table::TableError),
    /// The records do not make a study.
    #[error(transparent)]
    Lab(#[from] wd_lab::LabError),
    /// A study could not be written.
    #[error(transparent)]
    Store(#[from] wd_store::StoreError),
}

fn listed(list: &[String]) -> String {
    match list.is_empty() {
        true => String::new(),
        false => format!(":\n  {}", list.join("\n  ")),
    }
}

impl ImportError {
    /// For `map_err`: an error of the operating system.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> ImportError {
        let path = path.to_owned();
        move |source| ImportError::Io { path, source }
    }

    /// A file that is not what it should be.
    pub(crate) fn damaged(path: &Path, problem: impl ToString) -> ImportError {
        ImportError::Damaged { path: path.to_owned(), problem: problem.to_string() }
    }

    /// The option that mends it, in the words of [`RoleOptions`](crate::RoleOptions) and
    /// [`ReadOptions`](crate::ReadOptions).
    pub fn option(&self) -> Option<&'static str> {
        match self {
            ImportError::Option { option, .. } | ImportError::Role { option, .. } => Some(option),
            ImportError::Several { .. } => Some("format"),
            _ => None,
        }
    }
}
