//! CSV files, plain or compressed.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder};

use super::dictionary::{Dictionary, MISSING};
use super::error::{TableError, TableOption};
use super::field::{Cells, Field};
use super::format::delimiter;
use super::letters::{Comments, decoded, tidied};
use super::odd::{INFINITE, Odd, shown};
use super::raw::{Column, Kind, Place, RawBlock, RawColumn};
use super::reading::{Reading, TextEncoding};
use super::records::{MOST_RECORD_BYTES, RecordFault, Records};
use super::sniff::{INFERRED_ROWS, Sniffed};
use crate::counted::counted;
use crate::{FileError, compressed};

/// Types are inferred from no more bytes than these, so that wide tables begin as soon as narrow
/// ones.
const INFERRED_BYTES: usize = 1 << 24;
/// More columns than this are no table: each takes memory before a row is read.
const MOST_COLUMNS: usize = 1_000_000;
/// A text of more bytes than this is free text, or what a stray quote swallowed; no category.
const MOST_LABEL_BYTES: usize = 1000;

/// The reader of the rows after the header, and the names of the columns.
struct Opened {
    reader: Reader<Records<Box<dyn BufRead>>>,
    names: Vec<String>,
    lines: Lines,
    comments: Comments,
}

/// How lines end, which the numbers of lines depend on.
#[derive(Debug, Clone, Copy)]
struct Lines {
    /// Whether lines end with a carriage return and a line feed. The reader's record ends before
    /// the line feed, which it counts only as it reads on: it places every record but the first on
    /// the line before its own.
    are_returned: bool,
    /// Lines before the first that the reader sees.
    before: u64,
}

impl Lines {
    /// The line, from 1, on which a record begins.
    fn number(self, position: &csv::Position) -> u64 {
        let missed = u64::from(self.are_returned && position.byte() > 0);
        position.line() + missed + self.before
    }
}

/// The delimiter that a first line such as `sep=;` names, as Excel writes it, and the bytes of that
/// line.
fn named_delimiter(start: &[u8]) -> Option<(u8, usize)> {
    let [delimiter, rest @ ..] = start.strip_prefix(b"sep=")? else { return None };
    let end = match rest {
        [b'\r', b'\n', ..] => 2,
        [b'\n' | b'\r', ..] => 1,
        _ => return None,
    };
    delimiter.is_ascii().then_some((*delimiter, b"sep=".len() + 1 + end))
}

fn open(path: &Path, reading: &Reading) -> Result<Opened, TableError> {
    let (bytes, _) = compressed::open(path)?;
    // A quote behind the byte-order mark opens a field, and whoever follows quotes must see it so.
    let mut bytes = decoded(bytes, reading).map_err(FileError::io("read", path))?;
    let start = bytes.fill_buf().map_err(FileError::io("read", path))?;
    let named = named_delimiter(start);
    if let Some((_, length)) = named {
        bytes.consume(length);
    }
    let start = bytes.fill_buf().map_err(FileError::io("read", path))?;
    let found = || named.map_or_else(|| delimiter(start, reading.comment), |(found, _)| found);
    let delimiter = reading.delimiter.unwrap_or_else(found);
    check_format(path, start)?;
    let (bytes, comments) = tidied(bytes, reading.comment, delimiter);
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(reading.header)
        .from_reader(Records::new(bytes, delimiter));
    let first = reader.byte_headers().map_err(|error| failure(path, error, 1))?.clone();
    let within = first.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
    let lines = Lines {
        are_returned: reader.position().line() <= 1 + within,
        before: u64::from(named.is_some()),
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
        return Err(TableError::table(path, problem).mended_by(&[TableOption::Delimiter]));
    }
    let mut names = Vec::with_capacity(first.len());
    for (index, field) in first.iter().enumerate() {
        let numbered = || format!("column{}", index + 1);
        if reading.header && field.len() > MOST_LABEL_BYTES {
            let problem = format!(
                "its first line holds a name of {} bytes, `{}`: no name of a column; look for a \
                 quote (\") that is not closed",
                field.len(),
                shown(field)
            );
            return Err(TableError::table(path, problem));
        }
        names.push(match reading.header {
            true if field.trim_ascii().is_empty() => numbered(),
            true => text(path, reading, Place::Line(1), &numbered(), field)?.to_owned(),
            false => numbered(),
        });
    }
    let cells = Cells::new(reading);
    let is_number = |field: &[u8]| matches!(cells.read(field), Field::Number(_));
    if reading.header && first.iter().all(is_number) {
        let problem = "its first line holds numbers where names of columns should be; if it is \
                       data, say so with `header`";
        return Err(TableError::table(path, problem).mended_by(&[TableOption::Header]));
    }
    Ok(Opened { reader, names, lines, comments })
}

