//! Files opened through their compression, which their first bytes tell and never their name.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::rc::Rc;

use crate::FileError;

/// RFC 1952, section 2.3.1.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// RFC 8878, section 3.1.1: 0xFD2FB528, little-endian.
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Bytes taken from disk so far.
pub(crate) type BytesRead = Rc<Cell<u64>>;

/// Opens a file for reading through its compression, and counts the bytes taken from disk.
pub(crate) fn open(path: &Path) -> Result<(Box<dyn BufRead>, BytesRead), FileError> {
    let read = Rc::new(Cell::new(0));
    let file = File::open(path).map_err(FileError::io("open", path))?;
    let counted = BufReader::with_capacity(1 << 16, Counted { file, read: Rc::clone(&read) });
    let reader = decompressed(counted).map_err(FileError::io("read", path))?;
    Ok((reader, read))
}

/// The decompressed content of a plain, gzip or zstd stream; several members or frames in a row
/// are one text.
pub(crate) fn decompressed(mut reader: impl BufRead + 'static) -> io::Result<Box<dyn BufRead>> {
    let start = reader.fill_buf()?;
    Ok(if start.starts_with(&ZSTD) {
        Box::new(BufReader::with_capacity(1 << 16, zstd::Decoder::with_buffer(reader)?))
    } else if start.starts_with(&GZIP) {
        let decoder = flate2::bufread::MultiGzDecoder::new(reader);
        Box::new(BufReader::with_capacity(1 << 16, decoder))
    } else {
        Box::new(reader)
    })
}

struct Counted {
    file: File,
    read: BytesRead,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read.set(self.read.get() + count as u64);
        Ok(count)
    }
}
