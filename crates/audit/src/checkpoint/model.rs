//! The tensors of a model: from a dictionary, from nested ones, or from pickled modules.

use std::collections::HashSet;

use crate::file::pickle::Object;

use super::{NamedTensor, prefix};

/// Dictionaries or modules within each other.
const DEPTH: usize = 64;

/// Bytes of one name, and of all names together: a long prefix before many names must not cost more
/// than the file that holds it.
const NAME: usize = 1024;
const NAMES: usize = 32 << 20;

/// What was found in a value that may be a model.
#[derive(Default)]
pub(super) struct Model {
    /// Its tensors in order.
    pub(super) tensors: Vec<NamedTensor>,
    /// Values that are no tensors.
    pub(super) others: usize,
    /// Tensors that cannot be read, with the reason.
    pub(super) unreadable: Vec<String>,
}

impl Model {
    /// Walks dictionaries, modules and TorchScript's objects, in the order of `state_dict()`.
    pub(super) fn read(root: Object<'_>) -> Model {
        let mut model = Model::default();
        let mut seen = HashSet::new();
        let mut bytes = 0;
        let mut left = vec![(String::new(), root, 0)];
        while let Some((name, object, depth)) = left.pop() {
            if let Some(tensor) = object.tensor() {
                model.add(name, tensor);
                continue;
            }
            let children = children(object);
            if children.is_empty() || depth == DEPTH || !seen.insert(object.unwrapped().handle()) {
                model.others += usize::from(depth > 0 && !object.is_none() && !object.is_table());
                continue;
            }
            let first = left.len();
            for (key, child) in children {
                let length = name.len() + 1 + key.len();
                bytes += length;
                if length > NAME || bytes > NAMES {
                    model.others += 1;
                    continue;
                }
                let name = match (name.as_str(), key) {
                    ("", key) => key.to_owned(),
                    (name, "") => name.to_owned(),
                    (name, key) => format!("{name}.{key}"),
                };
                left.push((name, child, depth + 1));
            }
            left[first..].reverse();
        }
        for tensor in &mut model.tensors {
            tensor.name = prefix::plain(&tensor.name);
        }
        prefix::strip_common(model.tensors.iter_mut().map(|tensor| &mut tensor.name));
        model
    }

    fn add(&mut self, name: String, tensor: Result<crate::tensor::Tensor, crate::Fault>) {
        match tensor {
            Ok(tensor) => self.tensors.push(NamedTensor { name, tensor }),
            Err(fault) => self.unreadable.push(format!("{name}: {fault}")),
        }
    }
}

/// Whether it is a pickled module of PyTorch.
pub(super) fn is_module(object: Object<'_>) -> bool {
    object.is_object()
        && object.attribute("_parameters").is_some()
        && object.attribute("_modules").is_some()
}

/// The values below one, with the part of the name that each adds.
fn children<'a>(object: Object<'a>) -> Vec<(&'a str, Object<'a>)> {
    let named = |object: Object<'a>| {
        let items = object.items().into_iter();
        items.filter_map(|(key, value)| Some((key.text()?, value))).collect::<Vec<_>>()
    };
    if is_module(object) {
        let passing = object.attribute("_non_persistent_buffers_set");
        let passing: HashSet<&str> =
            passing.into_iter().flat_map(Object::elements).filter_map(Object::text).collect();
        let part = |part| object.attribute(part).map(named).unwrap_or_default();
        let buffers = part("_buffers").into_iter().filter(|(name, _)| !passing.contains(name));
        let all = part("_parameters").into_iter().chain(buffers).chain(part("_modules"));
        return all.filter(|(_, value)| !value.is_none()).collect();
    }
    let is_script = object.class().is_some_and(|(module, _)| module.starts_with("__torch__"));
    if object.is_object() && !is_script {
        return Vec::new();
    }
    named(object)
}
