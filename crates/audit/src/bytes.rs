//! Bytes of a file, shared: a map of it, or a copy where a map cannot be.

use std::fs::File;
use std::io::Read;
use std::ops::{Deref, Range};
use std::path::Path;
use std::sync::Arc;

use memmap2::Mmap;

use crate::AuditError;

/// A range of bytes that keeps its file alive. Cloning and slicing copy nothing.
#[derive(Clone)]
pub struct Bytes {
    owner: Arc<Owner>,
    range: Range<usize>,
}

enum Owner {
    Map(Mmap),
    Copy(Vec<u8>),
}

/// How a file is brought into memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// Mapped: pages are read when they are looked at.
    #[default]
    Map,
    /// Read whole, for network disks, where a file that shrinks would end the process.
    Read,
}

impl Bytes {
    /// The bytes of a file.
    ///
    /// # Errors
    /// If it cannot be opened, mapped or read.
    pub fn open(path: &Path, access: Access) -> Result<Self, AuditError> {
        let io = |source| AuditError::Io { path: path.to_owned(), source };
        let kind = std::fs::metadata(path).map_err(io)?;
        // A pipe or a device would have no end, and opening a pipe waits for its writer.
        if !kind.is_file() {
            let kind = std::io::Error::new(std::io::ErrorKind::InvalidInput, "it is no plain file");
            return Err(io(kind));
        }
        let mut file = File::open(path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        // An empty file cannot be mapped.
        if access == Access::Read || length == 0 {
            let mut copy = Vec::new();
            file.read_to_end(&mut copy).map_err(io)?;
            return Ok(Bytes::from(copy));
        }
        // SAFETY: the map is read-only. Another process that truncates the file while it is mapped
        // ends this one with SIGBUS; `Access::Read` is for places where that must be expected.
        let map = unsafe { Mmap::map(&file) }.map_err(io)?;
        let range = 0..map.len();
        Ok(Bytes { owner: Arc::new(Owner::Map(map)), range })
    }

    /// A part of these bytes; nothing if the range does not lie in them.
    pub fn get(&self, range: Range<usize>) -> Option<Bytes> {
        let inside = range.start <= range.end && range.end <= self.len();
        inside.then(|| Bytes {
            owner: Arc::clone(&self.owner),
            range: self.range.start + range.start..self.range.start + range.end,
        })
    }

    /// Whether both share a byte, or start at the same byte of the same file.
    pub fn overlaps(&self, other: &Bytes) -> bool {
        Arc::ptr_eq(&self.owner, &other.owner)
            && (self.range.start == other.range.start
                || (self.range.start < other.range.end && other.range.start < self.range.end))
    }

    /// Tells the operating system that these bytes will be read from the first to the last.
    pub fn read_in_order(&self) {
        // Each advised range may become an area of memory of its own, of which a process can have
        // only some 65,000: small ranges are not worth one.
        const WORTHWHILE: usize = 4 << 20;
        #[cfg(unix)]
        if let Owner::Map(map) = &*self.owner
            && self.len() >= WORTHWHILE
        {
            // A hint: where it is refused, pages are read as they are met.
            let _ = map.advise_range(memmap2::Advice::Sequential, self.range.start, self.len());
        }
    }

    /// Where the first byte lies in the file.
    pub fn offset(&self) -> usize {
        self.range.start
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(copy: Vec<u8>) -> Self {
        let range = 0..copy.len();
        Bytes { owner: Arc::new(Owner::Copy(copy)), range }
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let all: &[u8] = match &*self.owner {
            Owner::Map(map) => map,
            Owner::Copy(copy) => copy,
        };
        &all[self.range.clone()]
    }
}

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bytes({:?})", self.range)
    }
}
