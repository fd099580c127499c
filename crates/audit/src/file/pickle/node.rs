//! What a pickle holds, as nodes of an arena that refer to each other by handles.

use std::collections::HashMap;

use crate::bytes::Bytes;
use crate::tensor::Dtype;

use super::global::Known;

/// A node's place in the arena. Copying one copies nothing else, so a memo of handles makes
/// aliasing exact and bombs cheap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Handle(pub(super) u32);

/// A run of bytes: in the pickle itself, or in the pool of those that had to be spelled out anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) length: u32,
    pub(super) is_pooled: bool,
}

/// One value.
#[derive(Debug)]
pub(super) enum Node {
    None,
    Bool(bool),
    Integer(i64),
    /// An integer beyond 64 bits, as it is written.
    Wide(Span),
    Float(f64),
    /// Text in UTF-8.
    Text(Span),
    Bytes(Span),
    Tuple(Box<[Handle]>),
    List(Vec<Handle>),
    /// Pairs in the order in which they were set.
    Dict(Vec<(Handle, Handle)>),
    Set(Vec<Handle>),
    Global {
        module: Span,
        name: Span,
        known: Known,
    },
    /// An index into [`Pickle::storages`].
    Storage(u32),
    Tensor {
        /// An index into [`Pickle::storages`].
        storage: u32,
        dtype: Option<Dtype>,
        offset: Handle,
        shape: Handle,
        strides: Handle,
    },
    Array(Box<Array>),
    Object(Box<Parts>),
}

/// A NumPy array: its bytes lie in the pickle.
#[derive(Debug)]
pub(super) struct Array {
    pub(super) data: Span,
    pub(super) dtype: Dtype,
    pub(super) is_big_endian: bool,
    pub(super) shape: Handle,
    pub(super) is_column_major: bool,
}

/// What an object would be made of, were it made.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) class: Handle,
    pub(super) arguments: Handle,
    pub(super) state: Option<Handle>,
    pub(super) items: Vec<(Handle, Handle)>,
    pub(super) list: Vec<Handle>,
}

/// A storage that tensors are views of, as the pickle declares it.
#[derive(Debug, Clone)]
pub struct Storage {
    /// Its key in the file.
    pub key: String,
    /// Type of its elements; nothing if it counts bytes.
    pub dtype: Option<Dtype>,
    /// Number of elements.
    pub elements: usize,
    /// Part of another storage, as (key, first element), in the legacy stream.
    pub part: Option<(String, usize)>,
    /// Its bytes, once they are found.
    pub bytes: Option<Bytes>,
    /// Whether its elements are stored most significant byte first.
    pub is_big_endian: bool,
}

impl Storage {
    /// Bytes that the declaration asks for; nothing if they cannot be counted.
    pub fn declared_bytes(&self) -> Option<usize> {
        self.elements.checked_mul(self.dtype.map_or(1, Dtype::size))
    }
}

/// All values of one pickle. Nothing in it was executed.
#[derive(Debug)]
pub struct Pickle {
    pub(super) source: Bytes,
    pub(super) nodes: Vec<Node>,
    pub(super) pool: Vec<u8>,
    /// States that were set on values which have no place for one.
    pub(super) states: HashMap<Handle, Handle>,
    pub(super) root: Handle,
    /// The most axes that a tensor may have.
    pub(super) axes: usize,
    /// The storages that tensors refer to, in the order of their first use.
    pub storages: Vec<Storage>,
}

impl Pickle {
    pub(super) fn node(&self, handle: Handle) -> &Node {
        self.nodes.get(handle.0 as usize).unwrap_or(&Node::None)
    }

    pub(super) fn bytes(&self, span: Span) -> &[u8] {
        let from: &[u8] = if span.is_pooled { &self.pool } else { &self.source };
        let start = span.start as usize;
        from.get(start..start + span.length as usize).unwrap_or_default()
    }

    pub(super) fn text(&self, span: Span) -> &str {
        // Spans of text are checked when they are made.
        std::str::from_utf8(self.bytes(span)).unwrap_or_default()
    }

    /// Number of values.
    pub fn values(&self) -> usize {
        self.nodes.len()
    }
}
