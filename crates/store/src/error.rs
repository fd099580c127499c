//! What can go wrong with a run directory, and how to mend it.

use std::io;
use std::path::{Path, PathBuf};

use wd_decay::Role;

/// Every error of this crate. Each names the file it is about.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was tried, for example `read`.
        action: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// The answer.
        source: io::Error,
    },
    /// The disk, the quota or the file-size limit is exhausted. What was there before is still
    /// complete.
    #[error(
        "no room to write {path}: {needed} more bytes are needed; make room, then run the same \
         command again"
    )]
    DiskFull {
        /// The file that was being written.
        path: PathBuf,
        /// Bytes of this write that do not fit yet (an upper bound: some may have been written).
        needed: u64,
    },
    /// Another process holds the lock of this run directory.
    #[error("another process{} is training in {path}; wait for it, stop it, or choose another run \
             directory",
        .holder.map(|id| format!(" (id {id})")).unwrap_or_default())]
    Locked {
        /// The run directory.
        path: PathBuf,
        /// Its process id, where it could be read.
        holder: Option<u32>,
    },
    /// The run directory was removed or replaced while a run was training in it.
    #[error(
        "{path} was removed or replaced while the run was training in it; what was written before \
         is gone, so the run stops here"
    )]
    LockLost {
        /// The run directory.
        path: PathBuf,
    },
    /// A file that should be there is not.
    #[error("{path} does not exist: {reason}")]
    Missing {
        /// The file or directory.
        path: PathBuf,
        /// What its absence means.
        reason: &'static str,
    },
    /// A file's content is not what was written, or was never ours.
    #[error("{path} is damaged: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        reason: String,
    },
    /// A file was written by a later version of this program.
    #[error(
        "{path} has format {found}, but this program reads formats up to {supported}; use a newer \
         wd"
    )]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its format version.
        found: u64,
        /// The newest version that this program reads.
        supported: u64,
    },
    /// A value cannot be written so that it reads back the same.
    #[error("cannot write {path}: {reason}")]
    Unwritable {
        /// The file that would have been written.
        path: PathBuf,
        /// Which value, and why.
        reason: String,
    },
    /// The columns given for a metrics file are no valid schema.
    #[error("invalid metrics columns: {reason}")]
    InvalidColumns {
        /// What is wrong with them.
        reason: String,
    },
    /// A run is resumed with other columns than it began with.
    #[error(
        "{path} has other columns than this run would write ({difference}); resume with the \
         configuration it began with, or use a new run directory"
    )]
    ColumnsDiffer {
        /// The metrics file.
        path: PathBuf,
        /// The first difference.
        difference: String,
    },
    /// A row has the wrong number of values.
    #[error("a metrics row has {found} values, its file {expected} columns")]
    RowLength {
        /// Number of columns.
        expected: usize,
        /// Number of values given.
        found: usize,
    },
    /// A row's step is no whole number that follows the row before.
    #[error(
        "a metrics row for step {step} cannot follow the row for step {last}: steps are whole \
         numbers and increase"
    )]
    StepOrder {
        /// The step of the refused row.
        step: f64,
        /// The step of the last row (0 when there is none).
        last: u64,
    },
    /// A metrics file has no such column.
    #[error("{path} has no column `{name}`{}", .nearest.as_ref().map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
    UnknownColumn {
        /// The metrics file.
        path: PathBuf,
        /// The name asked for.
        name: String,
        /// The existing name most like it, if any is alike.
        nearest: Option<String>,
    },
    /// A measure of single tensors that has no value for a group of them.
    #[error(
        "`{measure}` cannot be combined over several tensors; ask for single tensors, or for one \
         of: {combinable}"
    )]
    NotCombinable {
        /// The measure asked for.
        measure: String,
        /// The measures that can be combined.
        combinable: String,
    },
    /// No tensor of the plan was selected.
    #[error("the plan has no tensor with role `{role}`; its roles are: {roles}")]
    UnknownRole {
        /// The role asked for.
        role: Role,
        /// The roles that the plan's tensors have.
        roles: String,
    },
    /// A tensor cannot be written.
    #[error("cannot write tensor `{name}` to {path}: {reason}")]
    InvalidTensor {
        /// The file that would have been written.
        path: PathBuf,
        /// The tensor's name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A tensor's number format cannot be read as f32.
    #[error("tensor `{name}` of {path} has dtype {dtype}; F64, F32, F16 and BF16 are read")]
    UnsupportedDtype {
        /// The file.
        path: PathBuf,
        /// The tensor's name.
        name: String,
        /// Its dtype.
        dtype: String,
    },
}

impl StoreError {
    /// For `map_err`: an I/O error while doing `action` to `path`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
        move |source| StoreError::Io { action, path: path.to_owned(), source }
    }

    /// For `map_err`: an I/O error while writing `needed` bytes to `path`.
    pub(crate) fn write(path: &Path, needed: u64) -> impl FnOnce(io::Error) -> StoreError {
        move |source| match source.kind() {
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => StoreError::DiskFull { path: path.to_owned(), needed },
            _ => StoreError::Io { action: "write", path: path.to_owned(), source },
        }
    }

    /// A damaged file.
    pub(crate) fn damaged(path: &Path, reason: impl ToString) -> StoreError {
        StoreError::Damaged { path: path.to_owned(), reason: reason.to_string() }
    }
}
