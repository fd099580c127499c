//! 3 × 3 convolutions of stride 1 in 16 products where a sliding kernel takes 36: F(2 × 2, 3 × 3).
//!
//! Two by two outputs see four by four inputs d. With g the kernel of a pair of channels,
//!
//! ```text
//! y  = Aᵀ [ Σ_c U_c ⊙ V_c ] A,   U = G g Gᵀ,   V = Bᵀ d B
//! dg = Gᵀ [ Σ_tiles V ⊙ (A dy Aᵀ) ] G
//!
//!      ⎡1  0 −1  0⎤        ⎡1  0  0⎤
//! Bᵀ = ⎢0  1  1  0⎥    G = ⎢½  ½  ½⎥    Aᵀ = ⎡1 1  1  0⎤
//!      ⎢0 −1  1  0⎥        ⎢½ −½  ½⎥         ⎣0 1 −1 −1⎦
//!      ⎣0  1  0 −1⎦        ⎣0  0  1⎦
//! ```
//!
//! The sums over channels are, for each of the 16 elements, a product of matrices, which is what
//! [`correlation`] makes of a kernel of one pixel. The gradient of the input is the convolution of dy with the kernel turned round, whose
//! U has its outer rows, and its outer columns, in each other's place.
//!
//! **Source.** Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks", 1509.09308, sections 4.1 and 5; dg is the adjoint of y.

use pulp::Simd;

use crate::Float;
use crate::device::Store;
use crate::kernels::convolution::{ConvolutionShape, Frame, offset};
use crate::kernels::correlation::{self, Slide, for_panels};
use crate::simd::{Group, Vector, dispatched, for_groups};

/// Elements of a transformed tile.
const ELEMENTS: usize = 16;

/// Channels, in and out, from which the products saved outweigh the transforms.
///
/// Measured on two cores of an AMD EPYC (Zen 5, AVX-512), milliseconds a training step at batch 128 (`wd bench --shape cnn` and `resnet20`), in turn,
/// twice:
///
/// | | never | from 16 | from 32 | from 64 |
/// |---|---|---|---|---|
/// | CNN of 64, 128, 256 channels | 75.5–76.3 | 56.0–56.1 | 54.6–55.6 | 54.6–57.6 |
/// | ResNet-20 (16, 32, 64 channels) | 87.8–90.4 | 85.4–89.6 | 81.1–83.0 | 85.4–86.2 |
///
/// Blocks of 256 and 512 pixels instead of 128 changed no step by more than 3 %. Such transforms with a library's products (`gemm` 0.19
/// with AVX-512) reached 329, 405 and 390 GFLOP/s, counted as a sliding kernel's, at 64 → 128, 128 → 256 and 512 → 512 channels on one core, and 73
/// at 16 → 16, where [`correlation`] reaches 265, 267, 264 and 221; that was a trial outside this crate.
const LEAST_CHANNELS: usize = 32;

/// Every offset that the tiles of at most a number of images need.
pub(crate) struct Winograd {
    inputs: usize,
    outputs: usize,
    padded_inputs: usize,
    padded_outputs: usize,
    /// Tiles of an image.
    tiles: usize,
    /// Most images of a call.
    images: usize,
    /// Pixels of a row.
    width: usize,
    /// Elements from row to row of the framed input and the framed output gradient.
    input_pitch: usize,
    output_pitch: usize,
    /// First element of each tile in the framed input.
    input_tiles: Vec<u32>,
    /// First element of each tile of the framed output gradient, with the border that its neighbours see.
    output_tiles: Vec<u32>,
    /// First output gradient of each tile.
    gradient_tiles: Vec<u32>,
    /// First output of each tile.
    outputs_of_tiles: Vec<u32>,
    /// First element of each tile in the input's gradient.
    inputs_of_tiles: Vec<u32>,
    /// Rows of inputs to rows of outputs, and back.
    forward: Slide,
    backward: Slide,
    input_channels: Vec<u32>,
}

/// Rows of `from` numbers that become rows of `to` numbers.
fn rows(count: usize, from: usize, to: usize) -> Slide {
    Slide {
        starts: (0..count).map(|row| offset(row * from)).collect(),
        runs: vec![0],
        run: from,
        outputs: (0..count).map(|row| offset(row * to)).collect(),
    }
}

impl Winograd {
    /// Is a convolution done faster so?
    pub(crate) fn suits(shape: &ConvolutionShape) -> bool {
        Self::is_possible(shape) && shape.inputs.min(shape.outputs) >= LEAST_CHANNELS
    }

    /// Can a convolution be cut into these tiles?
    pub(crate) fn is_possible(shape: &ConvolutionShape) -> bool {
        shape.kernel == 3
            && shape.stride == 1
            && shape.padding == 1
            && shape.groups == 1
            && shape.height.is_multiple_of(2)
            && shape.width.is_multiple_of(2)
    }

