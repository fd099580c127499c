//! The binary version of CIFAR-10 and CIFAR-100: records of labels and 3 × 32 × 32 bytes, one
//! channel after the other.
//!
//! Source: <https://www.cs.toronto.edu/~kriz/cifar.html>, “Binary version”.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use super::error::ImageError;
use super::limits::{MOST_PIXELS, TOO_LARGE};
use super::raw::{RawSet, read_up_to};
use crate::{FileError, compressed};

const SIDE: usize = 32;
const PLANE: usize = SIDE * SIDE;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// One label a record.
    Cifar10,
    /// A coarse label (of 20), then a fine one, which is used.
    Cifar100,
}

impl Version {
    fn labels(self) -> usize {
        match self {
            Version::Cifar10 => 1,
            Version::Cifar100 => 2,
        }
    }

    fn classes(self) -> u8 {
        match self {
            Version::Cifar10 => 10,
            Version::Cifar100 => 100,
        }
    }

    fn record(self) -> usize {
        self.labels() + 3 * PLANE
    }

    fn name(self) -> &'static str {
        match self {
            Version::Cifar10 => "CIFAR-10",
            Version::Cifar100 => "CIFAR-100",
        }
    }
}

/// Reads files one after the other into one set. `names` lists the classes, one a line.
pub(super) fn read(
    version: Version,
    files: &[PathBuf],
    names: Option<&Path>,
) -> Result<RawSet, ImageError> {
    let mut set = RawSet {
        height: SIDE,
        width: SIDE,
        channels: 3,
        class_names: names.map(|path| class_names(version, path)).transpose()?,
        ..RawSet::default()
    };
    for path in files {
        let (mut reader, _) = compressed::open(path)?;
        records(version, path, &mut *reader, &mut set)?;
    }
    set.pixels.shrink_to_fit();
    Ok(set)
}

fn records(
    version: Version,
    path: &Path,
    reader: &mut dyn BufRead,
    set: &mut RawSet,
) -> Result<(), ImageError> {
    let size = version.record();
    for index in 0u64.. {
        let place =
            || format!("image {index} (byte {} of the decompressed file)", index * size as u64);
        let record = read_up_to(reader, size as u64).map_err(FileError::io("read", path))?;
        if record.is_empty() {
            if index == 0 {
                return Err(ImageError::set(path, "it is empty"));
            }
            break;
        }
        if record.len() < size {
            return Err(ImageError::image(
                path,
                place(),
                format!(
                    "it has {} of the {size} bytes of a record of {}; the file is cut off or of \
                     another kind, download the “binary version” again",
                    record.len(),
                    version.name()
                ),
            ));
        }
        let (labels, planes) = record.split_at(version.labels());
        let label = labels[labels.len() - 1];
        if label >= version.classes() {
            return Err(ImageError::image(
                path,
                place(),
                format!(
                    "its label is {label}, but {} has the labels 0 to {}; the file is damaged or \
                     of another kind",
                    version.name(),
                    version.classes() - 1
                ),
            ));
        }
        if (set.pixels.len() + 3 * PLANE) as u64 > MOST_PIXELS {
            return Err(ImageError::image(path, place(), TOO_LARGE));
        }
        let pixels = (0..PLANE)
            .flat_map(|pixel| [planes[pixel], planes[PLANE + pixel], planes[2 * PLANE + pixel]]);
        set.pixels.extend(pixels);
        set.labels.push(u32::from(label));
    }
    Ok(())
}

fn class_names(version: Version, path: &Path) -> Result<Vec<String>, ImageError> {
    let text = std::fs::read_to_string(path).map_err(FileError::io("read", path))?;
    let names: Vec<String> =
        text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect();
    if names.len() != usize::from(version.classes()) {
        return Err(ImageError::set(
            path,
            format!(
                "it names {} classes, but {} has {}; remove it or download it again",
                names.len(),
                version.name(),
                version.classes()
            ),
        ));
    }
    Ok(names)
}
