//! Zip archives from a run of bytes: enough for what PyTorch writes, and strict.
//!
//! Two readers that disagree about an archive are how files smuggle. So the central directory must
//! lie right before the end, agree with every local header, name nothing twice and describe ranges
//! that do not overlap.

mod directory;
mod fields;

use std::collections::HashMap;
use std::io::Read;
use std::ops::Range;

use crate::Fault;
use crate::bytes::Bytes;
use crate::limits::Limits;

use directory::{Central, Directory, END, LOCAL};
use fields::Fields;

/// An archive whose directory was read and checked.
#[derive(Debug)]
pub struct Zip {
    source: Bytes,
    entries: Vec<Entry>,
    by_name: HashMap<String, usize>,
}

/// One entry.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name, as it stands: it never touches the disk.
    pub name: String,
    /// Its length once unpacked.
    pub length: usize,
    is_deflated: bool,
    checksum: u32,
    /// Where its bytes lie in the archive.
    data: Range<usize>,
}

impl Entry {
    /// Whether its bytes are compressed.
    pub fn is_packed(&self) -> bool {
        self.is_deflated
    }
}

/// Whether the bytes begin as a zip archive does.
pub fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(&LOCAL.to_le_bytes()) || bytes.starts_with(&END.to_le_bytes())
}

impl Zip {
    /// Reads the directory.
    ///
    /// # Errors
    /// If it is damaged, ambiguous, encrypted or spread over several files.
    pub fn read(source: &Bytes, limits: Limits) -> Result<Zip, Fault> {
        let directory = Directory::find(source)?;
        if directory.entries > limits.entries {
            let most = wd_page::number::count(limits.entries as u64);
            return Err(Fault::whole(format!("an archive of more than {most} files is refused")));
        }
        let mut zip = Zip { source: source.clone(), entries: Vec::new(), by_name: HashMap::new() };
        let mut fields = Fields::new(source, directory.range.start);
        let mut starts = Vec::new();
        for _ in 0..directory.entries {
            let central = Central::read(&mut fields, directory.range.end)?;
            let data = central.data(source, directory.range.start)?;
            starts.push((central.start, data.end));
            let at = zip.entries.len();
            if zip.by_name.insert(central.name.clone(), at).is_some() {
                let what = format!("the archive has two files named {}", central.name);
                return Err(fields.fault(what));
            }
            zip.entries.push(Entry {
                name: central.name,
                length: central.length,
                is_deflated: central.method == 8,
                checksum: central.checksum,
                data,
            });
        }
        if fields.position != directory.range.end {
            return Err(fields.fault("the directory of the archive is longer than its files"));
        }
        starts.sort_unstable();
        match starts.array_windows().find(|[(_, end), (start, _)]| end > start) {
            None => Ok(zip),
            Some([_, (start, _)]) => Err(Fault::at(
                source.offset().saturating_add(*start),
                "two files of the archive overlap",
            )),
        }
    }

    /// The entries in the order of the directory.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// An entry by its name.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.by_name.get(name).and_then(|&at| self.entries.get(at))
    }

    /// The bytes of an entry: a view if it is stored, else unpacked up to `most` bytes.
    ///
    /// # Errors
    /// If it is longer than `most` or cannot be unpacked.
    pub fn bytes(&self, entry: &Entry, most: usize) -> Result<Bytes, Fault> {
        let at = self.source.offset().saturating_add(entry.data.start);
        let raw = self.source.get(entry.data.clone());
        let raw = raw.ok_or_else(|| Fault::at(at, "a file of the archive lies outside it"))?;
        if !entry.is_deflated {
            return Ok(raw);
        }
        if entry.length > most {
            let most = wd_page::number::count(most as u64);
            let what = format!("{} has more than {most} bytes once unpacked", entry.name);
            return Err(Fault::at(at, what));
        }
        // One byte more than announced, so that a longer stream shows.
        let mut unpacked = Vec::new();
        let mut stream = flate2::read::DeflateDecoder::new(&raw[..]).take(entry.length as u64 + 1);
        let length = stream.read_to_end(&mut unpacked);
        if length.ok() != Some(entry.length) {
            return Err(Fault::at(at, format!("{} cannot be unpacked", entry.name)));
        }
        Ok(Bytes::from(unpacked))
    }

    /// Whether the checksum of an entry holds. An archive written without checksums has zeros.
    ///
    /// # Errors
    /// If it does not hold, or the entry cannot be unpacked.
    pub fn verify(&self, entry: &Entry, most: usize) -> Result<(), Fault> {
        if entry.checksum == 0 {
            return Ok(());
        }
        let mut sum = flate2::Crc::new();
        sum.update(&self.bytes(entry, most)?);
        if sum.sum() != entry.checksum {
            let at = self.source.offset().saturating_add(entry.data.start);
            return Err(Fault::at(at, format!("the checksum of {} does not hold", entry.name)));
        }
        Ok(())
    }
}
