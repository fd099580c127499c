//! The bytes of a text on their way to the CSV reader: decoded to UTF-8, without comment lines, and
//! with runs of blanks made one.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use super::format::has_wide_mark;
use super::reading::{Reading, TextEncoding};

/// Bytes taken at a time.
const CHUNK: usize = 1 << 16;

/// The letters of Windows-1252 in the place of the control characters 0x80 to 0x9f (WHATWG Encoding
/// Standard, index windows-1252).
const WINDOWS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// A text in UTF-8, without its byte-order mark.
pub(super) fn decoded(
    mut bytes: Box<dyn BufRead>,
    reading: &Reading,
) -> io::Result<Box<dyn BufRead>> {
    let start = bytes.fill_buf()?;
    let (is_wide, is_reversed) = (has_wide_mark(start), start.starts_with(&[0xfe, 0xff]));
    if is_wide || reading.encoding == TextEncoding::Utf16 {
        bytes.consume(if is_wide { 2 } else { 0 });
        return Ok(Box::new(Changed::new(bytes, Wide { is_reversed, ..Wide::default() })));
    }
    if start.starts_with("\u{feff}".as_bytes()) {
        bytes.consume(3);
        return Ok(bytes);
    }
    Ok(match reading.encoding {
        TextEncoding::Latin1 => Box::new(Changed::new(bytes, Latin)),
        TextEncoding::Utf8 | TextEncoding::Utf16 => bytes,
    })
}

/// Lines of comment so far.
pub(super) type Comments = Rc<Cell<u64>>;

/// A text without comment lines, which are counted, and with single blanks between fields where
/// blanks part them.
pub(super) fn tidied(
    bytes: Box<dyn BufRead>,
    comment: Option<u8>,
    delimiter: u8,
) -> (Box<dyn BufRead>, Comments) {
    let comments = Comments::default();
    let has_blanks = delimiter == b' ';
    if comment.is_none() && !has_blanks {
        return (bytes, comments);
    }
    let counted = Rc::clone(&comments);
    let lines = Lines { comment, comments: counted, has_blanks, delimiter, ..Lines::default() };
    (Box::new(Changed::new(bytes, lines)), comments)
}

/// What turns bytes into others, some at a time.
trait Change {
    /// Appends what becomes of `bytes`; what is not complete yet is remembered.
    fn change(&mut self, bytes: &[u8], out: &mut Vec<u8>);
    /// Appends what the end of the text leaves.
    fn end(&mut self, _out: &mut Vec<u8>) {}
}

/// A reader of changed bytes.
struct Changed<C> {
    inner: Box<dyn BufRead>,
    change: C,
    out: Vec<u8>,
    place: usize,
    has_ended: bool,
}

impl<C: Change> Changed<C> {
    fn new(inner: Box<dyn BufRead>, change: C) -> Self {
        Changed { inner, change, out: Vec::new(), place: 0, has_ended: false }
    }
}

impl<C: Change> BufRead for Changed<C> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.place == self.out.len() && !self.has_ended {
            self.out.clear();
            self.place = 0;
            let bytes = self.inner.fill_buf()?;
            let taken = bytes.len().min(CHUNK);
            if taken == 0 {
                self.has_ended = true;
                self.change.end(&mut self.out);
            } else {
                self.change.change(&bytes[..taken], &mut self.out);
                self.inner.consume(taken);
            }
        }
        Ok(&self.out[self.place..])
    }

    fn consume(&mut self, amount: usize) {
        self.place = (self.place + amount).min(self.out.len());
    }
}

impl<C: Change> Read for Changed<C> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut bytes = self.fill_buf()?;
        let count = bytes.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

fn push(letter: char, out: &mut Vec<u8>) {
    out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
}

/// From Latin-1.
struct Latin;

impl Change for Latin {
    fn change(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for byte in bytes {
            match byte {
                0x80..=0x9f => push(WINDOWS[usize::from(byte - 0x80)], out),
                _ => push(char::from(*byte), out),
            }
        }
    }
}

/// From UTF-16.
#[derive(Default)]
struct Wide {
    is_reversed: bool,
    byte: Option<u8>,
    /// The first half of a letter beyond 2¹⁶.
    half: Option<u16>,
}

