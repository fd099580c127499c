//! The bytes of a CSV file on their way to its reader, watched for records that never end.
//!
//! The reader ends a quoted field at the end of the file without a word, so that one stray quote
//! swallows every row behind it; and it holds a record of any length in memory.

use std::fmt;
use std::io::{self, BufRead, Read};

use memchr::{memchr, memchr_iter, memrchr2};

/// Bytes of one record, line feeds within quotes included. A row of 10⁶ numbers has fewer.
pub(super) const MOST_RECORD_BYTES: usize = 16 << 20;

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordFault {
    /// The file ends within quotes.
    Unclosed,
    /// It has more bytes than [`MOST_RECORD_BYTES`].
    TooLong,
}

impl fmt::Display for RecordFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            RecordFault::Unclosed => "a quote is never closed",
            RecordFault::TooLong => "a record is too long",
        })
    }
}

impl std::error::Error for RecordFault {}

impl RecordFault {
    /// The fault behind an error of the reader.
    pub(super) fn of(error: &io::Error) -> Option<RecordFault> {
        error.get_ref()?.downcast_ref().copied()
    }
}

/// Where the next byte stands, as the CSV reader sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the start of a field, where a quote opens.
    Start,
    /// In a field without quotes, where a quote is a character like others.
    Plain,
    Quoted,
    /// Behind a quote within quotes: the end of the field, or half of a doubled quote.
    MaybeClosed,
}

/// A reader that fails on a record that never ends.
pub(super) struct Records<R> {
    inner: R,
    delimiter: u8,
    state: State,
    /// Bytes since the last end of a record.
    length: usize,
    /// Lines without a letter.
    blank: Blank,
}

/// Counts blank lines.
#[derive(Debug, Clone, Copy, Default)]
struct Blank {
    /// How many there were.
    count: u64,
    /// Bytes of the line so far, carriage returns left out.
    length: usize,
}

impl Blank {
    /// Looks at bytes outside quotes.
    fn see(&mut self, bytes: &[u8]) {
        let mut start = 0;
        for end in memchr_iter(b'\n', bytes) {
            let line = &bytes[start..end];
            if self.length + line.len() == 0 || (self.length == 0 && line == b"\r") {
                self.count += 1;
            }
            (self.length, start) = (0, end + 1);
        }
        let rest = &bytes[start..];
        self.length += rest.len() - usize::from(self.length == 0 && rest == b"\r");
    }
}

impl<R: BufRead> Records<R> {
    pub(super) fn new(inner: R, delimiter: u8) -> Self {
        Records { inner, delimiter, state: State::Start, length: 0, blank: Blank::default() }
    }

    /// Blank lines among the bytes that were taken so far.
    pub(super) fn blank_lines(&self) -> u64 {
        self.blank.count
    }

    /// Follows bytes that the reader takes.
    fn follow(
        state: &mut State,
        length: &mut usize,
        blank: &mut Blank,
        delimiter: u8,
        bytes: &[u8],
    ) {
        let in_quotes = matches!(state, State::Quoted | State::MaybeClosed);
        // Most files have no quotes: only the last end of a line matters then.
        if !in_quotes && memchr(b'"', bytes).is_none() {
            blank.see(bytes);
            match memrchr2(b'\n', b'\r', bytes) {
                Some(end) => *length = bytes.len() - end - 1,
                None => *length += bytes.len(),
            }
            let Some(&last) = bytes.last() else { return };
            let is_start = last == delimiter || matches!(last, b'\n' | b'\r');
            *state = if is_start { State::Start } else { State::Plain };
            return;
        }
        for &byte in bytes {
            *length += 1;
            match *state {
                State::Quoted => blank.length += 1,
                _ => blank.see(&[byte]),
            }
            *state = match (*state, byte) {
                (State::Quoted, b'"') => State::MaybeClosed,
                (State::Quoted, _) => State::Quoted,
                (State::Start | State::MaybeClosed, b'"') => State::Quoted,
                (_, b'\n' | b'\r') => {
                    *length = 0;
                    State::Start
                }
                (_, byte) if byte == delimiter => State::Start,
                _ => State::Plain,
            };
        }
    }
}

impl<R: BufRead> BufRead for Records<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.length > MOST_RECORD_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidData, RecordFault::TooLong));
        }
        let is_open = self.state == State::Quoted;
        let bytes = self.inner.fill_buf()?;
        if bytes.is_empty() && is_open {
            return Err(io::Error::new(io::ErrorKind::InvalidData, RecordFault::Unclosed));
        }
        Ok(bytes)
    }

    fn consume(&mut self, amount: usize) {
        // What was filled is still there, and is handed out again without reading.
        if let Ok(bytes) = self.inner.fill_buf() {
            let taken = &bytes[..amount.min(bytes.len())];
            let (state, length, blank) = (&mut self.state, &mut self.length, &mut self.blank);
            Self::follow(state, length, blank, self.delimiter, taken);
        }
        self.inner.consume(amount);
    }
}

impl<R: BufRead> Read for Records<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut bytes = self.fill_buf()?;
        let count = bytes.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, RecordFault> {
        let mut out = String::new();
        // A small buffer puts its ends at every place.
        let inner = io::BufReader::with_capacity(3, text.as_bytes());
        match Records::new(inner, b',').read_to_string(&mut out) {
            Ok(_) => Ok(out),
            Err(error) => Err(RecordFault::of(&error).expect("a fault of a record")),
        }
    }

    #[test]
    fn a_quote_that_never_closes_is_a_fault() {
        for text in ["a,\"b", "\"", "a\n\"b\nc\n", "x,\"a\"\"", "1,2\r\n\"3,4\r\n5,6"] {
            assert_eq!(read(text), Err(RecordFault::Unclosed), "{text}");
        }
    }

    #[test]
    fn quotes_that_close_and_quotes_within_words_are_none() {
        for text in ["a,\"b\"", "\"a\"\"b\"\n", "5\" pipe,b\n", "\"a\"x,b", "a,\"b\nc\",d\n", ""] {
            assert_eq!(read(text).as_deref(), Ok(text), "{text}");
        }
    }

    #[test]
    fn blank_lines_are_counted_outside_quotes() {
        for (text, expected) in [
            ("a\n\nb\n", 1),
            ("a\r\n\r\n\r\nb\r\n", 2),
            ("\n\"x\n\n\ny\",2\n\n", 2),
            ("a,b\n1,2", 0),
        ] {
            let inner = io::BufReader::with_capacity(3, text.as_bytes());
            let mut records = Records::new(inner, b',');
            records.read_to_string(&mut String::new()).expect("whole records");
            assert_eq!(records.blank_lines(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_record_without_an_end_is_a_fault_in_little_memory() {
        let endless = io::BufReader::new(io::repeat(b'x'));
        let mut taken = 0;
        let mut records = Records::new(endless, b',');
        let error = loop {
            match records.fill_buf().map(<[u8]>::len) {
                Ok(length) => {
                    taken += length;
                    records.consume(length);
                }
                Err(error) => break error,
            }
        };
        assert_eq!(RecordFault::of(&error), Some(RecordFault::TooLong));
        assert!(taken < 2 * MOST_RECORD_BYTES);
    }
}
