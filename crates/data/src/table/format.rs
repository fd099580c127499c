//! What kind of file a table is.

use std::path::Path;

use super::error::TableError;
use crate::{FileError, compressed};

/// How a CSV file is written; Parquet files say it themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFormat {
    /// The character between fields; absent: the most frequent of `,` `;` tab and `|` in the first
    /// line.
    pub delimiter: Option<u8>,
    /// Whether the first line names the columns; without names they are `column1`, `column2`, ….
    pub header: bool,
}

impl Default for TableFormat {
    fn default() -> Self {
        TableFormat { delimiter: None, header: true }
    }
}

/// The two kinds of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    Csv,
    Parquet,
}

impl Container {
    /// The kind of a file, from its first bytes.
    pub(super) fn of(path: &Path) -> Result<Self, TableError> {
        if is_pipe(path) {
            let problem = "it is a pipe, which can be read once, and a table is read twice; write \
                           it to a file first";
            return Err(TableError::table(path, problem));
        }
        let (mut reader, _) = compressed::open(path)?;
        let start = reader.fill_buf().map_err(FileError::io("read", path))?;
        if start.starts_with(b"PAR1") {
            return Ok(Container::Parquet);
        }
        if start.is_empty() {
            return Err(TableError::table(path, "it is empty"));
        }
        // No text holds a zero byte; UTF-16, spreadsheets and archives do within their first few.
        if start[..start.len().min(4096)].contains(&0) {
            return Err(TableError::table(
                path,
                "it holds neither text nor Parquet; export it as CSV in UTF-8 or as Parquet",
            ));
        }
        Ok(Container::Csv)
    }
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

/// The delimiter that the first line shows, outside quotes.
pub(super) fn delimiter(start: &[u8]) -> u8 {
    const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];
    let mut counts = [0u32; CANDIDATES.len()];
    let mut quoted = false;
    for byte in start {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            _ if quoted => {}
            _ => {
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
    CANDIDATES[best]
}
