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
//! [`correlation`] makes of a kernel of one pixel. The gradient of the input is the convolution of
//! dy with the kernel turned round, whose U has its outer rows, and its outer columns, in each
//! other's place.
//!
//! **Source.** Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks", 1509.09308,
//! sections 4.1 and 5; dg is the adjoint of y.

mod transforms;

use transforms::{
    ELEMENTS, Place, kernel_gradient, transform_gradients, transform_inputs, transform_outputs,
    transformed_kernel,
};

use crate::Float;
use crate::kernels::convolution::shape::{ConvolutionShape, Frame, offset};
use crate::kernels::correlation::{self, Slide, for_panels};
use crate::kernels::store::Store;

/// Channels, in and out, from which the products saved outweigh the transforms.
///
/// Measured on two cores of an AMD EPYC (Zen 5, AVX-512), milliseconds a training step at batch 128
/// (`wd bench --shape cnn` and `resnet20`), in turn, twice:
///
/// | | never | from 16 | from 32 | from 64 |
/// |---|---|---|---|---|
/// | CNN of 64, 128, 256 channels | 75.5–76.3 | 56.0–56.1 | 54.6–55.6 | 54.6–57.6 |
/// | ResNet-20 (16, 32, 64 channels) | 87.8–90.4 | 85.4–89.6 | 81.1–83.0 | 85.4–86.2 |
///
/// Blocks of 256 and 512 pixels instead of 128 changed no step by more than 3 %. Such transforms
/// with a library's products (`gemm` 0.19 with AVX-512) reached 329, 405 and 390 GFLOP/s, counted
/// as a sliding kernel's, at 64 → 128, 128 → 256 and 512 → 512 channels on one core, and 73 at 16 →
/// 16, where [`correlation`] reaches 265, 267, 264 and 221; that was a trial outside this crate.
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
    /// First element of each tile of the framed output gradient, with the border that its
    /// neighbours see.
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

    /// Elements of the weight packed for [`Winograd::forward`], and of its gradient:
    /// `[element][panel][in][padded out]`.
    pub(crate) fn forward_len(&self) -> usize {
        ELEMENTS * self.inputs * self.padded_outputs
    }

    /// Elements of the weight packed for [`Winograd::backward_input`]:
    /// `[element][panel][out][padded in]`.
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

    /// y `[image][row][column][out]` ← (itself if `store` adds +) the convolution of `images`
    /// framed images.
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

    /// dx `[image][row][column][in]` ← the gradient of the input, from the framed dy of `images`
    /// images.
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
