//! Writing safetensors files.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::{CHUNK, Fingerprint, TensorView};
use crate::StoreError;
use crate::aside::{move_in_place, place_aside};

/// Writes tensors as F32 in the order given, aside and then renamed: `path` is whole or as it was.
///
/// The header's metadata is `{"format": "pt"}`, which `transformers` asks for.
///
/// # Errors
/// [`StoreError::InvalidTensor`] when a shape does not fit its values or a name is there twice;
/// [`StoreError::DiskFull`], [`StoreError::Io`].
pub fn write_safetensors(
    path: impl AsRef<Path>,
    tensors: &[TensorView<'_>],
) -> Result<(), StoreError> {
    let path = path.as_ref();
    let aside = place_aside(path);
    let written = write_hashed(&aside, tensors).and_then(|_| move_in_place(&aside, path));
    if written.is_err() {
        // Best effort: it frees the room it took.
        let _ = std::fs::remove_file(&aside);
    }
    written
}

/// Writes a new file and brings it to the disk.
pub(crate) fn write_hashed(
    path: &Path,
    tensors: &[TensorView<'_>],
) -> Result<Fingerprint, StoreError> {
    let header = encode_header(path, tensors)?;
    let values: usize = tensors.iter().map(|(_, _, data)| size_of_val(*data)).sum();
    let bytes = 8 + header.len() as u64 + values as u64;
    let write = || -> io::Result<blake3::Hash> {
        let mut file = File::create(path)?;
        let mut hasher = blake3::Hasher::new();
        let mut put = |bytes: &[u8]| {
            hasher.update(bytes);
            file.write_all(bytes)
        };
        put(&(header.len() as u64).to_le_bytes())?;
        put(&header)?;
        for (_, _, data) in tensors {
            // In chunks, so that a chunk is still in the cache when it is written after it was
            // hashed.
            bytemuck::cast_slice(data).chunks(CHUNK).try_for_each(&mut put)?;
        }
        file.sync_all()?;
        Ok(hasher.finalize())
    };
    let hash = write().map_err(StoreError::write(path, bytes))?;
    Ok(Fingerprint { bytes, blake3: hash.to_hex().to_string() })
}

/// The JSON header, padded with spaces so that the values begin at a multiple of eight bytes.
fn encode_header(path: &Path, tensors: &[TensorView<'_>]) -> Result<Vec<u8>, StoreError> {
    let mut names = HashSet::new();
    for (name, shape, data) in tensors {
        let invalid = |reason: String| StoreError::InvalidTensor {
            path: path.to_owned(),
            name: (*name).to_owned(),
            reason,
        };
        let count = shape.iter().try_fold(1_usize, |product, &size| product.checked_mul(size));
        if count != Some(data.len()) {
            return Err(invalid(format!("shape {shape:?} does not hold {} values", data.len())));
        }
        if *name == "__metadata__" || !names.insert(*name) {
            return Err(invalid("the name is taken".to_owned()));
        }
    }
    let mut header = serde_json::to_vec(&HeaderMap(tensors)).map_err(|error| {
        StoreError::Unwritable { path: path.to_owned(), reason: error.to_string() }
    })?;
    header.resize(header.len().next_multiple_of(8), b' ');
    Ok(header)
}

/// Serializes as the format's map, in the order given: a map type would sort it.
struct HeaderMap<'a>(&'a [TensorView<'a>]);

impl Serialize for HeaderMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Format {
            format: &'static str,
        }
        #[derive(Serialize)]
        struct Entry<'a> {
            dtype: &'static str,
            shape: &'a [usize],
            data_offsets: [usize; 2],
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("__metadata__", &Format { format: "pt" })?;
        let mut start = 0;
        for (name, shape, data) in self.0 {
            let end = start + size_of_val(*data);
            map.serialize_entry(name, &Entry { dtype: "F32", shape, data_offsets: [start, end] })?;
            start = end;
        }
        map.end()
    }
}
