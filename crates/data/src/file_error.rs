//! What text, images and tables have in common: a file that cannot be read or written.

use std::io;
use std::path::{Path, PathBuf};

/// A file that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "a variant's message says what its fields are")]
pub enum FileError {
    /// The operating system refused to read, write or rename.
    #[error("cannot {action} {}: {source}{}", path.display(), remedy(source))]
    Io { action: &'static str, path: PathBuf, source: io::Error },

    /// A file that is no Parquet, or a damaged one.
    #[error("{} is no usable table: {problem}", path.display())]
    Parquet { path: PathBuf, problem: String },
}

/// What can be done about a file whose content ends, or breaks, where more was promised.
fn remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => {
            ": it is cut short or damaged; copy or download it again"
        }
        _ => "",
    }
}

impl FileError {
    /// Whether there is no such file.
    pub fn is_not_found(&self) -> bool {
        matches!(self, FileError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// For `map_err`: the system refused `action` on `path`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
        move |source| FileError::Io { action, path: path.to_owned(), source }
    }
}
