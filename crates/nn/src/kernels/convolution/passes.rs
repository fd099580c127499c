//! 2-D convolution with stride, padding and groups, and its two gradients.
//!
//! y[i, j, o] = Σ_{r, q, c} x[i·s + r − p, j·s + q − p, c] · W[o, c, r, q], as `torch.nn.functional.conv2d`, over NHWC
//! images. Inputs and output gradients come with a border of zeros ([`Frame`]), so that no pixel is special.
//!
//! The gradient of the input is a convolution of dy again. The input's pixels fall into s² *phases*, by their
//! remainders modulo the stride: those of one phase see the same taps of the kernel, and to neighbours in a phase
//! belong neighbours in dy. Each phase is thus a convolution of stride 1 with a part of the kernel, turned round, and
//! no product with an inserted zero is ever formed.
//!
//! The sums are those of a sliding kernel ([`correlation`]), or, for wide layers of 3 × 3, of its products over
//! transformed tiles ([`winograd`](crate::kernels::winograd)); both files hold the measurements that chose.

use crate::Float;
use crate::device::Store;
use crate::kernels::correlation::{self, Slide};
use crate::kernels::winograd::Winograd;

/// Sizes of a convolution with a square kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConvolutionShape {
    /// Rows and columns of an input image.
    pub(crate) height: usize,
    pub(crate) width: usize,
    /// Channels in and out, both multiples of `groups`.
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) padding: usize,
    /// Parts of the channels that do not see one another.
    pub(crate) groups: usize,
}

impl ConvolutionShape {
    /// Positions of a kernel of side `kernel` along `size` pixels.
    fn positions(&self, size: usize) -> usize {
        (size + 2 * self.padding - self.kernel) / self.stride + 1
    }

    pub(crate) fn output_height(&self) -> usize {
        self.positions(self.height)
    }

    pub(crate) fn output_width(&self) -> usize {
        self.positions(self.width)
    }

    pub(crate) fn output_pixels(&self) -> usize {
        self.output_height() * self.output_width()
    }

    /// Shape of the weight, `[out, in/groups, rows, columns]` as torch's.
    pub(crate) fn weight_shape(&self) -> [usize; 4] {
        [self.outputs, self.inputs / self.groups, self.kernel, self.kernel]
    }

    fn weight_len(&self) -> usize {
        self.weight_shape().iter().product()
    }

    /// Multiply-adds an image.
    pub(crate) fn products(&self) -> f64 {
        self.output_pixels() as f64 * self.weight_len() as f64
    }

    /// Weights an output has: the elements under the kernel.
    fn depth(&self) -> usize {
        self.weight_len() / self.outputs
    }
}

/// Images of `height` × `width` pixels of `channels` numbers, each with a border of `border` pixels around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) channels: usize,
    pub(crate) border: usize,
}

impl Frame {
    /// Elements of an image.
    pub(crate) fn len(&self) -> usize {
        (self.height + 2 * self.border) * self.pitch()
    }

    /// Elements from one row to the next.
    pub(crate) fn pitch(&self) -> usize {
        (self.width + 2 * self.border) * self.channels
    }

    /// First element of a pixel, which may lie in the border.
    pub(super) fn start(&self, image: usize, row: usize, column: usize) -> usize {
        image * self.len() + row * self.pitch() + column * self.channels
    }

    /// First element within the border.
    pub(crate) fn first(&self) -> usize {
        self.start(0, self.border, self.border)
    }
}

/// What pixels of one remainder modulo the stride see of a kernel, along one axis.
#[derive(Debug, Clone, Copy)]
struct Phase {
    /// First pixel of the phase.
    pixel: usize,
    /// Pixels of the phase.
    pixels: usize,
    /// First tap that they see; the others follow in steps of the stride.
    tap: usize,
    /// Taps that they see.
    taps: usize,
    /// Output position, relative to the phase's pixel, that the last of these taps comes from.
    shift: isize,
}

impl Phase {
    fn all(shape: &ConvolutionShape, size: usize) -> Vec<Self> {
        let phase = |pixel: usize| {
            let tap = (pixel + shape.padding) % shape.stride;
            let taps = shape.kernel.saturating_sub(tap).div_ceil(shape.stride);
            Self {
                pixel,
                pixels: size.saturating_sub(pixel).div_ceil(shape.stride),
                tap,
                taps,
                shift: ((pixel + shape.padding) / shape.stride) as isize - taps as isize + 1,
            }
        };
        (0..shape.stride.min(size)).map(phase).collect()
    }

