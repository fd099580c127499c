//! W&B's `.wandb` files, which offline and online runs leave in `wandb/`, by hand.
//!
//! A file begins with `:W&B`, a magic number and a version. What follows are blocks of 32 KiB (the
//! first is shorter by the 7 bytes of that head) of LevelDB's log format: chunks
//! `u32 checksum | u16 length | u8 type`, where a record may be cut into a first, middle and last
//! chunk. The checksum is the plain CRC-32 over type and data, and not LevelDB's masked CRC-32C.
//! Each record is a protocol buffer `Record`.
//!
//! Sources: `wandb/sdk/internal/datastore.py`, `core/pkg/leveldb/record.go`,
//! `wandb/proto/wandb_internal.proto`.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use serde_json::Value;

use super::protobuf::{Wire, fields};
use crate::run::{Run, State};
use crate::{ImportError, lenient};

/// The head of a file, before its version.
const MAGIC: &[u8] = b":W&B\xe1\xbe";
const HEAD: usize = 7;
const BLOCK: usize = 32 * 1024;
const CHUNK_HEAD: usize = 7;

/// Reads one file as one run.
///
/// # Errors
/// [`ImportError::Io`], and [`ImportError::Damaged`] when it does not begin like such a file. A
/// damaged record is passed over, and the run's remarks say so.
pub fn read(path: &Path) -> Result<Run, ImportError> {
    let file = File::open(path).map_err(ImportError::io(path))?;
    let mut reader = BufReader::with_capacity(2 * BLOCK, file);
    let mut head = [0; HEAD];
    reader
        .read_exact(&mut head)
        .ok()
        .filter(|()| head.starts_with(MAGIC))
        .ok_or_else(|| ImportError::damaged(path, "it does not begin like a file of W&B"))?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = stem.strip_prefix("run-").unwrap_or(&stem).to_owned();
    let mut run = Run::new(name, path);
    let mut damaged = 0_u64;
    let mut record: Option<Vec<u8>> = None;
    let mut block = Vec::with_capacity(BLOCK);
    let mut capacity = BLOCK - HEAD;
    loop {
        block.clear();
        reader
            .by_ref()
            .take(capacity as u64)
            .read_to_end(&mut block)
            .map_err(ImportError::io(path))?;
        damaged += chunks(&block, &mut record, |message| add(&mut run, message));
        if block.len() < capacity {
            break;
        }
        capacity = BLOCK;
    }
    if damaged > 0 {
        let records = wd_page::counted(damaged, "record");
        run.remarks.push(format!("{records} of its file damaged, and left out"));
    }
    Ok(run)
}

/// Hands on each record that ends in a block, and gives the number of those that are damaged.
fn chunks(block: &[u8], record: &mut Option<Vec<u8>>, mut add: impl FnMut(&[u8])) -> u64 {
    let (mut rest, mut damaged) = (block, 0);
    while let Some((head, behind)) = rest.split_at_checked(CHUNK_HEAD) {
        let checksum = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
        let length = usize::from(u16::from_le_bytes([head[4], head[5]]));
        let kind = head[6];
        if kind == 0 && length == 0 {
            // The padding at the end of a block.
            break;
        }
        let Some((data, behind)) = behind.split_at_checked(length) else {
            // The end of a file that was not closed.
            damaged += 1;
            *record = None;
            break;
        };
        rest = behind;
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&[kind]);
        hasher.update(data);
        if hasher.finalize() != checksum {
            damaged += 1;
            *record = None;
            continue;
        }
        match (kind, record.as_mut()) {
            (1, _) => {
                *record = None;
                add(data);
            }
            (2, _) => *record = Some(data.to_vec()),
            (3, Some(begun)) => begun.extend_from_slice(data),
            (4, Some(begun)) => {
                begun.extend_from_slice(data);
                add(begun);
                *record = None;
            }
            // The middle of a record whose begin was damaged, or a kind that is not known.
            _ => {}
        }
    }
    damaged
}

