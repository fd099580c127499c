//! Compression, told by magic bytes.

use std::io::{self, BufRead, BufReader};

/// RFC 1952, section 2.3.1.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// RFC 8878, section 3.1.1: 0xFD2FB528, little-endian.
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The decompressed content of a plain, gzip or zstd stream; several members or frames in a row are one text.
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
