//! A kernel that slides over images, in registers: the arithmetic of every convolution and of its
//! two gradients.
//!
//! Pixels are rows of channels (NHWC), so what a kernel of width q sees in one of its rows, q
//! pixels of C channels, is one *run* of q·C neighbouring numbers, and the runs of neighbouring
//! pixels overlap. A tile of [`PIXELS`] outputs is multiplied right from where the input lies,
//! without a copy of patches (im2col), by two registers of columns:
//!
//! ```text
//! out[pixel][column]  = Σ_k input[start(pixel) + tap(k)] · weight[k][column]
//! weight'[k][column] += Σ_pixel input[start(pixel) + tap(k)] · out'[pixel][column]
//! ```
//!
//! Measured on one core of an AMD EPYC (Zen 5, AVX-512) in GFLOP/s, forward / gradient of the
//! weight, beside faer's GEMM over the same overlapping runs (three products of inner dimension
//! 3·C, counting useful pixels alone):
//!
//! | 3×3 convolution | this file | faer |
//! |---|---|---|
//! | 3 → 64, 32×32 | 231 / 224 | 170 / 212 |
//! | 16 → 16, 32×32 | 221 / 211 | 143 / 127 |
//! | 64 → 128, 16×16 | 265 / 259 | 222 / 210 |
//! | 128 → 256, 8×8 | 267 / 262 | 174 / 171 |
//! | 512 → 512, 4×4 | 264 / 241 | 115 / 105 |

use pulp::Simd;

use crate::Float;
use crate::kernels::store::Store;
use crate::simd::{Group, Vector, dispatched};

/// Bytes of a register of AVX-512, the one instruction set with registers for [`PIXELS`] × 2 sums
/// and their operands.
const WIDE_REGISTER: usize = 64;
/// Outputs (or taps) of a tile: with two registers of columns 16 sums, enough to hide the latency
/// of a multiply-add; with 12 (24 sums) the compiler spilled.
const PIXELS: usize = 8;
/// The same where there are 16 registers.
const FEW_PIXELS: usize = 4;

/// Where a sliding kernel reads and writes; offsets in elements.
pub(crate) struct Slide {
    /// Of each output pixel: the first input element under the kernel.
    pub(crate) starts: Vec<u32>,
    /// From there: the first element of each run.
    pub(crate) runs: Vec<u32>,
    /// Elements of a run.
    pub(crate) run: usize,
    /// Of each output pixel: its first output element.
    pub(crate) outputs: Vec<u32>,
}

impl Slide {
    /// Elements under the kernel, K.
    pub(crate) fn depth(&self) -> usize {
        self.runs.len() * self.run
    }

    /// Input elements from a pixel's start to the end of its last run.
    fn span(&self) -> usize {
        self.runs.iter().max().map_or(0, |last| *last as usize) + self.run
    }

    /// Elements that the first `pixels` pixels need of an input.
    fn reach(&self, pixels: usize) -> usize {
        let farthest = self.starts[..pixels].iter().max();
        farthest.map_or(0, |start| *start as usize) + self.span()
    }
}

