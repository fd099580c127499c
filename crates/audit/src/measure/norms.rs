//! Σx², Σ|x|, max |x|, what is not finite, and the same of rows, in one pass.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use serde::Serialize;

use super::block::{Sums, sums};
use super::element::{Bf16, Element, F16, F32, F64, Plain};
use super::{BLOCK, row_layout};
use crate::tensor::{Dtype, Tensor};

/// Bytes that one task of a pool takes: enough that its start costs nothing, few enough that a
/// single large tensor keeps all cores busy.
const TASK_BYTES: usize = 4 << 20;

/// Sums over the elements of a tensor. Elements that are not finite are counted, and are in no sum.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Norms {
    /// Number of elements.
    pub elements: usize,
    /// Σx².
    pub sum_of_squares: f64,
    /// Σ|x|.
    pub sum_of_magnitudes: f64,
    /// max |x|.
    pub largest: f64,
    /// Elements that are infinite or not a number.
    pub non_finite: usize,
    /// Rows in which every element is zero.
    pub zero_rows: usize,
    /// Sums of each row, where the tensor has rows (see [`super::row_layout`]).
    #[serde(skip)]
    pub rows: Vec<RowNorms>,
}

/// Sums over the elements of a row.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RowNorms {
    /// Σx².
    pub sum_of_squares: f64,
    /// Σ|x|.
    pub sum_of_magnitudes: f64,
}

impl Norms {
    /// √(Σx²).
    pub fn norm(&self) -> f64 {
        self.sum_of_squares.sqrt()
    }

    /// √(Σx²/n) over the finite elements; zero for a tensor without elements.
    pub fn root_mean_square(&self) -> f64 {
        let finite = self.elements.saturating_sub(self.non_finite);
        if finite == 0 { 0.0 } else { (self.sum_of_squares / finite as f64).sqrt() }
    }
}

/// Norms of a tensor; nothing if its elements are not real numbers.
pub fn norms(tensor: &Tensor) -> Option<Norms> {
    tensor.bytes().read_in_order();
    let quick = tensor.is_contiguous() && !tensor.is_big_endian();
    let bytes: &[u8] = tensor.bytes();
    let pieces = match tensor.dtype() {
        Dtype::Float32 if quick => in_tasks::<F32>(bytes.as_chunks().0, tensor),
        Dtype::Bfloat16 if quick => in_tasks::<Bf16>(bytes.as_chunks().0, tensor),
        Dtype::Float16 if quick => in_tasks::<F16>(bytes.as_chunks().0, tensor),
        Dtype::Float64 if quick => in_tasks::<F64>(bytes.as_chunks().0, tensor),
        _ => one_by_one(tensor)?,
    };
    let mut total = Sums::default();
    pieces.iter().for_each(|&piece| total.add(piece));
    let rows: Vec<RowNorms> = match row_layout(tensor) {
        Some(_) => pieces.iter().map(row_of).collect(),
        None => Vec::new(),
    };
    Some(Norms {
        elements: tensor.elements(),
        sum_of_squares: total.squares,
        sum_of_magnitudes: total.magnitudes,
        largest: total.largest,
        non_finite: total.non_finite,
        zero_rows: pieces
            .iter()
            .filter(|piece| !rows.is_empty() && piece.largest == 0.0 && piece.non_finite == 0)
            .count(),
        rows,
    })
}

/// Norms of many tensors, on all cores.
pub fn norms_of_all(tensors: &[&Tensor]) -> Vec<Option<Norms>> {
    tensors.par_iter().map(|tensor| norms(tensor)).collect()
}

fn row_of(sums: &Sums) -> RowNorms {
    RowNorms { sum_of_squares: sums.squares, sum_of_magnitudes: sums.magnitudes }
}

/// Elements that one piece of a tensor has: a row, or a block where there are no rows.
fn piece_length(tensor: &Tensor) -> usize {
    row_layout(tensor).map_or(BLOCK, |(_, length)| length)
}

/// Sums of each piece, in parallel.
fn in_tasks<E: Element>(elements: &[E::Raw], tensor: &Tensor) -> Vec<Sums> {
    let length = piece_length(tensor);
    let in_task = (TASK_BYTES / size_of::<E::Raw>() / length).max(1);
    if elements.len() <= in_task.saturating_mul(length) {
        return Arch::new().dispatch(Pieces::<E> { elements, length });
    }
    let tasks: Vec<Vec<Sums>> = elements
        .par_chunks(in_task.saturating_mul(length))
        .map(|elements| Arch::new().dispatch(Pieces::<E> { elements, length }))
        .collect();
    tasks.concat()
}

/// The sums of pieces of `length` elements, compiled for each instruction set.
struct Pieces<'a, E: Element> {
    elements: &'a [E::Raw],
    length: usize,
}

impl<E: Element> WithSimd for Pieces<'_, E> {
    type Output = Vec<Sums>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Vec<Sums> {
        let mut pieces = Vec::with_capacity(self.elements.len().div_ceil(self.length));
        for piece in self.elements.chunks(self.length) {
            let mut total = Sums::default();
            for block in piece.chunks(BLOCK) {
                total.add(sums::<E>(block));
            }
            pieces.push(total);
        }
        pieces
    }
}

/// Sums of each piece of a tensor that lies in another order or another form.
fn one_by_one(tensor: &Tensor) -> Option<Vec<Sums>> {
    let length = piece_length(tensor);
    let mut pieces = Vec::new();
    let mut current = Sums::default();
    let mut filled = 0;
    let is_real = tensor.for_each_block(|mut block| {
        while !block.is_empty() {
            let (piece, rest) = block.split_at(block.len().min(length - filled));
            current.add(sums::<Plain>(piece));
            filled += piece.len();
            block = rest;
            if filled == length {
                pieces.push(std::mem::take(&mut current));
                filled = 0;
            }
        }
    });
    if filled > 0 {
        pieces.push(current);
    }
    is_real.then_some(pieces)
}
