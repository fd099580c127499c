//! The directory of an archive, compared with what each file says of itself.

use std::ops::Range;

use crate::Fault;
use crate::bytes::Bytes;

use super::fields::Fields;

pub(super) const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
pub(super) const END: u32 = 0x0605_4b50;
const END_64: u32 = 0x0606_4b50;
const LOCATOR_64: u32 = 0x0706_4b50;
/// Length of the end record without its comment, which has at most 65,535 bytes.
const END_LENGTH: usize = 22;
const LOCATOR_LENGTH: usize = 20;
/// Tag of the extra field that holds 64-bit sizes.
const ZIP64: u16 = 1;

/// Where the directory lies, and how much it holds.
pub(super) struct Directory {
    pub(super) range: Range<usize>,
    pub(super) entries: usize,
}

impl Directory {
    pub(super) fn find(bytes: &Bytes) -> Result<Directory, Fault> {
        let lowest = bytes.len().saturating_sub(END_LENGTH + usize::from(u16::MAX));
        let last = bytes.len().checked_sub(END_LENGTH);
        let last = last.ok_or_else(|| Fault::whole("the archive is too short"))?;
        // The comment must end where the file ends.
        let is_end = |at: &usize| {
            let comment = bytes.len() - END_LENGTH - at;
            bytes[*at..].starts_with(&END.to_le_bytes())
                && bytes[at + 20..at + 22] == (comment as u16).to_le_bytes()
        };
        let end = (lowest..=last).rev().find(is_end);
        let end = end.ok_or_else(|| Fault::whole("the archive has no end: it is cut off"))?;
        let mut fields = Fields::new(bytes, end + 4);
        let (disk, first_disk) = (fields.u16()?, fields.u16()?);
        let (here, entries) = (fields.u16()?, fields.u16()?);
        let (length, start) = (fields.u32()?, fields.u32()?);
        let plain = [u64::from(entries), length.into(), start.into()];
        let (found, behind) = match Self::wide(bytes, end)? {
            Some((wide, at)) => {
                let limits = [u64::from(u16::MAX), u32::MAX.into(), u32::MAX.into()];
                let agree = plain.iter().zip(&wide).zip(&limits);
                if !agree.clone().all(|((plain, wide), most)| plain == wide || plain == most) {
                    return Err(fields.fault("the two ends of the archive disagree"));
                }
                (wide, at)
            }
            None if disk != 0 || first_disk != 0 || here != entries => {
                return Err(fields.fault("an archive of several parts is not read"));
            }
            None => (plain, end),
        };
        let narrow = |value: u64| usize::try_from(value).ok();
        let [entries, length, start] = found.map(narrow);
        match (entries, length, start) {
            (Some(entries), Some(length), Some(start))
                if start.checked_add(length) == Some(behind) =>
            {
                Ok(Directory { range: start..behind, entries })
            }
            _ => Err(fields.fault("the directory of the archive does not lie before its end")),
        }
    }

    /// The 64-bit end: entries, length and start of the directory; and where that end begins.
    fn wide(bytes: &Bytes, end: usize) -> Result<Option<([u64; 3], usize)>, Fault> {
        let Some(at) = end.checked_sub(LOCATOR_LENGTH) else { return Ok(None) };
        let mut fields = Fields::new(bytes, at);
        if fields.u32()? != LOCATOR_64 {
            return Ok(None);
        }
        let (disk, start, disks) = (fields.u32()?, fields.u64()?, fields.u32()?);
        let start = usize::try_from(start).ok().filter(|&start| start < at);
        let (0, 0 | 1, Some(start)) = (disk, disks, start) else {
            return Err(fields.fault("the 64-bit end of the archive lies elsewhere"));
        };
        let mut fields = Fields::new(bytes, start);
        let (signature, length) = (fields.u32()?, fields.u64()?);
        let end = usize::try_from(length).ok().and_then(|n| n.checked_add(start + 12));
        if signature != END_64 || end != Some(at) {
            return Err(fields.fault("the 64-bit end of the archive is damaged"));
        }
        let _versions = fields.u32()?;
        let (disk, first_disk, here) = (fields.u32()?, fields.u32()?, fields.u64()?);
        let entries = fields.u64()?;
        if disk != 0 || first_disk != 0 || here != entries {
            return Err(fields.fault("an archive of several parts is not read"));
        }
        Ok(Some(([entries, fields.u64()?, fields.u64()?], start)))
    }
}

/// What the directory says of one entry.
pub(super) struct Central {
    at: usize,
    flags: u16,
    pub(super) method: u16,
    pub(super) checksum: u32,
    packed: usize,
    pub(super) length: usize,
    pub(super) start: usize,
    pub(super) name: String,
}

