//! PyTorch's stream of before 1.6: five pickles in a row, then the storages.
//!
//! Magic number, protocol version, facts of the machine, the object, the keys of the storages;
//! then, for each key in that order, the number of elements as a 64-bit integer and the elements.
//! Whatever machine wrote it, all numbers are little-endian.

use std::collections::HashMap;

use crate::Fault;
use crate::bytes::Bytes;
use crate::limits::Limits;
use crate::tensor::Dtype;

use super::pickle::Pickle;

/// `0x1950a86a20f9469cfc6c`, least byte first.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const PROTOCOL: i64 = 1001;

/// Whether a stream of pickles, or a lone one, begins here.
pub fn is_pickle(bytes: &[u8]) -> bool {
    matches!(bytes, [0x80, 2..=5, ..])
}

/// Whether it is PyTorch's tar archive of before 0.1.11.
pub fn is_tar(bytes: &[u8]) -> bool {
    bytes.get(257..262) == Some(b"ustar")
}

/// Reads a stream, or a lone pickle, which has no storages.
///
/// # Errors
/// If a pickle is damaged, or a storage is missing, cut off or of another size than declared.
pub fn read(source: &Bytes, limits: Limits) -> Result<(Pickle, bool), Fault> {
    let (first, position) = Pickle::read(source, 0, limits)?;
    if first.root().raw() != Some(&MAGIC[..]) {
        return Ok((first, false));
    }
    let (protocol, position) = Pickle::read(source, position, limits)?;
    if protocol.root().integer() != Some(PROTOCOL) {
        return Err(Fault::at(position, "the version of the stream is not known"));
    }
    let (_machine, position) = Pickle::read(source, position, limits)?;
    let (mut pickle, position) = Pickle::read(source, position, limits)?;
    let (keys, position) = Pickle::read(source, position, limits)?;
    let keys: Option<Vec<String>> = keys
        .root()
        .elements()
        .map(|key| match (key.text(), key.integer()) {
            (Some(text), _) => Some(text.to_owned()),
            (None, number) => number.map(|number| number.to_string()),
        })
        .collect();
    let keys = keys.ok_or_else(|| Fault::at(position, "the keys of the storages are no text"))?;
    fill(&mut pickle, source, &keys, position)?;
    Ok((pickle, true))
}

/// Gives every storage its bytes.
fn fill(pickle: &mut Pickle, source: &Bytes, keys: &[String], start: usize) -> Result<(), Fault> {
    let mut sizes: HashMap<&str, usize> = HashMap::new();
    for storage in &pickle.storages {
        let size = storage.dtype.map_or(1, Dtype::size);
        if *sizes.entry(&storage.key).or_insert(size) != size {
            let what = format!("storage {} has elements of two sizes", storage.key);
            return Err(Fault::whole(what));
        }
    }
    let mut found: HashMap<&str, Bytes> = HashMap::new();
    let mut position = start;
    for key in keys {
        let cut = || Fault::at(position, "the stream ends in the middle of a storage");
        let count = source.get(position..position.saturating_add(8)).ok_or_else(cut)?;
        let count = count.first_chunk::<8>().map(|raw| i64::from_le_bytes(*raw));
        let count = count.and_then(|count| usize::try_from(count).ok()).ok_or_else(cut)?;
        let size = sizes.get(key.as_str()).ok_or_else(|| {
            Fault::at(position, format!("storage {key} belongs to no tensor: its size is unknown"))
        })?;
        let begin = position + 8;
        let end = count.checked_mul(*size).and_then(|n| n.checked_add(begin)).ok_or_else(cut)?;
        let bytes = source.get(begin..end).ok_or_else(cut)?;
        if found.insert(key, bytes).is_some() {
            return Err(Fault::at(position, format!("storage {key} stands there twice")));
        }
        position = end;
    }
    let found: HashMap<String, Bytes> =
        found.into_iter().map(|(key, bytes)| (key.to_owned(), bytes)).collect();
    for storage in &mut pickle.storages {
        let size = storage.dtype.map_or(1, Dtype::size);
        let first = storage.part.as_ref().map_or(0, |(_, first)| *first);
        let Some(bytes) = found.get(&storage.key) else { continue };
        let start = first.checked_mul(size);
        let end = start.zip(storage.declared_bytes()).and_then(|(a, n)| a.checked_add(n));
        let part = start.zip(end).and_then(|(start, end)| bytes.get(start..end));
        storage.bytes = Some(part.ok_or_else(|| {
            let what = format!("storage {} is shorter than its tensors declare", storage.key);
            Fault::at(bytes.offset(), what)
        })?);
    }
    Ok(())
}