/// The columns of a CSV file: names from the first line, types from a first block of rows.
pub(super) fn columns(path: &Path, reading: &Reading) -> Result<Vec<Column>, TableError> {
    let Opened { mut reader, names, lines, .. } = open(path, reading)?;
    let cells = Cells::new(reading);
    let mut columns: Vec<Sniffed> = names.iter().map(|_| Sniffed::new()).collect();
    let mut record = ByteRecord::new();
    let (mut rows, mut bytes) = (0, 0);
    while rows < INFERRED_ROWS && bytes < INFERRED_BYTES {
        let line = lines.number(reader.position());
        if !reader.read_byte_record(&mut record).map_err(|error| failure(path, error, line))? {
            break;
        }
        if is_blank(&record) {
            continue;
        }
        rows += 1;
        bytes += record.as_slice().len();
        for (column, field) in columns.iter_mut().zip(&record) {
            column.see(&cells, field);
        }
    }
    if rows == 0 {
        return Err(no_rows(path, &names));
    }
    Ok(names.into_iter().zip(columns).map(|(name, sniffed)| sniffed.column(name)).collect())
}

/// The refusal of a file with a first line alone. Only numbers among its names say that they may be
/// data.
fn no_rows(path: &Path, names: &[String]) -> TableError {
    if names.iter().any(|name| name.parse::<f64>().is_ok()) {
        let problem = "it has no rows below its first line; if that line holds data, say so with \
                       `header`";
        return TableError::table(path, problem).mended_by(&[TableOption::Header]);
    }
    TableError::table(path, "it has no rows below its first line")
}

/// Refuses what is text, but of another format.
fn check_format(path: &Path, start: &[u8]) -> Result<(), TableError> {
    let start = start.trim_ascii_start();
    let begins = |word: &str| {
        start.get(..word.len()).is_some_and(|bytes| bytes.eq_ignore_ascii_case(word.as_bytes()))
    };
    let format = match start.first() {
        _ if begins("<!doctype") || begins("<html") => "HTML",
        _ if begins("<?xml") => "XML",
        _ if begins("{\"") || begins("[{") || begins("[[") => "JSON",
        Some(b'{') if start[1..].trim_ascii_start().starts_with(b"\"") => "JSON",
        Some(b'[') if start[1..].trim_ascii_start().starts_with(b"{") => "JSON",
        _ => return Ok(()),
    };
    let problem = format!("it begins as {format}, and tables are read from CSV or Parquet");
    Err(TableError::table(path, problem))
}

/// Whether a row has nothing in any of its cells.
fn is_blank(record: &ByteRecord) -> bool {
    record.iter().all(|field| field.trim_ascii().is_empty())
}

/// Rows of a CSV file.
pub(super) struct CsvReader {
    path: PathBuf,
    reader: Reader<Records<Box<dyn BufRead>>>,
    record: ByteRecord,
    names: Vec<String>,
    lines: Lines,
    reading: Reading,
    cells: Cells,
    kinds: Vec<Option<Kind>>,
    /// Rows without anything in their cells.
    blank_rows: u64,
    comments: Comments,
    pub(super) dictionaries: Vec<Dictionary>,
    /// Cells that do not fit the numbers or dates of their column.
    pub(super) odd: Vec<Odd>,
}

