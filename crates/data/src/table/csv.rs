//! CSV files, plain or compressed.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder};

use super::dictionary::{Dictionary, MISSING};
use super::error::{TableError, TableOption};
use super::field::{Field, is_missing};
use super::format::{TableFormat, delimiter};
use super::raw::{Column, Kind, Place, RawBlock, RawColumn};
use super::records::{MOST_RECORD_BYTES, RecordFault, Records};
use crate::counted::counted;
use crate::{FileError, compressed};

/// Types are inferred from this many rows at most …
const INFERRED_ROWS: usize = 4096;
/// … and from no more bytes than these, so that wide tables begin as soon as narrow ones.
const INFERRED_BYTES: usize = 1 << 24;
/// More columns than this are no table: each takes memory before a row is read.
const MOST_COLUMNS: usize = 1_000_000;
/// Letters of a cell or a name that a message shows.
const SHOWN_LETTERS: usize = 60;
/// A text of more bytes than this is free text, or what a stray quote swallowed; no category.
const MOST_LABEL_BYTES: usize = 1000;

/// The reader of the rows after the header, and the names of the columns.
struct Opened {
    reader: Reader<Records<Box<dyn BufRead>>>,
    names: Vec<String>,
    lines: Lines,
}

/// How lines end, which the numbers of lines depend on.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Lines {
    /// With a line feed.
    Fed,
    /// With a carriage return and a line feed. The reader's record ends before the line feed, which
    /// it counts only as it reads on: it places every record but the first on the line before its
    /// own.
    Returned,
}

impl Lines {
    /// The line, from 1, on which a record begins.
    fn number(self, position: &csv::Position) -> u64 {
        position.line() + u64::from(self == Lines::Returned && position.byte() > 0)
    }
}

fn open(path: &Path, format: &TableFormat) -> Result<Opened, TableError> {
    let (mut bytes, _) = compressed::open(path)?;
    let start = bytes.fill_buf().map_err(FileError::io("read", path))?;
    // A quote behind the byte-order mark opens a field, and whoever follows quotes must see it so.
    let mark = if start.starts_with("\u{feff}".as_bytes()) { 3 } else { 0 };
    bytes.consume(mark);
    let start = bytes.fill_buf().map_err(FileError::io("read", path))?;
    let delimiter = format.delimiter.unwrap_or_else(|| delimiter(start));
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(format.header)
        .from_reader(Records::new(bytes, delimiter));
    let first = reader.byte_headers().map_err(|error| failure(path, error, 1))?.clone();
    let within = first.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
    let lines = match reader.position().line() > 1 + within {
        true => Lines::Fed,
        false => Lines::Returned,
    };
    if first.is_empty() {
        return Err(TableError::table(path, "it has no rows"));
    }
    if first.len() > MOST_COLUMNS {
        let problem = format!(
            "its first line has {}, and at most {MOST_COLUMNS} are read; if the columns are \
             parted by another character, give it as `delimiter`",
            counted(first.len(), "field")
        );
        return Err(TableError::table(path, problem).mended_by(TableOption::Delimiter));
    }
    let mut names = Vec::with_capacity(first.len());
    for (index, field) in first.iter().enumerate() {
        let numbered = || format!("column{}", index + 1);
        if format.header && field.len() > MOST_LABEL_BYTES {
            let problem = format!(
                "its first line holds a name of {} bytes, `{}`: no name of a column; look for a \
                 quote (\") that is not closed",
                field.len(),
                shown(field)
            );
            return Err(TableError::table(path, problem));
        }
        names.push(match format.header {
            true if field.trim_ascii().is_empty() => numbered(),
            true => text(path, Place::Line(1), &numbered(), field)?.to_owned(),
            false => numbered(),
        });
    }
    let is_number = |field: &[u8]| matches!(Field::read(field), Field::Number(_));
    if format.header && first.iter().all(is_number) {
        let problem = "its first line holds numbers where names of columns should be; if it is \
                       data, say so with `header`";
        return Err(TableError::table(path, problem).mended_by(TableOption::Header));
    }
    Ok(Opened { reader, names, lines })
}

/// The columns of a CSV file: names from the first line, types from a first block of rows.
pub(super) fn columns(path: &Path, format: &TableFormat) -> Result<Vec<Column>, TableError> {
    let Opened { mut reader, names, lines } = open(path, format)?;
    let mut columns: Vec<Column> = names
        .into_iter()
        .map(|name| Column {
            name,
            kind: Kind::Number,
            unreadable: None,
            example: String::new(),
            decimal_commas: false,
        })
        .collect();
    let mut record = ByteRecord::new();
    let (mut rows, mut bytes) = (0, 0);
    while rows < INFERRED_ROWS && bytes < INFERRED_BYTES {
        let line = lines.number(reader.position());
        if !reader.read_byte_record(&mut record).map_err(|error| failure(path, error, line))? {
            break;
        }
        rows += 1;
        bytes += record.as_slice().len();
        for (column, field) in columns.iter_mut().zip(&record) {
            let Field::Text(found) = Field::read(field) else {
                continue;
            };
            if column.kind == Kind::Number {
                column.kind = Kind::Category;
                column.example = shown(found);
                column.decimal_commas = true;
            }
            column.decimal_commas &= has_decimal_comma(found);
        }
    }
    if rows == 0 {
        let problem = "it has no rows below its first line; if that line holds data, say so with \
                       `header`";
        return Err(TableError::table(path, problem).mended_by(TableOption::Header));
    }
    Ok(columns)
}

