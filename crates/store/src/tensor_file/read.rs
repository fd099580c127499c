//! Reading safetensors files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use half::{bf16, f16};
use safetensors::Dtype;
use safetensors::tensor::Metadata;

use super::{CHUNK, Fingerprint, Tensor};
use crate::StoreError;

/// The format's own limit on its JSON header; a larger one is a damaged length.
const LARGEST_HEADER: u64 = 100_000_000;

/// Reads every tensor of a safetensors file, in the order in which they lie in it, as f32.
///
/// F64 is rounded, F32 taken as it is, F16 and BF16 widened exactly. A single I64 (PyTorch's
/// counters, such as
/// `num_batches_tracked`) is rounded; other integers are no weights.
///
/// # Errors
/// [`StoreError::Damaged`], [`StoreError::UnsupportedDtype`], [`StoreError::Io`].
pub fn read_safetensors(path: impl AsRef<Path>) -> Result<Vec<Tensor>, StoreError> {
    read_hashed(path.as_ref()).map(|(tensors, _)| tensors)
}

/// Reads a whole file, with the fingerprint of what was read.
pub(crate) fn read_hashed(path: &Path) -> Result<(Vec<Tensor>, Fingerprint), StoreError> {
    let (file, length) = open(path)?;
    let mut reader = HashingReader { file, hasher: blake3::Hasher::new(), path };

    let mut prefix = [0; 8];
    if length < 8 {
        return Err(StoreError::damaged(path, "it is shorter than a safetensors header"));
    }
    reader.fill(&mut prefix)?;
    let header_length = u64::from_le_bytes(prefix);
    if header_length > LARGEST_HEADER || header_length > length - 8 {
        return Err(StoreError::damaged(
            path,
            format!("its header cannot have {header_length} bytes"),
        ));
    }
    let mut header = vec![0; header_length as usize];
    reader.fill(&mut header)?;
    let metadata: Metadata =
        serde_json::from_slice(&header).map_err(|error| StoreError::damaged(path, error))?;
    // Only now, with the length known to fit, is memory taken for the tensors: a bad header cannot
    // ask for more than the file has.
    let expected = 8 + header_length + metadata.data_len() as u64;
    if expected != length {
        return Err(StoreError::damaged(
            path,
            format!("it has {length} bytes where its header says {expected}"),
        ));
    }
    let tensors = metadata
        .offset_keys()
        .into_iter()
        .map(|name| {
            let info = metadata
                .info(&name)
                .ok_or_else(|| StoreError::damaged(path, "a tensor has no entry"))?;
            let count = info.shape.iter().product();
            let data = match (info.dtype, info.shape.is_empty()) {
                (Dtype::I64, true) => {
                    reader.convert(1, |bytes| i64::from_le_bytes(bytes) as f32)?
                }
                (dtype, _) => reader.values(&name, dtype, count)?,
            };
            Ok((name, info.shape.clone(), data))
        })
        .collect::<Result<Vec<Tensor>, StoreError>>()?;
    let blake3 = reader.hasher.finalize().to_hex().to_string();
    Ok((tensors, Fingerprint { bytes: length, blake3 }))
}

/// The fingerprint of a file, whatever is in it.
pub(crate) fn fingerprint(path: &Path) -> Result<Fingerprint, StoreError> {
    let (mut file, bytes) = open(path)?;
    let mut hasher = blake3::Hasher::new();
    io::copy(&mut file, &mut hasher).map_err(StoreError::io("read", path))?;
    Ok(Fingerprint { bytes, blake3: hasher.finalize().to_hex().to_string() })
}

fn open(path: &Path) -> Result<(File, u64), StoreError> {
    let file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            StoreError::Missing { path: path.to_owned(), reason: "no tensors were saved here" }
        }
        _ => StoreError::io("open", path)(error),
    })?;
    let length = file.metadata().map_err(StoreError::io("read", path))?.len();
    Ok((file, length))
}

struct HashingReader<'a> {
    file: File,
    hasher: blake3::Hasher,
    path: &'a Path,
}

impl HashingReader<'_> {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), StoreError> {
        for chunk in bytes.chunks_mut(CHUNK) {
            self.file.read_exact(chunk).map_err(StoreError::io("read", self.path))?;
            self.hasher.update(chunk);
        }
        Ok(())
    }

    fn values(&mut self, name: &str, dtype: Dtype, count: usize) -> Result<Vec<f32>, StoreError> {
        match dtype {
            Dtype::F32 => {
                let mut values = vec![0_f32; count];
                self.fill(bytemuck::cast_slice_mut(&mut values))?;
                Ok(values)
            }
            Dtype::F64 => self.convert(count, |bytes| f64::from_le_bytes(bytes) as f32),
            Dtype::F16 => self.convert(count, |bytes| f16::from_le_bytes(bytes).to_f32()),
            Dtype::BF16 => self.convert(count, |bytes| bf16::from_le_bytes(bytes).to_f32()),
            other => Err(StoreError::UnsupportedDtype {
                path: self.path.to_owned(),
                name: name.to_owned(),
                dtype: other.to_string(),
            }),
        }
    }

    fn convert<const WIDTH: usize>(
        &mut self,
        count: usize,
        to_f32: impl Fn([u8; WIDTH]) -> f32,
    ) -> Result<Vec<f32>, StoreError> {
        let mut bytes = vec![0; count * WIDTH];
        self.fill(&mut bytes)?;
        Ok(bytes.as_chunks().0.iter().map(|value| to_f32(*value)).collect())
    }
}
