//! PyTorch's zip archive (since 1.6): one pickle, and one entry for each storage.
//!
//! ```text
//! archive/data.pkl         the object; tensors name their storage
//! archive/data/0           a storage, raw
//! archive/byteorder        "little" or "big"; absent before about 2.1, then little
//! archive/version          "3"
//! ```
//!
//! The folder may have any name. TorchScript adds `code/` and `constants.pkl`; its modules are
//! readable as objects.

use crate::Fault;
use crate::bytes::Bytes;
use crate::limits::Limits;

use super::pickle::Pickle;
use super::zip::{Entry, Zip};

/// Bytes of the small entries that say one word.
const WORD: usize = 64;

/// What such an archive holds.
#[derive(Debug)]
pub struct TorchZip {
    /// The object with its storages.
    pub pickle: Pickle,
    /// Whether it holds code of TorchScript.
    pub has_code: bool,
}

impl TorchZip {
    /// Reads an archive; `verify` checks the checksum of every entry.
    ///
    /// # Errors
    /// If the archive or its pickle is damaged, or a storage is missing or shorter than declared.
    pub fn read(source: &Bytes, limits: Limits, verify: bool) -> Result<TorchZip, Fault> {
        let zip = Zip::read(source, limits)?;
        let mut pickles = zip
            .entries()
            .iter()
            .filter(|entry| entry.name.split_once('/').is_some_and(|(_, rest)| rest == "data.pkl"));
        let entry = match (pickles.next(), pickles.next()) {
            (Some(entry), None) => entry,
            (None, _) => return Err(Fault::whole("the archive has no data.pkl at its place")),
            (Some(_), Some(_)) => return Err(Fault::whole("the archive has two data.pkl")),
        };
        let root = entry.name.trim_end_matches("data.pkl");
        if verify {
            zip.entries().iter().try_for_each(|entry| zip.verify(entry, limits.pickle_bytes))?;
        }
        let is_big_endian = match zip.entry(&format!("{root}byteorder")) {
            None => false,
            Some(entry) => match &zip.bytes(entry, WORD)?[..] {
                b"little" => false,
                b"big" => true,
                _ => return Err(Fault::whole("the byte order is neither little nor big")),
            },
        };
        let bytes = zip.bytes(entry, limits.pickle_bytes)?;
        let (mut pickle, _) = Pickle::read(&bytes, 0, limits)?;
        for storage in &mut pickle.storages {
            let found = zip.entry(&format!("{root}data/{}", storage.key));
            let declared = storage.declared_bytes();
            storage.bytes = found.map(|entry| contents(&zip, entry, declared)).transpose()?;
            storage.is_big_endian = is_big_endian;
        }
        let code = format!("{root}code/");
        let has_code = zip.entries().iter().any(|entry| entry.name.starts_with(&code));
        Ok(TorchZip { pickle, has_code })
    }
}

/// The bytes of a storage, cut to what it declares.
fn contents(zip: &Zip, entry: &Entry, declared: Option<usize>) -> Result<Bytes, Fault> {
    if entry.is_packed() {
        let what = format!("{} is compressed, which storages never are", entry.name);
        return Err(Fault::whole(what));
    }
    let bytes = zip.bytes(entry, usize::MAX)?;
    declared.and_then(|declared| bytes.get(0..declared)).ok_or_else(|| {
        Fault::at(bytes.offset(), format!("{} is shorter than its tensors declare", entry.name))
    })
}
