//! What can go wrong with a run directory, and how to mend it.

use std::io;
use std::path::{Path, PathBuf};

use wd_decay::Role;

/// Every error of this crate. Each names the file it is about.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "a variant's message says what its fields are")]
pub enum StoreError {
    /// The operating system refused.
    #[error("cannot {action} {path}: {source}")]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    /// The disk, the quota or the file-size limit is exhausted. What was there before is still
    /// complete.
    #[error(
        "no room to write {path}: {needed} more bytes are needed; make room, then run the same \
         command again"
    )]
    DiskFull { path: PathBuf, needed: u64 },
    /// Another process holds the lock of this run directory.
    #[error("another process{} is training in {path}; wait for it, stop it, or choose another run \
             directory",
        .holder.map(|id| format!(" (id {id})")).unwrap_or_default())]
    Locked { path: PathBuf, holder: Option<u32> },
    /// The run directory was removed or replaced while a run was training in it.
    #[error(
        "{path} was removed or replaced while the run was training in it; what was written before \
         is gone, so the run stops here"
    )]
    LockLost { path: PathBuf },
    /// A file that should be there is not.
    #[error("{path} does not exist: {reason}")]
    Missing { path: PathBuf, reason: &'static str },
    /// A file's content is not what was written, or was never ours.
    #[error("{path} is damaged: {reason}")]
    Damaged { path: PathBuf, reason: String },
    /// A file was written by a later version of this program.
    #[error(
        "{path} has format {found}, but this program reads formats up to {supported}; use a newer \
         wd"
    )]
    TooNew { path: PathBuf, found: u64, supported: u64 },
    /// A value cannot be written so that it reads back the same.
    #[error("cannot write {path}: {reason}")]
    Unwritable { path: PathBuf, reason: String },
    /// The columns given for a metrics file are no valid schema.
    #[error("invalid metrics columns: {reason}")]
    InvalidColumns { reason: String },
    /// A run is resumed with other columns than it began with.
    #[error(
        "{path} has other columns than this run would write ({difference}); resume with the \
         configuration it began with, or use a new run directory"
    )]
    ColumnsDiffer { path: PathBuf, difference: String },
    /// A row has the wrong number of values.
    #[error("a metrics row has {found} values, its file {expected} columns")]
    RowLength { expected: usize, found: usize },
    /// A row's step is no whole number that follows the row before.
    #[error(
        "a metrics row for step {step} cannot follow the row for step {last}: steps are whole \
         numbers and increase"
    )]
    StepOrder { step: f64, last: u64 },
    /// A metrics file has no such column.
    #[error("{path} has no column `{name}`{}", .nearest.as_ref().map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
    UnknownColumn { path: PathBuf, name: String, nearest: Option<String> },
    /// A measure of single tensors that has no value for a group of them.
    #[error(
        "`{measure}` cannot be combined over several tensors; ask for single tensors, or for one \
         of: {combinable}"
    )]
    NotCombinable { measure: String, combinable: String },
    /// No tensor of the plan was selected.
    #[error("the plan has no tensor with role `{role}`; its roles are: {roles}")]
    UnknownRole { role: Role, roles: String },
    /// A tensor cannot be written.
    #[error("cannot write tensor `{name}` to {path}: {reason}")]
    InvalidTensor { path: PathBuf, name: String, reason: String },
    /// A tensor's number format cannot be read as f32.
    #[error("tensor `{name}` of {path} has dtype {dtype}; F64, F32, F16 and BF16 are read")]
    UnsupportedDtype { path: PathBuf, name: String, dtype: String },
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
