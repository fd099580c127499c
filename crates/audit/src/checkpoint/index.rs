//! A model in several files under an index: `model.safetensors.index.json` and its like.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;

use crate::bytes::Bytes;
use crate::file::inside::inside;
use crate::{AuditError, Fault};

use super::find::ReadOptions;
use super::{Checkpoint, Format, NamedTensor, prefix, single};

#[derive(Deserialize)]
struct Index {
    weight_map: serde_json::Map<String, serde_json::Value>,
}

/// Reads the files that an index names.
pub(super) fn read(path: &Path, options: &ReadOptions) -> Result<Checkpoint, AuditError> {
    let mut checkpoint = Checkpoint::empty(path, Format::Safetensors);
    add(&mut checkpoint, path, options)?;
    Ok(checkpoint)
}

/// Adds the tensors of an index to a checkpoint.
pub(super) fn add(
    checkpoint: &mut Checkpoint,
    path: &Path,
    options: &ReadOptions,
) -> Result<(), AuditError> {
    let damaged = |fault: Fault| AuditError::Damaged { path: path.to_owned(), fault };
    let text = read_text(path, options)?;
    let index: Index = serde_json::from_slice(&text)
        .map_err(|error| damaged(Fault::whole(format!("it is no index: {error}"))))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut files = BTreeSet::new();
    for (name, file) in &index.weight_map {
        let file = file
            .as_str()
            .ok_or_else(|| damaged(Fault::whole(format!("the file of {name} is no text"))))?;
        files.insert(file);
        if files.len() > options.limits.files {
            let most = wd_page::number::count(options.limits.files as u64);
            return Err(damaged(Fault::whole(format!("more than {most} files are refused"))));
        }
    }
    let mut model: Vec<NamedTensor> = Vec::new();
    for file in files {
        let file = inside(folder, file).map_err(damaged)?;
        let mut part = Checkpoint::empty(&file, Format::Safetensors);
        single::add(&mut part, &file, options)?;
        checkpoint.format = part.format;
        model.append(&mut part.model);
    }
    let known: BTreeSet<&str> = model.iter().map(|tensor| tensor.name.as_str()).collect();
    let names = index.weight_map.keys().map(|name| prefix::plain(name));
    let missing: Vec<String> = names.filter(|name| !known.contains(name.as_str())).collect();
    // `module.` is taken off each file where all its names have it.
    let missing = missing.iter().filter(|name| !name.starts_with("module.")).count();
    if missing > 0 {
        let count = wd_page::number::counted(missing as u64, "tensor");
        checkpoint.remarks.push(format!("{count} of the index are in none of its files."));
    }
    if known.len() < model.len() {
        checkpoint.remarks.push("Some tensors are in two files of the index.".to_owned());
    }
    checkpoint.model = model;
    Ok(())
}

/// The bytes of a text file.
pub(super) fn read_text(path: &Path, options: &ReadOptions) -> Result<Bytes, AuditError> {
    let bytes = Bytes::open(path, options.access)?;
    if bytes.len() > options.limits.text_bytes {
        let most = wd_page::number::count(options.limits.text_bytes as u64);
        let fault = Fault::whole(format!("a text of more than {most} bytes is refused"));
        return Err(AuditError::Damaged { path: path.to_owned(), fault });
    }
    Ok(bytes)
}
