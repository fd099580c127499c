//! safetensors: a JSON header with the place of every tensor, then the bytes.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::Fault;
use crate::bytes::Bytes;
use crate::limits::Limits;
use crate::tensor::{Dtype, Tensor};

/// Bytes that hold the header's length.
const LENGTH: usize = 8;

/// A header, read and checked.
#[derive(Debug)]
pub struct Safetensors {
    /// The tensors in the order of the header, which is not the modules'.
    pub tensors: Vec<(String, Tensor)>,
    /// `__metadata__`.
    pub metadata: Vec<(String, String)>,
}

/// Whether the bytes begin as a safetensors file does.
pub fn is_safetensors(bytes: &[u8]) -> bool {
    let length = bytes.first_chunk::<LENGTH>().map(|raw| u64::from_le_bytes(*raw));
    length.is_some_and(|length| length <= (bytes.len() - LENGTH) as u64)
        && bytes.get(LENGTH) == Some(&b'{')
}

impl Safetensors {
    /// Reads the header.
    ///
    /// # Errors
    /// If it is no header, names a tensor twice, or places tensors so that they overlap, leave a
    /// hole or reach outside the file.
    pub fn read(source: &Bytes, limits: Limits) -> Result<Safetensors, Fault> {
        let length = source.first_chunk::<LENGTH>().map(|raw| u64::from_le_bytes(*raw));
        let length = length.and_then(|length| usize::try_from(length).ok());
        let header = length
            .and_then(|length| source.get(LENGTH..length.checked_add(LENGTH)?))
            .ok_or_else(|| Fault::at(source.offset(), "the header is longer than the file"))?;
        if header.len() > limits.text_bytes {
            let most = wd_page::number::count(limits.text_bytes as u64);
            let what = format!("a header of more than {most} bytes is refused");
            return Err(Fault::at(source.offset(), what));
        }
        let data = source.get(LENGTH + header.len()..source.len());
        let data = data.ok_or_else(|| Fault::whole("the file ends in its header"))?;
        let fault = |error: serde_json::Error| {
            Fault::at(header.offset(), format!("the header is damaged: {error}"))
        };
        let Header { entries, metadata } = serde_json::from_slice(&header).map_err(fault)?;
        if entries.len() > limits.entries {
            let most = wd_page::number::count(limits.entries as u64);
            return Err(Fault::whole(format!("more than {most} tensors are refused")));
        }
        check_cover(&entries, &data)?;
        let tensors = entries.into_iter().map(|(name, entry)| {
            let tensor = entry.tensor(&data, limits);
            match tensor {
                Ok(tensor) => Ok((name, tensor)),
                Err(fault) => Err(Fault { what: format!("{name}: {}", fault.what), ..fault }),
            }
        });
        Ok(Safetensors { tensors: tensors.collect::<Result<_, _>>()?, metadata })
    }
}

/// The tensors follow each other without overlap or hole, from the first byte to the last.
fn check_cover(entries: &[(String, Entry)], data: &Bytes) -> Result<(), Fault> {
    let mut places: Vec<(u64, u64, &str)> = entries
        .iter()
        .map(|(name, entry)| (entry.data_offsets.0, entry.data_offsets.1, name.as_str()))
        .collect();
    places.sort_unstable();
    let mut end = 0;
    for (start, behind, name) in places {
        let what = match start.cmp(&end) {
            std::cmp::Ordering::Less => format!("{name} overlaps another tensor"),
            std::cmp::Ordering::Greater => format!("a hole of the file lies before {name}"),
            std::cmp::Ordering::Equal if behind < start => format!("{name} ends before it begins"),
            std::cmp::Ordering::Equal => {
                end = behind;
                continue;
            }
        };
        return Err(Fault::at(data.offset(), what));
    }
    if end != data.len() as u64 {
        let what = match end > data.len() as u64 {
            true => "the file ends before its tensors do",
            false => "the file goes on behind its tensors",
        };
        return Err(Fault::at(data.offset(), what));
    }
    Ok(())
}

