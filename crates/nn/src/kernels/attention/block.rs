//! A block of queries: what it sees and where it lies.

use crate::Float;
use crate::kernels::dropout::{self, Mask};
use crate::kernels::tile::ROWS;
use crate::simd::Group;

/// Queries in a block.
pub(super) const QUERIES: usize = 64;
/// The same where every query sees every key, and short blocks save nothing: an 8 × 8 image of
/// patches and its class token are one block, five registers wide.
pub(super) const BIDIRECTIONAL_QUERIES: usize = 80;

/// Sizes of one call: `qkv` is `[sequences·context, 3·width]`, query, key and value side by side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AttentionShape {
    pub(crate) sequences: usize,
    pub(crate) context: usize,
    pub(crate) heads: usize,
    pub(crate) head_width: usize,
    /// Index of the first sequence within the batch, for the dropout mask.
    pub(crate) first_sequence: usize,
    /// Does a query see the keys up to its own position only?
    pub(crate) causal: bool,
}

impl AttentionShape {
    pub(super) fn width(self) -> usize {
        self.heads * self.head_width
    }

    /// Queries in a block.
    pub(super) fn queries(self) -> usize {
        if self.causal { QUERIES } else { BIDIRECTIONAL_QUERIES }
    }

    /// Elements of scratch that [`forward`] and [`backward`] need.
    pub(crate) fn scratch_len(self) -> usize {
        let queries = self.queries().min(self.context);
        (3 * self.context + 2 * self.head_width + 2) * queries
    }

    /// Every block of queries of every head of every sequence, the blocks of a head in order.
    pub(super) fn blocks(self) -> impl Iterator<Item = Block> {
        let per_head = self.context.div_ceil(self.queries());
        (0..self.sequences * self.heads * per_head).map(move |index| {
            let start = index % per_head * self.queries();
            let end = (start + self.queries()).min(self.context);
            Block {
                shape: self,
                sequence: index / per_head / self.heads,
                head: index / per_head % self.heads,
                start,
                end,
            }
        })
    }
}

/// Some queries of one head of one sequence.
#[derive(Clone, Copy)]
pub(crate) struct Block {
    pub(super) shape: AttentionShape,
    pub(super) sequence: usize,
    pub(super) head: usize,
    /// First query of the block.
    pub(super) start: usize,
    /// One past its last query.
    pub(super) end: usize,
}

impl Block {
    pub(super) fn queries(self) -> usize {
        self.end - self.start
    }

    /// Keys that any of its queries sees.
    pub(super) fn keys(self) -> usize {
        if self.shape.causal { self.end } else { self.shape.context }
    }

    /// Where the head's query, key or value (`part` 0, 1, 2) of position `row` starts in `qkv`.
    pub(super) fn part(self, part: usize, row: usize) -> usize {
        let width = self.shape.width();
        (self.sequence * self.shape.context + row) * 3 * width
            + part * width
            + self.head * self.shape.head_width
    }

    /// Where the head's columns of the block's first row start in a `[rows, width]` matrix.
    pub(super) fn row(self) -> usize {
        (self.sequence * self.shape.context + self.start) * self.shape.width()
            + self.head * self.shape.head_width
    }

    /// The block's place in a `[sequences, heads, context]` array.
    pub(super) fn statistics(self) -> std::ops::Range<usize> {
        let first = (self.sequence * self.shape.heads + self.head) * self.shape.context;
        first + self.start..first + self.end
    }

    /// One past the last key that matters to any query of `group`, rounded up so that a tile of
    /// queries never straddles two ends.
    pub(super) fn keys_seen(self, group: Group, lanes: usize) -> usize {
        if !self.shape.causal {
            return self.keys();
        }
        let step = lanes.max(ROWS);
        (self.start + (group.start / step + 1) * step).min(self.end)
    }

    /// One past the last key that matters to any of the `rows` queries from `row` of the block.
    pub(super) fn keys_of_rows(self, row: usize, rows: usize) -> usize {
        if self.shape.causal { (self.start + row + rows).min(self.end) } else { self.keys() }
    }

    /// The first query of the block that sees key `key`.
    pub(super) fn first_query(self, key: usize) -> usize {
        if self.shape.causal { key.saturating_sub(self.start) } else { 0 }
    }

    /// Is it the first block of queries to see key `key`?
    pub(super) fn is_first(self, key: usize) -> bool {
        if self.shape.causal { key >= self.start } else { self.start == 0 }
    }

    /// 1/√d.
    pub(super) fn scale<F: Float>(self) -> F {
        F::from_f64(1.0 / (self.shape.head_width as f64).sqrt())
    }

    /// Fills `multipliers` `[keys, queries]` with the mask's factors.
    pub(super) fn draw_dropout<F: Float>(self, multipliers: &mut [F], mask: Mask) -> &[F] {
        multipliers.fill(F::from_f64(1.0));
        let shape = self.shape;
        let head = (shape.first_sequence + self.sequence) * shape.heads + self.head;
        for (key, row) in multipliers.chunks_exact_mut(self.queries()).enumerate() {
            // Element (head, key, query) of the whole batch's mask.
            dropout::apply(
                row,
                mask,
                ((head * shape.context + key) * shape.context + self.start) as u64,
            );
        }
        multipliers
    }
}
