//! Reading `metrics.bin` through a memory map.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use super::header::{self, Column, ColumnType, Header, HeaderProblem, VERSION};
use super::whole_step;
use crate::StoreError;

/// The rows of a `metrics.bin` as they were when it was opened.
///
/// Nothing is copied until a column is asked for. Another process may append meanwhile; open again
/// to see its rows.
#[derive(Debug)]
pub struct MetricsReader {
    path: PathBuf,
    map: Mmap,
    header: Header,
    rows: usize,
}

impl MetricsReader {
    /// Opens a metrics file.
    ///
    /// # Errors
    /// [`StoreError::Missing`]; [`StoreError::Damaged`] when the header is; [`StoreError::TooNew`];
    /// [`StoreError::Io`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => StoreError::Missing {
                path: path.to_owned(),
                reason: "no step of this run was recorded",
            },
            _ => StoreError::io("open", path)(error),
        })?;
        // SAFETY: this crate never shortens a metrics file nor changes bytes that were written (the
        // writer appends, or replaces the file by a new one, which leaves this map on the old), and
        // no reference into the map is given out: values are copied from it byte by byte.
        let map = unsafe { Mmap::map(&file) }.map_err(StoreError::io("map", path))?;
        let header = header::decode(&map).map_err(|problem| match problem {
            HeaderProblem::TooNew(found) => StoreError::TooNew {
                path: path.to_owned(),
                found: found.into(),
                supported: VERSION.into(),
            },
            HeaderProblem::Damaged(reason) => StoreError::damaged(path, reason),
        })?;
        let rows = (map.len() - header.data_start) / header.row_width;
        let mut reader = Self { path: path.to_owned(), map, header, rows };
        while reader.rows > 0 && !reader.last_row_follows() {
            reader.rows -= 1;
        }
        Ok(reader)
    }

    /// A disk that lost power may leave blocks of zeros or old data at the end of a file: such rows
    /// are not ours.
    fn last_row_follows(&self) -> bool {
        let last = whole_step(self.value(self.rows - 1, 0));
        let before = if self.rows > 1 { whole_step(self.value(self.rows - 2, 0)) } else { Some(0) };
        // With a bad row before it nothing is known about the last one, except that the file ends
        // here at the latest.
        last.is_some() && (before.is_none() || last > before)
    }

    /// The columns, `step` first.
    pub fn columns(&self) -> &[Column] {
        &self.header.columns
    }

    /// Number of whole rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The step of the last row.
    pub fn last_step(&self) -> Option<u64> {
        self.rows.checked_sub(1).and_then(|row| whole_step(self.value(row, 0)))
    }

    /// Is there a column of this name?
    pub fn has_column(&self, name: &str) -> bool {
        self.header.index.contains_key(name)
    }

    /// All values of a column, in the order of the rows; NaN where nothing was measured.
    ///
    /// # Errors
    /// [`StoreError::UnknownColumn`], with the most similar name there is.
    pub fn column(&self, name: &str) -> Result<Vec<f64>, StoreError> {
        let column = self.position(name)?;
        let offset = self.header.offsets[column];
        let rows = self.map[self.header.data_start..].chunks_exact(self.header.row_width);
        let values = rows.take(self.rows).map(|row| &row[offset..]);
        Ok(match self.header.columns[column].dtype {
            ColumnType::F64 => values.map(f64_of).collect(),
            ColumnType::F32 => values.map(f32_of).collect(),
        })
    }

    pub(super) fn position(&self, name: &str) -> Result<usize, StoreError> {
        self.header.index.get(name).copied().ok_or_else(|| StoreError::UnknownColumn {
            path: self.path.clone(),
            name: name.to_owned(),
            nearest: self.nearest(name),
        })
    }

    /// One value; `row < rows`, `column < columns`.
    pub(super) fn value(&self, row: usize, column: usize) -> f64 {
        let at = self.header.data_start + row * self.header.row_width + self.header.offsets[column];
        match self.header.columns[column].dtype {
            ColumnType::F64 => f64_of(&self.map[at..]),
            ColumnType::F32 => f32_of(&self.map[at..]),
        }
    }

    /// The first `rows` rows and the header, as they are in the file.
    pub(super) fn bytes_of_rows(&self, rows: usize) -> &[u8] {
        &self.map[..self.header.data_start + rows * self.header.row_width]
    }

    /// Are there bytes after the last whole row?
    pub(super) fn is_torn(&self) -> bool {
        self.map.len() != self.bytes_of_rows(self.rows).len()
    }

    fn nearest(&self, name: &str) -> Option<String> {
        // A name without its first word, such as `loss`, is nearer than its letters are.
        let whole = self.header.columns.iter().find(|column| {
            let last = column.name.rsplit_once(['_', '/']);
            last.is_some_and(|(_, last)| last == name)
        });
        if let Some(column) = whole {
            return Some(column.name.clone());
        }
        self.header
            .columns
            .iter()
            .map(|column| (strsim::jaro_winkler(name, &column.name), &column.name))
            .max_by(|left, right| left.0.total_cmp(&right.0))
            // Below this the names have little in common and a suggestion would mislead.
            .filter(|(likeness, _)| *likeness > 0.75)
            .map(|(_, name)| name.clone())
    }
}

/// The number at the beginning of `bytes`.
fn f64_of(bytes: &[u8]) -> f64 {
    bytes.first_chunk().map_or(f64::NAN, |value| f64::from_le_bytes(*value))
}

fn f32_of(bytes: &[u8]) -> f64 {
    bytes.first_chunk().map_or(f64::NAN, |value| f32::from_le_bytes(*value).into())
}
