//! What can go wrong between a file of images and a batch of pixels.

use std::io;
use std::path::{Path, PathBuf};

use crate::{FileError, LoaderError};

/// Every failure of images: what, where, and how to mend it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// A file that cannot be read.
    #[error(transparent)]
    File(#[from] FileError),

    /// From the loader.
    #[error(transparent)]
    Loader(#[from] LoaderError),

    /// A file or folder cannot be read as a set of images.
    #[error("{} is no usable image set: {problem}", path.display())]
    Set {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it, and how to mend it.
        problem: String,
    },

    /// What should be tested on is what is trained on.
    #[error(
        "{} is no usable image set: it holds the very images that are trained on, and no test \
         part: name a folder with a training and a test part, or other images to test on",
        path.display()
    )]
    SameImages {
        /// The file or folder.
        path: PathBuf,
    },

    /// One image, or its label, cannot be used.
    #[error("{}, {place}: {problem}", path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// Which image it is in the file, counted from 0, and where it stands.
        place: String,
        /// What is wrong with it, and how to mend it.
        problem: String,
    },

    /// A subset that a set of images does not have.
    #[error(
        "a subset of {size} images cannot be taken from the {images} of {}: {problem}",
        path.display()
    )]
    Subset {
        /// Where the set was read.
        path: PathBuf,
        /// Images asked for.
        size: usize,
        /// Images in the set.
        images: usize,
        /// Why not.
        problem: String,
    },

    /// A setting of the loader, of augmentation, normalisation or corruption out of range.
    #[error("{name} = {value} {problem}")]
    Setting {
        /// Name of the setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// The range, and what can be done.
        problem: String,
    },

    /// The thread that prepares batches has ended.
    #[error(
        "the thread that prepares batches of images ended: {problem}; this is a fault of the \
         program, report it"
    )]
    LoaderThread {
        /// Its last words.
        problem: String,
    },

    /// The system refused a thread.
    #[error(
        "cannot start the thread that prepares batches of images: {source}; are there too many \
         processes?"
    )]
    Thread {
        /// The reason given by the system.
        source: io::Error,
    },
}

impl ImageError {
    /// A file or folder cannot be read as a set of images.
    pub(crate) fn set(path: &Path, problem: impl Into<String>) -> ImageError {
        ImageError::Set { path: path.to_owned(), problem: problem.into() }
    }

    /// One image, or its label, cannot be used.
    pub(crate) fn image(path: &Path, place: String, problem: impl Into<String>) -> ImageError {
        ImageError::Image { path: path.to_owned(), place, problem: problem.into() }
    }

    /// A setting out of range.
    pub(crate) fn setting(
        name: &'static str,
        value: impl ToString,
        problem: impl Into<String>,
    ) -> ImageError {
        ImageError::Setting { name, value: value.to_string(), problem: problem.into() }
    }
}
