//! JSONL: one JSON object a line, its field `text` the document.

use std::borrow::Cow;
use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::piece::{MOST_HELD_BYTES, Piece, next_cut};
use crate::FileError;
use crate::text::error::TextError;

pub(crate) struct JsonlReader {
    reader: Box<dyn BufRead>,
    path: PathBuf,
    bytes: Vec<u8>,
    /// Offset in the file of the line held.
    offset: u64,
    line: u64,
    /// The document of that line; what lies before `start` has been passed on.
    text: String,
    start: usize,
}

/// Other fields are welcome and ignored.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
}

impl JsonlReader {
    pub(crate) fn new(path: &Path, reader: Box<dyn BufRead>, offset: u64) -> Self {
        JsonlReader {
            reader,
            path: path.to_owned(),
            bytes: Vec::new(),
            offset,
            line: 0,
            text: String::new(),
            start: 0,
        }
    }

    pub(crate) fn next_piece(&mut self) -> Result<Option<Piece>, TextError> {
        if self.start == self.text.len() && !self.next_document()? {
            return Ok(None);
        }
        let rest = &self.text[self.start..];
        let cut = next_cut(rest);
        let piece = Piece {
            text: rest[..cut].to_owned(),
            continues: self.start > 0,
            ends: cut == rest.len(),
        };
        self.start += cut;
        Ok(Some(piece))
    }

    /// Reads lines up to the next that holds a text; blank lines and empty texts are passed over.
    fn next_document(&mut self) -> Result<bool, TextError> {
        loop {
            self.offset += self.bytes.len() as u64;
            self.bytes.clear();
            let count = (&mut self.reader)
                .take(MOST_HELD_BYTES as u64 + 1)
                .read_until(b'\n', &mut self.bytes)
                .map_err(FileError::io("read", &self.path))?;
            if count > MOST_HELD_BYTES {
                let what = format!("line {}", self.line + 1);
                let problem = "each line has to be one JSON object; cut the document";
                return Err(TextError::too_long(&self.path, &what, problem));
            }
            if count == 0 {
                return Ok(false);
            }
            self.line += 1;
            let line = std::str::from_utf8(&self.bytes).map_err(|error| TextError::NotUtf8 {
                path: self.path.clone(),
                offset: self.offset + error.valid_up_to() as u64,
            })?;
            if line.trim().is_empty() {
                continue;
            }
            let problem = match serde_json::from_str::<Line<'_>>(line) {
                // An array would pass for a record whose first field is the text.
                _ if !line.trim_start().starts_with('{') => "not a JSON object".to_owned(),
                Ok(Line { text: Some(text) }) => {
                    if text.is_empty() {
                        continue;
                    }
                    self.text.clear();
                    self.text.push_str(&text);
                    self.start = 0;
                    return Ok(true);
                }
                Ok(Line { text: None }) => "no `text`".to_owned(),
                // The library counts lines within the line: only its column means anything here.
                Err(error) => {
                    let message = error.to_string();
                    let cause = message.split(" at line ").next().unwrap_or_default();
                    format!("{cause} at column {}", error.column())
                }
            };
            return Err(TextError::JsonLine { path: self.path.clone(), line: self.line, problem });
        }
    }
}