#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

impl Entry {
    fn tensor(&self, data: &Bytes, limits: Limits) -> Result<Tensor, Fault> {
        let at = |place: u64| usize::try_from(place).ok();
        let range = at(self.data_offsets.0).zip(at(self.data_offsets.1));
        let bytes = range.and_then(|(start, end)| data.get(start..end));
        let bytes = bytes.ok_or_else(|| Fault::at(data.offset(), "it lies outside the file"))?;
        if self.shape.len() > limits.axes {
            let most = wd_page::number::count(limits.axes as u64);
            let what = format!("a tensor of more than {most} axes is refused");
            return Err(Fault::at(bytes.offset(), what));
        }
        let shape: Option<Vec<usize>> = self.shape.iter().map(|&size| at(size)).collect();
        let shape = shape.filter(|shape| {
            shape.iter().try_fold(1_usize, |n, &size| n.checked_mul(size)).is_some()
        });
        let shape = shape.ok_or_else(|| Fault::at(bytes.offset(), "its shape is too large"))?;
        let elements: usize = shape.iter().product();
        let (dtype, bits) = element(&self.dtype)
            .ok_or_else(|| Fault::at(bytes.offset(), format!("dtype {} is unknown", self.dtype)))?;
        if elements.checked_mul(bits) != bytes.len().checked_mul(8) {
            let what = "its shape asks for another number of bytes than it has";
            return Err(Fault::at(bytes.offset(), what));
        }
        match bits % 8 {
            0 => Tensor::contiguous(bytes, dtype, shape),
            // Packed below a byte: its bytes as they are.
            _ => Tensor::contiguous(bytes.clone(), dtype, vec![bytes.len()]),
        }
    }
}

/// An element type by safetensors' name, and its bits.
fn element(name: &str) -> Option<(Dtype, usize)> {
    let dtype = match name {
        "BOOL" => Dtype::Bool,
        "U8" => Dtype::Uint8,
        "I8" => Dtype::Int8,
        "U16" => Dtype::Uint16,
        "I16" => Dtype::Int16,
        "U32" => Dtype::Uint32,
        "I32" => Dtype::Int32,
        "U64" => Dtype::Uint64,
        "I64" => Dtype::Int64,
        "F16" => Dtype::Float16,
        "BF16" => Dtype::Bfloat16,
        "F32" => Dtype::Float32,
        "F64" => Dtype::Float64,
        "C64" => Dtype::Complex64,
        "F8_E4M3" => Dtype::Float8E4m3,
        "F8_E5M2" => Dtype::Float8E5m2,
        "F8_E8M0" | "F8_E4M3FNUZ" | "F8_E5M2FNUZ" => Dtype::Other { bytes: 1 },
        "F4" => return Some((Dtype::Other { bytes: 1 }, 4)),
        "F6_E2M3" | "F6_E3M2" => return Some((Dtype::Other { bytes: 1 }, 6)),
        _ => return None,
    };
    Some((dtype, 8 * dtype.size()))
}

/// The header in its own order; a map would forget it, and would take a name twice.
struct Header {
    entries: Vec<(String, Entry)>,
    metadata: Vec<(String, String)>,
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Header;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
                let mut header = Header { entries: Vec::new(), metadata: Vec::new() };
                let mut seen = std::collections::HashSet::new();
                while let Some(name) = map.next_key::<String>()? {
                    if !seen.insert(name.clone()) {
                        let what = format!("two tensors are named {name}");
                        return Err(serde::de::Error::custom(what));
                    }
                    if name == "__metadata__" {
                        let table: serde_json::Map<String, serde_json::Value> = map.next_value()?;
                        let texts = table.into_iter().filter_map(|(key, value)| match value {
                            serde_json::Value::String(text) => Some((key, text)),
                            _ => None,
                        });
                        header.metadata.extend(texts);
                    } else {
                        header.entries.push((name, map.next_value()?));
                    }
                }
                Ok(header)
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}