    pub(crate) fn new(
        shape: &ConvolutionShape,
        (input, output): (&Frame, &Frame),
        lanes: usize,
        images: usize,
    ) -> Self {
        let plain = |channels: usize| Frame {
            height: shape.height,
            width: shape.width,
            channels,
            border: 0,
        };
        let tiles = |frame: &Frame, shift: usize| -> Vec<u32> {
            (0..images)
                .flat_map(|image| {
                    (0..shape.height / 2).flat_map(move |row| {
                        (0..shape.width / 2).map(move |column| {
                            offset(frame.start(image, 2 * row + shift, 2 * column + shift))
                        })
                    })
                })
                .collect()
        };
        let count = shape.height / 2 * (shape.width / 2);
        Self {
            inputs: shape.inputs,
            outputs: shape.outputs,
            padded_inputs: shape.inputs.next_multiple_of(lanes),
            padded_outputs: shape.outputs.next_multiple_of(lanes),
            tiles: count,
            images,
            width: shape.width,
            input_pitch: input.pitch(),
            output_pitch: output.pitch(),
            input_tiles: tiles(input, 0),
            output_tiles: tiles(output, 0),
            gradient_tiles: tiles(output, 1),
            outputs_of_tiles: tiles(&plain(shape.outputs), 0),
            inputs_of_tiles: tiles(&plain(shape.inputs), 0),
            forward: rows(images * count, shape.inputs, shape.outputs),
            backward: rows(images * count, shape.outputs, shape.inputs),
            input_channels: (0..shape.inputs).map(offset).collect(),
        }
    }

    /// Elements of the weight packed for [`Winograd::forward`], and of its gradient: `[element][panel][in][padded out]`.
    pub(crate) fn forward_len(&self) -> usize {
        ELEMENTS * self.inputs * self.padded_outputs
    }

    /// Elements of the weight packed for [`Winograd::backward_input`]: `[element][panel][out][padded in]`.
    pub(crate) fn backward_len(&self) -> usize {
        ELEMENTS * self.outputs * self.padded_inputs
    }

    /// Elements of scratch that any call needs.
    pub(crate) fn scratch_len(&self) -> usize {
        ELEMENTS * self.images * self.tiles * (self.padded_inputs + self.padded_outputs)
    }

    /// Bytes of the tables.
    pub(crate) fn bytes(&self) -> usize {
        let slides = [&self.forward, &self.backward];
        let tables = [
            &self.input_tiles,
            &self.output_tiles,
            &self.gradient_tiles,
            &self.outputs_of_tiles,
            &self.inputs_of_tiles,
            &self.input_channels,
        ];
        let numbers = slides
            .iter()
            .map(|slide| slide.starts.len() + slide.runs.len() + slide.outputs.len())
            .chain(tables.iter().map(|table| table.len()))
            .sum::<usize>();
        numbers * size_of::<u32>()
    }

    /// Packs U of W `[out][in][3][3]` for the forward.
    pub(crate) fn pack_forward<F: Float>(&self, packed: &mut [F], weight: &[F], lanes: usize) {
        let (inputs, outputs) = (self.inputs, self.outputs);
        let len = inputs * self.padded_outputs;
        for_panels!(lanes, outputs, |first, width, padded| {
            for input in 0..inputs {
                let start = first * inputs + input * padded;
                for column in 0..padded {
                    let transformed = if column < width {
                        let element = ((first + column) * inputs + input) * 9;
                        transformed_kernel(&weight[element..element + 9])
                    } else {
                        [F::from_f64(0.0); ELEMENTS]
                    };
                    for (element, value) in transformed.into_iter().enumerate() {
                        packed[element * len + start + column] = value;
                    }
                }
            }
        });
    }

    /// Packs U of W turned round for the gradient of the input.
    pub(crate) fn pack_backward<F: Float>(&self, packed: &mut [F], weight: &[F], lanes: usize) {
        let (inputs, outputs) = (self.inputs, self.outputs);
        let len = outputs * self.padded_inputs;
        let turned = |place: usize| [3, 1, 2, 0][place];
        for_panels!(lanes, inputs, |first, width, padded| {
            for output in 0..outputs {
                let start = first * outputs + output * padded;
                for column in 0..padded {
                    let transformed = if column < width {
                        let element = (output * inputs + first + column) * 9;
                        transformed_kernel(&weight[element..element + 9])
                    } else {
                        [F::from_f64(0.0); ELEMENTS]
                    };
                    for (element, value) in transformed.into_iter().enumerate() {
                        let element = turned(element / 4) * 4 + turned(element % 4);
                        packed[element * len + start + column] = value;
                    }
                }
            }
        });
    }

    /// W's gradient ← Gᵀ dU G of the packed one.
    pub(crate) fn unpack_gradient<F: Float>(&self, gradient: &mut [F], packed: &[F], lanes: usize) {
        let (inputs, outputs) = (self.inputs, self.outputs);
        let len = inputs * self.padded_outputs;
        for_panels!(lanes, outputs, |first, width, padded| {
            for input in 0..inputs {
                let start = first * inputs + input * padded;
                for column in 0..width {
                    let mut transformed = [F::from_f64(0.0); ELEMENTS];
                    for (element, value) in transformed.iter_mut().enumerate() {
                        *value = packed[element * len + start + column];
                    }
                    let element = ((first + column) * inputs + input) * 9;
                    kernel_gradient(&transformed, &mut gradient[element..element + 9]);
                }
            }
        });
    }

