//! The bytes of a Parquet file, for a library that reads on behind their end.

use std::fs::File;
use std::io::{self, BufReader, Read};

use bytes::Bytes;
use parquet::errors::Result;
use parquet::file::reader::{ChunkReader, Length};

/// A file whose readers fail behind their end. The library skips what a damaged header announces
/// one element at a time, and takes "no more bytes" for an answer 2³¹ times.
pub(crate) struct Source(pub(super) File);

impl Length for Source {
    fn len(&self) -> u64 {
        self.0.len()
    }
}

impl ChunkReader for Source {
    type T = Ending<BufReader<File>>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(Ending { inner: self.0.get_read(start)?, has_ended: false })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        self.0.get_bytes(start, length)
    }
}

/// A reader that says once that it is at its end, and fails after that.
pub(crate) struct Ending<R> {
    inner: R,
    has_ended: bool,
}

impl<R: Read> Read for Ending<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if count == 0 && !buffer.is_empty() {
            if self.has_ended {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.has_ended = true;
        }
        Ok(count)
    }
}
