//! Where the best λ lies, for several models of images and amounts of data: the study of λ as a
//! prior in deep networks.
//!
//! | module | question it answers |
//! |---|---|
//! | [`analysis`] | which surfaces, optima, slopes and claims came out? |
//! | `page` | the same as a page |

pub mod analysis;
mod page;

use crate::{Definition, StudyError};

pub use analysis::{VisionAnalysis, analyse, is_vision};

/// The base configuration of every trial.
pub const BASE: &str = include_str!("base.toml");

/// The shipped images: a cut of Fashion-MNIST as IDX files, by their names.
pub const IMAGES: [(&str, &[u8]); 4] = [
    (
        "train-images-idx3-ubyte.gz",
        include_bytes!("../../../../corpora/images/fashion-mnist/train-images-idx3-ubyte.gz"),
    ),
    (
        "train-labels-idx1-ubyte.gz",
        include_bytes!("../../../../corpora/images/fashion-mnist/train-labels-idx1-ubyte.gz"),
    ),
    (
        "t10k-images-idx3-ubyte.gz",
        include_bytes!("../../../../corpora/images/fashion-mnist/t10k-images-idx3-ubyte.gz"),
    ),
    (
        "t10k-labels-idx1-ubyte.gz",
        include_bytes!("../../../../corpora/images/fashion-mnist/t10k-labels-idx1-ubyte.gz"),
    ),
];

/// What the study trains.
///
/// # Errors
/// A program that was built with a damaged `study.toml`.
pub fn definition() -> Result<Definition, StudyError> {
    Definition::read("crates/studies/src/vision/study.toml", include_str!("study.toml"))
}