/// Whether a text is a number where its one comma is a point.
fn has_decimal_comma(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else {
        return false;
    };
    text.matches(',').count() == 1 && text.replace(',', ".").parse::<f64>().is_ok()
}

/// Rows of a CSV file.
pub(super) struct CsvReader {
    path: PathBuf,
    reader: Reader<Records<Box<dyn BufRead>>>,
    record: ByteRecord,
    names: Vec<String>,
    lines: Lines,
    pub(super) dictionaries: Vec<Dictionary>,
}

impl CsvReader {
    pub(super) fn open(
        path: &Path,
        format: &TableFormat,
        kinds: &[Option<Kind>],
    ) -> Result<Self, TableError> {
        let Opened { reader, names, lines } = open(path, format)?;
        if names.len() != kinds.len() {
            return Err(TableError::table(path, "it changed while it was read"));
        }
        Ok(CsvReader {
            path: path.to_owned(),
            reader,
            record: ByteRecord::new(),
            dictionaries: names.iter().map(|_| Dictionary::default()).collect(),
            names,
            lines,
        })
    }

    /// Adds up to `most` rows to an empty block.
    pub(super) fn next(&mut self, block: &mut RawBlock, most: usize) -> Result<(), TableError> {
        while block.rows < most {
            let begins = self.reader.position().clone();
            let found = self
                .reader
                .read_byte_record(&mut self.record)
                .map_err(|error| failure(&self.path, error, self.lines.number(&begins)))?;
            if !found {
                break;
            }
            let position = self.record.position();
            let line = position.map_or(0, |position| self.lines.number(position));
            for (index, column) in block.columns.iter_mut().enumerate() {
                match column {
                    RawColumn::Skipped => {}
                    RawColumn::Numbers(values) => values.push(self.number(line, index)?),
                    RawColumn::Codes(codes) => codes.push(self.code(line, index)?),
                }
            }
            block.lines.push(line);
            block.rows += 1;
        }
        Ok(())
    }

    /// A field as a number; a missing one is NaN.
    #[inline]
    fn number(&self, line: u64, column: usize) -> Result<f64, TableError> {
        match Field::read(&self.record[column]) {
            Field::Number(value) => Ok(value),
            Field::Missing => Ok(f64::NAN),
            Field::Infinite => Err(self.cell(line, column, "holds an infinite number")),
            Field::Text(found) => {
                let problem = format!(
                    "`{}` is no number, but the first rows of the column are; if it holds \
                     categories, say so with `categorical`",
                    shown(found)
                );
                Err(self.cell(line, column, problem).mended_by(TableOption::Categorical))
            }
        }
    }

    /// A field as the code of its text.
    fn code(&mut self, line: u64, column: usize) -> Result<u32, TableError> {
        let field = self.record[column].trim_ascii();
        if is_missing(field) {
            return Ok(MISSING);
        }
        let label = text(&self.path, Place::Line(line), &self.names[column], field)?;
        if label.len() > MOST_LABEL_BYTES {
            let problem = format!(
                "holds a text of {} bytes: no category; leave the column out with `drop`, or close \
                 a quote that is open",
                label.len()
            );
            return Err(self.cell(line, column, problem).mended_by(TableOption::Drop));
        }
        self.dictionaries[column]
            .code(label)
            .map_err(|problem| self.cell(line, column, problem).mended_by(TableOption::Drop))
    }

    fn cell(&self, line: u64, column: usize, problem: impl Into<String>) -> TableError {
        TableError::cell(&self.path, Place::Line(line), &self.names[column], problem)
    }
}

/// The beginning of a text, for a message.
fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(&text[..text.len().min(4 * SHOWN_LETTERS)]);
    match text.char_indices().nth(SHOWN_LETTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}

fn text<'a>(
    path: &Path,
    place: Place,
    column: &str,
    field: &'a [u8],
) -> Result<&'a str, TableError> {
    std::str::from_utf8(field.trim_ascii()).map_err(|_| {
        let problem = "is not UTF-8: convert the file first, for example with `iconv -t UTF-8`";
        TableError::cell(path, place, column, problem)
    })
}

/// An error of the CSV reader in this crate's words; the record begins on `line`.
fn failure(path: &Path, error: csv::Error, line: u64) -> TableError {
    match error.into_kind() {
        ErrorKind::Io(source) => match RecordFault::of(&source) {
            Some(RecordFault::Unclosed) => {
                let problem = format!(
                    "a quote (\") that opens on line {line}, or within the record that begins \
                     there, is never closed: the rest of the file would be one cell"
                );
                TableError::table(path, problem)
            }
            Some(RecordFault::TooLong) => {
                let problem = format!(
                    "the record that begins on line {line} has more than {} MiB; look for a quote \
                     (\") that is not closed, or for a file without line feeds",
                    MOST_RECORD_BYTES >> 20
                );
                TableError::table(path, problem)
            }
            None => FileError::io("read", path)(source).into(),
        },
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            let problem = format!(
                "line {line} has {} where the first line has {expected_len}; if the columns are \
                 parted by another character, give it as `delimiter`",
                counted(len, "field")
            );
            TableError::table(path, problem).mended_by(TableOption::Delimiter)
        }
        _ => TableError::table(path, format!("line {line} cannot be read as CSV")),
    }
}
