//! What can keep a study from its answer.

use thiserror::Error;

/// Errors of this crate.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StudyError {
    /// A trial cannot be read, or there is nothing to analyse.
    #[error(transparent)]
    Lab(#[from] wd_lab::LabError),
    /// A run directory cannot be read.
    #[error(transparent)]
    Store(#[from] wd_store::StoreError),
    /// A linear model cannot be fitted.
    #[error(transparent)]
    Evidence(#[from] wd_evidence::EvidenceError),
    /// A setting cannot be explained or converted.
    #[error(transparent)]
    Convention(#[from] wd_conventions::ConventionError),
    /// The singular values of a matrix were not found.
    #[error("the singular values of {what} were not found: {problem}; are its numbers finite?")]
    Decomposition {
        /// The matrix.
        what: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// The optimizer refuses a step of the study.
    #[error("the optimizer refuses a step of the study: {0}")]
    Optim(#[from] wd_optim::OptimError),
    /// A file of the study that the program carries along is damaged: the program was built wrong.
    #[error("{file}: {problem}; mend the file and build again")]
    Shipped {
        /// The file, relative to the root of the project.
        file: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}
