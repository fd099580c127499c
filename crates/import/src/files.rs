//! Files of other programs: small ones read whole, long ones line by line.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use crate::ImportError;

/// The longest small file (YAML, a setting, a state) that is read whole.
const LONGEST_FILE: u64 = 1 << 28;
/// The longest line of a text; the rest of it is passed over.
const LONGEST_LINE: u64 = 1 << 24;
/// The most files below a folder, and how deep they may lie.
const MOST_FILES: usize = 1_000_000;
const DEEPEST: usize = 16;

/// A small file as text; what is no UTF-8 is replaced.
pub(crate) fn read_text(path: &Path) -> Result<String, ImportError> {
    let mut file = File::open(path).map_err(ImportError::io(path))?.take(LONGEST_FILE + 1);
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(ImportError::io(path))?;
    if bytes.len() as u64 > LONGEST_FILE {
        return Err(ImportError::damaged(path, "it is too long for what it should be"));
    }
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// The files below a folder with their paths in it, parts joined by `/`; none where it is missing.
pub(crate) fn files_below(folder: &Path) -> Result<Vec<(String, PathBuf)>, ImportError> {
    let mut found = Vec::new();
    let mut waiting = vec![(folder.to_owned(), 0)];
    while let Some((inner, depth)) = waiting.pop() {
        if !inner.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&inner).map_err(ImportError::io(&inner))? {
            let path = entry.map_err(ImportError::io(&inner))?.path();
            if path.is_file() {
                let below = path.strip_prefix(folder).unwrap_or(&path);
                let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
                found.push((parts.join("/"), path));
            } else if depth < DEEPEST && found.len() < MOST_FILES {
                waiting.push((path, depth + 1));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The lines of a file, one at a time, whatever bytes they hold.
pub(crate) struct Lines<'a> {
    path: &'a Path,
    reader: BufReader<File>,
    line: Vec<u8>,
}

impl<'a> Lines<'a> {
    pub(crate) fn open(path: &'a Path) -> Result<Self, ImportError> {
        let file = File::open(path).map_err(ImportError::io(path))?;
        Ok(Lines { path, reader: BufReader::with_capacity(1 << 16, file), line: Vec::new() })
    }

    /// The next line without its end; of a line that is too long its beginning.
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>, ImportError> {
        self.line.clear();
        let read = self
            .reader
            .by_ref()
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut self.line)
            .map_err(ImportError::io(self.path))?;
        if read == 0 {
            return Ok(None);
        }
        if read as u64 == LONGEST_LINE && self.line.last() != Some(&b'\n') {
            self.reader.skip_until(b'\n').map_err(ImportError::io(self.path))?;
        }
        while matches!(self.line.last(), Some(b'\n' | b'\r')) {
            self.line.pop();
        }
        Ok(Some(&self.line))
    }
}
