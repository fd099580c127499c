//! The small matrices of Winograd's products, applied to tiles and kernels.

use pulp::Simd;

use crate::Float;
use crate::kernels::correlation::for_panels;
use crate::kernels::store::Store;
use crate::simd::{Group, Vector, dispatched, for_groups};

/// Elements of a transformed tile.
pub(super) const ELEMENTS: usize = 16;

/// Tiles of images: where each begins, and what its rows and pixels are apart.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) tiles: &'a [u32],
    pub(crate) pitch: usize,
    pub(crate) channels: usize,
}

/// G g Gᵀ of a kernel, row by row.
pub(super) fn transformed_kernel<F: Float>(kernel: &[F]) -> [F; ELEMENTS] {
    let half = F::from_f64(0.5);
    let mut rows = [[F::from_f64(0.0); 3]; 4];
    for column in 0..3 {
        let (a, b, c) = (kernel[column], kernel[3 + column], kernel[6 + column]);
        let outer = (a + c) * half;
        rows[0][column] = a;
        rows[1][column] = outer + b * half;
        rows[2][column] = outer - b * half;
        rows[3][column] = c;
    }
    let mut out = [F::from_f64(0.0); ELEMENTS];
    for (row, out) in rows.iter().zip(out.chunks_exact_mut(4)) {
        let outer = (row[0] + row[2]) * half;
        out[0] = row[0];
        out[1] = outer + row[1] * half;
        out[2] = outer - row[1] * half;
        out[3] = row[2];
    }
    out
}

/// Gᵀ u G.
pub(super) fn kernel_gradient<F: Float>(u: &[F; ELEMENTS], out: &mut [F]) {
    let half = F::from_f64(0.5);
    let mut rows = [[F::from_f64(0.0); 4]; 3];
    for column in 0..4 {
        let [a, b, c, d] = [0, 4, 8, 12].map(|row| u[row + column]);
        let even = (b + c) * half;
        rows[0][column] = a + even;
        rows[1][column] = (b - c) * half;
        rows[2][column] = even + d;
    }
    for ([a, b, c, d], out) in rows.iter().copied().zip(out.chunks_exact_mut(3)) {
        let even = (b + c) * half;
        out[0] = a + even;
        out[1] = (b - c) * half;
        out[2] = even + d;
    }
}

/// Bᵀ of a column, or of a row.
#[inline(always)]
fn from_inputs<F: Float, S: Simd>([a, b, c, d]: [Vector<F, S>; 4]) -> [Vector<F, S>; 4] {
    [a - c, b + c, c - b, b - d]
}

/// Aᵀ of a column, or of a row.
#[inline(always)]
fn to_outputs<F: Float, S: Simd>([a, b, c, d]: [Vector<F, S>; 4]) -> [Vector<F, S>; 2] {
    [a + b + c, b - c - d]
}

/// A of a column, or of a row.
#[inline(always)]
fn from_gradients<F: Float, S: Simd>(
    [a, b]: [Vector<F, S>; 2],
    zero: Vector<F, S>,
) -> [Vector<F, S>; 4] {
    [a, a + b, a - b, zero - b]
}

