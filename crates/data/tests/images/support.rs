//! Small data sets, written here.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use wd_data::images::{ImageError, ImageSet, Part};

pub(crate) fn golden_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/images")
}

pub(crate) fn shipped_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpora/images/fashion-mnist")
}

/// IDX files of `labels.len()` images whose bytes count up.
pub(crate) fn idx(labels: &[u8], height: u32, width: u32) -> (Vec<u8>, Vec<u8>) {
    let count = labels.len() as u32;
    let mut images = vec![0, 0, 8, 3];
    for number in [count, height, width] {
        images.extend(number.to_be_bytes());
    }
    images.extend((0..count * height * width).map(|byte| byte as u8));
    let mut label_file = vec![0, 0, 8, 1];
    label_file.extend(count.to_be_bytes());
    label_file.extend(labels);
    (images, label_file)
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// CIFAR records; the bytes of an image are its number.
pub(crate) fn cifar(labels: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, labels) in labels.iter().enumerate() {
        bytes.extend_from_slice(labels);
        bytes.extend(vec![index as u8; 3 * 32 * 32]);
    }
    bytes
}

/// A PNG of one value.
pub(crate) fn png(width: u32, height: u32, channels: usize, value: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(match channels {
        1 => png::ColorType::Grayscale,
        _ => png::ColorType::Rgb,
    });
    let pixels = vec![value; width as usize * height as usize * channels];
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    bytes
}

/// Grey images of these classes. Image i has the bytes i, i + 1, … (modulo 251, so that rows
/// differ).
pub(crate) fn sample(labels: &[u32], (height, width): (usize, usize)) -> ImageSet {
    let size = height * width;
    let pixels =
        (0..labels.len()).flat_map(|image| (image..image + size).map(|byte| (byte % 251) as u8));
    grey(labels, (height, width), pixels.collect())
}

/// `count` grey images of `classes` classes; each is its number everywhere.
pub(crate) fn constant(count: u8, classes: u32, (height, width): (usize, usize)) -> ImageSet {
    let labels: Vec<u32> = (0..u32::from(count)).map(|image| image % classes).collect();
    let pixels = (0..count).flat_map(|image| vec![image; height * width]);
    grey(&labels, (height, width), pixels.collect())
}

fn grey(labels: &[u32], (height, width): (usize, usize), pixels: Vec<u8>) -> ImageSet {
    let labels: Vec<u8> = labels.iter().map(|&label| label as u8).collect();
    let (mut images, labels) = idx(&labels, height as u32, width as u32);
    images.truncate(16);
    images.extend(pixels);
    ImageSet::from_idx("sample", images.leak(), labels.leak()).unwrap()
}

/// Writes a file and the folders above it.
pub(crate) fn write(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// A folder with these files.
pub(crate) fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        write(folder.path(), name, bytes);
    }
    folder
}

pub(crate) fn labels(set: &ImageSet) -> Vec<u32> {
    (0..set.len()).map(|index| set.label(index)).collect()
}

/// What is said of a folder whose part cannot be used.
pub(crate) fn refusal(folder: &Path, part: Part) -> String {
    let error: ImageError = ImageSet::open_part(folder, part).expect_err("a refusal");
    error.to_string()
}
