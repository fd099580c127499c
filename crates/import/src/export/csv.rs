//! Tables as CSV.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::{Cell, Column, Sink, unwritable};
use crate::ImportError;

/// A folder with a CSV for each table.
pub(super) struct Files {
    folder: PathBuf,
    open: Option<(PathBuf, csv::Writer<File>)>,
}

impl Files {
    pub(super) fn new(folder: &Path) -> Result<Self, ImportError> {
        fs::create_dir_all(folder).map_err(|error| unwritable(folder, error))?;
        Ok(Files { folder: folder.to_owned(), open: None })
    }
}

impl Sink for Files {
    fn begin(&mut self, table: &str, columns: &[Column]) -> Result<(), ImportError> {
        let path = self.folder.join(format!("{table}.csv"));
        let mut writer = csv::Writer::from_path(&path).map_err(|error| unwritable(&path, error))?;
        writer
            .write_record(columns.iter().map(|(name, _)| name))
            .map_err(|error| unwritable(&path, error))?;
        self.open = Some((path, writer));
        Ok(())
    }

    fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), ImportError> {
        let Some((path, writer)) = &mut self.open else { return Ok(()) };
        let written = cells.iter().try_for_each(|cell| match cell {
            Cell::Text(text) => writer.write_field(text),
            Cell::Number(number) if number.is_nan() => writer.write_field(""),
            // As short as it reads back exactly.
            Cell::Number(number) => writer.write_field(number.to_string()),
            Cell::Integer(number) => writer.write_field(number.to_string()),
            Cell::Absent => writer.write_field(""),
        });
        written
            .and_then(|()| writer.write_record(None::<&[u8]>))
            .map_err(|error| unwritable(path, error))
    }

    fn end(&mut self) -> Result<(), ImportError> {
        match self.open.take() {
            Some((path, mut writer)) => writer.flush().map_err(|error| unwritable(&path, error)),
            None => Ok(()),
        }
    }
}
