//! One file, by its first bytes.

use std::path::Path;

use crate::bytes::Bytes;
use crate::file::safetensors::{self, Safetensors};
use crate::file::torch_zip::TorchZip;
use crate::file::{torch_legacy, zip};
use crate::{AuditError, Fault};

use super::find::ReadOptions;
use super::{Checkpoint, Format, NamedTensor, Value, Writer, index, prefix};

/// Beginnings of formats that are not read, what they are, and what can be done.
const FOREIGN: [(&[u8], &str, &str); 6] = [
    (b"GGUF", "a GGUF file", "audit the checkpoint that it was made from"),
    (b"\x89HDF", "an HDF5 file", "save the weights as safetensors"),
    (b"\x93NUMPY", "a NumPy array", "save the weights as safetensors"),
    (b"\x1f\x8b", "a gzip file", "unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a zstd file", "unpack it first"),
    (b"BZh", "a bzip2 file", "unpack it first"),
];

/// Reads a checkpoint of one file, or one that is spread over the files of an index.
pub(super) fn read(path: &Path, options: &ReadOptions) -> Result<Checkpoint, AuditError> {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    if name.ends_with(".index.json") {
        return index::read(path, options);
    }
    let mut checkpoint = Checkpoint::empty(path, Format::TorchZip);
    add(&mut checkpoint, path, options)?;
    Ok(checkpoint)
}

/// Adds what a file holds to a checkpoint.
pub(super) fn add(
    checkpoint: &mut Checkpoint,
    path: &Path,
    options: &ReadOptions,
) -> Result<(), AuditError> {
    let bytes = Bytes::open(path, options.access)?;
    let damaged = |fault: Fault| AuditError::Damaged { path: path.to_owned(), fault };
    let unsupported = |what: &str, fix: &str| AuditError::Unsupported {
        path: path.to_owned(),
        what: what.to_owned(),
        fix: fix.to_owned(),
    };
    if bytes.is_empty() {
        return Err(damaged(Fault::whole("it is empty")));
    }
    if let Some((_, what, fix)) = FOREIGN.iter().find(|(magic, ..)| bytes.starts_with(magic)) {
        return Err(unsupported(what, fix));
    }
    if torch_legacy::is_tar(&bytes) {
        let fix = "load and save it with PyTorch 0.4 or later";
        return Err(unsupported("a tar archive of PyTorch before 0.1.11", fix));
    }
    if zip::is_zip(&bytes) {
        let file = TorchZip::read(&bytes, options.limits, options.verify).map_err(damaged)?;
        checkpoint.format = Format::TorchZip;
        if file.has_code {
            checkpoint.remarks.push("TorchScript: its modules are read, its code is not.".into());
        }
        checkpoint.absorb(file.pickle.root(), path);
        return Ok(());
    }
    if safetensors::is_safetensors(&bytes) {
        checkpoint.format = Format::Safetensors;
        let file = Safetensors::read(&bytes, options.limits).map_err(damaged)?;
        checkpoint.absorb_safetensors(file);
        return Ok(());
    }
    // A stream of protocol 0 or 1 has no mark at its beginning: only the attempt tells.
    let is_marked = torch_legacy::is_pickle(&bytes);
    match torch_legacy::read(&bytes, options.limits) {
        Ok((pickle, _)) => {
            checkpoint.format = Format::TorchLegacy;
            checkpoint.absorb(pickle.root(), path);
            Ok(())
        }
        Err(fault) if is_marked => Err(damaged(fault)),
        Err(_) => Err(unsupported(
            "neither PyTorch's nor safetensors",
            "name a checkpoint, a folder of one, or a configuration",
        )),
    }
}

/// The object of a PyTorch file as a plain value.
pub(super) fn value(path: &Path, options: &ReadOptions) -> Result<Value, AuditError> {
    let bytes = Bytes::open(path, options.access)?;
    let read = match zip::is_zip(&bytes) {
        true => TorchZip::read(&bytes, options.limits, options.verify).map(|file| file.pickle),
        false => torch_legacy::read(&bytes, options.limits).map(|(pickle, _)| pickle),
    };
    let pickle = read.map_err(|fault| AuditError::Damaged { path: path.to_owned(), fault })?;
    Ok(pickle.root().to_value())
}

impl Checkpoint {
    /// Adds the tensors of a safetensors file to the model.
    pub(super) fn absorb_safetensors(&mut self, file: Safetensors) {
        if self.writer == Writer::Unknown {
            self.writer = Writer::StateDict;
        }
        let quantised = file.tensors.iter().any(|(name, tensor)| {
            !tensor.dtype().is_float() && !tensor.shape().is_empty() && name.ends_with("weight")
        });
        let scaled = file.tensors.iter().any(|(name, _)| name.contains("scale"));
        if quantised && scaled {
            let remark = "Some weights are quantised, with scales beside them: these are not the \
                          weights of a training.";
            self.remarks.push(remark.to_owned());
        }
        let first = self.model.len();
        self.model.extend(file.tensors.into_iter().map(|(name, tensor)| {
            let name = prefix::plain(&name);
            NamedTensor { name, tensor }
        }));
        if first == 0 {
            prefix::strip_common(self.model.iter_mut().map(|tensor| &mut tensor.name));
        }
    }
}
