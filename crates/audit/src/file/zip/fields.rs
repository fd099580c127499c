//! Reading numbers one after the other.

use crate::Fault;
use crate::bytes::Bytes;

/// Little-endian fields that follow each other.
pub(super) struct Fields<'a> {
    bytes: &'a [u8],
    /// Where `bytes` begins in the file.
    origin: usize,
    pub(super) position: usize,
}

impl<'a> Fields<'a> {
    pub(super) fn new(bytes: &'a Bytes, position: usize) -> Self {
        Fields { bytes, origin: bytes.offset(), position }
    }

    pub(super) fn fault(&self, what: impl Into<String>) -> Fault {
        Fault::at(self.origin.saturating_add(self.position), what)
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let end = self.position.checked_add(count);
        let taken = end.and_then(|end| self.bytes.get(self.position..end));
        let taken = taken.ok_or_else(|| self.fault("the archive ends in the middle"))?;
        self.position += count;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let taken = self.take(N)?;
        taken.try_into().map_err(|_| self.fault("the archive ends in the middle"))
    }

    pub(super) fn u16(&mut self) -> Result<u16, Fault> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Fault> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Fault> {
        self.array().map(u64::from_le_bytes)
    }
}
