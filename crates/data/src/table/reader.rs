//! The rows of a file of either kind.

use std::path::Path;

use super::csv::{self, CsvReader};
use super::dictionary::Dictionary;
use super::error::TableError;
use super::format::Container;
use super::odd::Odd;
use super::parquet::{self, ParquetReader};
use super::raw::{Column, Kind, RawBlock, RawColumn};
use super::reading::Reading;
use crate::parquet_file::guarded;

/// A file of either kind, read in blocks.
pub(super) enum RawReader {
    Csv(Box<CsvReader>),
    Parquet(Box<ParquetReader>),
}

impl RawReader {
    /// The columns of a file, with what its first rows or its schema say of them.
    pub(super) fn columns(path: &Path, reading: &Reading) -> Result<Vec<Column>, TableError> {
        match Container::of(path, reading)? {
            Container::Csv => csv::columns(path, reading),
            Container::Parquet => guarded(path, || parquet::columns(path, reading)),
        }
    }

    /// Opens a file to read the columns that have a kind.
    pub(super) fn open(
        path: &Path,
        reading: &Reading,
        kinds: &[Option<Kind>],
    ) -> Result<Self, TableError> {
        Ok(match Container::of(path, reading)? {
            Container::Csv => RawReader::Csv(Box::new(CsvReader::open(path, reading, kinds)?)),
            Container::Parquet => {
                let reader = guarded(path, || ParquetReader::open(path, reading, kinds))?;
                RawReader::Parquet(Box::new(reader))
            }
        })
    }

    /// Reads up to `most` rows into `block`; false at the end.
    pub(super) fn next(&mut self, block: &mut RawBlock, most: usize) -> Result<bool, TableError> {
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

    /// The cells of a column seen so far that do not fit its kind.
    pub(super) fn odd(&self, column: usize) -> &Odd {
        match self {
            RawReader::Csv(reader) => &reader.odd[column],
            RawReader::Parquet(reader) => &reader.odd[column],
        }
    }

    /// Lines of comment so far.
    pub(super) fn comments(&self) -> u64 {
        match self {
            RawReader::Csv(reader) => reader.comments(),
            RawReader::Parquet(_) => 0,
        }
    }

    /// Blank lines that were left out so far.
    pub(super) fn blank_lines(&self) -> u64 {
        match self {
            RawReader::Csv(reader) => reader.blank_lines(),
            RawReader::Parquet(_) => 0,
        }
    }
}