    /// Border that the phase needs around an output gradient of `positions` positions.
    fn border(&self, positions: usize) -> usize {
        if self.taps == 0 || self.pixels == 0 {
            return 0;
        }
        let last = self.shift + (self.taps + self.pixels) as isize - 2;
        let beyond = last - positions as isize + 1;
        (-self.shift).max(beyond).max(0) as usize
    }
}

/// One phase of rows with one of columns.
struct Part {
    slide: Slide,
    /// Weight elements of the taps, of group 0 and input channel 0.
    taps: Vec<u32>,
    /// Where the phase's packed weights start.
    packed: usize,
    /// Pixels of an image.
    pixels: usize,
}

/// A convolution over at most `images` images at a time: every offset that its sums need.
pub(crate) struct Convolution {
    pub(crate) shape: ConvolutionShape,
    /// Most images of a call.
    pub(crate) images: usize,
    /// Input with the padding around it.
    pub(crate) input: Frame,
    /// Output gradient with the border that the input's gradient needs.
    pub(crate) output: Frame,
    lanes: usize,
    forward: Slide,
    /// Weight elements of the taps, of group 0 and output channel 0.
    forward_taps: Vec<u32>,
    /// Input elements of the taps.
    input_taps: Vec<u32>,
    /// First element of every pixel of the framed output gradient.
    gradient_starts: Vec<u32>,
    backward: Vec<Part>,
    backward_len: usize,
    /// The same with fewer products, where that is faster.
    winograd: Option<Winograd>,
}

/// Output pixels of a block of images, at least: packed weights that the cache near the core cannot hold are read once
/// a block.
const BLOCK_PIXELS: usize = 128;

/// Offsets are kept in 32 bits: with them a tile's addresses fit the registers. Configurations whose blocks are larger
/// are refused.
pub(super) fn offset(value: usize) -> u32 {
    u32::try_from(value).expect("a block of images has fewer than 2^32 numbers")
}

impl Convolution {
    /// Images that are best worked on at a time, of a batch of `images`.
    pub(crate) fn block(shape: &ConvolutionShape, images: usize) -> usize {
        BLOCK_PIXELS.div_ceil(shape.output_pixels()).min(images)
    }

    /// Do the offsets of a block fit 32 bits?
    pub(crate) fn fits(shape: &ConvolutionShape) -> bool {
        let (input, output) = Self::frames(shape);
        let numbers = [input, output].map(|frame| {
            let sides = [frame.height, frame.width].map(|side| (side + 2 * frame.border) as u128);
            sides[0] * sides[1] * frame.channels as u128
        });
        let block = Self::block(shape, usize::MAX) as u128;
        numbers.into_iter().all(|numbers| numbers * block <= u128::from(u32::MAX))
    }

    /// The framed input and output gradient.
    fn frames(shape: &ConvolutionShape) -> (Frame, Frame) {
        let [height, width] = [shape.output_height(), shape.output_width()];
        let borders = |size: usize, positions: usize| {
            Phase::all(shape, size).iter().map(|phase| phase.border(positions)).max().unwrap_or(0)
        };
        let input = Frame {
            height: shape.height,
            width: shape.width,
            channels: shape.inputs,
            border: shape.padding,
        };
        let output = Frame {
            height,
            width,
            channels: shape.outputs,
            border: borders(shape.height, height).max(borders(shape.width, width)),
        };
        (input, output)
    }

    pub(crate) fn new<F: Float>(shape: ConvolutionShape, images: usize) -> Self {
        Self::of::<F>(shape, images, Winograd::suits(&shape))
    }

