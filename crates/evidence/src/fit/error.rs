//! What can be wrong with a table, with the files beside it, or with what is asked of it.

use std::path::{Path, PathBuf};

use wd_data::table::TableError;

use crate::EvidenceError;

/// An error of [`fit`](super::fit()) and its neighbours: what is wrong, where, and how to mend it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "a variant's message says what its fields are")]
pub enum FitError {
    /// A part of the request that cannot be followed.
    #[error("{option} {given}: {problem}; {fix}")]
    Option { option: &'static str, given: String, problem: String, fix: String },
    /// No table and no sums were named.
    #[error("there is no table: name one, or sums of one")]
    NoTable,
    /// A part of the table that is named twice.
    #[error(
        "{} is given twice, and its rows would count twice: name each part of the table once",
        path.display()
    )]
    Twice { path: PathBuf },
    /// A column that cannot be fitted.
    #[error("{files}, column `{column}`: {problem}")]
    Column { files: String, column: String, problem: String },
    /// A table of too few rows.
    #[error(
        "{files}: one degree of freedom is left, and the evidence is the same for every λ; give \
         more rows: the evidence needs two degrees of freedom, which is three rows with an \
         integrated intercept"
    )]
    OneDegreeOfFreedom { files: String },
    /// Too many columns for the matrix of their products.
    #[error(
        "groups and sums need the {columns} × {columns} products of the columns; leave columns out \
         until there are {most} at most, or fit the rows without groups"
    )]
    TooManyColumns { columns: usize, most: usize },
    /// A table that does not fit into the memory that it may take.
    #[error(
        "with {columns} columns no more than {rows} rows are held in memory here; give fewer rows \
         or columns"
    )]
    TooLong { columns: usize, rows: usize },
    /// A file that should hold sums or a model and does not.
    #[error("{} is no {what}: {problem}", path.display())]
    File { path: PathBuf, what: &'static str, problem: String },
    /// A model and a table, each in the other's place.
    #[error(
        "the model and the table are swapped: {} is the model, and stands before {}",
        model.display(), table.display()
    )]
    Swapped { model: PathBuf, table: PathBuf },
    /// Sums of two tables that are no parts of one.
    #[error(
        "{} does not add to {}: {difference}; sum both tables at once, or add the second table to \
         the sums of the first", path.display(), first.display()
    )]
    Apart { first: PathBuf, path: PathBuf, difference: String },
    /// A value that JSON cannot hold.
    #[error("this cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The table cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The mathematics refuses.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
}

impl FitError {
    /// The same error of a file that its reader knows by another name: standard input, say.
    pub fn renamed(self, from: &Path, to: &Path) -> Self {
        let other = |path: PathBuf| if path == from { to.to_owned() } else { path };
        let within = |files: String| files.replace(&*from.to_string_lossy(), &to.to_string_lossy());
        match self {
            FitError::Table(error) => FitError::Table(error.renamed(from, to)),
            FitError::Column { files, column, problem } => {
                FitError::Column { files: within(files), column, problem }
            }
            FitError::OneDegreeOfFreedom { files } => {
                FitError::OneDegreeOfFreedom { files: within(files) }
            }
            FitError::File { path, what, problem } => {
                FitError::File { path: other(path), what, problem }
            }
            FitError::Apart { first, path, difference } => {
                FitError::Apart { first: other(first), path: other(path), difference }
            }
            FitError::Swapped { model, table } => {
                FitError::Swapped { model: other(model), table: other(table) }
            }
            FitError::Option { option, given, problem, fix } => {
                FitError::Option { option, given, problem: within(problem), fix }
            }
            error => error,
        }
    }

    /// An option with what it holds, what is wrong with that, and how to mend it.
    pub(super) fn option(
        option: &'static str,
        given: impl Into<String>,
        problem: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        let (given, problem, fix) = (given.into(), problem.into(), fix.into());
        FitError::Option { option, given, problem, fix }
    }
}
