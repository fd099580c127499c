//! What can go wrong in a study of another program.

use std::io;
use std::path::{Path, PathBuf};

/// An error of a study, with what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "a variant's message says what its fields are")]
pub enum PilotError {
    /// The study file is not what it should be.
    #[error("{}: {problem}; {fix}", .path.display())]
    Declaration { path: PathBuf, problem: String, fix: String },
    /// The study file is no TOML, or has keys that are not known.
    #[error("{}: {problem}", .path.display())]
    Toml { path: PathBuf, problem: String },
    /// The operating system refused.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    /// A rule that was fixed before the first look is another one now.
    #[error(
        "{}: [looks] {now}, and the study began with {fixed}: a rule that is changed after the \
         first look errs more often than it says; restore it, or begin another study",
        .path.display()
    )]
    LooksChanged { path: PathBuf, now: String, fixed: String },
    /// Another study whose results are judged by other curves.
    #[error(
        "{} takes other curves for the losses, or reads them elsewhere: its results are others; \
         give both studies the same [metrics]",
        .path.display()
    )]
    OtherMetrics { path: PathBuf },
    /// Another study whose program is another one.
    #[error(
        "{} and {} are different files: what one of them found says nothing of the other",
        .own.display(), .theirs.display()
    )]
    OtherFile { own: PathBuf, theirs: PathBuf },
    /// A trial that is not there.
    #[error("no trial is called `{name}`; the trials are listed by their names in the status")]
    NoTrial { name: String },
    /// A command of the cluster failed.
    #[error("`{command}` failed: {problem}")]
    Cluster { command: String, problem: String },
    /// Axes cannot be read.
    #[error(transparent)]
    Lab(#[from] wd_lab::LabError),
    /// Something cannot be written.
    #[error(transparent)]
    Store(#[from] wd_store::StoreError),
    /// What the trials recorded cannot be read.
    #[error(transparent)]
    Import(#[from] wd_import::ImportError),
}

impl PilotError {
    /// For `map_err`: an error of the operating system, with what was tried and where.
    pub(crate) fn io(
        action: &'static str,
        path: &Path,
    ) -> impl FnOnce(io::Error) -> PilotError + use<> {
        let path = path.to_owned();
        move |source| PilotError::Io { action, path, source }
    }
}
