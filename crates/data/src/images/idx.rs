//! IDX, the format of MNIST and its kin: a header of big-endian numbers, then bytes.
//!
//! | offset | images | labels |
//! |---|---|---|
//! | 0 | `00 00 08 03`: bytes, three dimensions | `00 00 08 01`: bytes, one dimension |
//! | 4 | number of images | number of labels |
//! | 8, 12 | rows, columns | |

use std::io::BufRead;
use std::path::Path;

use super::error::ImageError;
use super::limits::{MOST_PIXELS, MOST_SIDE, TOO_LARGE};
use super::raw::{RawSet, read_up_to};
use crate::FileError;

const UNSIGNED_BYTE: u8 = 0x08;

/// Reads a pair of files, opened through their compression.
pub(super) fn read(
    (images_path, images): (&Path, &mut dyn BufRead),
    (labels_path, labels): (&Path, &mut dyn BufRead),
) -> Result<RawSet, ImageError> {
    let [count, height, width] = header(images_path, images)?;
    if count == 0 {
        return Err(ImageError::set(images_path, "it holds no image"));
    }
    let limit = MOST_SIDE as u64;
    if !(1..=limit).contains(&height) || !(1..=limit).contains(&width) {
        return Err(ImageError::set(
            images_path,
            format!(
                "its header (byte 8) gives images of {width} × {height} pixels; 1 to {limit} a \
                 side are accepted: it is damaged"
            ),
        ));
    }
    let [label_count] = header(labels_path, labels)?;
    if label_count != count {
        return Err(ImageError::set(
            labels_path,
            format!(
                "it holds {label_count} labels, but {} holds {count} images: they are no pair",
                images_path.display()
            ),
        ));
    }
    let size = height * width;
    // Three 32-bit numbers, two of them small: no overflow.
    if count * size > MOST_PIXELS {
        return Err(ImageError::set(
            images_path,
            format!(
                "its header (byte 4) gives {count} images of {width} × {height} pixels: {TOO_LARGE}"
            ),
        ));
    }
    let pixels = content(images_path, images, "image", count, size, 16)?;
    let labels = content(labels_path, labels, "label", count, 1, 8)?;
    Ok(RawSet {
        height: height as usize,
        width: width as usize,
        channels: 1,
        pixels,
        labels: labels.into_iter().map(u32::from).collect(),
        class_names: None,
    })
}

/// The dimensions, N of them.
fn header<const N: usize>(path: &Path, reader: &mut dyn BufRead) -> Result<[u64; N], ImageError> {
    let header = read_up_to(reader, 4 + 4 * N as u64).map_err(FileError::io("read", path))?;
    let expected = [0, 0, UNSIGNED_BYTE, N as u8];
    let start = &header[..header.len().min(4)];
    if start != expected {
        return Err(ImageError::set(
            path,
            format!(
                "it begins with the bytes {}, an IDX file of {} with {}; {}",
                hexadecimal(start),
                if N == 1 { "labels" } else { "images" },
                hexadecimal(&expected),
                if start.starts_with(b"<") {
                    "it looks like a web page: download it again"
                } else {
                    "name another file or download it again"
                }
            ),
        ));
    }
    let mut dimensions = [0; N];
    let (numbers, _) = header[4..].as_chunks::<4>();
    if numbers.len() < N {
        return Err(ImageError::set(
            path,
            format!("it ends at byte {}, within its header; download it again", header.len()),
        ));
    }
    for (dimension, number) in dimensions.iter_mut().zip(numbers) {
        *dimension = u64::from(u32::from_be_bytes(*number));
    }
    Ok(dimensions)
}

fn hexadecimal(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "(none)".to_owned();
    }
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.join(" ")
}

/// All `count` items of `size` bytes, and nothing after them.
fn content(
    path: &Path,
    reader: &mut dyn BufRead,
    item: &str,
    count: u64,
    size: u64,
    header: u64,
) -> Result<Vec<u8>, ImageError> {
    let expected = count * size;
    let mut bytes = read_up_to(reader, expected + 1).map_err(FileError::io("read", path))?;
    let found = bytes.len() as u64;
    if found < expected {
        return Err(ImageError::image(
            path,
            format!("{item} {} (byte {} of the decompressed file)", found / size, header + found),
            format!(
                "the file ends here, but its header promises {count} {item}s; download it again"
            ),
        ));
    }
    if found > expected {
        return Err(ImageError::set(
            path,
            format!(
                "it goes on after the {count} {item}s that its header promises (byte {} of the \
                 decompressed file); download it again",
                header + expected
            ),
        ));
    }
    bytes.shrink_to_fit();
    Ok(bytes)
}
