//! TensorBoard event files, by hand.
//!
//! An event file is a list of records `u64 length | u32 crc(length) | data | u32 crc(data)`, all
//! little-endian, each `data` a protocol buffer `Event`; the checksums are CRC-32C, masked. A run
//! is a folder with event files. Scalars come in two spellings: `simple_value` (PyTorch,
//! TensorFlow 1) and a tensor without axes (TensorFlow 2).
//!
//! Sources: `tensorboard/compat/proto/{event,summary,tensor}.proto`,
//! `tensorboard/plugins/hparams/plugin_data.proto`; restarts as in
//! `tensorboard/data/server/run.rs` (a step that goes back replaces what came after it).

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::protobuf::{Wire, fields};
use crate::ImportError;
use crate::run::{Run, State, spelled};

/// A record longer than this is no scalar, and is passed over without being held: histograms and
/// images of some megabytes are the largest in use.
const LONGEST_RECORD: u64 = 1 << 26;

/// Is this the name of an event file?
pub fn is_event_file(name: &str) -> bool {
    name.contains("tfevents") && !name.ends_with(".profile-empty")
}

/// CRC-32C, rotated and moved, so that a checksum of data that hold checksums stays good.
pub(crate) fn masked(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Reads the event files of one folder, in the order of their names, as one run.
///
/// # Errors
/// [`ImportError::Io`]. A torn or damaged record ends its file: what comes after it is lost, and
/// the run's remarks say so.
pub fn read(name: &str, folder: &Path, files: &[PathBuf]) -> Result<Run, ImportError> {
    let mut run = Run::new(name, folder);
    for file in files {
        read_file(&mut run, file)?;
    }
    Ok(run)
}

fn read_file(run: &mut Run, path: &Path) -> Result<(), ImportError> {
    let file = File::open(path).map_err(ImportError::io(path))?;
    let length = file.metadata().map_err(ImportError::io(path))?.len();
    let mut reader = BufReader::with_capacity(1 << 18, file);
    let (mut at, mut record) = (0, Vec::new());
    while at < length {
        match next_record(&mut reader, &mut record, length - at) {
            Ok(size) => at += size,
            Err(Torn::System(error)) => return Err(ImportError::io(path)(error)),
            Err(Torn::Damaged(problem)) => {
                let lost = length - at;
                let file = path.file_name().unwrap_or_default().to_string_lossy();
                run.remarks.push(format!("the last {lost} bytes of {file} {problem}"));
                break;
            }
        }
        event(run, &record);
    }
    Ok(())
}

enum Torn {
    System(std::io::Error),
    Damaged(&'static str),
}

/// Reads one record into `record` and gives the bytes that it takes in the file.
fn next_record(reader: &mut impl Read, record: &mut Vec<u8>, left: u64) -> Result<u64, Torn> {
    const CUT: Torn = Torn::Damaged("are a record that was not written to its end");
    let mut exactly = |bytes: &mut [u8]| match reader.read_exact(bytes) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(CUT),
        Err(error) => Err(Torn::System(error)),
        Ok(()) => Ok(()),
    };
    record.clear();
    let mut head = [0; 12];
    exactly(&mut head)?;
    let [length, checksum] = [&head[..8], &head[8..]];
    if masked(length).to_le_bytes() != checksum {
        return Err(Torn::Damaged("are damaged: the checksum of a record's length is wrong"));
    }
    let length = u64::from_le_bytes(length.try_into().unwrap_or_default());
    let whole = length.checked_add(16).filter(|whole| *whole <= left).ok_or(CUT)?;
    if length > LONGEST_RECORD {
        let mut rest = length + 4;
        let mut passed = [0; 4096];
        while rest > 0 {
            let part = rest.min(4096) as usize;
            exactly(&mut passed[..part])?;
            rest -= part as u64;
        }
        return Ok(whole);
    }
    record.resize(length as usize, 0);
    exactly(record)?;
    let mut checksum = [0; 4];
    exactly(&mut checksum)?;
    if masked(record).to_le_bytes() != checksum {
        return Err(Torn::Damaged("are damaged: the checksum of a record is wrong"));
    }
    Ok(whole)
}

/// What a message `Event` adds to a run. Its step stands before its summary on the wire of every
/// writer, but need not.
fn event(run: &mut Run, message: &[u8]) {
    let mut step = 0_i64;
    for (number, wire) in fields(message) {
        if let (2, Wire::Varint(value)) = (number, wire) {
            step = value.cast_signed();
        }
    }
    let Ok(step) = u64::try_from(step) else { return };
    for (number, wire) in fields(message) {
        if let (5, Some(summary)) = (number, wire.bytes()) {
            for (number, value) in fields(summary) {
                if let (1, Some(value)) = (number, value.bytes()) {
                    summary_value(run, step, value);
                }
            }
        }
    }
}

/// What a message `Summary.Value` adds: a point of a curve, or hyperparameters.
fn summary_value(run: &mut Run, step: u64, message: &[u8]) {
    let (mut tag, mut number, mut content) = (&b""[..], None, None);
    for (field, wire) in fields(message) {
        match (field, wire) {
            (1, Wire::Bytes(bytes)) => tag = bytes,
            (2, Wire::Fixed32(bits)) => number = Some(f64::from(f32::from_bits(bits))),
            (8, Wire::Bytes(tensor)) => number = number.or_else(|| scalar(tensor)),
            (9, Wire::Bytes(metadata)) => content = plugin_content(metadata),
            _ => {}
        }
    }
    let Ok(tag) = std::str::from_utf8(tag) else { return };
    if tag.starts_with("_hparams_/") {
        if let Some(content) = content {
            hyperparameters(run, content);
        }
    } else if let Some(number) = number {
        run.push(tag, step, number);
    }
}

/// The number of a `TensorProto` without axes: DT_FLOAT or DT_DOUBLE, in a field of its own or as
/// bytes.
fn scalar(tensor: &[u8]) -> Option<f64> {
    let (mut dtype, mut found) = (0, None);
    for (field, wire) in fields(tensor) {
        match (field, wire) {
            (1, Wire::Varint(value)) => dtype = value,
            // A shape with an axis: a list, not a scalar.
            (2, Wire::Bytes(shape)) if fields(shape).any(|(field, _)| field == 2) => return None,
            (5, Wire::Fixed32(bits)) => found = Some(f64::from(f32::from_bits(bits))),
            (6, Wire::Fixed64(bits)) => found = Some(f64::from_bits(bits)),
            (4..=6, Wire::Bytes(bytes)) => {
                found = match bytes.len() {
                    4 => bytes.try_into().ok().map(|bytes| f64::from(f32::from_le_bytes(bytes))),
                    8 => bytes.try_into().ok().map(f64::from_le_bytes),
                    _ => None,
                };
            }
            _ => {}
        }
    }
    // DT_FLOAT, DT_DOUBLE.
    found.filter(|_| matches!(dtype, 1 | 2))
}

/// `SummaryMetadata.plugin_data.content`.
fn plugin_content(metadata: &[u8]) -> Option<&[u8]> {
    let data = fields(metadata).find_map(|(field, wire)| wire.bytes().filter(|_| field == 1))?;
    fields(data).find_map(|(field, wire)| wire.bytes().filter(|_| field == 2))
}

/// What `HParamsPluginData` says: the settings at the start, how it went at the end.
fn hyperparameters(run: &mut Run, content: &[u8]) {
    for (field, wire) in fields(content) {
        let Some(message) = wire.bytes() else { continue };
        match field {
            // session_start_info.hparams: map<string, protobuf.Value>.
            3 => {
                for (field, entry) in fields(message) {
                    if let (1, Some(entry)) = (field, entry.bytes()) {
                        hyperparameter(run, entry);
                    }
                }
            }
            // session_end_info.status: 1 success, 2 failure, 3 running.
            4 => {
                let status =
                    fields(message).find_map(|(field, wire)| wire.integer().filter(|_| field == 1));
                run.state = match status {
                    Some(1) => State::Finished,
                    Some(2 | 3) => State::Unfinished,
                    _ => run.state,
                };
            }
            _ => {}
        }
    }
}

fn hyperparameter(run: &mut Run, entry: &[u8]) {
    let (mut key, mut value) = (None, None);
    for (field, wire) in fields(entry) {
        match (field, wire) {
            (1, wire) => key = wire.text(),
            (2, Wire::Bytes(message)) => {
                value = fields(message).find_map(|(field, wire)| match (field, wire) {
                    (2, Wire::Fixed64(bits)) => Some(wd_lab::setting::spell(f64::from_bits(bits))),
                    (3, wire) => wire.text().map(|text| spelled(&text)),
                    (4, wire) => wire.integer().map(|truth| (truth != 0).to_string()),
                    _ => None,
                });
            }
            _ => {}
        }
    }
    if let (Some(key), Some(value)) = (key, value) {
        run.settings.insert(key, value);
    }
}

/// Joins hyperparameters that a child folder holds to the run of its parent: `add_hparams` of
/// PyTorch and tensorboardX writes them into a folder of their own, named by the time, without the
/// curves.
pub fn join(mut runs: Vec<Run>) -> Vec<Run> {
    runs.sort_by(|a, b| a.source.cmp(&b.source));
    let mut joined: Vec<Run> = Vec::new();
    for run in runs {
        let parent = joined
            .iter_mut()
            .find(|known| run.source.parent() == Some(&known.source) && !known.curves.is_empty());
        let holds_no_curve = run.curves.values().all(|curve| curve.steps.len() <= 1);
        match parent {
            Some(parent) if !run.settings.is_empty() && holds_no_curve => {
                parent.settings.extend(run.settings);
                if run.state != State::Unknown {
                    parent.state = run.state;
                }
                parent.remarks.extend(run.remarks);
            }
            _ => joined.push(run),
        }
    }
    joined.retain(|run| !run.curves.is_empty());
    joined
}

/// Puts the runs of sibling folders together: `add_scalars` makes a folder of each curve, Keras one
/// of training and one of validation. A curve gets the name of its folder before its own.
pub fn merge_siblings(runs: Vec<Run>) -> Vec<Run> {
    let mut merged: Vec<Run> = Vec::new();
    for run in runs {
        let parent = run.source.parent().unwrap_or(&run.source).to_owned();
        let folder = run.source.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let place = match merged.iter().position(|known| known.source == parent) {
            Some(place) => place,
            None => {
                let name = Path::new(&run.name).parent().map(|name| name.display().to_string());
                let name = name.filter(|name| !name.is_empty());
                let own = parent.file_name().unwrap_or_default().to_string_lossy().into_owned();
                merged.push(Run::new(name.unwrap_or(own), &parent));
                merged.len() - 1
            }
        };
        let Some(whole) = merged.get_mut(place) else { continue };
        for (tag, curve) in run.curves {
            whole.curves.insert(format!("{folder}/{tag}"), curve);
        }
        whole.settings.extend(run.settings);
        whole.remarks.extend(run.remarks);
        whole.replaced += run.replaced;
        if run.state != State::Unknown {
            whole.state = run.state;
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_reference_reader() {
        // The example of rustboard's documentation.
        assert_eq!(masked(b"\x1a\x11CRC test, one two"), 0x5794_d08a);
    }

    #[test]
    fn both_spellings_of_a_scalar_are_read() {
        let float = [0x08, 1, 0x12, 0, 0x2d, 0, 0, 0x80, 0x3f];
        assert_eq!(scalar(&float), Some(1.0));
        let packed = [0x08, 1, 0x2a, 4, 0, 0, 0x80, 0x3f];
        assert_eq!(scalar(&packed), Some(1.0));
        let double = [0x08, 2, 0x22, 8, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f];
        assert_eq!(scalar(&double), Some(1.0));
        let list = [0x08, 1, 0x12, 2, 0x12, 0, 0x2d, 0, 0, 0x80, 0x3f];
        assert_eq!(scalar(&list), None);
    }
}
