//! Chunks over threads: fixed pieces of fixed tensors, each with its own sums, in whatever order
//! threads come to them.

use std::ops::Range;

use crate::pass::{Slices, Sums, part, part_mut};

/// Elements of a chunk: 64 KiB of each arena, small enough to balance threads, and large enough
/// that a chunk's fixed cost of some tens of nanoseconds does not show beside its ten microseconds.
pub(crate) const CHUNK: usize = 16 * 1024;

/// Elements below which a stretch of chunks is not divided further among threads.
const GRAIN: usize = 4 * CHUNK;

/// A piece of one tensor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chunk {
    /// Index of the tensor.
    pub(crate) tensor: usize,
    /// First element in the arenas of weights, gradients, first state and anchor.
    pub(crate) start: usize,
    /// First element in the arena of the second state, which may leave out tensors that do not need
    /// it.
    pub(crate) second_start: usize,
    /// Elements.
    pub(crate) length: usize,
}

/// Cuts a tensor into chunks.
pub(crate) fn chunks(
    tensor: usize,
    start: usize,
    second_start: usize,
    length: usize,
) -> impl Iterator<Item = Chunk> {
    (0..length).step_by(CHUNK).map(move |at| Chunk {
        tensor,
        start: start + at,
        second_start: second_start + at,
        length: CHUNK.min(length - at),
    })
}

/// A stretch of every arena; an arena that is not in use is empty.
pub(crate) struct Arenas<'a> {
    /// The stretch itself.
    pub(crate) slices: Slices<'a>,
    /// Where the stretch starts in the arenas that a chunk's `start` counts in.
    pub(crate) origin: usize,
    /// Where the stretch starts in the arena of the second state.
    pub(crate) second_origin: usize,
}

impl<'a> Arenas<'a> {
    fn chunk(&mut self, chunk: &Chunk) -> Slices<'_> {
        let from = |start: usize, origin: usize| -> Range<usize> {
            start - origin..start - origin + chunk.length
        };
        let (range, second_range) =
            (from(chunk.start, self.origin), from(chunk.second_start, self.second_origin));
        Slices {
            weights: part_mut(self.slices.weights, range.clone()),
            gradients: part(self.slices.gradients, range.clone()),
            first: part_mut(self.slices.first, range.clone()),
            second: part_mut(self.slices.second, second_range),
            anchor: part(self.slices.anchor, range),
        }
    }

    fn split(self, at: &Chunk) -> (Arenas<'a>, Arenas<'a>) {
        let (here, second_here) = (at.start - self.origin, at.second_start - self.second_origin);
        let cut = |arena: &'a [f32]| arena.split_at(here.min(arena.len()));
        let cut_mut = |arena: &'a mut [f32], here: usize| {
            let here = here.min(arena.len());
            arena.split_at_mut(here)
        };
        let (weights, right_weights) = cut_mut(self.slices.weights, here);
        let (gradients, right_gradients) = cut(self.slices.gradients);
        let (first, right_first) = cut_mut(self.slices.first, here);
        let (second, right_second) = cut_mut(self.slices.second, second_here);
        let (anchor, right_anchor) = cut(self.slices.anchor);
        let right = Slices {
            weights: right_weights,
            gradients: right_gradients,
            first: right_first,
            second: right_second,
            anchor: right_anchor,
        };
        let left = Slices { weights, gradients, first, second, anchor };
        (
            Arenas { slices: left, origin: self.origin, second_origin: self.second_origin },
            Arenas { slices: right, origin: at.start, second_origin: at.second_start },
        )
    }
}

/// Runs `kernel` on every chunk and puts what it returns in the chunk's place of `sums`.
///
/// The kernel is told the chunk. Chunks are in order of their start, in both countings.
pub(crate) fn over_chunks(
    chunks: &[Chunk],
    arenas: Arenas<'_>,
    sums: &mut [Sums],
    kernel: &(dyn Fn(&Chunk, Slices<'_>) -> Sums + Sync),
) {
    divide(chunks, arenas, sums, kernel, rayon::current_num_threads() > 1);
}

fn divide(
    chunks: &[Chunk],
    mut arenas: Arenas<'_>,
    sums: &mut [Sums],
    kernel: &(dyn Fn(&Chunk, Slices<'_>) -> Sums + Sync),
    in_parallel: bool,
) {
    let span = match (chunks.first(), chunks.last()) {
        (Some(first), Some(last)) => last.start + last.length - first.start,
        _ => return,
    };
    if !in_parallel || chunks.len() == 1 || span <= GRAIN {
        for (chunk, sums) in chunks.iter().zip(sums) {
            *sums = kernel(chunk, arenas.chunk(chunk));
        }
        return;
    }
    let middle = chunks.len() / 2;
    let (left, right) = chunks.split_at(middle);
    let (left_sums, right_sums) = sums.split_at_mut(middle);
    let (left_arenas, right_arenas) = arenas.split(&right[0]);
    rayon::join(
        || divide(left, left_arenas, left_sums, kernel, true),
        || divide(right, right_arenas, right_sums, kernel, true),
    );
}