    /// With Winograd's products, or by sliding alone.
    fn of<F: Float>(shape: ConvolutionShape, images: usize, by_winograd: bool) -> Self {
        let lanes = correlation::lanes::<F>(&[]);
        let (input, output) = Self::frames(&shape);
        let Frame { height, width, border, .. } = output;

        let pixels = |rows: usize, columns: usize| {
            (0..images).flat_map(move |image| {
                (0..rows).flat_map(move |row| (0..columns).map(move |column| (image, row, column)))
            })
        };
        let forward = Slide {
            starts: pixels(height, width)
                .map(|(image, row, column)| {
                    offset(input.start(image, row * shape.stride, column * shape.stride))
                })
                .collect(),
            outputs: (0..images * height * width)
                .map(|pixel| offset(pixel * shape.outputs))
                .collect(),
            ..runs(&input, shape.kernel, shape.kernel, shape.groups)
        };
        let gradient_starts = pixels(height, width)
            .map(|(image, row, column)| offset(output.start(image, row + border, column + border)))
            .collect();

        let square = shape.kernel * shape.kernel;
        let (mut forward_taps, mut input_taps) = (Vec::new(), Vec::new());
        for row in 0..shape.kernel {
            for column in 0..shape.kernel {
                for channel in 0..shape.inputs / shape.groups {
                    forward_taps.push(offset(channel * square + row * shape.kernel + column));
                    input_taps.push(offset(input.start(0, row, column) + channel));
                }
            }
        }

        let (mut backward, mut backward_len) = (Vec::new(), 0);
        let padded_inputs = (shape.inputs / shape.groups).next_multiple_of(lanes);
        for rows in Phase::all(&shape, shape.height) {
            for columns in Phase::all(&shape, shape.width) {
                let part = part(&shape, &output, images, rows, columns, backward_len);
                backward_len += shape.groups * padded_inputs * part.taps.len();
                backward.push(part);
            }
        }
        let winograd = || Winograd::new(&shape, (&input, &output), lanes, images);
        Self {
            winograd: by_winograd.then(winograd),
            shape,
            images,
            input,
            output,
            lanes,
            forward,
            forward_taps,
            input_taps,
            gradient_starts,
            backward,
            backward_len,
        }
    }

    /// Outputs of a group, padded to whole registers.
    fn padded_outputs(&self) -> usize {
        (self.shape.outputs / self.shape.groups).next_multiple_of(self.lanes)
    }

    /// Elements of the weight packed for [`Convolution::forward`], and of its gradient.
    pub(crate) fn forward_len(&self) -> usize {
        self.winograd.as_ref().map_or_else(|| self.slid_len(), Winograd::forward_len)
    }

    fn slid_len(&self) -> usize {
        self.shape.groups * self.padded_outputs() * self.shape.depth()
    }

    /// Elements of the weight packed for [`Convolution::backward_input`].
    pub(crate) fn backward_len(&self) -> usize {
        self.winograd.as_ref().map_or(self.backward_len, Winograd::backward_len)
    }

    /// Elements of scratch that any call needs.
    pub(crate) fn scratch_len(&self) -> usize {
        self.winograd.as_ref().map_or_else(
            || self.padded_outputs() * self.images * self.shape.output_pixels(),
            Winograd::scratch_len,
        )
    }

    /// Packs W for the forward.
    pub(crate) fn pack_forward<F: Float>(&self, packed: &mut [F], weight: &[F]) {
        if let Some(winograd) = &self.winograd {
            return winograd.pack_forward(packed, weight, self.lanes);
        }
        let groups = self.shape.groups;
        let (outputs, depth) = (self.shape.outputs / groups, self.shape.depth());
        let packed = packed[..self.slid_len()].chunks_exact_mut(self.padded_outputs() * depth);
        for (packed, weight) in packed.zip(weight.chunks_exact(outputs * depth)) {
            correlation::pack(packed, weight, &self.forward_taps, depth, outputs);
        }
    }

    /// Bytes of the tables.
    pub(crate) fn bytes(&self) -> usize {
        let slide = |slide: &Slide| slide.starts.len() + slide.runs.len() + slide.outputs.len();
        let parts = self.backward.iter();
        let numbers = slide(&self.forward)
            + self.forward_taps.len()
            + self.input_taps.len()
            + self.gradient_starts.len()
            + parts.map(|part| slide(&part.slide) + part.taps.len()).sum::<usize>();
        numbers * size_of::<u32>() + self.winograd.as_ref().map_or(0, Winograd::bytes)
    }

    /// W's gradient ← the packed one.
    pub(crate) fn unpack_gradient<F: Float>(&self, gradient: &mut [F], packed: &[F]) {
        if let Some(winograd) = &self.winograd {
            return winograd.unpack_gradient(gradient, packed, self.lanes);
        }
        let groups = self.shape.groups;
        let (outputs, depth) = (self.shape.outputs / groups, self.shape.depth());
        let packed = packed[..self.slid_len()].chunks_exact(self.padded_outputs() * depth);
        for (packed, gradient) in packed.zip(gradient.chunks_exact_mut(outputs * depth)) {
            correlation::unpack(gradient, packed, &self.forward_taps, depth, outputs);
        }
    }

