//! Safetensors files: read to f32, and written with the hash of their bytes.

mod read;
mod write;

use serde::{Deserialize, Serialize};

pub use read::read_safetensors;
pub(crate) use read::{fingerprint, read_hashed};
pub(crate) use write::write_hashed;
pub use write::write_safetensors;

/// A tensor to write: name, shape, row-major values.
pub type TensorView<'a> = (&'a str, &'a [usize], &'a [f32]);

/// A tensor that was read: name, shape, row-major values.
pub type Tensor = (String, Vec<usize>, Vec<f32>);

/// Bytes read or written at a time: small enough to be in the cache when they are hashed.
const CHUNK: usize = 128 * 1024;

/// A file's length and hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    pub(crate) bytes: u64,
    pub(crate) blake3: String,
}
