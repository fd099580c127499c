//! A convolutional network as a list of stages on handles: its tensors, their normalisations, its
//! parameters.
//!
//! A tensor with a normalisation is stored as its convolution left it. Convolutions, pools and the
//! head read max(norm(tensor), 0) of it, joins norm(tensor); a residual is the tensor itself. A
//! tensor without one is read as it is.

use wd_decay::Role;

use crate::config::check_parameters;
use crate::image::ImageShape;
use crate::kernels::convolution::{Convolution, ConvolutionShape};
use crate::kernels::pool::PoolShape;
use crate::{NnError, ParameterLayout};

/// The images, tensor 0: the caller's, and no gradient is wanted.
pub(crate) const IMAGES: usize = 0;

/// Numbers of an image in a tensor, `[row][column][channel]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tensor {
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) channels: usize,
    pub(crate) norm: Option<Normalisation>,
}

impl Tensor {
    pub(crate) fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// Elements of an image.
    pub(crate) fn len(&self) -> usize {
        self.pixels() * self.channels
    }
}

/// What is done to a convolution's output before anybody else sees it; offsets into the parameters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Normalisation {
    pub(crate) kind: NormKind,
    pub(crate) bias: usize,
}

/// Which numbers share a mean and a variance.
#[derive(Debug, Clone, Copy)]
pub(crate) enum NormKind {
    /// A channel of the whole batch; `running` is the offset of the running mean, followed by the
    /// variance.
    Batch { gain: usize, running: usize },
    /// The channels of one of `groups` groups of one image.
    Group { gain: usize, groups: usize },
    /// None: a bias is added.
    Bias,
}

/// One step over the whole batch.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stage {
    /// output ← convolution(input) (+ residual), or is added to.
    Convolve {
        input: usize,
        output: usize,
        shape: ConvolutionShape,
        /// Offset of W in the parameters.
        weight: usize,
        residual: Option<usize>,
        /// An earlier convolution has written `output` already.
        adds: bool,
    },
    /// output ← max(norm(a) + norm(b), 0).
    Join { a: usize, b: Option<usize>, output: usize },
    /// output ← pooled input.
    Pool { input: usize, output: usize, shape: PoolShape },
}

/// Global average of `input`, then a linear map to the classes; offsets into the parameters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) input: usize,
    pub(crate) weight: usize,
    pub(crate) bias: usize,
    pub(crate) classes: usize,
}

/// A whole network, without any memory of its own.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) tensors: Vec<Tensor>,
    pub(crate) stages: Vec<Stage>,
    pub(crate) head: Head,
    pub(crate) layout: ParameterLayout,
    /// Running mean and variance of every batch norm.
    pub(crate) running: ParameterLayout,
}

/// Shape of the kernels of one convolution.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kernel {
    pub(crate) outputs: usize,
    pub(crate) side: usize,
    pub(crate) stride: usize,
    pub(crate) padding: usize,
    pub(crate) groups: usize,
}

impl Kernel {
    /// As wide as it is padded: with stride 1 the image keeps its size (for an odd side).
    pub(crate) fn same(outputs: usize, side: usize, stride: usize) -> Self {
        Self { outputs, side, stride, padding: side / 2, groups: 1 }
    }
}

/// Kind of normalisation, before it has tensors.
#[derive(Debug, Clone, Copy)]
pub(crate) enum NormChoice {
    Batch,
    Group(usize),
    None,
}

/// Appends tensors, stages and parameters.
pub(crate) struct Builder {
    tensors: Vec<Tensor>,
    stages: Vec<Stage>,
    layout: ParameterLayout,
    running: ParameterLayout,
}

impl Builder {
    pub(crate) fn new(image: ImageShape) -> Self {
        let images = Tensor {
            height: image.height,
            width: image.width,
            channels: image.channels,
            norm: None,
        };
        Self {
            tensors: vec![images],
            stages: Vec::new(),
            layout: ParameterLayout::default(),
            running: ParameterLayout::default(),
        }
    }

    /// The weight and shape of a convolution of `input`, with He's initialisation for ReLU, fan-out
    /// mode: σ² = 2/(out·rows·columns), as torchvision's ResNet (He et al., 1502.01852, equation
    /// 14).
    fn convolution(
        &mut self,
        path: &str,
        input: usize,
        kernel: Kernel,
    ) -> (usize, ConvolutionShape) {
        let Tensor { height, width, channels, .. } = self.tensors[input];
        let shape = ConvolutionShape {
            height,
            width,
            inputs: channels,
            outputs: kernel.outputs,
            kernel: kernel.side,
            stride: kernel.stride,
            padding: kernel.padding,
            groups: kernel.groups,
        };
        let fan_out = (kernel.outputs * kernel.side * kernel.side) as f64;
        let weight = self.layout.push(
            format!("{path}.weight"),
            shape.weight_shape().to_vec(),
            Role::Convolution,
            0.0,
            (2.0 / fan_out).sqrt(),
        );
        (weight, shape)
    }

