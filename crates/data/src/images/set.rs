//! All images of a set, in memory.

use std::fmt;
use std::io::BufRead;
use std::path::{Path, PathBuf};

use super::error::ImageError;
use super::find::{Files, find};
use super::part::Part;
use super::raw::RawSet;
use super::{cifar, class_folders, idx, parquet};
use crate::{FileError, compressed};

/// Images of one size with their labels, whole in memory as bytes: N·H·W·C of them,
/// `[image][row][column][channel]`.
#[derive(Clone)]
pub struct ImageSet {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) channels: usize,
    pub(super) pixels: Vec<u8>,
    pub(super) labels: Vec<u32>,
    pub(super) class_names: Vec<String>,
    pub(super) path: PathBuf,
    pub(super) hash: String,
    /// How its classes were paired with those of another set, where that was not by name.
    pub(super) paired: Option<String>,
}

impl ImageSet {
    /// Reads a file, or the training part in a folder.
    ///
    /// # Errors
    /// As [`ImageSet::open_part`].
    pub fn open(path: &Path) -> Result<Self, ImageError> {
        Self::read(path, None)
    }

    /// Reads a part of a data set.
    ///
    /// | `path` | is read as |
    /// |---|---|
    /// | folder with `train-images-idx3-ubyte`, `t10k-images-idx3-ubyte` and their labels (`.gz` or not) | IDX |
    /// | folder with `data_batch_1.bin` … `data_batch_5.bin`, `test_batch.bin` | CIFAR-10, binary version |
    /// | folder with `train.bin`, `test.bin` | CIFAR-100, binary version, fine labels |
    /// | folder with `train-*.parquet`, `test-*.parquet` | Parquet, all shards of the part |
    /// | folder with `train/` and `test/`, each holding a folder of PNG or JPEG files for each class | the classes are those of `train/` |
    /// | folder with a folder for each class | either part |
    /// | one of these files | either part, unless its name says that it is the other |
    ///
    /// Where there is no `test`, a `validation` or `val` is the test part. A folder that holds
    /// nothing but another folder stands for that one.
    ///
    /// What says of itself neither one nor the other is taken for both: [`ImageSet::aligned_to`]
    /// refuses a test part with the very images of the training part.
    ///
    /// # Errors
    /// Files that are missing, damaged, or of another kind; an image that cannot be read or is of
    /// another size than the first; a label out of range; images and labels of different number; a
    /// class without images in the training part; more than 4 GiB of pixels. Each names the file,
    /// the image and the remedy.
    pub fn open_part(path: &Path, part: Part) -> Result<Self, ImageError> {
        Self::read(path, Some(part))
    }

    fn read(path: &Path, part: Option<Part>) -> Result<Self, ImageError> {
        let raw = match find(path, part)? {
            Files::Idx { images, labels } => {
                let (mut images_reader, _) = compressed::open(&images)?;
                let (mut labels_reader, _) = compressed::open(&labels)?;
                idx::read((&images, &mut *images_reader), (&labels, &mut *labels_reader))?
            }
            Files::Cifar { version, files, names } => {
                cifar::read(version, &files, names.as_deref())?
            }
            Files::Parquet(files) => parquet::read(&files)?,
            Files::ClassFolders { root, classes_of } => class_folders::read(&root, &classes_of)?,
        };
        let set = Self::new(path, raw)?;
        if part != Some(Part::Test) {
            set.check_classes()?;
        }
        Ok(set)
    }

