//! Keeps every file that is read within the folders that were named.

use std::fs;
use std::path::{Path, PathBuf};

use crate::ServeError;

/// The folders and files that were named, as they are on disk.
#[derive(Debug)]
pub(crate) struct Roots {
    /// Each as it was named, and without links.
    pub(crate) paths: Vec<(PathBuf, PathBuf)>,
}

impl Roots {
    pub(super) fn of(paths: &[PathBuf]) -> Result<Self, ServeError> {
        let real = paths.iter().map(|path| {
            let real = fs::canonicalize(path)
                .map_err(|source| ServeError::Path { path: path.clone(), source })?;
            Ok((path.clone(), real))
        });
        Ok(Roots { paths: real.collect::<Result<_, ServeError>>()? })
    }

    /// Is this a link, or behind one, that leads out of the folders? What is not there leads
    /// nowhere.
    pub(crate) fn leads_out(&self, path: &Path) -> bool {
        match fs::canonicalize(path) {
            Ok(real) => !self.paths.iter().any(|(_, root)| real.starts_with(root)),
            Err(_) => fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()),
        }
    }

    /// The end of a text file within the folders, at most so many bytes of it, from the beginning
    /// of a line; nothing where it is not there.
    pub(crate) fn end_of(&self, path: &Path, most: u64) -> Option<String> {
        use std::io::{Read, Seek, SeekFrom};
        if self.leads_out(path) {
            return None;
        }
        let mut file = fs::File::open(path).ok()?;
        let found = file.metadata().ok().filter(fs::Metadata::is_file)?;
        let from = found.len().saturating_sub(most);
        file.seek(SeekFrom::Start(from)).ok()?;
        let mut bytes = Vec::new();
        file.take(most).read_to_end(&mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        Some(match (from, text.split_once('\n')) {
            (1.., Some((_, rest))) => rest.to_owned(),
            _ => text.into_owned(),
        })
    }
}