    /// A new tensor: the convolution of `input`, plus a residual.
    pub(crate) fn convolve(
        &mut self,
        path: &str,
        input: usize,
        kernel: Kernel,
        residual: Option<usize>,
    ) -> usize {
        let (weight, shape) = self.convolution(path, input, kernel);
        let output = self.tensor(shape.output_height(), shape.output_width(), shape.outputs);
        self.stages.push(Stage::Convolve { input, output, shape, weight, residual, adds: false });
        output
    }

    /// Adds the convolution of `input` to a tensor that another convolution wrote.
    pub(crate) fn convolve_onto(
        &mut self,
        path: &str,
        input: usize,
        kernel: Kernel,
        output: usize,
    ) {
        let (weight, shape) = self.convolution(path, input, kernel);
        self.stages.push(Stage::Convolve {
            input,
            output,
            shape,
            weight,
            residual: None,
            adds: true,
        });
    }

    /// Normalises a convolution's output.
    pub(crate) fn normalise(&mut self, path: &str, tensor: usize, choice: NormChoice) {
        let channels = self.tensors[tensor].channels;
        let gain = |layout: &mut ParameterLayout| {
            layout.push(format!("{path}.weight"), vec![channels], Role::Norm, 1.0, 0.0)
        };
        let kind = match choice {
            NormChoice::Batch => {
                let statistic = |name, value| {
                    (format!("{path}.{name}"), vec![channels], Role::Norm, value, 0.0)
                };
                let mut push = |(path, shape, role, mean, std)| {
                    self.running.push(path, shape, role, mean, std)
                };
                let running = push(statistic("running_mean", 0.0));
                push(statistic("running_var", 1.0));
                NormKind::Batch { gain: gain(&mut self.layout), running }
            }
            NormChoice::Group(groups) => NormKind::Group { gain: gain(&mut self.layout), groups },
            NormChoice::None => NormKind::Bias,
        };
        let bias = self.bias(format!("{path}.bias"), channels);
        self.tensors[tensor].norm = Some(Normalisation { kind, bias });
    }

    /// A new tensor max(norm(a) + norm(b), 0).
    pub(crate) fn join(&mut self, a: usize, b: Option<usize>) -> usize {
        let Tensor { height, width, channels, .. } = self.tensors[a];
        let output = self.tensor(height, width, channels);
        self.stages.push(Stage::Join { a, b, output });
        output
    }

    /// A new tensor: `input` pooled; the shape's image size is filled in.
    pub(crate) fn pool(&mut self, input: usize, shape: PoolShape) -> usize {
        let Tensor { height, width, channels, .. } = self.tensors[input];
        let shape = PoolShape { height, width, ..shape };
        let output = self.tensor(shape.output_height(), shape.output_width(), channels);
        self.stages.push(Stage::Pool { input, output, shape });
        output
    }

    /// The head, with which the plan is complete: N(0, 1/(3·in)), the variance of
    /// `torch.nn.Linear`'s uniform initial weights, and a bias of 0.
    pub(crate) fn finish(mut self, path: &str, input: usize, classes: usize) -> Plan {
        let channels = self.tensors[input].channels;
        let weight = self.layout.push(
            format!("{path}.weight"),
            vec![classes, channels],
            Role::Head,
            0.0,
            1.0 / (3.0 * channels as f64).sqrt(),
        );
        let bias = self.bias(format!("{path}.bias"), classes);
        Plan {
            tensors: self.tensors,
            stages: self.stages,
            head: Head { input, weight, bias, classes },
            layout: self.layout,
            running: self.running,
        }
    }

    fn bias(&mut self, path: String, len: usize) -> usize {
        self.layout.push(path, vec![len], Role::Bias, 0.0, 0.0)
    }

    fn tensor(&mut self, height: usize, width: usize, channels: usize) -> usize {
        self.tensors.push(Tensor { height, width, channels, norm: None });
        self.tensors.len() - 1
    }
}

impl Plan {
    /// Refuses networks whose blocks of images would outgrow the convolutions' tables, or memory.
    pub(crate) fn check(&self) -> Result<(), NnError> {
        for stage in &self.stages {
            if let Stage::Convolve { shape, .. } = stage
                && !Convolution::fits(shape)
            {
                let requirement = "a layer of the model may hold at most 2^32 numbers an image";
                return Err(NnError::configuration("image", shape.height, requirement));
            }
        }
        let parameters = self.layout.len as u128;
        check_parameters("classes", self.head.classes, parameters)
    }

    /// Floating-point operations of forward and backward an image, in matrix products alone: six a
    /// product, four for the first convolution, whose input needs no gradient.
    pub(crate) fn flops_per_image(&self) -> f64 {
        let stages = self.stages.iter().map(|stage| match stage {
            Stage::Convolve { input, shape, .. } => {
                shape.products() * if *input == IMAGES { 4.0 } else { 6.0 }
            }
            Stage::Join { .. } | Stage::Pool { .. } => 0.0,
        });
        let head = self.head.classes * self.tensors[self.head.input].channels;
        stages.sum::<f64>() + 6.0 * head as f64
    }
}
