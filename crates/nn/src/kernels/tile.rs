//! Small matrix products in registers, for attention: heads are too narrow for a general GEMM's
//! packing to pay.
//!
//! Each computes `ROWS` rows and one register of columns of out = Σ_c a(r, c)·b[c]; what to do with
//! the sums is left to the caller.

use pulp::Simd;

use crate::Float;
use crate::simd::{Group, Vector};

/// Rows of a tile: enough independent sums to hide the latency of a multiply-add, few enough for 16
/// registers.
pub(crate) const ROWS: usize = 8;

/// Rows of numbers that start `stride` apart.
#[derive(Clone, Copy)]
pub(crate) struct Strided<'a, F> {
    pub(crate) data: &'a [F],
    pub(crate) stride: usize,
}

/// Sums of a tile, a(r, c) = a[r][c]: neighbours in a row of `a` are summed over.
///
/// `R` rows of `a` from `row`, its columns `from..to`, the same rows of `b`, columns `group` of
/// `b`.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "column c of every row is wanted, not one row")]
pub(crate) fn by_rows<F: Float, S: Simd, const R: usize>(
    simd: S,
    a: Strided<'_, F>,
    row: usize,
    b: Strided<'_, F>,
    group: Group,
    (from, to): (usize, usize),
) -> [Vector<F, S>; R] {
    let mut sums = [Vector::constant(simd, 0.0); R];
    let mut rows: [&[F]; R] = [&[]; R];
    for (r, slice) in rows.iter_mut().enumerate() {
        *slice = &a.data[(row + r) * a.stride..][from..to];
    }
    for c in 0..to - from {
        let b_row = Vector::load(simd, &b.data[(from + c) * b.stride..], group);
        for r in 0..R {
            sums[r] = Vector::splat(simd, rows[r][c]).mul_add(b_row, sums[r]);
        }
    }
    sums
}

/// Sums of a tile, a(r, c) = a[c][r]: neighbours in a row of `a` go to different rows of the
/// result.
#[inline(always)]
pub(crate) fn by_columns<F: Float, S: Simd, const R: usize>(
    simd: S,
    a: Strided<'_, F>,
    row: usize,
    b: Strided<'_, F>,
    group: Group,
    depth: usize,
) -> [Vector<F, S>; R] {
    let mut sums = [Vector::constant(simd, 0.0); R];
    for c in 0..depth {
        let factors = &a.data[c * a.stride + row..][..R];
        let b_row = Vector::load(simd, &b.data[c * b.stride..], group);
        for r in 0..R {
            sums[r] = Vector::splat(simd, factors[r]).mul_add(b_row, sums[r]);
        }
    }
    sums
}

/// Runs a block for every `ROWS` rows of `from..to`, then row by row, with the number of rows as a
/// constant `R`.
macro_rules! for_tiles {
    ($from:expr, $to:expr, |$row:ident, $R:ident| $body:block) => {{
        let (mut row, to) = ($from, $to);
        while row + $crate::kernels::tile::ROWS <= to {
            const $R: usize = $crate::kernels::tile::ROWS;
            let $row = row;
            $body
            row += $R;
        }
        while row < to {
            const $R: usize = 1;
            let $row = row;
            $body
            row += $R;
        }
    }};
}
pub(crate) use for_tiles;