/// What a `Record` adds. Summaries, output and the rest are passed over: each log call repeats the
/// whole summary.
fn add(run: &mut Run, message: &[u8]) {
    for (field, wire) in fields(message) {
        let Some(inner) = wire.bytes() else { continue };
        match field {
            2 => history(run, inner),
            5 => config(run, inner),
            17 => begin(run, inner),
            18 => {
                let code =
                    fields(inner).find_map(|(field, wire)| wire.integer().filter(|_| field == 1));
                run.state = match code.unwrap_or(0) {
                    0 => State::Finished,
                    _ => State::Unfinished,
                };
            }
            _ => {}
        }
    }
}

/// `RunRecord`: the configuration at the start, and the name that people see.
fn begin(run: &mut Run, message: &[u8]) {
    for (field, wire) in fields(message) {
        match (field, wire) {
            (4, Wire::Bytes(inner)) => config(run, inner),
            (8, wire) => {
                if let Some(name) = wire.text().filter(|name| !name.is_empty()) {
                    run.name = name;
                }
            }
            _ => {}
        }
    }
}

/// `ConfigRecord`: keys with values as JSON. Keys that begin with `_` are W&B's own.
fn config(run: &mut Run, message: &[u8]) {
    for (field, wire) in fields(message) {
        if let (1, Some(item)) = (field, wire.bytes()) {
            let (key, value) = item_of(item);
            if !key.is_empty() && !key.starts_with('_') {
                run.set(&key, &value);
            }
        }
    }
}

/// `HistoryRecord`: the numbers of one step.
fn history(run: &mut Run, message: &[u8]) {
    let mut step = None;
    let mut numbers = Vec::new();
    for (field, wire) in fields(message) {
        let Some(inner) = wire.bytes() else { continue };
        match field {
            1 => {
                let (key, value) = item_of(inner);
                let Some(number) = lenient::number(&value) else { continue };
                match key.as_str() {
                    "_step" => step = Some(number),
                    key if key.starts_with('_') => {}
                    _ => numbers.push((key, number)),
                }
            }
            // The message is empty at step 0.
            2 => {
                let own =
                    fields(inner).find_map(|(field, wire)| wire.integer().filter(|_| field == 1));
                step = step.or(Some(own.unwrap_or(0) as f64));
            }
            _ => {}
        }
    }
    let Some(step) = step.and_then(crate::names::whole) else { return };
    for (key, number) in numbers {
        run.push(&key, step, number);
    }
}

/// Key and value of a `HistoryItem` or `ConfigItem`; the parts of a nested key are joined by dots.
fn item_of(message: &[u8]) -> (String, Value) {
    let (mut parts, mut value) = (Vec::new(), Value::Null);
    for (field, wire) in fields(message) {
        match (field, wire) {
            (1 | 2, wire) => parts.extend(wire.text().filter(|part| !part.is_empty())),
            (16, Wire::Bytes(json)) => value = lenient::json(json).unwrap_or_default(),
            _ => {}
        }
    }
    (parts.join("."), value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(kind: u8, data: &[u8]) -> Vec<u8> {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&[kind]);
        hasher.update(data);
        let mut bytes = hasher.finalize().to_le_bytes().to_vec();
        bytes.extend((data.len() as u16).to_le_bytes());
        bytes.push(kind);
        bytes.extend(data);
        bytes
    }

    #[test]
    fn a_record_may_be_cut_and_a_damaged_one_is_passed_over() {
        let mut bad = chunk(1, b"bad");
        bad[8] ^= 1;
        let block =
            [chunk(1, b"a"), bad, chunk(2, b"b"), chunk(3, b"c"), chunk(4, b"d"), vec![0; 5]];
        let mut found = Vec::new();
        let mut record = None;
        let damaged = chunks(&block.concat(), &mut record, |data| found.push(data.to_vec()));
        assert_eq!((damaged, found), (1, vec![b"a".to_vec(), b"bcd".to_vec()]));
        assert!(record.is_none());
    }

    #[test]
    fn numbers_that_are_not_finite_and_nested_keys_are_read() {
        let item = [&[0x12, 1, b'a', 0x12, 1, b'b', 0x82, 1, 3][..], b"NaN"].concat();
        let (key, value) = item_of(&item);
        assert_eq!(key, "a.b");
        assert!(lenient::number(&value).unwrap().is_nan());
    }
}