impl Central {
    pub(super) fn read(fields: &mut Fields<'_>, end: usize) -> Result<Central, Fault> {
        let at = fields.position;
        if fields.u32()? != CENTRAL {
            return Err(fields.fault("the directory of the archive is damaged"));
        }
        let _versions = fields.u32()?;
        let (flags, method, _time) = (fields.u16()?, fields.u16()?, fields.u32()?);
        let checksum = fields.u32()?;
        let (packed, length) = (fields.u32()?, fields.u32()?);
        let (name, extra, comment) = (fields.u16()?, fields.u16()?, fields.u16()?);
        let (disk, _internal, _external) = (fields.u16()?, fields.u16()?, fields.u32()?);
        let start = fields.u32()?;
        let name = fields.take(name.into())?;
        let extra = fields.take(extra.into())?;
        fields.take(comment.into())?;
        if fields.position > end {
            return Err(fields.fault("the directory of the archive runs into its end"));
        }
        let name = std::str::from_utf8(name).map_err(|_| fields.fault("a name is not UTF-8"))?;
        // Bits 0, 6 and 13: encrypted, strongly encrypted, masked.
        if flags & 0x2041 != 0 {
            return Err(fields.fault(format!("{name} is encrypted")));
        }
        if disk != 0 && disk != u16::MAX {
            return Err(fields.fault("an archive of several parts is not read"));
        }
        if method != 0 && method != 8 {
            return Err(fields.fault(format!("{name} is packed in a way that is not read")));
        }
        let mut wide = wide_sizes(extra);
        let mut size = |narrow: u32| match narrow {
            u32::MAX => wide.next().and_then(|wide| usize::try_from(wide).ok()),
            _ => usize::try_from(narrow).ok(),
        };
        let (length, packed, start) = (size(length), size(packed), size(start));
        let (Some(length), Some(packed), Some(start)) = (length, packed, start) else {
            return Err(fields.fault(format!("the sizes of {name} are missing")));
        };
        if method == 0 && packed != length {
            return Err(fields.fault(format!("{name} has two lengths")));
        }
        let name = name.to_owned();
        Ok(Central { at, flags, method, checksum, packed, length, start, name })
    }

    /// Where the entry's bytes lie, if its own header says the same as the directory.
    pub(super) fn data(&self, source: &Bytes, end: usize) -> Result<Range<usize>, Fault> {
        let outside = || {
            let at = source.offset().saturating_add(self.at);
            Fault::at(at, format!("{} lies outside the archive", self.name))
        };
        if self.start >= end {
            return Err(outside());
        }
        let mut fields = Fields::new(source, self.start);
        let signature = fields.u32()?;
        let _version = fields.u16()?;
        let (flags, method, _time) = (fields.u16()?, fields.u16()?, fields.u32()?);
        let (checksum, packed, length) = (fields.u32()?, fields.u32()?, fields.u32()?);
        let (name, extra) = (fields.u16()?, fields.u16()?);
        let name = fields.take(name.into())?;
        let extra = fields.take(extra.into())?;
        let mut wide = wide_sizes(extra);
        let mut same = |narrow: u32, wanted: usize| match narrow {
            u32::MAX => wide.next().is_none_or(|wide| wide == wanted as u64),
            _ => narrow as usize == wanted,
        };
        // Bit 3: the sizes follow the data, and zeros may stand here.
        let is_streamed = flags & 8 != 0 && packed == 0 && length == 0;
        let is_same = is_streamed
            || (same(length, self.length)
                && same(packed, self.packed)
                && (checksum == self.checksum || flags & 8 != 0));
        if signature != LOCAL
            || method != self.method
            || (flags ^ self.flags) & !8 != 0
            || name != self.name.as_bytes()
            || !is_same
        {
            let what = format!("{} is described in two ways by the archive", self.name);
            return Err(fields.fault(what));
        }
        let data = fields.position..fields.position.checked_add(self.packed).ok_or_else(outside)?;
        if data.end > end {
            return Err(outside());
        }
        Ok(data)
    }
}

/// The 64-bit numbers of an extra field, in their order.
fn wide_sizes(extra: &[u8]) -> impl Iterator<Item = u64> {
    let mut rest = extra;
    let mut found: &[u8] = &[];
    while let [a, b, c, d, behind @ ..] = rest {
        let length = usize::from(u16::from_le_bytes([*c, *d]));
        let Some((field, behind)) = behind.split_at_checked(length) else { break };
        if u16::from_le_bytes([*a, *b]) == ZIP64 {
            found = field;
            break;
        }
        rest = behind;
    }
    found.as_chunks::<8>().0.iter().map(|&wide| u64::from_le_bytes(wide))
}
