//! What can go wrong between a file of images and a batch of pixels.

use std::io;
use std::path::{Path, PathBuf};

use crate::{FileError, LoaderError};

/// Every failure of images: what, where, and how to mend it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "a variant's message says what its fields are")]
pub enum ImageError {
    /// A file that cannot be read.
    #[error(transparent)]
    File(#[from] FileError),

    /// From the loader.
    #[error(transparent)]
    Loader(#[from] LoaderError),

    /// A file or folder cannot be read as a set of images.
    #[error("{} is no usable image set: {problem}", path.display())]
    Set { path: PathBuf, problem: String },

    /// What should be tested on is what is trained on.
    #[error(
        "{} is no usable image set: it holds the very images that are trained on, and no test \
         part: name a folder with a training and a test part, or other images to test on",
        path.display()
    )]
    SameImages { path: PathBuf },

    /// One image, or its label, cannot be used.
    #[error("{}, {place}: {problem}", path.display())]
    Image { path: PathBuf, place: String, problem: String },

    /// A subset that a set of images does not have.
    #[error(
        "a subset of {size} images cannot be taken from the {images} of {}: {problem}",
        path.display()
    )]
    Subset { path: PathBuf, size: usize, images: usize, problem: String },

    /// A setting of the loader, of augmentation, normalisation or corruption out of range.
    #[error("{name} = {value} {problem}")]
    Setting { name: &'static str, value: String, problem: String },

    /// The thread that prepares batches has ended.
    #[error(
        "the thread that prepares batches of images ended: {problem}; this is a fault of the \
         program, report it"
    )]
    LoaderThread { problem: String },

    /// The system refused a thread.
    #[error(
        "cannot start the thread that prepares batches of images: {source}; are there too many \
         processes?"
    )]
    Thread { source: io::Error },
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