impl CsvReader {
    pub(super) fn open(
        path: &Path,
        reading: &Reading,
        kinds: &[Option<Kind>],
    ) -> Result<Self, TableError> {
        let Opened { reader, names, lines, comments } = open(path, reading)?;
        if names.len() != kinds.len() {
            return Err(TableError::table(path, "it changed while it was read"));
        }
        Ok(CsvReader {
            path: path.to_owned(),
            reader,
            record: ByteRecord::new(),
            dictionaries: names.iter().map(|_| Dictionary::default()).collect(),
            odd: vec![Odd::default(); names.len()],
            names,
            lines,
            reading: reading.clone(),
            cells: Cells::new(reading),
            kinds: kinds.to_vec(),
            blank_rows: 0,
            comments,
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
            if is_blank(&self.record) {
                self.blank_rows += 1;
                continue;
            }
            let position = self.record.position();
            let line = position.map_or(0, |position| self.lines.number(position));
            for (index, column) in block.columns.iter_mut().enumerate() {
                match column {
                    RawColumn::Skipped => {}
                    RawColumn::Numbers(values) => values.push(self.number(line, index)?),
                    RawColumn::Codes(codes) => codes.push(self.code(line, index)?),
                    RawColumn::Texts(texts) => {
                        let place = Place::Line(line);
                        let field = &self.record[index];
                        let label =
                            text(&self.path, &self.reading, place, &self.names[index], field)?;
                        texts.push(label.to_owned());
                    }
                }
            }
            block.lines.push(line);
            block.rows += 1;
        }
        Ok(())
    }

    /// Blank lines and rows that were left out so far.
    pub(super) fn blank_lines(&self) -> u64 {
        let empty = self.blank_rows + self.reader.get_ref().blank_lines();
        // A line of comment is an empty one to the reader.
        empty.saturating_sub(self.comments.get())
    }

    /// Lines of comment so far.
    pub(super) fn comments(&self) -> u64 {
        self.comments.get()
    }

    /// A field as a number, or as the days of its date; NaN for a missing one, and for what is no
    /// number, which is counted.
    #[inline]
    fn number(&mut self, line: u64, column: usize) -> Result<f64, TableError> {
        let field = &self.record[column];
        if let Some(Kind::Date(order)) = self.kinds[column] {
            let field = field.trim_ascii();
            let days = order.days(field);
            if days.is_none() && !self.cells.is_missing(field) {
                self.odd[column].add(field, 1, Some(Place::Line(line)));
            }
            return Ok(days.unwrap_or(f64::NAN));
        }
        match self.cells.read(field) {
            Field::Number(value) => Ok(value),
            Field::Missing => Ok(f64::NAN),
            Field::Infinite => {
                Err(self.cell(line, column, INFINITE).mended_by(&[TableOption::Missing]))
            }
            Field::Text(found) => {
                self.odd[column].add(found, 1, Some(Place::Line(line)));
                Ok(f64::NAN)
            }
        }
    }

    /// A field as the code of its text.
    fn code(&mut self, line: u64, column: usize) -> Result<u32, TableError> {
        let field = self.record[column].trim_ascii();
        if self.cells.is_missing(field) {
            return Ok(MISSING);
        }
        let place = Place::Line(line);
        let label = text(&self.path, &self.reading, place, &self.names[column], field)?;
        if label.len() > MOST_LABEL_BYTES {
            let problem = format!(
                "holds a text of {} bytes: no category; leave the column out with `drop`, or close \
                 a quote that is open",
                label.len()
            );
            return Err(self.cell(line, column, problem).mended_by(&[TableOption::Drop]));
        }
        self.dictionaries[column]
            .code(label)
            .map_err(|problem| self.cell(line, column, problem).mended_by(&[TableOption::Drop]))
    }

    fn cell(&self, line: u64, column: usize, problem: impl Into<String>) -> TableError {
        TableError::cell(&self.path, Place::Line(line), &self.names[column], problem)
    }
}

fn text<'a>(
    path: &Path,
    reading: &Reading,
    place: Place,
    column: &str,
    field: &'a [u8],
) -> Result<&'a str, TableError> {
    std::str::from_utf8(field.trim_ascii()).map_err(|_| {
        let problem = match reading.encoding {
            TextEncoding::Utf8 => {
                "is not UTF-8; if the file is in Latin-1 or Windows-1252, say so with `encoding`"
            }
            TextEncoding::Latin1 | TextEncoding::Utf16 => "is no text",
        };
        TableError::cell(path, place, column, problem).mended_by(&[TableOption::Encoding])
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
                 parted by another character, give it as `delimiter`, and what begins a line of \
                 comment as `comment`",
                counted(len, "field")
            );
            let options = &[TableOption::Delimiter, TableOption::Comment];
            TableError::table(path, problem).mended_by(options)
        }
        _ => TableError::table(path, format!("line {line} cannot be read as CSV")),
    }
}
