//! The wire format of protocol buffers, as far as event files and W&B need it.
//!
//! Source: <https://protobuf.dev/programming-guides/encoding/>.

/// A field's value as it stands on the wire.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Wire<'a> {
    /// A varint: integers, truth values, enumerations.
    Varint(u64),
    /// Eight bytes, little-endian.
    Fixed64(u64),
    /// Four bytes, little-endian.
    Fixed32(u32),
    /// Bytes of a known length: text, bytes, messages, packed lists.
    Bytes(&'a [u8]),
}

impl<'a> Wire<'a> {
    /// The bytes of a text or a message; none of another kind of field.
    pub(crate) fn bytes(self) -> Option<&'a [u8]> {
        match self {
            Wire::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// A text; what is no UTF-8 is replaced.
    pub(crate) fn text(self) -> Option<String> {
        self.bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// An integer.
    pub(crate) fn integer(self) -> Option<u64> {
        match self {
            Wire::Varint(value) => Some(value),
            _ => None,
        }
    }
}

/// The fields of a message, in order; a damaged message ends early.
pub(crate) struct Fields<'a>(&'a [u8]);

/// The fields of a message.
pub(crate) fn fields(message: &[u8]) -> Fields<'_> {
    Fields(message)
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, Wire<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let found = self.read();
        if found.is_none() {
            self.0 = &[];
        }
        found
    }
}

impl<'a> Fields<'a> {
    fn read(&mut self) -> Option<(u64, Wire<'a>)> {
        let key = self.varint()?;
        let wire = match key & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Fixed64(u64::from_le_bytes(self.take(8)?.try_into().ok()?)),
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Wire::Bytes(self.take(length)?)
            }
            5 => Wire::Fixed32(u32::from_le_bytes(self.take(4)?.try_into().ok()?)),
            _ => return None,
        };
        Some((key >> 3, wire))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for place in 0..10 {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f).checked_shl(7 * place)?;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_and_a_damaged_end_ends_them() {
        // 1: 150 (the example of the specification), 2: "ab", 3: 1.0f32.
        let message = [0x08, 0x96, 0x01, 0x12, 2, b'a', b'b', 0x1d, 0, 0, 0x80, 0x3f];
        let found: Vec<(u64, Wire<'_>)> = fields(&message).collect();
        let one = Wire::Fixed32(1.0f32.to_bits());
        assert_eq!(found, [(1, Wire::Varint(150)), (2, Wire::Bytes(b"ab")), (3, one)]);
        assert_eq!(fields(&message[..6]).count(), 1);
        assert_eq!(fields(&[0xff; 20]).count(), 0);
    }
}