impl Change for Wide {
    fn change(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for &byte in bytes {
            let Some(before) = self.byte.take() else {
                self.byte = Some(byte);
                continue;
            };
            let pair = [before, byte];
            let unit = match self.is_reversed {
                true => u16::from_be_bytes(pair),
                false => u16::from_le_bytes(pair),
            };
            let units: Vec<u16> = self.half.take().into_iter().chain([unit]).collect();
            if let ([first], 0xd800..=0xdbff) = (&units[..], unit) {
                self.half = Some(*first);
                continue;
            }
            for letter in char::decode_utf16(units) {
                push(letter.unwrap_or(char::REPLACEMENT_CHARACTER), out);
            }
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if self.byte.is_some() || self.half.is_some() {
            push(char::REPLACEMENT_CHARACTER, out);
        }
    }
}

/// Comment lines become empty ones, so that lines keep their numbers; runs of blanks become one.
#[derive(Default)]
struct Lines {
    comment: Option<u8>,
    comments: Comments,
    has_blanks: bool,
    delimiter: u8,
    /// Whether something of the line has been written.
    has_begun: bool,
    in_comment: bool,
    in_quotes: bool,
    /// Whether a blank waits for the next field.
    has_blank: bool,
    /// Whether the next byte begins a field, where a quote opens.
    at_field: bool,
}

impl Change for Lines {
    fn change(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for &byte in bytes {
            let is_end = matches!(byte, b'\n' | b'\r');
            if self.in_quotes {
                self.in_quotes = byte != b'"';
                out.push(byte);
                continue;
            }
            if is_end {
                (self.has_begun, self.in_comment, self.has_blank) = (false, false, false);
                out.push(byte);
                continue;
            }
            if self.in_comment {
                continue;
            }
            if !self.has_begun && Some(byte) == self.comment {
                self.in_comment = true;
                self.comments.set(self.comments.get() + 1);
                continue;
            }
            if self.has_blanks && matches!(byte, b' ' | b'\t') {
                self.has_blank = self.has_begun;
                continue;
            }
            if std::mem::take(&mut self.has_blank) {
                out.push(b' ');
                self.at_field = true;
            }
            // A quote within a field is a letter like others.
            self.in_quotes = byte == b'"' && (!self.has_begun || self.at_field);
            self.at_field = byte == self.delimiter;
            self.has_begun = true;
            out.push(byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], reading: &Reading) -> String {
        // A small buffer puts its ends at every place.
        let inner = Box::new(io::BufReader::with_capacity(3, io::Cursor::new(bytes.to_vec())));
        let decoded = decoded(inner, reading).expect("bytes in memory");
        let mut text = String::new();
        let delimiter = reading.delimiter.unwrap_or(b',');
        tidied(decoded, reading.comment, delimiter).0.read_to_string(&mut text).expect("UTF-8");
        text
    }

    #[test]
    fn letters_come_back_from_every_encoding() {
        let text = "Zürich,„5 €“\n";
        let latin = b"Z\xfcrich,\x845 \x80\x93\n";
        let as_latin = Reading { encoding: TextEncoding::Latin1, ..Reading::default() };
        assert_eq!(read(latin, &as_latin), text);
        let text = "Zürich 𝄞\n";
        let units: Vec<u16> = text.encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        let told = Reading { encoding: TextEncoding::Utf16, ..Reading::default() };
        assert_eq!(read(&little, &told), text);
        assert_eq!(read(&[&[0xff, 0xfe][..], &little].concat(), &Reading::default()), text);
        assert_eq!(read(&[&[0xfe, 0xff][..], &big].concat(), &Reading::default()), text);
        assert_eq!(read(&little[..little.len() - 1], &told), "Zürich 𝄞\u{fffd}");
    }

    #[test]
    fn comments_keep_their_lines_and_blanks_part_fields() {
        let reading = Reading { comment: Some(b'#'), delimiter: Some(b' '), ..Reading::default() };
        let text = "# made \"by hand\n  x  y\tz \n1  \"a  b\"   3\n# end\n4 5# 6\n";
        assert_eq!(read(text.as_bytes(), &reading), "\nx y z\n1 \"a  b\" 3\n\n4 5# 6\n");
        let commas = Reading { comment: Some(b'#'), ..Reading::default() };
        assert_eq!(read(b"a,b\n#c\n\"#d\n\",2\n", &commas), "a,b\n\n\"#d\n\",2\n");
    }
}
