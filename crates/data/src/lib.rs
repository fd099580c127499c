//! Data: text to batches of tokens, files of images to batches of pixels, tables to blocks of
//! numbers. Each is a feature of the same name, and all are on unless a crate asks for fewer.
//!
//! | feature | module | from | to |
//! |---|---|---|---|
//! | `text` | [`text`] | text and JSONL files | a corpus on disk, then batches of tokens |
//! | `images` | [`images`] | IDX, CIFAR, Parquet, folders of PNG and JPEG | augmented batches |
//! | `tables` | [`table`] | CSV and Parquet | blocks of a design matrix |
//!
//! What is drawn at random is the same on every machine: an order is a function of a seed and an
//! epoch, and a loader goes on from its [`Position`] as if it had never stopped.

#[cfg(not(any(feature = "text", feature = "images", feature = "tables")))]
compile_error!("wd-data needs one of its features `text`, `images` and `tables`");

mod compressed;
mod counted;
mod file_error;
#[cfg(any(feature = "images", feature = "tables"))]
mod guard;
#[cfg(feature = "images")]
pub mod images;
#[cfg(any(feature = "text", feature = "images"))]
mod loading;
#[cfg(any(feature = "images", feature = "tables"))]
mod parquet_file;
mod random;
#[cfg(feature = "tables")]
pub mod table;
#[cfg(feature = "text")]
pub mod text;

pub use file_error::FileError;
#[cfg(any(feature = "text", feature = "images"))]
pub use loading::{LoaderError, Position};
