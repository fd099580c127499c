//! How much a file may ask for before it is refused.

use serde::Serialize;

/// Bounds on what a reader takes from a file; errors name the bound that was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Bytes of one pickle.
    pub pickle_bytes: usize,
    /// Objects of one pickle. A checkpoint of 10⁵ tensors has about 2 · 10⁶.
    pub objects: usize,
    /// Bytes of all strings that a pickle spells out in another form than the file's.
    pub string_bytes: usize,
    /// Entries of one zip archive, or names of one safetensors header.
    pub entries: usize,
    /// Bytes of a JSON header or a text file.
    pub text_bytes: usize,
    /// Axes of a tensor.
    pub axes: usize,
    /// Files that one folder contributes.
    pub files: usize,
    /// Bytes of all tensors that are put together in memory from several chunks.
    pub assembled_bytes: usize,
}

impl Limits {
    /// The limits that commands use.
    pub const DEFAULT: Limits = Limits {
        pickle_bytes: 512 << 20,
        objects: 50_000_000,
        string_bytes: 16 << 20,
        entries: 1_000_000,
        text_bytes: 100 << 20,
        axes: 64,
        files: 100_000,
        assembled_bytes: 16 << 30,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Limits::DEFAULT
    }
}