dispatched! {
    /// Numbers in a register: columns are packed in multiples of it.
    pub(crate) fn lanes = lanes_body(example: &'a [F]) -> usize
}

#[inline(always)]
fn lanes_body<F: Float, S: Simd>(_: S, _: &[F]) -> usize {
    Vector::<F, S>::LANES
}

/// Runs a block for every panel of at most two registers of columns: its first column, its columns,
/// and how many it is padded to.
macro_rules! for_panels {
    ($lanes:expr, $columns:expr, |$first:ident, $width:ident, $padded:ident| $body:block) => {{
        let (lanes, columns) = ($lanes, $columns);
        let mut $first = 0;
        while $first < columns {
            let $padded = if columns - $first > lanes { 2 * lanes } else { lanes };
            let $width = $padded.min(columns - $first);
            $body
            $first += $padded;
        }
    }};
}

pub(crate) use for_panels;

dispatched! {
    /// packed `[panel][k][padded columns]` ← weight[column·`stride` + taps[k]], zeros beyond the
    /// last column.
    pub(crate) fn pack = pack_body(
        packed: &'a mut [F],
        weight: &'a [F],
        taps: &'a [u32],
        stride: usize,
        columns: usize,
    )
}

#[inline(always)]
fn pack_body<F: Float, S: Simd>(
    _: S,
    packed: &mut [F],
    weight: &[F],
    taps: &[u32],
    stride: usize,
    columns: usize,
) {
    for_panels!(Vector::<F, S>::LANES, columns, |first, width, padded| {
        let panel = &mut packed[first * taps.len()..][..padded * taps.len()];
        for (row, tap) in panel.chunks_exact_mut(padded).zip(taps) {
            row[width..].fill(F::from_f64(0.0));
            for (column, value) in row[..width].iter_mut().enumerate() {
                *value = weight[(first + column) * stride + *tap as usize];
            }
        }
    });
}

dispatched! {
    /// weight[column·`stride` + taps[k]] ← packed: undoes [`pack`].
    pub(crate) fn unpack = unpack_body(
        weight: &'a mut [F],
        packed: &'a [F],
        taps: &'a [u32],
        stride: usize,
        columns: usize,
    )
}

#[inline(always)]
fn unpack_body<F: Float, S: Simd>(
    _: S,
    weight: &mut [F],
    packed: &[F],
    taps: &[u32],
    stride: usize,
    columns: usize,
) {
    for_panels!(Vector::<F, S>::LANES, columns, |first, width, padded| {
        let panel = &packed[first * taps.len()..][..padded * taps.len()];
        for (row, tap) in panel.chunks_exact(padded).zip(taps) {
            for (column, value) in row[..width].iter().enumerate() {
                weight[(first + column) * stride + *tap as usize] = *value;
            }
        }
    });
}

dispatched! {
    /// panels `[panel][pixel][padded columns]` ← rows[starts[pixel] + column], zeros beyond the
    /// last column.
    pub(crate) fn panels = panels_body(panels: &'a mut [F], rows: &'a [F], starts: &'a [u32], columns: usize)
}

#[inline(always)]
fn panels_body<F: Float, S: Simd>(
    simd: S,
    panels: &mut [F],
    rows: &[F],
    starts: &[u32],
    columns: usize,
) {
    let lanes = Vector::<F, S>::LANES;
    for_panels!(lanes, columns, |first, width, padded| {
        let panel = &mut panels[first * starts.len()..][..padded * starts.len()];
        for (out, start) in panel.chunks_exact_mut(padded).zip(starts) {
            let row = &rows[*start as usize + first..][..width];
            let mut column = 0;
            while column < width {
                let group = Group { start: column, len: lanes.min(width - column) };
                let value = Vector::load(simd, row, group);
                value.store(out, Group { start: column, len: lanes });
                column += lanes;
            }
        }
    });
}

dispatched! {
    /// out of the first `pixels` pixels ← (itself if `store` adds +) input under the kernel ·
    /// packed weight.
    pub(crate) fn correlate = correlate_body(
        slide: &'a Slide,
        pixels: usize,
        input: &'a [F],
        packed: &'a [F],
        out: &'a mut [F],
        columns: usize,
        store: Store,
    )
}

#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "the body of a kernel takes its operands one by one")]
fn correlate_body<F: Float, S: Simd>(
    simd: S,
    slide: &Slide,
    pixels: usize,
    input: &[F],
    packed: &[F],
    out: &mut [F],
    columns: usize,
    store: Store,
) {
    let lanes = Vector::<F, S>::LANES;
    let depth = slide.depth();
    let (starts, outputs) = (&slide.starts[..pixels], &slide.outputs[..pixels]);
    assert!(slide.reach(pixels) <= input.len());
    for_panels!(lanes, columns, |first, width, padded| {
        let panel = &packed[first * depth..][..padded * depth];
        macro_rules! tiles {
            ($R:expr, $V:expr) => {{
                let groups: [Group; $V] = std::array::from_fn(|v| Group {
                    start: v * lanes,
                    len: lanes.min(width - v * lanes),
                });
                for tile in (0..pixels).step_by($R) {
                    // Beyond the last pixel the tile repeats it: all sums are loaded before any is
                    // stored.
                    let pixel: [usize; $R] = std::array::from_fn(|r| (tile + r).min(pixels - 1));
                    let mut sums = [[Vector::constant(simd, 0.0); $V]; $R];
                    let mut rows = [&input[..0]; $R];
                    for r in 0..$R {
                        rows[r] = &input[starts[pixel[r]] as usize..];
                        if store == Store::Add {
                            let row = &out[outputs[pixel[r]] as usize + first..][..width];
                            for v in 0..$V {
                                sums[r][v] = Vector::load(simd, row, groups[v]);
                            }
                        }
                    }
                    // SAFETY: every start plus the span of all runs lies within the input, which
                    // was asserted, and the panel holds `depth` rows of `V` registers.
                    unsafe { add_runs::<F, S, $R, $V>(simd, &mut sums, rows, slide, panel) };
                    for r in 0..$R {
                        let row = &mut out[outputs[pixel[r]] as usize + first..][..width];
                        for v in 0..$V {
                            sums[r][v].store(row, groups[v]);
                        }
                    }
                }
            }};
        }
        let registers = size_of::<F::Register<S>>();
        match (registers == WIDE_REGISTER, padded == lanes) {
            (true, false) => tiles!(PIXELS, 2),
            (true, true) => tiles!(PIXELS, 1),
            (false, false) => tiles!(FEW_PIXELS, 2),
            (false, true) => tiles!(PIXELS, 1),
        }
    });
}

/// sums[r] += Σ_k rows[r][tap(k)] · panel[k].
///
/// # Safety
/// Every row reaches to the end of the last run, and the panel holds a row of `V` registers for
/// every tap.
#[inline(always)]
unsafe fn add_runs<F: Float, S: Simd, const R: usize, const V: usize>(
    simd: S,
    sums: &mut [[Vector<F, S>; V]; R],
    rows: [&[F]; R],
    slide: &Slide,
    panel: &[F],
) {
    let lanes = Vector::<F, S>::LANES;
    // A copy that is nowhere borrowed stays in registers.
    let mut totals = *sums;
    let mut panel = panel.as_ptr();
    for first in &slide.runs {
        let mut pointers = [std::ptr::null::<F>(); R];
        for r in 0..R {
            // SAFETY: the row reaches to the end of every run.
            pointers[r] = unsafe { rows[r].as_ptr().add(*first as usize) };
        }
        for k in 0..slide.run {
            // SAFETY: this is the row of the panel for this tap.
            let weights = unsafe { std::slice::from_raw_parts(panel, V * lanes) };
            let mut columns = [Vector::constant(simd, 0.0); V];
            for (v, column) in columns.iter_mut().enumerate() {
                let start = v * lanes;
                *column = Vector::load(simd, weights, Group { start, len: lanes });
            }
            for r in 0..R {
                // SAFETY: k is within the run.
                let x = Vector::splat(simd, unsafe { *pointers[r].add(k) });
                for v in 0..V {
                    totals[r][v] = x.mul_add(columns[v], totals[r][v]);
                }
            }
            // SAFETY: at most one past the end of the panel.
            panel = unsafe { panel.add(V * lanes) };
        }
    }
    *sums = totals;
}

dispatched! {
    /// Gradient of the packed weight += Σ over the first `pixels` pixels of input under the kernel
    /// · dy, with dy in [`panels`].
    pub(crate) fn weight_gradient = weight_gradient_body(
        slide: &'a Slide,
        taps: &'a [u32],
        pixels: usize,
        input: &'a [F],
        dy: &'a [F],
        gradient: &'a mut [F],
        columns: usize,
    )
}

#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "the body of a kernel takes its operands one by one")]
fn weight_gradient_body<F: Float, S: Simd>(
    simd: S,
    slide: &Slide,
    taps: &[u32],
    pixels: usize,
    input: &[F],
    dy: &[F],
    gradient: &mut [F],
    columns: usize,
) {
    let lanes = Vector::<F, S>::LANES;
    let depth = taps.len();
    let starts = &slide.starts[..pixels];
    let farthest = taps.iter().max().map_or(0, |tap| *tap as usize);
    assert!(farthest < slide.span() && slide.reach(pixels) <= input.len());
    for_panels!(lanes, columns, |first, _width, padded| {
        let dy = &dy[first * pixels..][..padded * pixels];
        let gradient = &mut gradient[first * depth..][..padded * depth];
        macro_rules! tiles {
            ($R:expr, $V:expr) => {{
                for tile in (0..depth).step_by($R) {
                    // Beyond the last tap the tile repeats it: all sums are loaded before any is
                    // stored.
                    let tap: [usize; $R] = std::array::from_fn(|r| (tile + r).min(depth - 1));
                    let mut sums = [[Vector::constant(simd, 0.0); $V]; $R];
                    let mut rows = [&input[..0]; $R];
                    for r in 0..$R {
                        rows[r] = &input[taps[tap[r]] as usize..];
                        for v in 0..$V {
                            let start = (tap[r] * $V + v) * lanes;
                            sums[r][v] = Vector::load(simd, gradient, Group { start, len: lanes });
                        }
                    }
                    // SAFETY: every start plus the farthest tap lies within the input, which was
                    // asserted, and dy holds a row of `V` registers for every pixel.
                    unsafe { add_pixels::<F, S, $R, $V>(simd, &mut sums, rows, starts, dy) };
                    for r in 0..$R {
                        for v in 0..$V {
                            let start = (tap[r] * $V + v) * lanes;
                            sums[r][v].store(gradient, Group { start, len: lanes });
                        }
                    }
                }
            }};
        }
        let registers = size_of::<F::Register<S>>();
        match (registers == WIDE_REGISTER, padded == lanes) {
            (true, false) => tiles!(PIXELS, 2),
            (true, true) => tiles!(PIXELS, 1),
            (false, false) => tiles!(FEW_PIXELS, 2),
            (false, true) => tiles!(PIXELS, 1),
        }
    });
}

/// sums[r] += Σ_pixel rows[r][start(pixel)] · dy[pixel].
///
/// # Safety
/// Every row reaches beyond every start, and `dy` holds a row of `V` registers for every start.
#[inline(always)]
unsafe fn add_pixels<F: Float, S: Simd, const R: usize, const V: usize>(
    simd: S,
    sums: &mut [[Vector<F, S>; V]; R],
    rows: [&[F]; R],
    starts: &[u32],
    dy: &[F],
) {
    let lanes = Vector::<F, S>::LANES;
    let mut totals = *sums;
    let pointers = rows.map(<[F]>::as_ptr);
    let mut dy = dy.as_ptr();
    for start in starts {
        // SAFETY: this is the row of dy for this pixel.
        let row = unsafe { std::slice::from_raw_parts(dy, V * lanes) };
        let mut columns = [Vector::constant(simd, 0.0); V];
        for (v, column) in columns.iter_mut().enumerate() {
            let start = v * lanes;
            *column = Vector::load(simd, row, Group { start, len: lanes });
        }
        for r in 0..R {
            // SAFETY: the row reaches beyond every start.
            let x = Vector::splat(simd, unsafe { *pointers[r].add(*start as usize) });
            for v in 0..V {
                totals[r][v] = x.mul_add(columns[v], totals[r][v]);
            }
        }
        // SAFETY: at most one past the end of dy.
        dy = unsafe { dy.add(V * lanes) };
    }
    *sums = totals;
}
