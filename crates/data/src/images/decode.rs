//! PNG and JPEG to bytes.

use std::io::Cursor;

use png::{BitDepth, ColorType, Transformations};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

use super::limits::MOST_SIDE;
use crate::guard::caught;

/// The most that decoding one image may allocate: four times the largest image in 8-bit colour.
const MOST_MEMORY: usize = 4 * 3 * MOST_SIDE * MOST_SIDE;

/// What can be done about an image that cannot be read.
const REMEDY: &str = "write it again as PNG or JPEG, or remove it";

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const JPEG: &[u8] = b"\xff\xd8\xff";
/// How files of other images begin.
const OTHERS: [(&[u8], &str); 5] =
    [(b"GIF8", "GIF"), (b"RIFF", "WebP"), (b"II*\0", "TIFF"), (b"MM\0*", "TIFF"), (b"BM", "BMP")];

/// One image; `pixels` is `[row][column][channel]`.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) height: usize,
    pub(super) width: usize,
    /// 1 for grey, 3 for colour.
    pub(super) channels: usize,
    pub(super) pixels: Vec<u8>,
}

/// Decodes a PNG or a JPEG, told by its first bytes; the error says what is wrong.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, String> {
    if bytes.is_empty() {
        return Err(format!("it is empty; {REMEDY}"));
    }
    let panicked = || Err(unreadable("it is damaged"));
    if bytes.starts_with(PNG) {
        return caught(|| decode_png(bytes)).unwrap_or_else(panicked);
    }
    if bytes.starts_with(JPEG) {
        return caught(|| decode_jpeg(bytes)).unwrap_or_else(panicked);
    }
    match OTHERS.iter().find(|(start, _)| bytes.starts_with(start)) {
        Some((_, name)) => Err(format!("it is {name}, neither PNG nor JPEG; {REMEDY}")),
        None => Err(format!("it is neither PNG nor JPEG; {REMEDY}")),
    }
}

fn unreadable(error: impl std::fmt::Display) -> String {
    format!("it cannot be read: {error}; {REMEDY}")
}

fn too_large() -> String {
    format!("its sides exceed the {MOST_SIDE} pixels that are accepted; make it smaller")
}

fn decode_png(bytes: &[u8]) -> Result<Decoded, String> {
    let limits = png::Limits { bytes: MOST_MEMORY };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    let header = decoder.read_header_info().map_err(unreadable)?;
    let (width, height) = (header.width as usize, header.height as usize);
    if width.max(height) > MOST_SIDE {
        return Err(too_large());
    }
    // A palette becomes colour, fewer than 8 bits become 8.
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(unreadable)?;
    let mut samples = vec![0; reader.output_buffer_size().ok_or_else(too_large)?];
    reader.next_frame(&mut samples).map_err(unreadable)?;
    let (colour, depth) = reader.output_color_type();
    if depth == BitDepth::Sixteen {
        let (words, _) = samples.as_chunks::<2>();
        samples = words.iter().map(|word| nearest_byte(u16::from_be_bytes(*word))).collect();
    }
    let (channels, samples_a_pixel) = match colour {
        ColorType::Grayscale => (1, 1),
        ColorType::GrayscaleAlpha => (1, 2),
        ColorType::Rgba => (3, 4),
        ColorType::Rgb | ColorType::Indexed => (3, 3),
    };
    if samples_a_pixel > channels {
        let pixels = samples.chunks_exact(samples_a_pixel);
        samples = pixels.flat_map(|pixel| &pixel[..channels]).copied().collect();
    }
    Ok(Decoded { height, width, channels, pixels: samples })
}

/// 16 bits to 8, so that 65,535 becomes 255.
fn nearest_byte(sample: u16) -> u8 {
    ((u32::from(sample) + 128) / 257) as u8
}

fn decode_jpeg(bytes: &[u8]) -> Result<Decoded, String> {
    if !reaches_its_end(bytes) {
        return Err(format!("it is cut off: the mark of a JPEG's end is missing; {REMEDY}"));
    }
    let failure = |error| match error {
        DecodeErrors::LargeDimensions(_) => too_large(),
        error => unreadable(error),
    };
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(MOST_SIDE)
        .set_max_height(MOST_SIDE);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(failure)?;
    let (colour, channels) = match decoder.input_colorspace() {
        Some(ColorSpace::Luma) => (ColorSpace::Luma, 1),
        _ => (ColorSpace::RGB, 3),
    };
    decoder.set_options(options.jpeg_set_out_colorspace(colour));
    let pixels = decoder.decode().map_err(failure)?;
    let (width, height) = decoder.dimensions().unwrap_or_default();
    Ok(Decoded { height, width, channels, pixels })
}

/// Whether a JPEG has its end-of-image marker (ITU-T T.81, B.1). Its decoder paints what is missing
/// grey, without a word; a search for the marker's two bytes alone would find the end of a preview
/// within a segment.
fn reaches_its_end(bytes: &[u8]) -> bool {
    const START: u8 = 0xd8;
    const END: u8 = 0xd9;
    const RESTART: std::ops::RangeInclusive<u8> = 0xd0..=0xd7;
    let mut rest = bytes;
    // To the next marker: within coded data 0xff is followed by 0, by the number of a restart or
    // by a fill byte.
    while let Some(at) = rest.iter().position(|&byte| byte == 0xff) {
        rest = &rest[at + 1..];
        match rest.first() {
            Some(&END) => return true,
            Some(&(0 | 0x01 | 0xff | START)) | None => {}
            Some(marker) if RESTART.contains(marker) => {}
            // A segment, which tells its length, with the two bytes of that.
            Some(_) => {
                let length =
                    rest.get(1..3).map(|pair| usize::from(pair[0]) << 8 | usize::from(pair[1]));
                rest = length.and_then(|length| rest.get(1 + length..)).unwrap_or(&[]);
            }
        }
    }
    false
}
