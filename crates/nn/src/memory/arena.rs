//! One long allocation, aligned to cache lines.

use std::ops::{Deref, DerefMut};

use bytemuck::{Pod, Zeroable};

use crate::Float;

/// A cache line: loads of a 64-byte register that straddle two of them take twice as long.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// `len` numbers, zero at first.
pub(crate) struct Arena<F> {
    lines: Vec<Line>,
    len: usize,
    number: std::marker::PhantomData<F>,
}

impl<F: Float> Arena<F> {
    pub(crate) fn new(len: usize) -> Self {
        let lines = bytemuck::zeroed_vec((len * size_of::<F>()).div_ceil(size_of::<Line>()));
        Self { lines, len, number: std::marker::PhantomData }
    }

    pub(crate) fn bytes(&self) -> usize {
        size_of_val(self.lines.as_slice())
    }
}

impl<F: Float> Deref for Arena<F> {
    type Target = [F];

    fn deref(&self) -> &[F] {
        &bytemuck::cast_slice(&self.lines)[..self.len]
    }
}

impl<F: Float> DerefMut for Arena<F> {
    fn deref_mut(&mut self) -> &mut [F] {
        &mut bytemuck::cast_slice_mut(&mut self.lines)[..self.len]
    }
}
