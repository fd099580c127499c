//! Files of one JSON object a line, which only grow.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde::Serialize;

use crate::StoreError;
use crate::aside::sync_directory;

/// Appends one object and brings it to the disk. A torn line that a killed process left is ended
/// first.
pub(crate) fn append_line(path: &Path, value: &impl Serialize) -> Result<(), StoreError> {
    let mut line = Vec::with_capacity(256);
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(path)
        .map_err(StoreError::write(path, 0))?;
    let length = file.seek(SeekFrom::End(0)).map_err(StoreError::io("read", path))?;
    if length > 0 && !ends_a_line(&mut file).map_err(StoreError::io("read", path))? {
        line.push(b'\n');
    }
    serde_json::to_writer(&mut line, value).map_err(|error| StoreError::Unwritable {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    line.push(b'\n');
    // One write: another process that appends at the same moment cannot come in between.
    file.write_all(&line)
        .and_then(|()| file.sync_data())
        .map_err(StoreError::write(path, line.len() as u64))?;
    // A new file's name has to reach the disk as well.
    match path.parent() {
        Some(directory) if length == 0 => sync_directory(directory),
        _ => Ok(()),
    }
}

/// The bytes of such a file; none where it is not there.
pub(crate) fn read_lines(path: &Path) -> Result<Vec<u8>, StoreError> {
    match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read.map_err(StoreError::io("read", path)),
    }
}

fn ends_a_line(file: &mut File) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}
