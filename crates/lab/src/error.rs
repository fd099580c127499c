//! What can go wrong in a study.

use std::path::{Path, PathBuf};

/// An error of a study, with what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabError {
    /// An argument of the command line that cannot be read.
    #[error("`{argument}`: {problem}; {fix}")]
    Argument {
        /// The argument as typed.
        argument: String,
        /// What is wrong with it.
        problem: String,
        /// How to mend it.
        fix: String,
    },
    /// A setting that does not fit into the base configuration.
    #[error("cannot set `{key}`: {problem}")]
    Setting {
        /// The dotted key.
        key: String,
        /// What is in the way.
        problem: String,
    },
    /// A configuration that is not TOML.
    #[error("the base configuration is not TOML: {0}")]
    Toml(String),
    /// The folder holds a study of another base configuration.
    #[error(
        "{} holds a study of another base configuration ({}); its trials would not be comparable \
         with new ones: choose another folder, or restore the configuration (it is kept as {})",
        .root.display(),
        .changes.join("; "),
        .root.join("base.toml").display()
    )]
    BaseChanged {
        /// The study's folder.
        root: PathBuf,
        /// Each key that differs, with both values.
        changes: Vec<String>,
    },
    /// `study.json` is damaged or of another version.
    #[error("{}: {problem}", .path.display())]
    Study {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The operating system refused.
    #[error("{action} {}: {source}", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// A run directory could not be read.
    #[error(transparent)]
    Store(#[from] wd_store::StoreError),
    /// There is nothing to analyse.
    #[error("{problem}; {fix}")]
    NothingToAnalyse {
        /// What is missing.
        problem: String,
        /// What to run first.
        fix: String,
    },
}

impl LabError {
    /// Wraps an operating-system error with what was tried and where.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> LabError {
        let path = path.to_owned();
        move |source| LabError::Io { action, path, source }
    }
}
