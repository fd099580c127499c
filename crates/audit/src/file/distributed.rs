//! PyTorch's distributed checkpoint: a pickle of metadata, and files of chunks.
//!
//! `.metadata` says for each flat key either the shape of a tensor and where its chunks belong in
//! it, or that it is a Python value; and for each of these, in which file at which bytes it lies.
//! Each chunk and each value there is a whole torch archive, or the file is safetensors.

use std::collections::HashMap;
use std::path::Path;

use crate::bytes::{Access, Bytes};
use crate::checkpoint::Value;
use crate::limits::Limits;
use crate::tensor::{Dtype, Tensor};
use crate::{AuditError, Fault};

use super::assemble::{self, Chunk};
use super::inside::inside;
use super::pickle::{Object, Pickle};
use super::safetensors::{self, Safetensors};
use super::torch_zip::TorchZip;

/// Name of the metadata in a folder.
pub const METADATA: &str = ".metadata";

/// What a key stands for.
#[derive(Debug)]
pub enum Item {
    /// A tensor, put together from its chunks.
    Tensor(Tensor),
    /// A Python value.
    Value(Value),
}

/// A key with its value.
#[derive(Debug)]
pub struct Entry {
    /// The key as nested keys, where the file says how it was flattened; else as a whole.
    pub path: Vec<String>,
    /// What it stands for.
    pub item: Item,
}

/// What such a folder holds.
#[derive(Debug, Default)]
pub struct Distributed {
    /// Keys in the order of the metadata.
    pub entries: Vec<Entry>,
    /// Keys that cannot be read, with the reason.
    pub unreadable: Vec<String>,
}

/// Where an item lies.
struct Place<'a> {
    file: &'a str,
    offset: usize,
    length: usize,
    is_transformed: bool,
}

/// Key and offsets of a chunk; a value has no offsets.
type Index<'a> = (&'a str, Option<Vec<usize>>);

/// Reads a folder.
///
/// # Errors
/// If the metadata is damaged, or a file that it names is missing.
pub fn read(
    folder: &Path,
    access: Access,
    limits: Limits,
    verify: bool,
) -> Result<Distributed, AuditError> {
    let path = folder.join(METADATA);
    let damaged = |fault: Fault| AuditError::Damaged { path: path.clone(), fault };
    let source = Bytes::open(&path, access)?;
    let (pickle, _) = Pickle::read(&source, 0, limits).map_err(damaged)?;
    let root = pickle.root();
    let keys = root.attribute("state_dict_metadata");
    let keys = keys.ok_or_else(|| damaged(Fault::whole("it is no metadata of a checkpoint")))?;
    let places = places(root).map_err(damaged)?;
    let paths = paths(root);
    let mut reader = Reader {
        folder,
        access,
        limits,
        verify,
        files: HashMap::new(),
        blobs: HashMap::new(),
        places,
        opened: 0,
        copied: 0,
    };
    let mut read = Distributed::default();
    for (key, metadata) in keys.items() {
        let Some(key) = key.text() else { continue };
        match reader.item(key, metadata) {
            Ok(item) => {
                let path = paths.get(key).cloned().unwrap_or_else(|| vec![key.to_owned()]);
                read.entries.push(Entry { path, item });
            }
            Err(ItemError::Fault(fault)) => read.unreadable.push(format!("{key}: {fault}")),
            Err(ItemError::Whole(error)) => return Err(error),
        }
    }
    Ok(read)
}

enum ItemError {
    Fault(Fault),
    Whole(AuditError),
}

impl From<Fault> for ItemError {
    fn from(fault: Fault) -> Self {
        ItemError::Fault(fault)
    }
}

fn counts(object: Object<'_>) -> Option<Vec<usize>> {
    let counts = object.elements();
    counts.map(|count| count.integer().and_then(|count| usize::try_from(count).ok())).collect()
}

fn places(root: Object<'_>) -> Result<HashMap<Index<'_>, Place<'_>>, Fault> {
    let data = root.attribute("storage_data");
    let data = data.ok_or_else(|| Fault::whole("the metadata names no files"))?;
    let mut places = HashMap::new();
    for (index, info) in data.items() {
        let read = || {
            let key = index.attribute("fqn")?.text()?;
            let offsets = index.attribute("offset").filter(|offset| !offset.is_none());
            let offsets = match offsets {
                Some(offsets) => Some(counts(offsets)?),
                None => None,
            };
            let count = |name| info.attribute(name)?.integer().and_then(|n| n.try_into().ok());
            let transforms = info.attribute("transform_descriptors");
            let is_transformed = transforms.is_some_and(|list| list.elements().len() > 0);
            let file = info.attribute("relative_path")?.text()?;
            let (offset, length) = (count("offset")?, count("length")?);
            Some(((key, offsets), Place { file, offset, length, is_transformed }))
        };
        let (index, place) =
            read().ok_or_else(|| Fault::whole("a place of the metadata is none"))?;
        places.insert(index, place);
    }
    Ok(places)
}

