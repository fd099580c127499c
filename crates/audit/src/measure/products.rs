//! ⟨x, y⟩ with both norms, and the same of rows, in one pass over two tensors.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::block::{PairSums, pair_sums};
use super::element::{Bf16, Element, F16, F32, F64, Plain};
use super::stream::side_by_side;
use super::{BLOCK, row_layout};
use crate::tensor::{Dtype, Tensor};

/// Bytes of both tensors that one task of a pool takes.
const TASK_BYTES: usize = 4 << 20;

/// Sums over two tensors of the same shape. Pairs that are not finite are counted, and are in no
/// sum.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Products {
    /// Number of pairs.
    pub elements: usize,
    /// ‖x‖².
    pub first: f64,
    /// ‖y‖².
    pub second: f64,
    /// ⟨x, y⟩.
    pub product: f64,
    /// Pairs in which one is infinite or not a number.
    pub non_finite: usize,
    /// Sums of each row, where the tensors have rows (see [`super::row_layout`]).
    pub rows: Vec<RowProducts>,
}

/// Sums over a row of two tensors.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RowProducts {
    /// ‖x‖².
    pub first: f64,
    /// ‖y‖².
    pub second: f64,
    /// ⟨x, y⟩.
    pub product: f64,
}

/// The products of two tensors; nothing if their shapes differ or elements are not real numbers.
pub fn products(first: &Tensor, second: &Tensor) -> Option<Products> {
    if first.shape() != second.shape() {
        return None;
    }
    first.bytes().read_in_order();
    second.bytes().read_in_order();
    let layout = row_layout(first);
    let length = layout.map_or(BLOCK, |(_, length)| length);
    let is_quick = |tensor: &Tensor| tensor.is_contiguous() && !tensor.is_big_endian();
    let (x, y): (&[u8], &[u8]) = (first.bytes(), second.bytes());
    let pieces = match (first.dtype(), second.dtype(), is_quick(first) && is_quick(second)) {
        (Dtype::Float32, Dtype::Float32, true) => {
            in_tasks::<F32, F32>(x.as_chunks().0, y.as_chunks().0, length)
        }
        (Dtype::Bfloat16, Dtype::Bfloat16, true) => {
            in_tasks::<Bf16, Bf16>(x.as_chunks().0, y.as_chunks().0, length)
        }
        (Dtype::Float16, Dtype::Float16, true) => {
            in_tasks::<F16, F16>(x.as_chunks().0, y.as_chunks().0, length)
        }
        (Dtype::Float64, Dtype::Float64, true) => {
            in_tasks::<F64, F64>(x.as_chunks().0, y.as_chunks().0, length)
        }
        _ => one_by_one(first, second, length)?,
    };
    let mut total = PairSums::default();
    pieces.iter().for_each(|&piece| total.add(piece));
    let row = |piece: &PairSums| RowProducts {
        first: piece.first,
        second: piece.second,
        product: piece.product,
    };
    Some(Products {
        elements: first.elements(),
        first: total.first,
        second: total.second,
        product: total.product,
        non_finite: total.non_finite,
        rows: layout.map(|_| pieces.iter().map(row).collect()).unwrap_or_default(),
    })
}

/// Sums of each piece, in parallel.
fn in_tasks<E: Element, F>(first: &[E::Raw], second: &[F::Raw], length: usize) -> Vec<PairSums>
where
    F: Element<Number = E::Number>,
{
    let bytes = size_of::<E::Raw>() + size_of::<F::Raw>();
    let task = (TASK_BYTES / bytes / length).max(1).saturating_mul(length);
    let tasks: Vec<Vec<PairSums>> = first
        .par_chunks(task)
        .zip(second.par_chunks(task))
        .map(|(first, second)| Arch::new().dispatch(Pieces::<E, F> { first, second, length }))
        .collect();
    tasks.concat()
}

/// The sums of pieces of `length` pairs, compiled for each instruction set.
struct Pieces<'a, E: Element, F: Element> {
    first: &'a [E::Raw],
    second: &'a [F::Raw],
    length: usize,
}

impl<E: Element, F: Element<Number = E::Number>> WithSimd for Pieces<'_, E, F> {
    type Output = Vec<PairSums>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Vec<PairSums> {
        let mut pieces = Vec::with_capacity(self.first.len().div_ceil(self.length));
        for (first, second) in self.first.chunks(self.length).zip(self.second.chunks(self.length)) {
            let mut total = PairSums::default();
            for (first, second) in first.chunks(BLOCK).zip(second.chunks(BLOCK)) {
                total.add(pair_sums::<E, F>(first, second));
            }
            pieces.push(total);
        }
        pieces
    }
}

/// Sums of each piece of tensors that lie in another order or another form.
fn one_by_one(first: &Tensor, second: &Tensor, length: usize) -> Option<Vec<PairSums>> {
    let mut pieces = Vec::new();
    let is_real = side_by_side(&[first, second], length, |_, blocks| {
        if let [first, second] = blocks {
            pieces.push(pair_sums::<Plain, Plain>(first, second));
        }
    });
    is_real.then_some(pieces)
}
