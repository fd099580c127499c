//! A study as tables for other programs: every run, every curve, and the statistics.
//!
//! | file | what |
//! |---|---|
//! | `tables` | the tables, row by row |
//! | `csv`, `parquet`, `sqlite` | a table in one of these forms |
//! | `tensorboard` | the curves and settings as event files, with the HPARAMS tab |
//!
//! | table | a row is |
//! |---|---|
//! | `runs` | a run: arm, λ, peak learning rate, seed, how it ended |
//! | `settings` | one setting of one run |
//! | `series` | one number of one run at one step |
//! | `arms` | a quantity of an arm: mean, interval, number of seeds |
//! | `comparisons` | a quantity of a comparison: difference, interval, p, p after Holm's correction |
//!
//! What [`import`](crate::import()) reads, this writes: the same study comes back.

mod csv;
mod parquet;
#[cfg(feature = "sqlite")]
mod sqlite;
mod tables;
mod tensorboard;

use std::path::Path;

use wd_lab::{Analysis, Study};

use crate::ImportError;
use tables::{Cell, Column, write_all};
pub use tensorboard::{EventFile, begin_event_file};

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A folder with a CSV for each table.
    Csv,
    /// A folder with a Parquet file for each table.
    Parquet,
    /// One SQLite file.
    Sqlite,
    /// A folder with event files for each run.
    Tensorboard,
}

/// Takes the rows of the tables, one table after another.
trait Sink {
    /// Begins a table.
    fn begin(&mut self, table: &str, columns: &[Column]) -> Result<(), ImportError>;
    /// Takes a row.
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), ImportError>;
    /// Ends the table.
    fn end(&mut self) -> Result<(), ImportError>;
}

/// Writes a study to `out`, which must not be there. `analysis` is absent when nothing has finished
/// yet: its tables are empty then.
///
/// # Errors
/// [`ImportError`] when `out` is there already, a run directory is damaged, or something cannot be
/// written.
pub fn export(
    study: &Study,
    analysis: Option<&Analysis>,
    form: Form,
    out: &Path,
) -> Result<(), ImportError> {
    if out.exists() {
        let problem = format!("{} is there already; choose another place", out.display());
        return Err(ImportError::Option { option: "out", problem });
    }
    match form {
        Form::Csv => write_all(study, analysis, &mut csv::Files::new(out)?),
        Form::Parquet => write_all(study, analysis, &mut parquet::Files::new(out)?),
        #[cfg(feature = "sqlite")]
        Form::Sqlite => write_all(study, analysis, &mut sqlite::Database::new(out)?),
        #[cfg(not(feature = "sqlite"))]
        Form::Sqlite => {
            let problem = "this program was built without SQLite".to_owned();
            Err(ImportError::Option { option: "sqlite", problem })
        }
        Form::Tensorboard => tensorboard::write(study, out),
    }
}

/// An error of writing.
fn unwritable(path: &Path, error: impl ToString) -> ImportError {
    ImportError::Write { path: path.to_owned(), problem: error.to_string() }
}