dispatched! {
    /// v `[element][tile][channel]` ← Bᵀ d B.
    pub(super) fn transform_inputs = transform_inputs_body(v: &'a mut [F], images: &'a [F], place: Place<'a>)
}

#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "rows and columns of small matrices")]
fn transform_inputs_body<F: Float, S: Simd>(simd: S, v: &mut [F], images: &[F], place: Place<'_>) {
    let Place { tiles, pitch, channels } = place;
    let element_len = tiles.len() * channels;
    let zero = Vector::constant(simd, 0.0);
    for (tile, start) in tiles.iter().enumerate() {
        for_groups!(Vector::<F, S>::LANES, channels, |group| {
            let mut rows = [[zero; 4]; 4];
            for column in 0..4 {
                let mut d = [zero; 4];
                for row in 0..4 {
                    let pixel = *start as usize + row * pitch + column * channels;
                    let at = Group { start: pixel + group.start, len: group.len };
                    d[row] = Vector::load(simd, images, at);
                }
                let d = from_inputs(d);
                for row in 0..4 {
                    rows[row][column] = d[row];
                }
            }
            for row in 0..4 {
                let out = from_inputs(rows[row]);
                for column in 0..4 {
                    let at = Group {
                        start: (row * 4 + column) * element_len + tile * channels + group.start,
                        len: group.len,
                    };
                    out[column].store(v, at);
                }
            }
        });
    }
}

dispatched! {
    /// out ← (itself if `store` adds +) Aᵀ m A, with the products m `[element][tile][channel]`.
    pub(super) fn transform_outputs = transform_outputs_body(
        out: &'a mut [F],
        products: &'a [F],
        place: Place<'a>,
        store: Store,
    )
}

#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "rows and columns of small matrices")]
fn transform_outputs_body<F: Float, S: Simd>(
    simd: S,
    out: &mut [F],
    products: &[F],
    place: Place<'_>,
    store: Store,
) {
    let Place { tiles, pitch, channels } = place;
    let element_len = tiles.len() * channels;
    let zero = Vector::constant(simd, 0.0);
    for (tile, start) in tiles.iter().enumerate() {
        for_groups!(Vector::<F, S>::LANES, channels, |group| {
            let mut rows = [[zero; 4]; 2];
            for column in 0..4 {
                let mut m = [zero; 4];
                for row in 0..4 {
                    let at = Group {
                        start: (row * 4 + column) * element_len + tile * channels + group.start,
                        len: group.len,
                    };
                    m[row] = Vector::load(simd, products, at);
                }
                let m = to_outputs(m);
                for row in 0..2 {
                    rows[row][column] = m[row];
                }
            }
            for row in 0..2 {
                let sums = to_outputs(rows[row]);
                for column in 0..2 {
                    let at = Group {
                        start: *start as usize + row * pitch + column * channels + group.start,
                        len: group.len,
                    };
                    let sum = match store {
                        Store::Overwrite => sums[column],
                        Store::Add => sums[column] + Vector::load(simd, out, at),
                    };
                    sum.store(out, at);
                }
            }
        });
    }
}

dispatched! {
    /// panels `[element][panel][tile][padded channels]` ← A dy Aᵀ, zeros beyond the last channel;
    /// an element's panels take `panels_len`.
    pub(super) fn transform_gradients = transform_gradients_body(
        panels: &'a mut [F],
        dy: &'a [F],
        place: Place<'a>,
        panels_len: usize,
    )
}

#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "rows and columns of small matrices")]
fn transform_gradients_body<F: Float, S: Simd>(
    simd: S,
    panels: &mut [F],
    dy: &[F],
    place: Place<'_>,
    panels_len: usize,
) {
    let Place { tiles, pitch, channels } = place;
    let lanes = Vector::<F, S>::LANES;
    let zero = Vector::constant(simd, 0.0);
    for_panels!(lanes, channels, |first, width, padded| {
        for (tile, start) in tiles.iter().enumerate() {
            for_groups!(lanes, width, |group| {
                let mut rows = [[zero; 2]; 4];
                for column in 0..2 {
                    let mut d = [zero; 2];
                    for row in 0..2 {
                        let pixel = *start as usize + row * pitch + column * channels;
                        let at = Group { start: pixel + first + group.start, len: group.len };
                        d[row] = Vector::load(simd, dy, at);
                    }
                    let d = from_gradients(d, zero);
                    for row in 0..4 {
                        rows[row][column] = d[row];
                    }
                }
                for row in 0..4 {
                    let out = from_gradients(rows[row], zero);
                    for column in 0..4 {
                        let element = (row * 4 + column) * panels_len + first * tiles.len();
                        let at = Group { start: element + tile * padded + group.start, len: lanes };
                        out[column].store(panels, at);
                    }
                }
            });
        }
    });
}