    /// y `[image][row][column][out]` ← (itself if `store` adds +) the convolution of `images` framed images.
    pub(crate) fn forward<F: Float>(
        &self,
        packed: &[F],
        x: &[F],
        y: &mut [F],
        images: usize,
        store: Store,
        scratch: &mut [F],
    ) {
        let place = Place {
            tiles: &self.input_tiles[..images * self.tiles],
            pitch: self.input_pitch,
            channels: self.inputs,
        };
        let to = Place {
            tiles: &self.outputs_of_tiles[..images * self.tiles],
            pitch: self.width * self.outputs,
            channels: self.outputs,
        };
        let packed = &packed[..self.forward_len()];
        convolve((place, x), &self.forward, packed, (to, y), store, scratch);
    }

    /// dx `[image][row][column][in]` ← the gradient of the input, from the framed dy of `images` images.
    pub(crate) fn backward_input<F: Float>(
        &self,
        packed: &[F],
        dy: &[F],
        dx: &mut [F],
        images: usize,
        scratch: &mut [F],
    ) {
        let place = Place {
            tiles: &self.output_tiles[..images * self.tiles],
            pitch: self.output_pitch,
            channels: self.outputs,
        };
        let to = Place {
            tiles: &self.inputs_of_tiles[..images * self.tiles],
            pitch: self.width * self.inputs,
            channels: self.inputs,
        };
        let packed = &packed[..self.backward_len()];
        let store = Store::Overwrite;
        convolve((place, dy), &self.backward, packed, (to, dx), store, scratch);
    }

    /// Packed gradient of W += that of `images` framed images x with the framed output gradient dy.
    pub(crate) fn backward_weight<F: Float>(
        &self,
        gradient: &mut [F],
        x: &[F],
        dy: &[F],
        images: usize,
        scratch: &mut [F],
    ) {
        let count = images * self.tiles;
        let (v_len, panels_len) = (count * self.inputs, count * self.padded_outputs);
        let (v, rest) = scratch.split_at_mut(ELEMENTS * v_len);
        let panels = &mut rest[..ELEMENTS * panels_len];
        let place = Place {
            tiles: &self.input_tiles[..count],
            pitch: self.input_pitch,
            channels: self.inputs,
        };
        transform_inputs(v, x, place);
        let place = Place {
            tiles: &self.gradient_tiles[..count],
            pitch: self.output_pitch,
            channels: self.outputs,
        };
        transform_gradients(panels, dy, place, panels_len);
        let elements = gradient
            .chunks_exact_mut(self.inputs * self.padded_outputs)
            .zip(v.chunks_exact(v_len))
            .zip(panels.chunks_exact(panels_len));
        for ((gradient, v), panels) in elements {
            correlation::weight_gradient(
                &self.forward,
                &self.input_channels,
                count,
                v,
                panels,
                gradient,
                self.outputs,
            );
        }
    }
}

/// Tiles of images: where each begins, and what its rows and pixels are apart.
#[derive(Clone, Copy)]
struct Place<'a> {
    tiles: &'a [u32],
    pitch: usize,
    channels: usize,
}

/// out ← (itself if `store` adds +) Aᵀ[U·(Bᵀ d B)]A for each tile d of `images`.
fn convolve<F: Float>(
    (place, images): (Place<'_>, &[F]),
    slide: &Slide,
    packed: &[F],
    (to, out): (Place<'_>, &mut [F]),
    store: Store,
    scratch: &mut [F],
) {
    let count = place.tiles.len();
    let (v_len, m_len) = (count * place.channels, count * to.channels);
    let (v, rest) = scratch.split_at_mut(ELEMENTS * v_len);
    let products = &mut rest[..ELEMENTS * m_len];
    transform_inputs(v, images, place);
    let packed_len = packed.len() / ELEMENTS;
    let elements = products
        .chunks_exact_mut(m_len)
        .zip(v.chunks_exact(v_len))
        .zip(packed.chunks_exact(packed_len));
    for ((products, v), packed) in elements {
        correlation::correlate(slide, count, v, packed, products, to.channels, Store::Overwrite);
    }
    transform_outputs(out, products, to, store);
}

/// G g Gᵀ of a kernel, row by row.
fn transformed_kernel<F: Float>(kernel: &[F]) -> [F; ELEMENTS] {
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
fn kernel_gradient<F: Float>(u: &[F; ELEMENTS], out: &mut [F]) {
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
    fn transform_inputs = transform_inputs_body(v: &'a mut [F], images: &'a [F], place: Place<'a>)
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
    fn transform_outputs = transform_outputs_body(
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
    /// panels `[element][panel][tile][padded channels]` ← A dy Aᵀ, zeros beyond the last channel; an element's panels take `panels_len`.
    fn transform_gradients = transform_gradients_body(
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
