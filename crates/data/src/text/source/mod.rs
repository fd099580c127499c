//! Input files: from bytes on disk to documents of text.
//!
//! | question | answered by |
//! |---|---|
//! | plain, gzip or zstd? | the first bytes of the file, never its name |
//! | text or JSONL? | the name (`.jsonl`, `.ndjson`, `.json`; `.txt`, `.text`, `.md`; a `.gz`, `.zst` after it is looked through); otherwise a file that begins with `{"` is JSONL |
//! | where does a document end? | JSONL: with its line. Text: with the file, or at each separator, which belongs to no document |
//!
//! Documents come in [`Piece`]s of bounded size, so that memory does not grow with the input.
//! Documents of white space alone are left out; everything else is passed on unchanged, but for a
//! byte-order mark at the start of a file.

mod jsonl;
mod piece;
mod text;

use std::fs::File;
use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::FileError;
use crate::compressed::{BytesRead, open};
use crate::text::error::TextError;
#[cfg(test)]
pub(crate) use piece::last_boundary;
pub(crate) use piece::{MOST_HELD_BYTES, Piece};

/// How a file is cut into documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceFormat {
    /// One document a file, or one between separators.
    Text,
    /// One JSON object a line, its field `text` the document.
    Jsonl,
}

/// One input file, as it was when the corpus was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The path as it was given.
    pub path: String,
    /// How it was read.
    pub format: SourceFormat,
    /// Its size on disk.
    pub bytes: u64,
    /// BLAKE3 of its bytes on disk, in hexadecimal.
    pub hash: String,
}

impl Source {
    /// Reads a file through once, telling `read` how many more bytes were seen.
    pub(crate) fn inspect(path: &Path, mut read: impl FnMut(u64)) -> Result<Source, TextError> {
        let mut file = File::open(path).map_err(FileError::io("open", path))?;
        let mut hasher = blake3::Hasher::new();
        let mut buffer = vec![0; 1 << 18];
        let mut bytes = 0;
        loop {
            let count = file.read(&mut buffer).map_err(FileError::io("read", path))?;
            if count == 0 {
                break;
            }
            hasher.update(&buffer[..count]);
            bytes += count as u64;
            read(count as u64);
        }
        let (mut reader, _) = open(path)?;
        Ok(Source {
            path: path.display().to_string(),
            format: format(path, reader.fill_buf().map_err(FileError::io("read", path))?),
            bytes,
            hash: hasher.finalize().to_hex().to_string(),
        })
    }
}

/// The documents of one file, in pieces.
pub(crate) struct Documents {
    reader: DocumentReader,
    path: PathBuf,
    read: BytesRead,
    /// The start of a document of which nothing but white space has been seen yet.
    blank: String,
    found: bool,
}

enum DocumentReader {
    Text(text::TextReader),
    Jsonl(jsonl::JsonlReader),
}

impl Documents {
    pub(crate) fn open(
        path: &Path,
        format: SourceFormat,
        separator: Option<&str>,
    ) -> Result<Self, TextError> {
        let (mut reader, read) = open(path)?;
        let start = reader.fill_buf().map_err(FileError::io("read", path))?;
        let skipped = if start.starts_with("\u{feff}".as_bytes()) { 3 } else { 0 };
        reader.consume(skipped);
        let reader = match format {
            SourceFormat::Text => {
                DocumentReader::Text(text::TextReader::new(path, reader, skipped as u64, separator))
            }
            SourceFormat::Jsonl => {
                DocumentReader::Jsonl(jsonl::JsonlReader::new(path, reader, skipped as u64))
            }
        };
        Ok(Documents { reader, path: path.to_owned(), read, blank: String::new(), found: false })
    }

    /// Bytes read from disk so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.read.get()
    }

    /// The next piece, or nothing at the end of the file; an error when the whole file held no
    /// document.
    pub(crate) fn next_piece(&mut self) -> Result<Option<Piece>, TextError> {
        loop {
            let next = match &mut self.reader {
                DocumentReader::Text(reader) => reader.next_piece()?,
                DocumentReader::Jsonl(reader) => reader.next_piece()?,
            };
            let Some(mut piece) = next else {
                if !self.found {
                    let path = self.path.clone();
                    return Err(TextError::EmptyInput { path });
                }
                return Ok(None);
            };
            if !piece.continues && piece.text.trim().is_empty() {
                // Nothing of this document has been passed on: whether it is one is not known yet.
                if piece.ends {
                    self.blank.clear();
                } else if self.blank.len() + piece.text.len() > MOST_HELD_BYTES {
                    let problem = "is white space alone";
                    return Err(TextError::too_long(&self.path, "a stretch of text", problem));
                } else {
                    self.blank.push_str(&piece.text);
                }
                continue;
            }
            if !self.blank.is_empty() {
                piece.text.insert_str(0, &self.blank);
                self.blank.clear();
            }
            self.found = true;
            return Ok(Some(piece));
        }
    }
}

/// Text or JSONL, from the name and the first bytes of the decompressed text.
fn format(path: &Path, start: &[u8]) -> SourceFormat {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let stem = [".gz", ".zst", ".zstd"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(&name);
    match stem.rsplit_once('.').map(|(_, ending)| ending) {
        Some("jsonl" | "ndjson" | "json") => SourceFormat::Jsonl,
        Some("txt" | "text" | "md") => SourceFormat::Text,
        _ => {
            let start = start.strip_prefix("\u{feff}".as_bytes()).unwrap_or(start);
            let is_object = start.trim_ascii_start().strip_prefix(b"{").is_some_and(|rest| {
                rest.iter().find(|byte| !matches!(byte, b' ' | b'\t')) == Some(&b'"')
            });
            if is_object { SourceFormat::Jsonl } else { SourceFormat::Text }
        }
    }
}