    /// Packs W for the gradient of the input.
    pub(crate) fn pack_backward<F: Float>(&self, packed: &mut [F], weight: &[F]) {
        if let Some(winograd) = &self.winograd {
            return winograd.pack_backward(packed, weight, self.lanes);
        }
        let shape = &self.shape;
        let (inputs, outputs) = (shape.inputs / shape.groups, shape.outputs / shape.groups);
        let square = shape.kernel * shape.kernel;
        for part in self.backward.iter().filter(|part| !part.taps.is_empty()) {
            let len = inputs.next_multiple_of(self.lanes) * part.taps.len();
            let packed = packed[part.packed..].chunks_exact_mut(len);
            let groups = weight.chunks_exact(outputs * shape.depth());
            for (packed, weight) in packed.zip(groups) {
                correlation::pack(packed, weight, &part.taps, square, inputs);
            }
        }
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
        if let Some(winograd) = &self.winograd {
            return winograd.forward(packed, x, y, images, store, scratch);
        }
        let shape = &self.shape;
        let (inputs, outputs) = (shape.inputs / shape.groups, shape.outputs / shape.groups);
        let group_len = self.padded_outputs() * shape.depth();
        for group in 0..shape.groups {
            correlation::correlate(
                &self.forward,
                images * shape.output_pixels(),
                &x[group * inputs..],
                &packed[group * group_len..][..group_len],
                &mut y[group * outputs..],
                outputs,
                store,
            );
        }
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
        if let Some(winograd) = &self.winograd {
            return winograd.backward_weight(gradient, x, dy, images, scratch);
        }
        let shape = &self.shape;
        let (inputs, outputs) = (shape.inputs / shape.groups, shape.outputs / shape.groups);
        let pixels = images * shape.output_pixels();
        let group_len = self.padded_outputs() * shape.depth();
        for group in 0..shape.groups {
            let panels = &mut scratch[..self.padded_outputs() * pixels];
            let dy = &dy[group * outputs..];
            correlation::panels(panels, dy, &self.gradient_starts[..pixels], outputs);
            correlation::weight_gradient(
                &self.forward,
                &self.input_taps,
                pixels,
                &x[group * inputs..],
                panels,
                &mut gradient[group * group_len..][..group_len],
                outputs,
            );
        }
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
        if let Some(winograd) = &self.winograd {
            return winograd.backward_input(packed, dy, dx, images, scratch);
        }
        let shape = &self.shape;
        let (inputs, outputs) = (shape.inputs / shape.groups, shape.outputs / shape.groups);
        if self.backward.iter().any(|part| part.taps.is_empty()) {
            // Pixels that no tap ever sees.
            dx[..images * shape.height * shape.width * shape.inputs].fill(F::from_f64(0.0));
        }
        for part in self.backward.iter().filter(|part| !part.taps.is_empty()) {
            let group_len = inputs.next_multiple_of(self.lanes) * part.taps.len();
            for group in 0..shape.groups {
                correlation::correlate(
                    &part.slide,
                    images * part.pixels,
                    &dy[group * outputs..],
                    &packed[part.packed + group * group_len..][..group_len],
                    &mut dx[group * inputs..],
                    inputs,
                    Store::Overwrite,
                );
            }
        }
    }
}

/// The runs of a kernel of `rows` × `columns` taps over the channels of one of `groups` groups; no pixels yet.
fn runs(frame: &Frame, rows: usize, columns: usize, groups: usize) -> Slide {
    // Neighbouring pixels are neighbours in memory only if every channel is seen.
    let (pieces, run) = if groups == 1 {
        (1, columns * frame.channels)
    } else {
        (columns, frame.channels / groups)
    };
    Slide {
        starts: Vec::new(),
        runs: (0..rows)
            .flat_map(|row| (0..pieces).map(move |piece| offset(frame.start(0, row, piece))))
            .collect(),
        run,
        outputs: Vec::new(),
    }
}

