//! Rows of a file column by column, before anything is made of them.

use std::fmt;
use std::path::Path;

use super::csv::CsvReader;
use super::dictionary::Dictionary;
use super::format::{Container, TableFormat};
use super::parquet::ParquetReader;
use crate::DataError;

/// How a column is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// As numbers; a missing one is NaN.
    Number,
    /// As codes of a dictionary; a missing one is [`MISSING`](super::dictionary::MISSING).
    Category,
}

/// A column as the first rows of the file, or its schema, show it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Why it cannot be read at all: nested, or of a type without an order.
    pub(super) unreadable: Option<String>,
    /// A value of a column of texts.
    pub(super) example: String,
    /// Whether all of its texts are numbers but for a decimal comma.
    pub(super) decimal_commas: bool,
}

/// Values of one column.
#[derive(Debug)]
pub(super) enum RawColumn {
    Skipped,
    Numbers(Vec<f64>),
    Codes(Vec<u32>),
}

impl RawColumn {
    pub(super) fn empty(kind: Option<Kind>) -> Self {
        match kind {
            None => RawColumn::Skipped,
            Some(Kind::Number) => RawColumn::Numbers(Vec::new()),
            Some(Kind::Category) => RawColumn::Codes(Vec::new()),
        }
    }

    pub(super) fn clear(&mut self) {
        match self {
            RawColumn::Skipped => {}
            RawColumn::Numbers(values) => values.clear(),
            RawColumn::Codes(codes) => codes.clear(),
        }
    }
}

/// Some rows.
#[derive(Debug)]
pub(super) struct RawBlock {
    /// How many rows stood before these.
    pub(super) first: u64,
    pub(super) rows: usize,
    pub(super) columns: Vec<RawColumn>,
    /// The line of each row; empty for Parquet.
    pub(super) lines: Vec<u64>,
}

impl RawBlock {
    pub(super) fn new(kinds: &[Option<Kind>]) -> Self {
        RawBlock {
            first: 0,
            rows: 0,
            columns: kinds.iter().map(|kind| RawColumn::empty(*kind)).collect(),
            lines: Vec::new(),
        }
    }

    /// Where a row stands in the file.
    pub(super) fn place(&self, row: usize) -> Place {
        match self.lines.get(row) {
            Some(line) => Place::Line(*line),
            None => Place::Row(self.first + row as u64 + 1),
        }
    }
}

/// A place in a file, as a person looks it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Line of a CSV file, from 1, the header included.
    Line(u64),
    /// Row of a Parquet file, from 1.
    Row(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Line(line) => write!(formatter, "line {line}"),
            Place::Row(row) => write!(formatter, "row {row}"),
        }
    }
}

/// Reads Parquet: its library asserts, deep in its decoders, what a damaged file need not fulfil.
///
/// The usual damages are found before ([`super::parquet`], [`super::pages`]); this is for what is left. The file and all that
/// was read of it are given up then, so that no half-made state is seen.
fn guarded<T>(path: &Path, read: impl FnOnce() -> Result<T, DataError>) -> Result<T, DataError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(DataError::table(path, "it is damaged, and no Parquet")))
}

/// A file of either kind, read in blocks.
pub(super) enum RawReader {
    Csv(Box<CsvReader>),
    Parquet(Box<ParquetReader>),
}

impl RawReader {
    /// The columns of a file, with what its first rows or its schema say of them.
    pub(super) fn columns(path: &Path, format: &TableFormat) -> Result<Vec<Column>, DataError> {
        match Container::of(path)? {
            Container::Csv => super::csv::columns(path, format),
            Container::Parquet => guarded(path, || super::parquet::columns(path)),
        }
    }

    /// Opens a file to read the columns that have a kind.
    pub(super) fn open(
        path: &Path,
        format: &TableFormat,
        kinds: &[Option<Kind>],
    ) -> Result<Self, DataError> {
        Ok(match Container::of(path)? {
            Container::Csv => RawReader::Csv(Box::new(CsvReader::open(path, format, kinds)?)),
            Container::Parquet => RawReader::Parquet(Box::new(ParquetReader::open(path, kinds)?)),
        })
    }

    /// Reads up to `most` rows into `block`; false at the end.
    pub(super) fn next(&mut self, block: &mut RawBlock, most: usize) -> Result<bool, DataError> {
        block.first += block.rows as u64;
        block.rows = 0;
        block.lines.clear();
        block.columns.iter_mut().for_each(RawColumn::clear);
        match self {
            RawReader::Csv(reader) => reader.next(block, most)?,
            RawReader::Parquet(reader) => {
                let path = reader.path.clone();
                guarded(&path, || reader.next(block, most))?;
            }
        }
        Ok(block.rows > 0)
    }

    /// The texts of a column seen so far.
    pub(super) fn dictionary(&self, column: usize) -> &Dictionary {
        match self {
            RawReader::Csv(reader) => &reader.dictionaries[column],
            RawReader::Parquet(reader) => &reader.dictionaries[column],
        }
    }
}
