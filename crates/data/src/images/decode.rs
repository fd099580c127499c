//! PNG and JPEG to bytes.

use std::io::Cursor;

use image::{DynamicImage, ImageError, ImageFormat, ImageReader, Limits};

use super::raw::MOST_SIDE;

/// The most that decoding one image may allocate: four times the largest image in 8-bit colour.
const MOST_MEMORY: u64 = 4 * 3 * (MOST_SIDE as u64).pow(2);

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
    const REMEDY: &str = "write it again as PNG or JPEG, or remove it";
    if bytes.is_empty() {
        return Err(format!("it is empty; {REMEDY}"));
    }
    let format = match image::guess_format(bytes) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg)) => format,
        Ok(other) => return Err(format!("it is {other:?}, neither PNG nor JPEG; {REMEDY}")),
        Err(_) => return Err(format!("it is neither PNG nor JPEG; {REMEDY}")),
    };
    if format == ImageFormat::Jpeg && !reaches_its_end(bytes) {
        return Err(format!("it is cut off: the mark of a JPEG's end is missing; {REMEDY}"));
    }
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(MOST_SIDE as u32);
    limits.max_image_height = Some(MOST_SIDE as u32);
    limits.max_alloc = Some(MOST_MEMORY);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let image = reader.decode().map_err(|error| match error {
        ImageError::Limits(_) => {
            format!("its sides exceed the {MOST_SIDE} pixels that are accepted; make it smaller")
        }
        error => format!("it cannot be read: {error}; {REMEDY}"),
    })?;
    let (width, height) = (image.width() as usize, image.height() as usize);
    let (channels, pixels) = match image {
        DynamicImage::ImageLuma8(grey) => (1, grey.into_raw()),
        DynamicImage::ImageRgb8(colour) => (3, colour.into_raw()),
        image if image.color().has_color() => (3, image.into_rgb8().into_raw()),
        image => (1, image.into_luma8().into_raw()),
    };
    Ok(Decoded { height, width, channels, pixels })
}

/// Whether a JPEG has its end-of-image marker (ITU-T T.81, B.1). Its decoder paints what is missing grey, without a
/// word; a search for the marker's two bytes alone would find the end of a preview within a segment.
fn reaches_its_end(bytes: &[u8]) -> bool {
    const START: u8 = 0xd8;
    const END: u8 = 0xd9;
    const RESTART: std::ops::RangeInclusive<u8> = 0xd0..=0xd7;
    let mut rest = bytes;
    // To the next marker: within coded data 0xff is followed by 0, by the number of a restart or by a fill byte.
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
