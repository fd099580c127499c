//! Every offset that a convolution's sums need, made once.

use super::phase::Phase;
use super::shape::{ConvolutionShape, Frame, offset};
use crate::Float;
use crate::kernels::correlation::{self, Slide};
use crate::kernels::winograd::Winograd;

/// One phase of rows with one of columns.
pub(super) struct Part {
    pub(super) slide: Slide,
    /// Weight elements of the taps, of group 0 and input channel 0.
    pub(super) taps: Vec<u32>,
    /// Where the phase's packed weights start.
    pub(super) packed: usize,
    /// Pixels of an image.
    pub(super) pixels: usize,
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
    pub(super) lanes: usize,
    pub(super) forward: Slide,
    /// Weight elements of the taps, of group 0 and output channel 0.
    pub(super) forward_taps: Vec<u32>,
    /// Input elements of the taps.
    pub(super) input_taps: Vec<u32>,
    /// First element of every pixel of the framed output gradient.
    pub(super) gradient_starts: Vec<u32>,
    pub(super) backward: Vec<Part>,
    pub(super) backward_len: usize,
    /// The same with fewer products, where that is faster.
    pub(super) winograd: Option<Winograd>,
}

/// Output pixels of a block of images, at least: packed weights that the cache near the core cannot
/// hold are read once a block.
const BLOCK_PIXELS: usize = 128;

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
    pub(super) fn of<F: Float>(shape: ConvolutionShape, images: usize, by_winograd: bool) -> Self {
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

    /// Outputs of a group, padded to whole registers.
    pub(super) fn padded_outputs(&self) -> usize {
        (self.shape.outputs / self.shape.groups).next_multiple_of(self.lanes)
    }

    /// Elements of the weight packed for [`Convolution::forward`], and of its gradient.
    pub(crate) fn forward_len(&self) -> usize {
        self.winograd.as_ref().map_or_else(|| self.slid_len(), Winograd::forward_len)
    }

    pub(super) fn slid_len(&self) -> usize {
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
}

/// The runs of a kernel of `rows` × `columns` taps over the channels of one of `groups` groups; no
/// pixels yet.
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
