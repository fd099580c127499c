//! Plain text: one document a file, or one between separators.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use super::piece::{MOST_HELD_BYTES, PIECE_BYTES, Piece, last_boundary};
use crate::FileError;
use crate::text::error::TextError;

pub(crate) struct TextReader {
    reader: Box<dyn BufRead>,
    path: PathBuf,
    separator: Option<String>,
    /// Text read and checked; what lies before `start` has been passed on.
    text: String,
    start: usize,
    /// Bytes of a character whose end has not been read yet.
    tail: Vec<u8>,
    /// Offset in the file of the end of `text`.
    offset: u64,
    exhausted: bool,
    finished: bool,
    continues: bool,
}

impl TextReader {
    pub(crate) fn new(
        path: &Path,
        reader: Box<dyn BufRead>,
        offset: u64,
        separator: Option<&str>,
    ) -> Self {
        TextReader {
            reader,
            path: path.to_owned(),
            separator: separator.map(str::to_owned),
            text: String::new(),
            start: 0,
            tail: Vec::new(),
            offset,
            exhausted: false,
            finished: false,
            continues: false,
        }
    }

    pub(crate) fn next_piece(&mut self) -> Result<Option<Piece>, TextError> {
        loop {
            if self.finished {
                return Ok(None);
            }
            let rest = &self.text[self.start..];
            if let Some(separator) = &self.separator
                && let Some(at) = rest.find(separator)
            {
                let length = separator.len();
                return Ok(Some(self.take(at, length, true)));
            }
            if self.exhausted {
                self.finished = true;
                return Ok(Some(self.take(rest.len(), 0, true)));
            }
            // A separator may have begun in the last bytes.
            let kept = self.separator.as_ref().map_or(0, |separator| separator.len() - 1);
            let usable = rest.floor_char_boundary(rest.len().saturating_sub(kept));
            if usable >= PIECE_BYTES
                && let Some(cut) = last_boundary(&rest[..usable])
            {
                return Ok(Some(self.take(cut, 0, false)));
            }
            self.refill()?;
        }
    }

    /// Passes on `length` bytes and drops the `skipped` that follow.
    fn take(&mut self, length: usize, skipped: usize, ends: bool) -> Piece {
        let piece = Piece {
            text: self.text[self.start..self.start + length].to_owned(),
            continues: self.continues,
            ends,
        };
        self.start += length + skipped;
        self.continues = !ends;
        piece
    }

    /// Reads at least as much again as is held, so that a text without a place to cut is not
    /// searched too often.
    fn refill(&mut self) -> Result<(), TextError> {
        self.text.drain(..self.start);
        self.start = 0;
        if self.text.len() > MOST_HELD_BYTES {
            let problem = "has no end of a word at which it could be cut";
            return Err(TextError::too_long(&self.path, "a stretch of text", problem));
        }
        let wanted = self.text.len().max(2 * PIECE_BYTES);
        while self.tail.len() < wanted {
            let bytes = self.reader.fill_buf().map_err(FileError::io("read", &self.path))?;
            if bytes.is_empty() {
                self.exhausted = true;
                break;
            }
            let count = bytes.len();
            self.tail.extend_from_slice(bytes);
            self.reader.consume(count);
        }
        let error = std::str::from_utf8(&self.tail).err();
        let valid = error.map_or(self.tail.len(), |error| error.valid_up_to());
        let is_broken = error.is_some_and(|error| error.error_len().is_some() || self.exhausted);
        if is_broken {
            return Err(TextError::NotUtf8 {
                path: self.path.clone(),
                offset: self.offset + valid as u64,
            });
        }
        // The prefix has just been found valid: nothing is lost here.
        self.text.push_str(&String::from_utf8_lossy(&self.tail[..valid]));
        self.offset += valid as u64;
        self.tail.drain(..valid);
        Ok(())
    }
}
