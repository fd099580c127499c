//! What the known functions would have made of their arguments. Nothing is ever called.

use crate::Fault;
use crate::tensor::Dtype;

use super::global::{Known, numpy_dtype};
use super::machine::Machine;
use super::node::{Array, Handle, Node, Span, Storage};

/// How often a function may only say that another one is meant.
const FORWARDS: usize = 8;

/// Arguments of a function that are looked at. No known function has more that matter, and a long
/// tuple that is used often must not be copied often.
const ARGUMENTS: usize = 8;

/// Bytes of a name. A long text that is used often must not be read often.
const NAME: usize = 1024;

impl Machine<'_> {
    /// What `class(*arguments)` stands for; `arguments` is a tuple.
    pub(super) fn reduce(&mut self, class: Handle, arguments: Handle) -> Result<Handle, Fault> {
        let (mut class, mut arguments) = (class, arguments);
        for _ in 0..FORWARDS {
            let Node::Global { known, .. } = *self.pickle.node(class) else { break };
            let given = self.arguments(arguments);
            let (first, second) = (given.first().copied(), given.get(1).copied());
            match (known, first, second) {
                // (function, type, arguments, state) of a tensor of another class.
                (Known::FromType, Some(function), _) if given.len() >= 3 => {
                    let inner = given[2];
                    if !matches!(self.pickle.node(inner), Node::Tuple(_)) {
                        break;
                    }
                    (class, arguments) = (function, inner);
                }
                (Known::Reconstructor | Known::NewObject, Some(function), _) => {
                    let rest = match known {
                        Known::NewObject => given.get(1..).unwrap_or_default().to_vec(),
                        _ => Vec::new(),
                    };
                    let rest = self.add(Node::Tuple(rest.into()))?;
                    (class, arguments) = (function, rest);
                }
                // A member of an enumeration by its name.
                (Known::GetAttribute, Some(function), Some(member)) => {
                    let rest = self.add(Node::Tuple([member].into()))?;
                    return self.object(function, rest);
                }
                _ => return self.make(known, class, arguments, &given),
            }
        }
        self.object(class, arguments)
    }

    fn arguments(&self, arguments: Handle) -> Vec<Handle> {
        match self.pickle.node(arguments) {
            Node::Tuple(items) => items.iter().take(ARGUMENTS).copied().collect(),
            _ => Vec::new(),
        }
    }

    /// Accounts for a copy. Every item of a container and every byte of a text took a byte of the
    /// pickle, so that one that copies each once stays within its own length.
    pub(super) fn charge(&mut self, copied: usize) -> Result<(), Fault> {
        self.copied = self.copied.saturating_add(copied);
        if self.copied > self.input.position() {
            return Err(self.fault("the pickle copies the same values again and again"));
        }
        Ok(())
    }

    /// Text that is a name.
    fn name(&self, handle: Handle) -> Option<&str> {
        match self.pickle.node(handle) {
            &Node::Text(span) if span.length as usize <= NAME => Some(self.pickle.text(span)),
            _ => None,
        }
    }

    fn make(
        &mut self,
        known: Known,
        class: Handle,
        arguments: Handle,
        given: &[Handle],
    ) -> Result<Handle, Fault> {
        let made = match (known, given) {
            (Known::Dict, []) | (Known::DefaultDict, [] | [_]) => Some(Node::Dict(Vec::new())),
            (Known::Dict, &[from]) | (Known::DefaultDict, &[_, from]) => self.pairs(from)?,
            (Known::List, []) => Some(Node::List(Vec::new())),
            (Known::List, &[from]) => self.sequence(from)?.map(Node::List),
            (Known::Set, []) => Some(Node::Set(Vec::new())),
            (Known::Set, &[from]) => self.sequence(from)?.map(Node::Set),
            (Known::Size, []) => Some(Node::Tuple(Box::default())),
            (Known::Size, &[sizes]) => match self.pickle.node(sizes) {
                Node::Tuple(_) => return Ok(sizes),
                _ => None,
            },
            (Known::Device, given) => self.device(given)?,
            (Known::Parameter | Known::FromArray, &[data, ..]) => return Ok(data),
            (Known::Tensor, given) => self.tensor(given, None),
            (Known::TensorWithDtype, given) => match given.get(6).map(|&at| self.pickle.node(at)) {
                Some(&Node::Global { known: Known::Dtype(dtype), .. }) => {
                    self.tensor(given, Some(dtype))
                }
                _ => None,
            },
            (Known::NumpyScalar, &[dtype, bytes]) => self.numpy_scalar(dtype, bytes),
            (Known::NumpyFromBuffer, &[data, dtype, shape, order]) => {
                self.numpy_buffer(data, dtype, shape, order)
            }
            (Known::Encode, &[text, ..]) => self.encode(text, given.get(1).copied())?,
            (Known::ByteArray, []) => None,
            (Known::ByteArray, &[bytes, ..]) => match self.pickle.node(bytes) {
                Node::Bytes(_) => return Ok(bytes),
                _ => self.encode(bytes, given.get(1).copied())?,
            },
            _ => None,
        };
        match made {
            Some(node) => self.add(node),
            None => self.object(class, arguments),
        }
    }

    fn sequence(&mut self, from: Handle) -> Result<Option<Vec<Handle>>, Fault> {
        let items = match self.pickle.node(from) {
            Node::List(items) | Node::Set(items) => items.as_slice(),
            Node::Tuple(items) => items,
            _ => return Ok(None),
        };
        let items = items.to_vec();
        self.charge(items.len())?;
        Ok(Some(items))
    }

    /// A dictionary from another one, or from a list of pairs, as Python 2 wrote it.
    fn pairs(&mut self, from: Handle) -> Result<Option<Node>, Fault> {
        if let Node::Dict(pairs) = self.pickle.node(from) {
            let pairs = pairs.clone();
            self.charge(pairs.len())?;
            return Ok(Some(Node::Dict(pairs)));
        }
        let Some(items) = self.sequence(from)? else { return Ok(None) };
        let pairs = items.into_iter().map(|pair| {
            let pair = match self.pickle.node(pair) {
                Node::List(pair) => pair.as_slice(),
                Node::Tuple(pair) => pair,
                _ => return None,
            };
            match pair {
                &[key, value] => Some((key, value)),
                _ => None,
            }
        });
        Ok(pairs.collect::<Option<_>>().map(Node::Dict))
    }

    /// A device is its name.
    fn device(&mut self, given: &[Handle]) -> Result<Option<Node>, Fault> {
        let &[device, ref rest @ ..] = given else { return Ok(None) };
        let (Some(name), &Node::Text(plain)) = (self.name(device), self.pickle.node(device)) else {
            return Ok(None);
        };
        let index = rest.first().and_then(|&index| self.count(index));
        let Some(index) = index else { return Ok(Some(Node::Text(plain))) };
        let name = format!("{name}:{index}");
        Ok(Some(Node::Text(self.input.pooled(name.as_bytes(), &mut self.pickle.pool)?)))
    }

    fn tensor(&self, given: &[Handle], dtype: Option<Dtype>) -> Option<Node> {
        let &[storage, offset, shape, strides, ..] = given else { return None };
        let &Node::Storage(storage) = self.pickle.node(storage) else { return None };
        let is_tuple = |handle| matches!(self.pickle.node(handle), Node::Tuple(_));
        let dtype = dtype.or(self.pickle.storages.get(storage as usize)?.dtype);
        (is_tuple(shape) && is_tuple(strides)).then_some(Node::Tensor {
            storage,
            dtype,
            offset,
            shape,
            strides,
        })
    }

    /// A storage by the tuple that stands for it.
    pub(super) fn persistent(&mut self, id: Handle) -> Result<Handle, Fault> {
        let given = self.arguments(id);
        let is_storage = given.first().is_some_and(|&kind| self.name(kind) == Some("storage"));
        if !is_storage {
            // The legacy stream names modules with their source like this.
            return Ok(given.get(1).copied().unwrap_or(id));
        }
        let &[_, class, key, _location, elements, ref rest @ ..] = given.as_slice() else {
            return Err(self.fault("a storage has too few fields"));
        };
        let &Node::Global { known: Known::Storage(dtype), .. } = self.pickle.node(class) else {
            return Err(self.fault("a storage has a class that is not known"));
        };
        let key = self.key(key).ok_or_else(|| self.fault("the key of a storage is no text"))?;
        let elements = self.count(elements);
        let elements = elements.ok_or_else(|| self.fault("the size of a storage is no count"))?;
        let part = rest.first().and_then(|&part| match self.arguments(part).as_slice() {
            // (key of the part, first element, elements)
            &[_, first, size] => Some((self.count(first)?, self.count(size)?)),
            _ => None,
        });
        let index = (key.clone(), dtype.map_or(0, tag), part.map(|(first, _)| first));
        if let Some(&known) = self.storage_index.get(&index) {
            if self.pickle.storages.get(known as usize).is_none_or(|it| it.elements < elements) {
                return Err(self.fault(format!("storage {key} is declared with two sizes")));
            }
            return self.add(Node::Storage(known));
        }
        let at = self.pickle.storages.len() as u32;
        self.storage_index.insert(index, at);
        let (elements, part) = match part {
            Some((first, size)) => (size, Some((key.clone(), first))),
            None => (elements, None),
        };
        let is_big_endian = false;
        self.pickle.storages.push(Storage {
            key,
            dtype,
            elements,
            part,
            bytes: None,
            is_big_endian,
        });
        self.add(Node::Storage(at))
    }

    /// A key is text, or, in files of old, a number.
    fn key(&self, handle: Handle) -> Option<String> {
        match self.pickle.node(handle) {
            &Node::Integer(number) => Some(number.to_string()),
            _ => self.name(handle).map(str::to_owned),
        }
    }

    fn count(&self, handle: Handle) -> Option<usize> {
        match *self.pickle.node(handle) {
            Node::Integer(count) => usize::try_from(count).ok(),
            _ => None,
        }
    }

    /// Text as bytes of Latin-1, which is how protocol 2 spells bytes.
    fn encode(&mut self, text: Handle, codec: Option<Handle>) -> Result<Option<Node>, Fault> {
        let &Node::Text(span) = self.pickle.node(text) else { return Ok(None) };
        self.charge(span.length as usize)?;
        let text = self.pickle.text(span);
        let codec = codec.and_then(|codec| self.name(codec));
        let is_latin = matches!(codec, Some("latin1" | "latin-1"));
        if text.is_ascii() || !is_latin {
            return Ok(Some(Node::Bytes(span)));
        }
        let Some(plain) = text.chars().map(|c| u8::try_from(c).ok()).collect::<Option<Vec<u8>>>()
        else {
            return Ok(None);
        };
        Ok(Some(Node::Bytes(self.input.pooled(&plain, &mut self.pickle.pool)?)))
    }

    /// The element type that a `numpy.dtype` stands for, and whether it is big-endian.
    fn numpy_element(&self, dtype: Handle) -> Option<(Dtype, bool)> {
        let Node::Object(parts) = self.pickle.node(dtype) else { return None };
        let Node::Global { known: Known::NumpyDtype, .. } = self.pickle.node(parts.class) else {
            return None;
        };
        let code = *self.arguments(parts.arguments).first()?;
        let code = self.name(code)?;
        let state = parts.state.map(|state| self.arguments(state)).unwrap_or_default();
        let is_big = state.get(1).is_some_and(|&order| self.name(order) == Some(">"));
        Some((numpy_dtype(code)?, is_big))
    }

    fn numpy_scalar(&self, dtype: Handle, bytes: Handle) -> Option<Node> {
        let (dtype, is_big_endian) = self.numpy_element(dtype)?;
        let data = self.raw(bytes)?;
        if data.length as usize != dtype.size() {
            return None;
        }
        let mut raw = self.pickle.bytes(data).to_vec();
        if is_big_endian {
            raw.reverse();
        }
        let mut wide = [0; 8];
        wide.get_mut(..raw.len())?.copy_from_slice(&raw);
        let bits = u64::from_le_bytes(wide);
        Some(match dtype {
            Dtype::Bool => Node::Bool(bits != 0),
            Dtype::Float64 => Node::Float(f64::from_bits(bits)),
            Dtype::Float32 => Node::Float(f32::from_bits(bits as u32).into()),
            Dtype::Float16 => Node::Float(half::f16::from_bits(bits as u16).to_f64()),
            Dtype::Int8 => Node::Integer((bits as i8).into()),
            Dtype::Int16 => Node::Integer((bits as i16).into()),
            Dtype::Int32 => Node::Integer((bits as i32).into()),
            Dtype::Uint8 | Dtype::Uint16 | Dtype::Uint32 | Dtype::Int64 => {
                Node::Integer(bits as i64)
            }
            Dtype::Uint64 => Node::Integer(i64::try_from(bits).ok()?),
            _ => return None,
        })
    }

    fn raw(&self, bytes: Handle) -> Option<Span> {
        match self.pickle.node(bytes) {
            &Node::Bytes(span) | &Node::Text(span) => Some(span),
            _ => None,
        }
    }

    fn numpy_buffer(
        &self,
        data: Handle,
        dtype: Handle,
        shape: Handle,
        order: Handle,
    ) -> Option<Node> {
        let (dtype, is_big_endian) = self.numpy_element(dtype)?;
        let is_column_major = self.name(order) == Some("F");
        let data = self.raw(data)?;
        let Node::Tuple(_) = self.pickle.node(shape) else { return None };
        Some(Node::Array(Box::new(Array { data, dtype, is_big_endian, shape, is_column_major })))
    }

    /// Turns `numpy.ndarray` into an array once its state is set: (version, shape, type, whether
    /// column-major, bytes).
    pub(super) fn finish_array(&mut self, target: Handle) -> Result<(), Fault> {
        let Node::Object(parts) = self.pickle.node(target) else { return Ok(()) };
        let Node::Global { known: Known::NumpyArray, .. } = self.pickle.node(parts.class) else {
            return Ok(());
        };
        let state = parts.state.map(|state| self.arguments(state)).unwrap_or_default();
        let &[_, shape, dtype, is_column_major, data] = state.as_slice() else { return Ok(()) };
        let is_column_major = matches!(self.pickle.node(is_column_major), Node::Bool(true));
        let (Some((dtype, is_big_endian)), Some(data), Node::Tuple(_)) =
            (self.numpy_element(dtype), self.raw(data), self.pickle.node(shape))
        else {
            return Ok(());
        };
        let array = Array { data, dtype, is_big_endian, shape, is_column_major };
        if let Some(node) = self.pickle.nodes.get_mut(target.0 as usize) {
            *node = Node::Array(Box::new(array));
        }
        Ok(())
    }
}

/// A number for each element type, to tell storages apart.
fn tag(dtype: Dtype) -> u8 {
    use Dtype::*;
    match dtype {
        Bool => 1,
        Uint8 => 2,
        Int8 => 3,
        Uint16 => 4,
        Int16 => 5,
        Uint32 => 6,
        Int32 => 7,
        Uint64 => 8,
        Int64 => 9,
        Float16 => 10,
        Bfloat16 => 11,
        Float32 => 12,
        Float64 => 13,
        Complex64 => 14,
        Complex128 => 15,
        Float8E4m3 => 16,
        Float8E5m2 => 17,
        Other { bytes } => 18_u8.saturating_add(bytes),
    }
}
