//! What kind of file a table is.

use std::path::Path;

use super::error::{TableError, TableOption};
use super::reading::{Reading, TextEncoding};
use crate::{FileError, compressed};

/// The two kinds of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    Csv,
    Parquet,
}

impl Container {
    /// The kind of a file, from its first bytes.
    pub(super) fn of(path: &Path, reading: &Reading) -> Result<Self, TableError> {
        if is_pipe(path) {
            let problem = "it is a pipe, which can be read once, and a table is read twice; write \
                           it to a file first";
            return Err(TableError::table(path, problem).mended_by(&[TableOption::StandardInput]));
        }
        let (mut reader, _) = compressed::open(path)?;
        let start = reader.fill_buf().map_err(FileError::io("read", path))?;
        if start.starts_with(b"PAR1") {
            return Ok(Container::Parquet);
        }
        if start.is_empty() {
            return Err(TableError::table(path, "it is empty"));
        }
        // No text in UTF-8 holds a zero byte; spreadsheets and archives do within their first few.
        let start = &start[..start.len().min(4096)];
        let is_wide = reading.encoding == TextEncoding::Utf16 || has_wide_mark(start);
        if start.contains(&0) && !is_wide {
            return Err(binary(path, start));
        }
        Ok(Container::Csv)
    }
}

/// The refusal of a file that holds zero bytes.
fn binary(path: &Path, start: &[u8]) -> TableError {
    // Every second byte of Western text in UTF-16 is 0.
    let zeros = start.iter().filter(|byte| **byte == 0).count();
    let is_wide = !start.starts_with(b"PK") && zeros * 5 > start.len() * 2;
    if is_wide {
        let problem = "it looks like UTF-16 without a byte-order mark; say so with `encoding`";
        return TableError::table(path, problem).mended_by(&[TableOption::Encoding]);
    }
    let problem = "it holds neither text nor Parquet; export it as CSV in UTF-8 or as Parquet";
    TableError::table(path, problem)
}

/// Whether a file begins with the byte-order mark of UTF-16.
pub(super) fn has_wide_mark(start: &[u8]) -> bool {
    start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff])
}

#[cfg(unix)]
fn is_pipe(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    std::fs::metadata(path).is_ok_and(|found| found.file_type().is_fifo())
}

#[cfg(not(unix))]
fn is_pipe(_: &Path) -> bool {
    false
}

/// The delimiter that the first line shows, outside quotes; `comment` begins lines that are none.
pub(super) fn delimiter(start: &[u8], comment: Option<u8>) -> u8 {
    const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];
    let mut start = start;
    while let (Some(mark), Some(first)) = (comment, start.first())
        && mark == *first
    {
        let end = start.iter().position(|byte| *byte == b'\n').map_or(start.len(), |end| end + 1);
        start = &start[end..];
    }
    let mut counts = [0u32; CANDIDATES.len()];
    let mut quoted = false;
    let mut blank_within = false;
    let mut seen_text = false;
    let mut after_blank = false;
    for byte in start {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            _ if quoted => {}
            b' ' => after_blank = seen_text,
            _ => {
                seen_text = true;
                blank_within |= after_blank;
                after_blank = false;
                if let Some(index) = CANDIDATES.iter().position(|candidate| candidate == byte) {
                    counts[index] += 1;
                }
            }
        }
    }
    let mut best = 0;
    for index in 1..CANDIDATES.len() {
        if counts[index] > counts[best] {
            best = index;
        }
    }
    match counts[best] {
        // A single column explains nothing: its blanks part columns.
        0 if blank_within => b' ',
        _ => CANDIDATES[best],
    }
}
