//! The headers of a column's pages, read before anything of them is unpacked: the library reserves
//! what a header announces, up to 2 GiB, and a damaged one announces anything.
//!
//! A header is a struct of Thrift's compact protocol: field 2 is the page's unpacked size, field 3
//! the bytes that follow. Source: apache/parquet-format, `parquet.thrift`; apache/thrift,
//! `thrift-compact-protocol.md`.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use parquet::basic::Compression;
use parquet::file::metadata::ColumnChunkMetaData;

/// Structs inside each other: a header has three levels.
const DEEPEST: usize = 16;
/// Bytes of a text in a header: statistics hold a value of the column.
const LONGEST: u64 = 1 << 24;

/// Whether every page of a chunk that is packed says that it unpacks to no more than its whole
/// column does. A header that cannot be read is left to the library, which refuses it.
pub(super) fn are_plausible(file: &File, chunk: &ColumnChunkMetaData) -> io::Result<bool> {
    if chunk.compression() == Compression::UNCOMPRESSED || chunk.uncompressed_size() <= 0 {
        return Ok(true);
    }
    let start = chunk.dictionary_page_offset().unwrap_or_else(|| chunk.data_page_offset());
    let mut left = chunk.compressed_size().cast_unsigned();
    let mut pages = BufReader::with_capacity(512, file);
    pages.seek(SeekFrom::Start(start.cast_unsigned()))?;
    while left > 0 {
        let mut header = Header { bytes: (&mut pages).take(left.min(LONGEST)), sizes: [0; 2] };
        if header.read().is_err() {
            return Ok(true);
        }
        let taken = left.min(LONGEST) - header.bytes.limit();
        let [unpacked, packed] = header.sizes;
        if unpacked > chunk.uncompressed_size() {
            return Ok(false);
        }
        let next = u64::try_from(packed).ok().and_then(|packed| packed.checked_add(taken));
        let Some(next) = next.filter(|&next| next > 0 && next <= left) else { return Ok(true) };
        pages.seek_relative(packed)?;
        left -= next;
    }
    Ok(true)
}

/// A header while it is read.
struct Header<R> {
    bytes: R,
    /// Fields 2 and 3.
    sizes: [i64; 2],
}

impl<R: Read> Header<R> {
    fn read(&mut self) -> io::Result<()> {
        let mut field = 0;
        while let Some((id, kind)) = self.field(field)? {
            field = id;
            match (id, kind) {
                (2 | 3, 5) => self.sizes[usize::from(id == 3)] = self.signed()?,
                _ => self.skip(kind, 0)?,
            }
        }
        Ok(())
    }

    /// The next field of a struct: its number and its type; nothing at the struct's end.
    fn field(&mut self, last: i64) -> io::Result<Option<(i64, u8)>> {
        let byte = self.byte()?;
        Ok(match (byte >> 4, byte & 15) {
            (_, 0) => None,
            (0, kind) => Some((self.signed()?, kind)),
            (delta, kind) => Some((last.saturating_add(delta.into()), kind)),
        })
    }

    fn skip(&mut self, kind: u8, depth: usize) -> io::Result<()> {
        if depth > DEEPEST {
            return Err(damaged());
        }
        match kind {
            // The two truths of a field are types of their own.
            1 | 2 => Ok(()),
            3 => self.byte().map(drop),
            4..=6 => self.number().map(drop),
            7 => self.pass(8),
            8 => {
                let length = self.number()?;
                self.pass(length)
            }
            9 | 10 => {
                let byte = self.byte()?;
                let count = match byte >> 4 {
                    15 => self.number()?,
                    few => few.into(),
                };
                // A truth in a list takes a byte.
                let kind = if matches!(byte & 15, 1 | 2) { 3 } else { byte & 15 };
                (0..count).try_for_each(|_| self.skip(kind, depth + 1))
            }
            12 => {
                let mut field = 0;
                while let Some((id, kind)) = self.field(field)? {
                    field = id;
                    self.skip(kind, depth + 1)?;
                }
                Ok(())
            }
            _ => Err(damaged()),
        }
    }

    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.bytes.read_exact(&mut byte)?;
        Ok(byte[0])
    }

    fn pass(&mut self, count: u64) -> io::Result<()> {
        match io::copy(&mut (&mut self.bytes).take(count), &mut io::sink())? {
            passed if passed == count => Ok(()),
            _ => Err(damaged()),
        }
    }

    fn number(&mut self) -> io::Result<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Ok(number);
            }
        }
        Err(damaged())
    }

    /// Small negative numbers are small here, too.
    fn signed(&mut self) -> io::Result<i64> {
        let number = self.number()?;
        Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }
}

fn damaged() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(bytes: &[u8]) -> Option<[i64; 2]> {
        let mut header = Header { bytes, sizes: [0; 2] };
        header.read().ok()?;
        header.bytes.is_empty().then_some(header.sizes)
    }

    #[test]
    fn sizes_stand_before_a_struct_that_is_passed_over() {
        // type 0; 300 unpacked; 40 packed; a struct: a number, a truth, a text; end of both.
        let header =
            [0x15, 0, 0x15, 0xd8, 4, 0x15, 80, 0x2c, 0x15, 2, 0x11, 0x18, 2, b'a', b'b', 0, 0];
        assert_eq!(sizes(&header), Some([300, 40]));
        for cut in 0..header.len() {
            assert_eq!(sizes(&header[..cut]), None, "{cut}");
        }
    }

    #[test]
    fn no_depth_and_no_number_is_endless() {
        assert_eq!(sizes(&[0x1c; 4096]), None);
        assert_eq!(sizes(&[0xff; 64]), None);
    }
}