    /// Reads a pair of IDX files from memory, plain or compressed; `name` stands for their path in
    /// errors.
    ///
    /// # Errors
    /// As [`ImageSet::open_part`].
    pub fn from_idx(
        name: &str,
        images: &'static [u8],
        labels: &'static [u8],
    ) -> Result<Self, ImageError> {
        let path = Path::new(name);
        let open = |bytes: &'static [u8]| -> Result<Box<dyn BufRead>, FileError> {
            compressed::decompressed(bytes).map_err(FileError::io("read", path))
        };
        let raw = idx::read((path, &mut *open(images)?), (path, &mut *open(labels)?))?;
        Self::new(path, raw)
    }

    pub(super) fn new(path: &Path, raw: RawSet) -> Result<Self, ImageError> {
        let RawSet { height, width, channels, pixels, labels, class_names } = raw;
        if u32::try_from(labels.len()).is_err() {
            return Err(ImageError::set(path, "it holds more than 2³² images"));
        }
        let Some(&last) = labels.iter().max() else {
            return Err(ImageError::set(path, "it holds no image"));
        };
        let mut set = ImageSet {
            height,
            width,
            channels,
            pixels,
            labels,
            class_names: class_names
                .unwrap_or_else(|| (0..=last).map(|class| class.to_string()).collect()),
            path: path.to_owned(),
            hash: String::new(),
            paired: None,
        };
        set.hash = set.digest();
        Ok(set)
    }

    fn check_classes(&self) -> Result<(), ImageError> {
        let mut counts = vec![0usize; self.classes()];
        for label in &self.labels {
            counts[*label as usize] += 1;
        }
        match counts.iter().position(|&count| count == 0) {
            None => Ok(()),
            Some(class) => {
                let largest = self.classes() as u32 - 1;
                // A class that has a name is no slip of a label.
                let beyond = match self.labels.iter().position(|&label| label == largest) {
                    Some(index) if !self.is_named() => {
                        format!(", while image {index} has the largest label, {largest}")
                    }
                    _ => String::new(),
                };
                Err(ImageError::set(
                    &self.path,
                    format!(
                        "no image has the label {class} (class `{}` of {}){beyond}; add some, or \
                         number the classes from 0 without a gap",
                        self.class_names[class],
                        self.classes()
                    ),
                ))
            }
        }
    }

    /// BLAKE3 of shape, labels and pixels.
    fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for number in [self.len(), self.height, self.width, self.channels] {
            hasher.update(&(number as u64).to_le_bytes());
        }
        for label in &self.labels {
            hasher.update(&label.to_le_bytes());
        }
        hasher.update(&self.pixels);
        hasher.finalize().to_hex().to_string()
    }

    /// Number of images.
    #[expect(
        clippy::len_without_is_empty,
        reason = "a set without images is refused when it is read"
    )]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Height, width and channels of every image.
    pub fn shape(&self) -> (usize, usize, usize) {
        (self.height, self.width, self.channels)
    }

    /// Bytes an image.
    pub(super) fn image_size(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.class_names.len()
    }

    /// Names of the classes; their numbers, where the files give no names.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// How [`ImageSet::aligned_to`] paired the classes, in words, where it was by number though the
    /// names differ: nobody has checked then that class 3 of the one is class 3 of the other.
    pub fn paired(&self) -> Option<&str> {
        self.paired.as_deref()
    }

    /// The class of an image.
    ///
    /// # Panics
    /// Unless `index` < [`ImageSet::len`].
    pub fn label(&self, index: usize) -> u32 {
        self.labels[index]
    }

    /// The pixels of an image, `[row][column][channel]`.
    ///
    /// # Panics
    /// Unless `index` < [`ImageSet::len`].
    pub fn pixels(&self, index: usize) -> &[u8] {
        &self.pixels[index * self.image_size()..][..self.image_size()]
    }

    /// After a change of pixels or labels.
    pub(super) fn rehash(&mut self) {
        self.hash = self.digest();
    }

    /// Where the set was read.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// BLAKE3 of shape, labels and pixels, in hexadecimal.
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

impl fmt::Debug for ImageSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImageSet")
            .field("path", &self.path)
            .field("images", &self.len())
            .field("shape", &self.shape())
            .field("classes", &self.class_names)
            .field("hash", &self.hash)
            .finish_non_exhaustive()
    }
}
