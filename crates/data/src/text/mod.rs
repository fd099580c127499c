//! Text: from files to batches of tokens, in two steps with a directory between them.
//!
//! 1. [`prepare`] turns text or JSONL files into a **corpus**: tokens on disk, a tokenizer, an
//!    index of documents.
//! 2. [`Loader`] cuts a corpus into windows and hands them out in an order that is a function of a
//!    seed, so that a run can stop at any step and go on from its [`Position`](crate::Position) as
//!    if it had not. A [`Split`] by document keeps the validation text apart.
//!
//! ```
//! use wd_data::text::{Corpus, Loader, LoaderConfig, Order, PrepareOptions, Split, TokenizerSpec, prepare};
//! # let folder = tempfile::tempdir()?;
//! # let (input, out) = (folder.path().join("lines.txt"), folder.path().join("corpus"));
//! # std::fs::write(&input, "To be, or not to be, that is the question.\n".repeat(20))?;
//! let options = PrepareOptions { separator: Some("\n".to_owned()), ..PrepareOptions::default() };
//! prepare(&[input], &TokenizerSpec::Bytes, &out, &options, &mut |_| {})?;
//!
//! let corpus = Corpus::open(&out)?;
//! let split = Split::new(&corpus, 0.1, 0)?;
//! let config = LoaderConfig { context: 8, sequences: 4, order: Order::Shuffled, seed: 1, epochs: 1 };
//! let mut loader = Loader::new(corpus, split, config)?;
//!
//! let (mut inputs, mut targets) = ([0; 32], [0; 32]);
//! loader.next(&mut inputs, &mut targets)?;
//! assert_eq!(inputs[1..8], targets[..7]); // each target is the token after its input
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod corpus;
mod error;
mod loader;
mod place;
mod prepare;
mod progress;
mod source;
mod split;
mod tokenizer;

pub use corpus::{Corpus, Sidecar};
pub use error::TextError;
pub use loader::{Loader, LoaderConfig, Order};
pub use prepare::{PrepareOptions, prepare};
pub use progress::{Progress, Stage};
pub use source::{Source, SourceFormat};
pub use split::Split;
pub use tokenizer::{Decoder, TokenizerSpec};
