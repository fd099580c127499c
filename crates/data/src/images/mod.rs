//! Images: from files to batches of normalised pixels.
//!
//! | question | answered by |
//! |---|---|
//! | which kind of files? | their names in a folder: `*images*idx3*`, `data_batch_*.bin`, `train.bin`, `*.parquet`, otherwise a folder for each class |
//! | plain, gzip or zstd (IDX, CIFAR)? PNG or JPEG? | the first bytes, never the name |
//! | training or test part? | the word in the name of the file or folder: `train`; `test`, `t10k`, otherwise `validation`, `val` |
//! | grey or colour? | grey (1 channel) if every image is; else all have 3. Transparency is dropped, 16 bits become 8 |
//!
//! An [`ImageSet`] holds the pixels of a whole set as bytes. A [`Subset`] of it is balanced over
//! the classes, [`Normalisation`] is measured on what is trained on, and an [`ImageLoader`] hands
//! out batches, made ahead by a thread of its own. What is drawn for an image depends on (seed,
//! epoch, index) alone, so that a run can stop at any step and go on from its
//! [`Position`](crate::Position) to the bit.
//!
//! ```
//! use std::{path::Path, sync::Arc};
//! use wd_data::images::{Augmentation, ImageLoader, ImageLoaderConfig, ImageSet, Normalisation, Part};
//!
//! # let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../corpora/images/fashion-mnist"));
//! let training = Arc::new(ImageSet::open(folder)?);
//! let test = ImageSet::open_part(folder, Part::Test)?.aligned_to(&training)?;
//! assert_eq!((training.len(), test.len(), training.shape()), (4000, 2000, (28, 28, 1)));
//!
//! let indices = training.subset(1000, 0)?.indices;
//! let normalisation = Normalisation::of(&training, &indices)?;
//! let augmentation = Augmentation { crop: 2, flip: true, ..Augmentation::default() };
//! let config = ImageLoaderConfig { batch: 64, seed: 1, epochs: 3, keep_short_batch: false };
//! let mut loader = ImageLoader::new(training, indices, normalisation, augmentation, config)?;
//! assert_eq!(loader.steps_available(), 3 * (1000 / 64));
//! let batch = loader.next()?;
//! assert_eq!(batch.images.len(), 64 * 28 * 28); // [image][row][column][channel]
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod align;
mod augmentation;
mod cifar;
mod class_folders;
mod corruption;
mod decode;
mod distributions;
mod error;
mod find;
mod idx;
mod label_noise;
mod limits;
mod loader;
mod normalisation;
mod parquet;
mod part;
mod raw;
mod set;
mod subset;

pub use augmentation::Augmentation;
pub use corruption::{Corruption, CorruptionKind};
pub use error::ImageError;
pub use loader::{ImageBatch, ImageLoader, ImageLoaderConfig};
pub use normalisation::{Normalisation, evaluation_batch};
pub use part::Part;
pub use set::ImageSet;
pub use subset::Subset;
