//! The headers of a column's pages, read before anything of them is unpacked: the library reserves
//! what a header announces, up to 2 GiB, and a damaged one announces anything.
//!
//! A header is a struct of Thrift's compact protocol: field 2 is the page's unpacked size, field 3
//! the bytes that follow, and field 8 of a page of version 2 says how many of these are levels, which
//! are not packed. What Snappy packs begins with its unpacked size once more, and the library
//! believes it. Sources: apache/parquet-format, `parquet.thrift`; apache/thrift,
//! `thrift-compact-protocol.md`; google/snappy, `format_description.txt`.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use parquet::basic::Compression;
use parquet::file::metadata::ColumnChunkMetaData;

/// Structs inside each other: a header has three levels.
const DEEPEST: usize = 16;
/// Bytes of a text in a header: statistics hold a value of the column.
const LONGEST: u64 = 1 << 24;

/// Whether every page of a chunk that is packed has a header as the format has it, which says that it
/// unpacks to no more than its whole column does. (The library takes fields by their number, of
/// whatever type they are.)
pub(super) fn are_plausible(file: &File, chunk: &ColumnChunkMetaData) -> io::Result<bool> {
    if chunk.compression() == Compression::UNCOMPRESSED || chunk.uncompressed_size() <= 0 {
        return Ok(true);
    }
    let start = chunk.dictionary_page_offset().unwrap_or_else(|| chunk.data_page_offset());
    let mut left = chunk.compressed_size().cast_unsigned();
    let mut pages = BufReader::with_capacity(512, file);
    pages.seek(SeekFrom::Start(start.cast_unsigned()))?;
    let mut missing = chunk.num_values();
    while left > 0 && missing > 0 {
        let mut header = Header::new((&mut pages).take(left.min(LONGEST)));
        if header.read().is_err() {
            return Ok(false);
        }
        let taken = left.min(LONGEST) - header.bytes.limit();
        let Header { sizes: [unpacked, packed], values, levels, is_packed, .. } = header;
        missing = missing.saturating_sub(values);
        if unpacked > chunk.uncompressed_size() {
            return Ok(false);
        }
        let next = u64::try_from(packed).ok().and_then(|packed| packed.checked_add(taken));
        let Some(next) = next.filter(|&next| next <= left) else { return Ok(false) };
        let mut passed = 0;
        let is_snappy = chunk.compression() == Compression::SNAPPY && is_packed;
        if is_snappy && (0..packed).contains(&levels) {
            pages.seek_relative(levels)?;
            let mut body = Header::new((&mut pages).take(10));
            let announced = body.number();
            passed = levels + 10 - body.bytes.limit().cast_signed();
            if announced.is_ok_and(|size| size > unpacked.cast_unsigned()) {
                return Ok(false);
            }
        }
        pages.seek_relative(packed - passed)?;
        left -= next;
    }
    Ok(true)
}

/// A header while it is read.
struct Header<R> {
    bytes: R,
    /// Fields 2 and 3.
    sizes: [i64; 2],
    /// Values of a page of data.
    values: i64,
    /// Bytes of levels before what is packed.
    levels: i64,
    is_packed: bool,
}

impl<R: Read> Header<R> {
    fn new(bytes: R) -> Self {
        Header { bytes, sizes: [0; 2], values: 0, levels: 0, is_packed: true }
    }

    fn read(&mut self) -> io::Result<()> {
        let mut field = 0;
        while let Some((id, kind)) = self.field(field)? {
            field = id;
            match (id, kind) {
                (2 | 3, 5) => self.sizes[usize::from(id == 3)] = self.signed()?,
                (5 | 8, 12) => self.of_data(id == 8)?,
                (1 | 4, 5) | (6 | 7, 12) | (9.., _) => self.skip(kind, 0)?,
                _ => return Err(damaged()),
            }
        }
        Ok(())
    }

    /// What a page of data has besides: field 1 is the number of its values. Of version 2 fields 5
    /// and 6 are bytes of levels, and field 7 says whether the rest is packed.
    fn of_data(&mut self, is_second: bool) -> io::Result<()> {
        let mut field = 0;
        while let Some((id, kind)) = self.field(field)? {
            field = id;
            match (id, kind) {
                (1, 5) => self.values = self.signed()?.max(0),
                _ if !is_second => self.skip(kind, 1)?,
                (5 | 6, 5) => self.levels = self.levels.saturating_add(self.signed()?),
                (7, 1 | 2) => self.is_packed = kind == 1,
                _ => self.skip(kind, 1)?,
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
        let mut header = Header::new(bytes);
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
    fn levels_of_a_page_of_version_2_are_not_packed() {
        // 300 unpacked, 40 packed; version 2: 3 and 4 bytes of levels, the rest as it is.
        let header = [0x25, 0xd8, 4, 0x15, 80, 0x5c, 0x55, 6, 0x15, 8, 0x12, 0, 0];
        let mut read = Header::new(&header[..]);
        read.read().expect("a header");
        assert_eq!((read.sizes, read.levels, read.is_packed), ([300, 40], 7, false));
    }

    #[test]
    fn no_depth_and_no_number_is_endless() {
        assert_eq!(sizes(&[0x1c; 4096]), None);
        assert_eq!(sizes(&[0xff; 64]), None);
    }
}
