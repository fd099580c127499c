//! CSV files, plain or compressed.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder};

use super::dictionary::{Dictionary, MISSING, MOST_LEVELS};
use super::field::{Field, is_missing};
use super::format::{TableFormat, delimiter};
use super::raw::{Column, Kind, Place, RawBlock, RawColumn};
use crate::DataError;
use crate::counted::counted;
use crate::source;

/// Types are inferred from this many rows at most …
const INFERRED_ROWS: usize = 4096;
/// … and from no more bytes than these, so that wide tables begin as soon as narrow ones.
const INFERRED_BYTES: usize = 1 << 24;

/// The reader of the rows after the header, and the names of the columns.
struct Opened {
    reader: Reader<Box<dyn BufRead>>,
    names: Vec<String>,
    lines: Lines,
}

/// How lines end, which the numbers of lines depend on.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Lines {
    /// With a line feed.
    Fed,
    /// With a carriage return and a line feed. The reader's record ends before the line feed, which it counts only as it reads on:
    /// it places every record but the first on the line before its own.
    Returned,
}

impl Lines {
    /// The line, from 1, on which a record begins.
    fn number(self, position: &csv::Position) -> u64 {
        position.line() + u64::from(self == Lines::Returned && position.byte() > 0)
    }
}

fn open(path: &Path, format: &TableFormat) -> Result<Opened, DataError> {
    let (mut bytes, _) = source::open(path)?;
    let start = bytes.fill_buf().map_err(DataError::io("read", path))?;
    let delimiter = format.delimiter.unwrap_or_else(|| delimiter(start));
    let mut reader =
        ReaderBuilder::new().delimiter(delimiter).has_headers(format.header).from_reader(bytes);
    let first = reader.byte_headers().map_err(|error| failure(path, error, Lines::Fed))?.clone();
    let within = first.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
    let lines = match reader.position().line() > 1 + within {
        true => Lines::Fed,
        false => Lines::Returned,
    };
    if first.is_empty() {
        return Err(DataError::table(path, "it has no rows"));
    }
    let mut names = Vec::with_capacity(first.len());
    for (index, field) in first.iter().enumerate() {
        let numbered = || format!("column{}", index + 1);
        names.push(match format.header {
            true if field.trim_ascii().is_empty() => numbered(),
            true => text(path, Place::Line(1), &numbered(), field)?.to_owned(),
            false => numbered(),
        });
    }
    let is_number = |field: &[u8]| matches!(Field::read(field), Field::Number(_));
    if format.header && first.iter().all(is_number) {
        return Err(DataError::table(
            path,
            "its first line holds numbers where names of columns should be; if it is data, say so with --no-header",
        ));
    }
    Ok(Opened { reader, names, lines })
}

/// The columns of a CSV file: names from the first line, types from a first block of rows.
pub(super) fn columns(path: &Path, format: &TableFormat) -> Result<Vec<Column>, DataError> {
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
        if !reader.read_byte_record(&mut record).map_err(|error| failure(path, error, lines))? {
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
                column.example = String::from_utf8_lossy(found).into_owned();
                column.decimal_commas = true;
            }
            column.decimal_commas &= has_decimal_comma(found);
        }
    }
    if rows == 0 {
        return Err(DataError::table(
            path,
            "it has no rows below its first line; if that line holds data, say so with --no-header",
        ));
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
    reader: Reader<Box<dyn BufRead>>,
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
    ) -> Result<Self, DataError> {
        let Opened { reader, names, lines } = open(path, format)?;
        if names.len() != kinds.len() {
            return Err(DataError::table(path, "it changed while it was read"));
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
    pub(super) fn next(&mut self, block: &mut RawBlock, most: usize) -> Result<(), DataError> {
        while block.rows < most {
            let found = self
                .reader
                .read_byte_record(&mut self.record)
                .map_err(|error| failure(&self.path, error, self.lines))?;
            if !found {
                break;
            }
            let position = self.record.position();
            let line = position.map_or(0, |position| self.lines.number(position));
            for (index, column) in block.columns.iter_mut().enumerate() {
                let field = &self.record[index];
                match column {
                    RawColumn::Skipped => {}
                    RawColumn::Numbers(values) => values.push(match Field::read(field) {
                        Field::Number(value) => value,
                        Field::Missing => f64::NAN,
                        Field::Infinite => {
                            return Err(self.cell(line, index, "holds an infinite number".to_owned()));
                        }
                        Field::Text(found) => {
                            let found = String::from_utf8_lossy(found);
                            return Err(self.cell(line, index, format!(
                                "`{found}` is no number, but the first rows of the column are; if it holds categories, say so with --categorical"
                            )));
                        }
                    }),
                    RawColumn::Codes(codes) => {
                        let field = field.trim_ascii();
                        codes.push(if is_missing(field) {
                            MISSING
                        } else {
                            let label =
                                text(&self.path, Place::Line(line), &self.names[index], field)?;
                            match self.dictionaries[index].code(label) {
                                Some(code) => code,
                                None => {
                                    return Err(self.cell(line, index, too_many()));
                                }
                            }
                        });
                    }
                }
            }
            block.lines.push(line);
            block.rows += 1;
        }
        Ok(())
    }

    fn cell(&self, line: u64, column: usize, problem: String) -> DataError {
        DataError::TableCell {
            path: self.path.clone(),
            place: Place::Line(line).to_string(),
            column: self.names[column].clone(),
            problem,
        }
    }
}

/// What is said of a column of names or free text.
pub(super) fn too_many() -> String {
    format!("is its {}th different text: no category; leave it out with --drop", MOST_LEVELS + 1)
}

fn text<'a>(
    path: &Path,
    place: Place,
    column: &str,
    field: &'a [u8],
) -> Result<&'a str, DataError> {
    std::str::from_utf8(field.trim_ascii()).map_err(|_| DataError::TableCell {
        path: path.to_owned(),
        place: place.to_string(),
        column: column.to_owned(),
        problem: "is not UTF-8: convert the file first, for example with `iconv -t UTF-8`"
            .to_owned(),
    })
}

/// An error of the CSV reader in this crate's words.
fn failure(path: &Path, error: csv::Error, lines: Lines) -> DataError {
    let line = error.position().map(|position| lines.number(position));
    match error.into_kind() {
        ErrorKind::Io(source) => DataError::io("read", path)(source),
        ErrorKind::UnequalLengths { expected_len, len, .. } => DataError::table(
            path,
            format!(
                "line {} has {} where the first line has {expected_len}; \
                 if the columns are parted by another character, give it with --delimiter",
                line.unwrap_or(0),
                counted(len, "field")
            ),
        ),
        _ => DataError::table(
            path,
            match line {
                Some(line) => format!("line {line} cannot be read as CSV"),
                None => "it cannot be read as CSV".to_owned(),
            },
        ),
    }
}
