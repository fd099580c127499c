//! What can go wrong between a file and a design matrix.

use std::path::{Path, PathBuf};

use crate::FileError;

/// Every failure of tables: what, where, and how to mend it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "a variant's message says what its fields are")]
pub enum TableError {
    /// A file that cannot be read.
    #[error(transparent)]
    File(#[from] FileError),

    /// A file cannot be read as a table.
    #[error("{} is no usable table: {problem}", path.display())]
    Table { path: PathBuf, problem: String, options: &'static [TableOption] },

    /// A cell of a table is not what its column holds.
    #[error("{}, {place}, column `{column}`: {problem}", path.display())]
    Cell {
        path: PathBuf,
        place: String,
        column: String,
        problem: String,
        options: &'static [TableOption],
    },

    /// A column that a table does not have.
    #[error("{} has no column `{name}`: {hint}", path.display())]
    UnknownColumn { path: PathBuf, name: String, hint: String, options: &'static [TableOption] },

    /// A column cannot be what it is asked to be.
    #[error("column `{column}` of {}: {problem}", path.display())]
    Column { path: PathBuf, column: String, problem: String, options: &'static [TableOption] },

    /// Cells are empty.
    #[error("{} lacks values: {columns}; {remedy}", path.display())]
    MissingValues {
        path: PathBuf,
        columns: String,
        remedy: &'static str,
        options: &'static [TableOption],
    },
}

/// An option of a table, which an error names by its field. Whoever shows the error adds how the
/// option is spelt there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TableOption {
    /// `drop` of [`DesignOptions`](super::DesignOptions).
    Drop,
    /// `categorical` of [`DesignOptions`](super::DesignOptions).
    Categorical,
    /// `classes` of [`DesignOptions`](super::DesignOptions).
    Classes,
    /// `impute_mean` of [`DesignOptions`](super::DesignOptions).
    ImputeMean,
    /// `dates` of [`DesignOptions`](super::DesignOptions).
    Dates,
    /// `delimiter` of [`Reading`](super::Reading).
    Delimiter,
    /// `header` of [`Reading`](super::Reading).
    Header,
    /// `decimal` of [`Reading`](super::Reading).
    Decimal,
    /// `thousands` of [`Reading`](super::Reading).
    Thousands,
    /// `thousands` of [`Reading`](super::Reading), as a point.
    ThousandsPoint,
    /// `thousands` of [`Reading`](super::Reading), as an apostrophe.
    ThousandsApostrophe,
    /// `thousands` of [`Reading`](super::Reading), as a blank.
    ThousandsBlank,
    /// `strip` of [`Reading`](super::Reading).
    Strip,
    /// `missing` of [`Reading`](super::Reading).
    Missing,
    /// `comment` of [`Reading`](super::Reading).
    Comment,
    /// `encoding` of [`Reading`](super::Reading).
    Encoding,
    /// `drop_missing_rows` of [`Reading`](super::Reading).
    DropMissingRows,
    /// `unseen` of [`Reading`](super::Reading).
    Unseen,
    /// Standard input in place of a file, where a command reads it.
    StandardInput,
}

impl TableError {
    /// The options that mend what is wrong.
    pub fn options(&self) -> &[TableOption] {
        match self {
            TableError::Table { options, .. }
            | TableError::Cell { options, .. }
            | TableError::Column { options, .. }
            | TableError::UnknownColumn { options, .. }
            | TableError::MissingValues { options, .. } => options,
            TableError::File(_) => &[],
        }
    }

    /// The same error of a file that its reader knows by another name: standard input, say.
    pub fn renamed(mut self, from: &Path, to: &Path) -> TableError {
        match &mut self {
            TableError::Table { path, .. }
            | TableError::Cell { path, .. }
            | TableError::UnknownColumn { path, .. }
            | TableError::Column { path, .. }
            | TableError::MissingValues { path, .. }
            | TableError::File(FileError::Io { path, .. } | FileError::Parquet { path, .. }) => {
                rename(path, from, to);
            }
        }
        self
    }

    /// A file cannot be read as a table.
    pub(super) fn table(path: &Path, problem: impl Into<String>) -> TableError {
        TableError::Table { path: path.to_owned(), problem: problem.into(), options: &[] }
    }

    /// A column cannot be what it is asked to be.
    pub(super) fn column(path: &Path, column: &str, problem: impl Into<String>) -> TableError {
        TableError::Column {
            path: path.to_owned(),
            column: column.to_owned(),
            problem: problem.into(),
            options: &[],
        }
    }

    /// A cell is not what its column holds.
    pub(super) fn cell(
        path: &Path,
        place: impl ToString,
        column: &str,
        problem: impl Into<String>,
    ) -> TableError {
        TableError::Cell {
            path: path.to_owned(),
            place: place.to_string(),
            column: column.to_owned(),
            problem: problem.into(),
            options: &[],
        }
    }

    /// The same error with the options that mend it.
    pub(super) fn mended_by(mut self, mend: &'static [TableOption]) -> TableError {
        if let TableError::Table { options, .. }
        | TableError::Cell { options, .. }
        | TableError::Column { options, .. } = &mut self
        {
            *options = mend;
        }
        self
    }
}

fn rename(path: &mut PathBuf, from: &Path, to: &Path) {
    if path == from {
        *path = to.to_owned();
    }
}
