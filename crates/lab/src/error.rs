//! What can go wrong in a study.

use std::path::{Path, PathBuf};

/// An error of a study, with what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "a variant's message says what its fields are")]
pub enum LabError {
    /// An argument of the command line that cannot be read.
    #[error("`{argument}`: {problem}; {fix}")]
    Argument { argument: String, problem: String, fix: String },
    /// A setting that does not fit into the base configuration.
    #[error("cannot set `{key}`: {problem}")]
    Setting { key: String, problem: String },
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
    BaseChanged { root: PathBuf, changes: Vec<String> },
    /// `study.json` is damaged or of another version.
    #[error("{}: {problem}", .path.display())]
    Study { path: PathBuf, problem: String },
    /// The operating system refused.
    #[error("{action} {}: {source}", .path.display())]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },
    /// A run directory could not be read.
    #[error(transparent)]
    Store(#[from] wd_store::StoreError),
    /// There is nothing to analyse.
    #[error("{problem}; {fix}")]
    NothingToAnalyse { problem: String, fix: String },
}

impl LabError {
    /// Wraps an operating-system error with what was tried and where.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> LabError {
        let path = path.to_owned();
        move |source| LabError::Io { action, path, source }
    }
}
