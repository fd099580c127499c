//! Sets whose pixels tell which image they are of.

use std::path::Path;

use super::raw::RawSet;
use super::set::ImageSet;

/// Images of these classes. Image i has the bytes i, i + 1, … (modulo 251, so that rows differ).
pub(crate) fn sample(labels: &[u32], (height, width, channels): (usize, usize, usize)) -> ImageSet {
    let size = height * width * channels;
    let raw = RawSet {
        height,
        width,
        channels,
        pixels: (0..labels.len())
            .flat_map(|image| (image..image + size).map(|byte| (byte % 251) as u8))
            .collect(),
        labels: labels.to_vec(),
        class_names: None,
    };
    ImageSet::new(Path::new("sample"), raw).unwrap()
}

/// `count` images of `classes` classes, one class after the other; each is its number everywhere.
pub(crate) fn constant(count: u8, classes: u32, shape: (usize, usize, usize)) -> ImageSet {
    let (height, width, channels) = shape;
    let raw = RawSet {
        height,
        width,
        channels,
        pixels: (0..count).flat_map(|image| vec![image; height * width * channels]).collect(),
        labels: (0..u32::from(count)).map(|image| image % classes).collect(),
        class_names: None,
    };
    ImageSet::new(Path::new("sample"), raw).unwrap()
}
