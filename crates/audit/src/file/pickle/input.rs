//! The bytes of a pickle, and the opcodes that hold a plain value.

use crate::Fault;
use crate::limits::Limits;

use super::node::{Node, Span};

/// A place in the bytes of a pickle.
pub(super) struct Input<'a> {
    bytes: &'a [u8],
    /// Where `bytes` begins in the file.
    origin: usize,
    position: usize,
    limits: Limits,
}

impl<'a> Input<'a> {
    pub(super) fn new(
        bytes: &'a [u8],
        origin: usize,
        start: usize,
        limits: Limits,
    ) -> Result<Self, Fault> {
        // Spans hold 32-bit places.
        let most = limits.pickle_bytes.min(u32::MAX as usize);
        let end = start.saturating_add(most).min(bytes.len());
        let bytes = bytes.get(..end).unwrap_or_default();
        if end > u32::MAX as usize {
            return Err(Fault::at(origin, "a pickle that ends behind 4 GiB is refused"));
        }
        Ok(Input { bytes, origin, position: start, limits })
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    pub(super) fn fault(&self, what: impl Into<String>) -> Fault {
        Fault::at(self.origin.saturating_add(self.position), what)
    }

    fn ends(&self) -> Fault {
        if self.bytes.len() >= self.limits.pickle_bytes {
            let most = wd_page::number::count(self.limits.pickle_bytes as u64);
            return self.fault(format!("a pickle of more than {most} bytes is refused"));
        }
        self.fault("the pickle ends in the middle")
    }

    pub(super) fn byte(&mut self) -> Result<u8, Fault> {
        let byte = *self.bytes.get(self.position).ok_or_else(|| self.ends())?;
        self.position += 1;
        Ok(byte)
    }

    fn take(&mut self, count: u64) -> Result<(Span, &'a [u8]), Fault> {
        let count = usize::try_from(count).map_err(|_| self.ends())?;
        let end = self.position.checked_add(count).ok_or_else(|| self.ends())?;
        let taken = self.bytes.get(self.position..end).ok_or_else(|| self.ends())?;
        // The constructor holds every place below 2³².
        let span = Span { start: self.position as u32, length: count as u32, is_pooled: false };
        self.position = end;
        Ok((span, taken))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (_, taken) = self.take(N as u64)?;
        taken.try_into().map_err(|_| self.ends())
    }

    pub(super) fn u32(&mut self) -> Result<u32, Fault> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, Fault> {
        self.array().map(u64::from_le_bytes)
    }

    /// A length that protocol 1 counts with a sign.
    fn signed_length(&mut self) -> Result<u64, Fault> {
        let length = self.array().map(i32::from_le_bytes)?;
        u64::try_from(length).map_err(|_| self.fault("a length is negative"))
    }

    /// The announced length of a frame, which nothing here needs.
    pub(super) fn frame(&mut self) -> Result<(), Fault> {
        let length = self.u64()?;
        if length > (self.bytes.len() - self.position) as u64 {
            return Err(self.ends());
        }
        Ok(())
    }

    fn line(&mut self) -> Result<(Span, &'a [u8]), Fault> {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let length = rest.iter().position(|&byte| byte == b'\n').ok_or_else(|| self.ends())?;
        let found = self.take(length as u64)?;
        self.position += 1;
        Ok(found)
    }

    /// A line of text.
    pub(super) fn text_line(&mut self) -> Result<Span, Fault> {
        let (span, line) = self.line()?;
        match std::str::from_utf8(line) {
            Ok(_) => Ok(span),
            Err(_) => Err(self.fault("a name is not UTF-8")),
        }
    }

    /// A line that holds a number of the memo.
    pub(super) fn number_line(&mut self) -> Result<u64, Fault> {
        let (_, line) = self.line()?;
        let number = std::str::from_utf8(line).ok().and_then(|line| line.trim().parse().ok());
        number.ok_or_else(|| self.fault("a number of the memo is no number"))
    }

    /// A plain value by its opcode; strings that are spelled otherwise than as UTF-8 go to `pool`.
    pub(super) fn plain(&mut self, opcode: u8, pool: &mut Vec<u8>) -> Result<Node, Fault> {
        Ok(match opcode {
            b'N' => Node::None,
            0x88 => Node::Bool(true),
            0x89 => Node::Bool(false),
            b'J' => Node::Integer(self.array().map(i32::from_le_bytes)?.into()),
            b'K' => Node::Integer(self.byte()?.into()),
            b'M' => Node::Integer(self.array().map(u16::from_le_bytes)?.into()),
            b'G' => Node::Float(self.array().map(f64::from_be_bytes)?),
            b'I' | b'L' => self.decimal()?,
            b'F' => {
                let (_, line) = self.line()?;
                let number = std::str::from_utf8(line).ok().and_then(|x| x.trim().parse().ok());
                Node::Float(number.ok_or_else(|| self.fault("a float is no number"))?)
            }
            0x8a => {
                let count = self.byte()?;
                self.integer(count.into())?
            }
            0x8b => {
                let count = self.signed_length()?;
                self.integer(count)?
            }
            // Text and bytes.
            b'X' => self.u32().and_then(|count| self.unicode(count.into(), pool))?,
            0x8c => self.byte().and_then(|count| self.unicode(count.into(), pool))?,
            0x8d => self.u64().and_then(|count| self.unicode(count, pool))?,
            b'C' => self.byte().and_then(|count| self.take(count.into())).map(bytes)?,
            b'B' => self.u32().and_then(|count| self.take(count.into())).map(bytes)?,
            0x8e | 0x96 => self.u64().and_then(|count| self.take(count)).map(bytes)?,
            b'U' => self.byte().and_then(|count| self.take(count.into())).map(text_or_bytes)?,
            b'T' => self.signed_length().and_then(|count| self.take(count)).map(text_or_bytes)?,
            b'S' => self.quoted(pool)?,
            b'V' => self.escaped(pool)?,
            0x82..=0x84 => return Err(self.refused("EXT: a class by a number of its registry")),
            0x97 => return Err(self.refused("NEXT_BUFFER: data outside the file")),
            0x98 => return Err(self.refused("READONLY_BUFFER: data outside the file")),
            b'i' => return Err(self.refused("INST: an object of Python 1")),
            b'o' => return Err(self.refused("OBJ: an object of Python 1")),
            _ => return Err(self.fault(format!("byte 0x{opcode:02x} is no opcode"))),
        })
    }

    fn refused(&self, opcode: &str) -> Fault {
        self.fault(format!("the opcode {opcode} is not read"))
    }

    /// A decimal integer of protocol 0; `00` and `01` after `I` are truth values.
    fn decimal(&mut self) -> Result<Node, Fault> {
        let is_int = self.bytes.get(self.position - 1) == Some(&b'I');
        let (span, line) = self.line()?;
        match line {
            b"00" if is_int => return Ok(Node::Bool(false)),
            b"01" if is_int => return Ok(Node::Bool(true)),
            _ => {}
        }
        let digits = line.strip_suffix(b"L").unwrap_or(line).trim_ascii();
        let signless = digits.strip_prefix(b"-").unwrap_or(digits);
        if signless.is_empty() || !signless.iter().all(u8::is_ascii_digit) {
            return Err(self.fault("an integer is no number"));
        }
        let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
        Ok(number.map_or(Node::Wide(span), Node::Integer))
    }

    /// A two's complement integer, least byte first.
    fn integer(&mut self, count: u64) -> Result<Node, Fault> {
        let (span, taken) = self.take(count)?;
        if taken.len() > 8 {
            return Ok(Node::Wide(span));
        }
        let is_negative = taken.last().is_some_and(|&byte| byte & 0x80 != 0);
        let mut wide = [if is_negative { 0xff } else { 0 }; 8];
        wide[..taken.len()].copy_from_slice(taken);
        Ok(Node::Integer(i64::from_le_bytes(wide)))
    }

    fn unicode(&mut self, count: u64, pool: &mut Vec<u8>) -> Result<Node, Fault> {
        let (span, taken) = self.take(count)?;
        if std::str::from_utf8(taken).is_ok() {
            return Ok(Node::Text(span));
        }
        // Python passes lone surrogates through; here they become replacement characters.
        let text = String::from_utf8_lossy(taken).into_owned();
        Ok(Node::Text(self.pooled(text.as_bytes(), pool)?))
    }

    /// Puts bytes into the pool.
    pub(super) fn pooled(&self, bytes: &[u8], pool: &mut Vec<u8>) -> Result<Span, Fault> {
        if bytes.len() > self.limits.string_bytes.saturating_sub(pool.len()) {
            let most = wd_page::number::count(self.limits.string_bytes as u64);
            return Err(self.fault(format!("more than {most} bytes of escaped text are refused")));
        }
        let span = Span { start: pool.len() as u32, length: bytes.len() as u32, is_pooled: true };
        pool.extend_from_slice(bytes);
        Ok(span)
    }

    /// A quoted string of Python 2.
    fn quoted(&mut self, pool: &mut Vec<u8>) -> Result<Node, Fault> {
        let (span, line) = self.line()?;
        let line = line.trim_ascii_end();
        let inner = match line {
            [b'\'', inner @ .., b'\''] | [b'"', inner @ .., b'"'] => inner,
            _ => return Err(self.fault("a string has no quotes")),
        };
        if !inner.contains(&b'\\') {
            let span = Span { start: span.start + 1, length: inner.len() as u32, ..span };
            return Ok(text_or_bytes((span, inner)));
        }
        let plain = unescape(inner, false).ok_or_else(|| self.fault("an escape is not known"))?;
        let span = self.pooled(&plain, pool)?;
        Ok(text_or_bytes((span, &plain)))
    }

    /// Text of protocol 0, with `\uXXXX` for what is not Latin-1.
    fn escaped(&mut self, pool: &mut Vec<u8>) -> Result<Node, Fault> {
        let (span, line) = self.line()?;
        if line.is_ascii() && !line.contains(&b'\\') {
            return Ok(Node::Text(span));
        }
        let plain = unescape(line, true).ok_or_else(|| self.fault("an escape is not known"))?;
        Ok(Node::Text(self.pooled(&plain, pool)?))
    }
}

fn bytes((span, _): (Span, &[u8])) -> Node {
    Node::Bytes(span)
}

/// A `str` of Python 2 is bytes, and text wherever it can be.
fn text_or_bytes((span, taken): (Span, &[u8])) -> Node {
    match std::str::from_utf8(taken) {
        Ok(_) => Node::Text(span),
        Err(_) => Node::Bytes(span),
    }
}

/// Undoes escapes: those of Python 2's strings, or, for text, `\u` and `\U` alone over Latin-1.
fn unescape(escaped: &[u8], is_unicode: bool) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(escaped.len());
    let mut rest = escaped;
    let push_char = |plain: &mut Vec<u8>, code: u32| {
        let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
        plain.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    };
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte != b'\\' {
            if is_unicode {
                push_char(&mut plain, byte.into())
            } else {
                plain.push(byte)
            }
            continue;
        }
        let (&kind, behind) = rest.split_first()?;
        let digits = match (kind, is_unicode) {
            (b'u', true) => 4,
            (b'U', true) => 8,
            (b'x', false) => 2,
            (_, true) => {
                plain.push(b'\\');
                continue;
            }
            (b'\\' | b'\'' | b'"', false) => {
                plain.push(kind);
                rest = behind;
                continue;
            }
            (b'n', false) => {
                plain.push(b'\n');
                rest = behind;
                continue;
            }
            (b't', false) => {
                plain.push(b'\t');
                rest = behind;
                continue;
            }
            (b'r', false) => {
                plain.push(b'\r');
                rest = behind;
                continue;
            }
            _ => return None,
        };
        let hexadecimal = std::str::from_utf8(behind.get(..digits)?).ok()?;
        let code = u32::from_str_radix(hexadecimal, 16).ok()?;
        if is_unicode {
            push_char(&mut plain, code)
        } else {
            plain.push(code as u8)
        }
        rest = behind.get(digits..)?;
    }
    Some(plain)
}