/// How each flat key was nested.
fn paths(root: Object<'_>) -> HashMap<String, Vec<String>> {
    let planned = root.attribute("planner_data").map(Object::items).unwrap_or_default();
    let read = planned.into_iter().filter_map(|(key, path)| {
        let parts = path.elements().take(64).map(|part| match (part.text(), part.integer()) {
            (Some(text), _) => Some(text.to_owned()),
            (None, number) => number.map(|number| number.to_string()),
        });
        let parts: Vec<String> = parts.collect::<Option<_>>()?;
        (!parts.is_empty()).then_some((key.text()?.to_owned(), parts))
    });
    read.collect()
}

struct Reader<'a> {
    folder: &'a Path,
    access: Access,
    limits: Limits,
    verify: bool,
    files: HashMap<&'a str, Bytes>,
    /// Tensors of files that are safetensors as a whole.
    blobs: HashMap<&'a str, HashMap<String, Tensor>>,
    places: HashMap<Index<'a>, Place<'a>>,
    /// Bytes of all files, which bounds what is put together from them.
    opened: usize,
    copied: usize,
}

impl<'a> Reader<'a> {
    fn item(&mut self, key: &'a str, metadata: Object<'a>) -> Result<Item, ItemError> {
        let Some(chunks) = metadata.attribute("chunks") else {
            return self.value(key).map(Item::Value);
        };
        let shape = metadata.attribute("size").and_then(counts);
        let shape = shape.ok_or_else(|| Fault::whole("its shape is no counts"))?;
        if shape.len() > self.limits.axes {
            return Err(Fault::whole("it has too many axes").into());
        }
        let declared = metadata.attribute("properties").and_then(element);
        let mut parts = Vec::new();
        for chunk in chunks.elements() {
            let sizes = chunk.attribute("sizes").and_then(counts);
            let offsets = chunk.attribute("offsets").and_then(counts);
            let (Some(sizes), Some(offsets)) = (sizes, offsets) else {
                return Err(Fault::whole("a chunk has no place").into());
            };
            let tensor = self.tensor(key, &offsets)?;
            if tensor.shape() != sizes || declared.is_some_and(|dtype| dtype != tensor.dtype()) {
                return Err(Fault::whole("a chunk is not what the metadata says").into());
            }
            parts.push(Chunk { tensor, offsets });
        }
        let tensor = assemble::assemble(shape, parts, self.opened, self.limits, &mut self.copied)?;
        Ok(Item::Tensor(tensor))
    }

    /// The file and the bytes of an item.
    fn bytes(&mut self, index: &Index<'a>) -> Result<(&'a str, Bytes), ItemError> {
        let place = self.places.get(index).ok_or_else(|| Fault::whole("it lies in no file"))?;
        if place.is_transformed {
            let what = "it is compressed (zstd), which is not read; save it without compression";
            return Err(Fault::whole(what).into());
        }
        let (file, offset, length) = (place.file, place.offset, place.length);
        if !self.files.contains_key(file) {
            let path = inside(self.folder, file)?;
            let bytes = Bytes::open(&path, self.access).map_err(ItemError::Whole)?;
            self.opened = self.opened.saturating_add(bytes.len());
            self.files.insert(file, bytes);
        }
        let bytes = self.files.get(file).ok_or_else(|| Fault::whole("its file is missing"))?;
        if safetensors::is_safetensors(bytes) {
            return Ok((file, bytes.clone()));
        }
        let part = offset.checked_add(length).and_then(|end| bytes.get(offset..end));
        Ok((file, part.ok_or_else(|| Fault::at(offset, "it lies outside its file"))?))
    }

    fn value(&mut self, key: &'a str) -> Result<Value, ItemError> {
        let (_, bytes) = self.bytes(&(key, None))?;
        // Values are archives of PyTorch, or, under safetensors, plain pickles of bytes.
        let pickle = match super::zip::is_zip(&bytes) {
            true => TorchZip::read(&bytes, self.limits, self.verify)?.pickle,
            false => Pickle::read(&bytes, 0, self.limits)?.0,
        };
        Ok(pickle.root().to_value())
    }

    fn tensor(&mut self, key: &'a str, offsets: &[usize]) -> Result<Tensor, ItemError> {
        let placed = (key, Some(offsets.to_vec()));
        let index = if self.places.contains_key(&placed) { placed } else { (key, None) };
        let (file, bytes) = self.bytes(&index)?;
        if super::zip::is_zip(&bytes) {
            let zip = TorchZip::read(&bytes, self.limits, self.verify)?;
            let tensor = zip.pickle.root().tensor();
            return Ok(tensor.ok_or_else(|| Fault::whole("its chunk is no tensor"))??);
        }
        if !self.blobs.contains_key(file) {
            let blob = Safetensors::read(&bytes, self.limits)?;
            self.blobs.insert(file, blob.tensors.into_iter().collect());
        }
        let tensor = self.blobs.get(file).and_then(|blob| blob.get(key)).cloned();
        Ok(tensor.ok_or_else(|| Fault::whole("its file does not hold it"))?)
    }
}

/// The element type in a tensor's properties: the first of their state, or an attribute.
fn element(properties: Object<'_>) -> Option<Dtype> {
    let first = properties.state().and_then(|state| state.elements().next());
    first.or_else(|| properties.attribute("dtype"))?.dtype()
}