/// The gradient of the input's pixels of one phase of rows and one of columns.
fn part(
    shape: &ConvolutionShape,
    output: &Frame,
    images: usize,
    rows: Phase,
    columns: Phase,
    packed: usize,
) -> Part {
    let input =
        Frame { height: shape.height, width: shape.width, channels: shape.inputs, border: 0 };
    let mut slide = runs(output, rows.taps, columns.taps, shape.groups);
    let mut taps = Vec::new();
    if rows.taps > 0 && columns.taps > 0 {
        let at = |phase: &Phase, pixel: usize| {
            (pixel as isize + phase.shift + output.border as isize) as usize
        };
        for image in 0..images {
            for row in 0..rows.pixels {
                for column in 0..columns.pixels {
                    let (y, x) = (at(&rows, row), at(&columns, column));
                    slide.starts.push(offset(output.start(image, y, x)));
                    slide.outputs.push(offset(input.start(
                        image,
                        rows.pixel + row * shape.stride,
                        columns.pixel + column * shape.stride,
                    )));
                }
            }
        }
        // Later outputs saw the pixel through earlier taps.
        let tap = |phase: &Phase, index: usize| phase.tap + (phase.taps - 1 - index) * shape.stride;
        for row in 0..rows.taps {
            for column in 0..columns.taps {
                for channel in 0..shape.outputs / shape.groups {
                    let element = tap(&rows, row) * shape.kernel + tap(&columns, column);
                    taps.push(offset(channel * shape.depth() + element));
                }
            }
        }
    }
    Part { slide, taps, packed, pixels: rows.pixels * columns.pixels }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::finite_difference::{assert_gradient, dot, normals};

    /// Plain loops.
    fn naive(shape: &ConvolutionShape, x: &[f64], weight: &[f64], images: usize) -> Vec<f64> {
        let [_, depth, kernel, _] = shape.weight_shape();
        let mut y = Vec::new();
        for image in 0..images {
            for row in 0..shape.output_height() {
                for column in 0..shape.output_width() {
                    for output in 0..shape.outputs {
                        let first = output / (shape.outputs / shape.groups) * depth;
                        let mut sum = 0.0;
                        for channel in 0..depth {
                            for r in 0..kernel {
                                for q in 0..kernel {
                                    let (i, j) =
                                        (row * shape.stride + r, column * shape.stride + q);
                                    let inside = |at: usize, size: usize| {
                                        (shape.padding..size + shape.padding).contains(&at)
                                    };
                                    if inside(i, shape.height) && inside(j, shape.width) {
                                        let pixel = (image * shape.height + i - shape.padding)
                                            * shape.width
                                            + j
                                            - shape.padding;
                                        let element =
                                            ((output * depth + channel) * kernel + r) * kernel + q;
                                        sum += x[pixel * shape.inputs + first + channel]
                                            * weight[element];
                                    }
                                }
                            }
                        }
                        y.push(sum);
                    }
                }
            }
        }
        y
    }

    /// Copies images into frames.
    fn framed(frame: &Frame, x: &[f64], images: usize) -> Vec<f64> {
        let mut out = vec![0.0; images * frame.len()];
        let len = frame.width * frame.channels;
        for (row, x) in x.chunks_exact(len).enumerate() {
            let (image, row) = (row / frame.height, row % frame.height);
            let start = frame.start(image, row + frame.border, frame.border);
            out[start..start + len].copy_from_slice(x);
        }
        out
    }

    fn shapes() -> impl Strategy<Value = ConvolutionShape> {
        (
            1..6usize,
            1..5usize,
            0..4usize,
            (1..4usize, 1..20usize, 1..20usize),
            (0..9usize, 0..9usize),
        )
            .prop_map(
                |(kernel, stride, padding, (groups, inputs, outputs), (rows, columns))| {
                    // Large enough for one position of the kernel.
                    let least = kernel.saturating_sub(2 * padding).max(1);
                    ConvolutionShape {
                        height: least + rows,
                        width: least + columns,
                        inputs: groups * inputs,
                        outputs: groups * outputs,
                        kernel,
                        stride,
                        padding,
                        groups,
                    }
                },
            )
    }

    /// Those that Winograd's tiles cover.
    fn tiled_shapes() -> impl Strategy<Value = ConvolutionShape> {
        (1..5usize, 1..5usize, 1..40usize, 1..40usize).prop_map(
            |(rows, columns, inputs, outputs)| ConvolutionShape {
                height: 2 * rows,
                width: 2 * columns,
                inputs,
                outputs,
                kernel: 3,
                stride: 1,
                padding: 1,
                groups: 1,
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// The convolution is linear in x and in W, so ⟨dy, conv(x, W)⟩ = ⟨dx, x⟩ = ⟨dW, W⟩ for every x and W.
        #[test]
        fn equals_plain_loops_and_its_adjoints(
            (shape, by_winograd) in prop_oneof![(shapes(), Just(false)), (tiled_shapes(), Just(true))],
            images in 1..4usize,
            seed in 0..1000u64,
        ) {
            let convolution = Convolution::of::<f64>(shape, images + 1, by_winograd);
            let numbers = |seed, len| normals(seed, len);
            let x = numbers(seed, images * shape.height * shape.width * shape.inputs);
            let weight = numbers(seed + 1, shape.weight_len());
            let expected = naive(&shape, &x, &weight, images);

            let mut packed = vec![f64::NAN; convolution.forward_len()];
            convolution.pack_forward(&mut packed, &weight);
            let framed_x = framed(&convolution.input, &x, images);
            let mut y = vec![f64::NAN; expected.len()];
            let mut scratch = vec![f64::NAN; convolution.scratch_len()];
            convolution.forward(&packed, &framed_x, &mut y, images, Store::Overwrite, &mut scratch);
            for (ours, plain) in y.iter().zip(&expected) {
                prop_assert!((ours - plain).abs() < 1e-11, "{ours} {plain}");
            }
            convolution.forward(&packed, &framed_x, &mut y, images, Store::Add, &mut scratch);
            for (ours, plain) in y.iter().zip(&expected) {
                prop_assert!((ours - 2.0 * plain).abs() < 1e-11, "{ours} {plain}");
            }

            let dy = numbers(seed + 2, y.len());
            let framed_dy = framed(&convolution.output, &dy, images);
            let mut packed = vec![f64::NAN; convolution.backward_len()];
            convolution.pack_backward(&mut packed, &weight);
            let mut dx = vec![f64::NAN; x.len()];
            convolution.backward_input(&packed, &framed_dy, &mut dx, images, &mut scratch);
            let mut packed = vec![0.0; convolution.forward_len()];
            convolution.backward_weight(&mut packed, &framed_x, &framed_dy, images, &mut scratch);
            let mut dweight = vec![1.0; weight.len()];
            convolution.unpack_gradient(&mut dweight, &packed);
            for probe in 0..3 {
                let (other_x, other_weight) = (
                    numbers(seed + 3 + probe, x.len()),
                    numbers(seed + 6 + probe, weight.len()),
                );
                let through = dot(&dy, &naive(&shape, &other_x, &weight, images));
                let scale = 1.0 + dot(&dx, &dx).sqrt() + dot(&dweight, &dweight).sqrt();
                prop_assert!((through - dot(&dx, &other_x)).abs() < 1e-11 * scale * x.len() as f64);
                let through = dot(&dy, &naive(&shape, &x, &other_weight, images));
                prop_assert!((through - dot(&dweight, &other_weight)).abs() < 1e-11 * scale * weight.len() as f64);
            }
        }
    }

    #[test]
    fn backward_is_the_gradient() {
        let shape = ConvolutionShape {
            height: 5,
            width: 4,
            inputs: 2,
            outputs: 4,
            kernel: 3,
            stride: 2,
            padding: 1,
            groups: 2,
        };
        let images = 2;
        let convolution = Convolution::new::<f64>(shape, images);
        let x = normals(1, images * 5 * 4 * 2);
        let weight = normals(2, shape.weight_len());
        let dy = normals(3, images * shape.output_pixels() * 4);
        let (framed_x, framed_dy) =
            (framed(&convolution.input, &x, images), framed(&convolution.output, &dy, images));
        let loss = |x: &[f64], weight: &[f64]| dot(&naive(&shape, x, weight, images), &dy);

        let mut packed = vec![f64::NAN; convolution.backward_len()];
        convolution.pack_backward(&mut packed, &weight);
        let mut dx = vec![f64::NAN; x.len()];
        let mut scratch = vec![f64::NAN; convolution.scratch_len()];
        convolution.backward_input(&packed, &framed_dy, &mut dx, images, &mut scratch);
        assert_gradient("input", &x, &dx, |x| loss(x, &weight));

        let mut packed = vec![0.0; convolution.forward_len()];
        convolution.backward_weight(&mut packed, &framed_x, &framed_dy, images, &mut scratch);
        let mut dweight = vec![f64::NAN; weight.len()];
        convolution.unpack_gradient(&mut dweight, &packed);
        assert_gradient("weight", &weight, &dweight, |weight| loss(&x, weight));
    }
}
