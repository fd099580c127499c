//! What can keep a report from being written.

use thiserror::Error;
use wd_store::StoreError;

/// Why a report could not be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A file of the run directory is missing or damaged.
    #[error(transparent)]
    Store(#[from] StoreError),
}
