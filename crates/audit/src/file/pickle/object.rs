//! Walking a pickle: a value with the pickle that it lies in.

use std::collections::HashMap;

use crate::Fault;
use crate::tensor::{Dtype, Tensor, row_major};

use super::global::Known;
use super::node::{Handle, Node, Pickle};

/// How many classes that only wrap another value are looked through.
const WRAPPERS: usize = 8;

/// A value of a pickle. Looks through OmegaConf's containers, and reads namespaces and other
/// objects as tables of their attributes.
#[derive(Clone, Copy)]
pub struct Object<'a> {
    pickle: &'a Pickle,
    handle: Handle,
}

impl<'a> Object<'a> {
    pub(super) fn new(pickle: &'a Pickle, handle: Handle) -> Self {
        Object { pickle, handle }
    }

    /// Its place, which is the same for every mention of the same value.
    pub fn handle(self) -> Handle {
        self.handle
    }

    /// Another value of the same pickle.
    fn at(self, handle: Handle) -> Object<'a> {
        Object { handle, ..self }
    }

    fn node(self) -> &'a Node {
        self.pickle.node(self.handle)
    }

    /// The value behind OmegaConf's nodes and containers.
    pub fn unwrapped(self) -> Object<'a> {
        let mut object = self;
        for _ in 0..WRAPPERS {
            let is_omega =
                object.class().is_some_and(|(module, _)| module.starts_with("omegaconf."));
            if !is_omega {
                break;
            }
            let inner = object.attribute("_val").or_else(|| object.attribute("_content"));
            match inner {
                Some(inner) => object = inner,
                None => break,
            }
        }
        object
    }

    /// Whether it is `None`.
    pub fn is_none(self) -> bool {
        matches!(self.unwrapped().node(), Node::None)
    }

    /// A truth value.
    pub fn truth(self) -> Option<bool> {
        match self.unwrapped().node() {
            Node::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// A whole number.
    pub fn integer(self) -> Option<i64> {
        match self.unwrapped().node() {
            Node::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// A number; a tensor of one element is its element.
    pub fn number(self) -> Option<f64> {
        match self.unwrapped().node() {
            Node::Integer(number) => Some(*number as f64),
            Node::Float(number) => Some(*number),
            Node::Tensor { .. } | Node::Array(_) => self.tensor()?.ok()?.scalar(),
            _ => None,
        }
    }

    /// Text.
    pub fn text(self) -> Option<&'a str> {
        match self.unwrapped().node() {
            Node::Text(span) => Some(self.pickle.text(*span)),
            _ => None,
        }
    }

    /// Bytes, for instance of a large integer.
    pub fn raw(self) -> Option<&'a [u8]> {
        match self.node() {
            Node::Bytes(span) | Node::Wide(span) => Some(self.pickle.bytes(*span)),
            _ => None,
        }
    }

    /// Module and name: of a class or function itself, or of the class of an object.
    pub fn class(self) -> Option<(&'a str, &'a str)> {
        let class = match self.node() {
            Node::Object(parts) => self.pickle.node(parts.class),
            node => node,
        };
        match class {
            Node::Global { module, name, .. } => {
                Some((self.pickle.text(*module), self.pickle.text(*name)))
            }
            _ => None,
        }
    }

    /// Whether it is an object of a class that was not interpreted.
    pub fn is_object(self) -> bool {
        matches!(self.node(), Node::Object(_))
    }

    /// The element type that `torch.float32` and its like stand for.
    pub fn dtype(self) -> Option<Dtype> {
        match self.node() {
            Node::Global { known: Known::Dtype(dtype), .. } => Some(*dtype),
            _ => None,
        }
    }

    /// The arguments of an object's class.
    pub fn arguments(self) -> impl Iterator<Item = Object<'a>> {
        let arguments = match self.node() {
            Node::Object(parts) => match self.pickle.node(parts.arguments) {
                Node::Tuple(items) => &items[..],
                _ => &[],
            },
            _ => &[],
        };
        arguments.iter().map(move |&handle| self.at(handle))
    }

    /// What BUILD set: most often the attributes.
    pub fn state(self) -> Option<Object<'a>> {
        let state = match self.node() {
            Node::Object(parts) => parts.state,
            _ => self.pickle.states.get(&self.handle).copied(),
        };
        state.map(|state| self.at(state))
    }

    /// The attributes: a state that is a dictionary, or a pair of one and of slots.
    fn attributes(self) -> impl Iterator<Item = (Handle, Handle)> + 'a {
        let state = self.state();
        let dicts = match state.map(Object::node) {
            Some(Node::Tuple(halves)) if halves.len() == 2 => halves.to_vec(),
            Some(_) => state.map(Object::handle).into_iter().collect(),
            None => Vec::new(),
        };
        let pickle = self.pickle;
        dicts
            .into_iter()
            .flat_map(move |dict| match pickle.node(dict) {
                Node::Dict(pairs) => pairs.as_slice(),
                _ => &[],
            })
            .copied()
    }

    /// An attribute of an object.
    pub fn attribute(self, name: &str) -> Option<Object<'a>> {
        let is_it = |&(key, _): &(Handle, Handle)| self.at(key).is_text(name);
        self.attributes().filter(is_it).last().map(|(_, value)| self.at(value))
    }

    fn is_text(self, text: &str) -> bool {
        match self.node() {
            // The length is compared before the text is read.
            Node::Text(span) => self.pickle.bytes(*span) == text.as_bytes(),
            _ => false,
        }
    }

    /// Whether it maps keys to values, as dictionaries, namespaces and other objects do.
    pub fn is_table(self) -> bool {
        match self.unwrapped().node() {
            Node::Dict(_) => true,
            Node::Object(parts) => {
                !parts.items.is_empty() || self.unwrapped().attributes().next().is_some()
            }
            _ => false,
        }
    }

    /// The value under a key of text; of several, the last one, which is Python's.
    pub fn get(self, name: &str) -> Option<Object<'a>> {
        let object = self.unwrapped();
        let is_it = |&&(key, _): &&(Handle, Handle)| object.at(key).is_text(name);
        let found = match object.node() {
            Node::Dict(pairs) => pairs.iter().rfind(is_it),
            Node::Object(parts) => match parts.items.iter().rfind(is_it) {
                None => return object.attribute(name),
                found => found,
            },
            _ => None,
        };
        found.map(|&(_, value)| object.at(value))
    }

    /// The value at a path of keys: `meta.cfg`.
    pub fn at_path(self, path: &str) -> Option<Object<'a>> {
        path.split('.').try_fold(self, Object::get)
    }

    /// Keys and values in order; of a key that was set again, the last value at its first place.
    pub fn items(self) -> Vec<(Object<'a>, Object<'a>)> {
        let object = self.unwrapped();
        let pairs: Vec<(Handle, Handle)> = match object.node() {
            Node::Dict(pairs) => pairs.clone(),
            Node::Object(parts) if !parts.items.is_empty() => parts.items.clone(),
            Node::Object(_) => object.attributes().collect(),
            _ => Vec::new(),
        };
        let mut kept: Vec<(Object<'a>, Object<'a>)> = Vec::with_capacity(pairs.len());
        let mut places = HashMap::with_capacity(pairs.len());
        for (key, value) in pairs {
            let (key, value) = (object.at(key), object.at(value));
            let place = match key.plain() {
                Some(plain) => *places.entry(plain).or_insert(kept.len()),
                None => kept.len(),
            };
            match kept.get_mut(place) {
                Some(earlier) => earlier.1 = value,
                None => kept.push((key, value)),
            }
        }
        kept
    }

    /// A key of a dictionary, so that two of the same are found.
    fn plain(self) -> Option<Plain<'a>> {
        match self.node() {
            Node::Text(span) => Some(Plain::Text(self.pickle.bytes(*span))),
            Node::Integer(number) => Some(Plain::Integer(*number)),
            _ => None,
        }
    }

    /// Values of a list, tuple or set, in order.
    pub fn elements(self) -> impl ExactSizeIterator<Item = Object<'a>> {
        let object = self.unwrapped();
        let items: &[Handle] = match object.node() {
            Node::List(items) | Node::Set(items) => items,
            Node::Tuple(items) => items,
            Node::Object(parts) => &parts.list,
            _ => &[],
        };
        items.iter().map(move |&handle| object.at(handle))
    }

    /// Whether it is a list, tuple or set.
    pub fn is_sequence(self) -> bool {
        matches!(self.unwrapped().node(), Node::List(_) | Node::Set(_) | Node::Tuple(_))
    }

    /// Whether it is a tensor, readable or not.
    pub fn is_tensor(self) -> bool {
        matches!(self.node(), Node::Tensor { .. } | Node::Array(_))
    }

    /// A tensor that lies in the file, or why it cannot be one.
    pub fn tensor(self) -> Option<Result<Tensor, Fault>> {
        match self.node() {
            Node::Tensor { .. } => Some(self.torch_tensor()),
            Node::Array(_) => Some(self.numpy_array()),
            _ => None,
        }
    }

    fn counts(self, handle: Handle) -> Option<Vec<usize>> {
        let counts = self.at(handle).elements();
        if counts.len() > self.pickle.axes {
            return None;
        }
        counts.map(|count| count.integer().and_then(|n| usize::try_from(n).ok())).collect()
    }

    fn torch_tensor(self) -> Result<Tensor, Fault> {
        let &Node::Tensor { storage, dtype, offset, shape, strides } = self.node() else {
            return Err(Fault::whole("a tensor is none"));
        };
        let storage = self.pickle.storages.get(storage as usize);
        let storage = storage.ok_or_else(|| Fault::whole("a tensor has no storage"))?;
        let numbers = (|| {
            let offset = usize::try_from(self.at(offset).integer()?).ok()?;
            Some((offset, self.counts(shape)?, self.counts(strides)?))
        })();
        let (offset, shape, strides) = numbers.ok_or_else(|| {
            Fault::whole("offset, shape or strides of a tensor are no counts, or too many")
        })?;
        let bytes = storage.bytes.clone().ok_or_else(|| {
            Fault::whole(format!("storage {} of a tensor is missing", storage.key))
        })?;
        let Some(dtype) = dtype else {
            return Err(Fault::whole("a tensor has no element type"));
        };
        Tensor::view(bytes, dtype, offset, shape, strides, storage.is_big_endian)
    }

    fn numpy_array(self) -> Result<Tensor, Fault> {
        let Node::Array(array) = self.node() else {
            return Err(Fault::whole("an array is none"));
        };
        let shape = self.counts(array.shape);
        let shape = shape.ok_or_else(|| Fault::whole("the shape of an array is no counts"))?;
        let source = &self.pickle.source;
        let start = array.data.start as usize;
        let data = match array.data.is_pooled {
            true => Some(crate::bytes::Bytes::from(self.pickle.bytes(array.data).to_vec())),
            false => source.get(start..start + array.data.length as usize),
        };
        let data = data.ok_or_else(|| Fault::whole("an array lies outside its file"))?;
        let strides = match array.is_column_major {
            false => row_major(&shape),
            true => {
                let reversed: Vec<usize> = shape.iter().rev().copied().collect();
                row_major(&reversed).into_iter().rev().collect()
            }
        };
        Tensor::view(data, array.dtype, 0, shape, strides, array.is_big_endian)
    }
}

#[derive(PartialEq, Eq, Hash)]
enum Plain<'a> {
    Text(&'a [u8]),
    Integer(i64),
}
