//! The sizes of a convolution, and images with a border around them.

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
    pub(super) fn positions(&self, size: usize) -> usize {
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

    pub(super) fn weight_len(&self) -> usize {
        self.weight_shape().iter().product()
    }

    /// Multiply-adds an image.
    pub(crate) fn products(&self) -> f64 {
        self.output_pixels() as f64 * self.weight_len() as f64
    }

    /// Weights an output has: the elements under the kernel.
    pub(super) fn depth(&self) -> usize {
        self.weight_len() / self.outputs
    }
}

/// Images of `height` × `width` pixels of `channels` numbers, each with a border of `border` pixels
/// around it.
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
    pub(crate) fn start(&self, image: usize, row: usize, column: usize) -> usize {
        image * self.len() + row * self.pitch() + column * self.channels
    }

    /// First element within the border.
    pub(crate) fn first(&self) -> usize {
        self.start(0, self.border, self.border)
    }
}

/// Offsets are kept in 32 bits: with them a tile's addresses fit the registers. Configurations
/// whose blocks are larger are refused.
pub(crate) fn offset(value: usize) -> u32 {
    u32::try_from(value).expect("a block of images has fewer than 2^32 numbers")
}
