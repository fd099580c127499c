//! The shapes of residual networks.

use serde::{Deserialize, Serialize};

use super::cnn::{ImageNorm, MOST_CHANNELS, check_channels};
use super::layered::{Builder, Kernel, NormChoice, Plan};
use crate::NnError;
use crate::config::check_size;
use crate::image::ImageShape;
use crate::kernels::pool::{PoolShape, Pooling};
use crate::targets::ClassLoss;

/// What comes before a ResNet-18's stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stem {
    /// A 3×3 convolution: small images keep their size.
    #[default]
    Small,
    /// A 7×7 convolution with stride 2 and 3×3 max pooling with stride 2, as for ImageNet.
    Large,
}

/// Shape of a residual network.
///
/// A depth of 6n + 2 is the CIFAR shape with pre-activation blocks (He et al., 1603.05027): a 3×3
/// convolution, three stages of n blocks with 1, 2, 4 times `width` channels, batch norm, ReLU. A
/// block is x + conv(relu(norm(conv(relu( norm(x)))))); where the shape changes, x is replaced by a
/// 1×1 convolution of relu(norm(x)).
///
/// A depth of 18 is torchvision's `resnet18` (He et al., 1512.03385): four stages of two blocks
/// with 1, 2, 4, 8 times `width` channels, a block being relu(x + norm(conv(relu(norm(conv(x)))))),
/// with norm(1×1 convolution) in x's place where the shape changes. Forward and tensor names are
/// torchvision's.
///
/// | field | default | range |
/// |---|---|---|
/// | `image` | – | ≥ 1 each |
/// | `classes` | – | ≥ 1 |
/// | `depth` | – | 8, 14, 20, … (6n + 2) up to 1202, or 18 |
/// | `width` | 16; 64 for depth 18 | channels of the first stage, 1 to 8192 |
/// | `stem` | `small` | `small`; `large` for depth 18 |
/// | `norm` | `batch` | `batch`, `group`, `none` (a bias) |
/// | `loss` | `cross-entropy` | `cross-entropy`, `mean-squared-error` |
/// | `label_smoothing` | 0 | 0 ≤ ε < 1, of cross-entropy |
///
/// Initial weights: N(0, 2/(out·kernel²)) for convolutions (He et al., 1502.01852, fan-out mode, as
/// torchvision), N(0, 1/(3·in)) for the head, whose variance is that of `torch.nn.Linear`'s
/// uniform; gains 1, biases 0.
///
/// ```
/// use wd_nn::{ImageShape, ResnetConfig};
///
/// let image = ImageShape { channels: 3, height: 32, width: 32 };
/// ResnetConfig::new(image, 10, 20).validate()?;
/// # Ok::<(), wd_nn::NnError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResnetConfig {
    /// Size of every image; never read from a file, the data tell.
    #[serde(skip)]
    pub image: ImageShape,
    /// Number of classes K; likewise.
    #[serde(skip)]
    pub classes: usize,
    /// Layers with weights, shortcuts aside.
    pub depth: usize,
    /// Channels of the first stage; see [`ResnetConfig::first_width`] for the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<usize>,
    /// What comes before the stages.
    #[serde(default)]
    pub stem: Stem,
    /// Kind of normalisation.
    #[serde(default)]
    pub norm: ImageNorm,
    /// What is minimised.
    #[serde(default)]
    pub loss: ClassLoss,
    /// Share ε of the target that cross-entropy spreads over all classes; 0 unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_smoothing: Option<f64>,
}

/// The depth that means torchvision's `resnet18`.
const RESNET_18: usize = 18;
/// The deepest of He et al. (1512.03385, section 4.2).
const DEEPEST: usize = 1202;

impl ResnetConfig {
    /// A ResNet of that depth, everything else at its default.
    pub fn new(image: ImageShape, classes: usize, depth: usize) -> Self {
        Self {
            image,
            classes,
            depth,
            width: None,
            stem: Stem::default(),
            norm: ImageNorm::default(),
            loss: ClassLoss::default(),
            label_smoothing: None,
        }
    }

    /// Channels of the first stage: `width`, or 16, or 64 for depth 18.
    pub fn first_width(&self) -> usize {
        let default = if self.depth == RESNET_18 { 64 } else { 16 };
        self.width.unwrap_or(default)
    }

    /// Checks every range of the table above.
    ///
    /// # Errors
    /// [`NnError::Configuration`] names the first field that is out of range and what it has to
    /// satisfy.
    pub fn validate(&self) -> Result<(), NnError> {
        self.image.validate()?;
        check_size("classes", self.classes)?;
        let is_cifar = (8..=DEEPEST).contains(&self.depth) && self.depth % 6 == 2;
        if !is_cifar && self.depth != RESNET_18 {
            let requirement = format!("it has to be 6n + 2 (8, 14, 20, … {DEEPEST}) or 18");
            return Err(NnError::configuration("depth", self.depth, requirement));
        }
        check_channels("width", self.first_width())?;
        if self.first_width() > MOST_CHANNELS / 8 {
            let requirement = format!("it may be at most {}", MOST_CHANNELS / 8);
            return Err(NnError::configuration("width", self.first_width(), requirement));
        }
        if is_cifar && self.stem == Stem::Large {
            let requirement = "only depth 18 has a large stem";
            return Err(NnError::configuration("stem", "large", requirement));
        }
        self.loss.validate(self.label_smoothing)?;
        self.plan().check()
    }

    /// The network's stages, of a valid configuration.
    pub(crate) fn plan(&self) -> Plan {
        if self.depth == RESNET_18 { self.post_activation() } else { self.pre_activation() }
    }

    fn choice(&self, channels: usize) -> NormChoice {
        self.norm.choice(channels)
    }

    fn pre_activation(&self) -> Plan {
        let mut builder = Builder::new(self.image);
        let mut width = self.first_width();
        let mut stream = builder.convolve("conv1", 0, Kernel::same(width, 3, 1), None);
        for stage in 0..3 {
            for block in 0..(self.depth - 2) / 6 {
                let block_path = format!("layer{}.{block}", stage + 1);
                builder.normalise(&format!("{block_path}.bn1"), stream, self.choice(width));
                let path = |name: &str| format!("{block_path}.{name}");
                if stage > 0 && block == 0 {
                    width *= 2;
                    let first = Kernel::same(width, 3, 2);
                    let hidden = builder.convolve(&path("conv1"), stream, first, None);
                    builder.normalise(&path("bn2"), hidden, self.choice(width));
                    let second = Kernel::same(width, 3, 1);
                    let sum = builder.convolve(&path("conv2"), hidden, second, None);
                    let shortcut = Kernel::same(width, 1, 2);
                    builder.convolve_onto(&path("downsample.0"), stream, shortcut, sum);
                    stream = sum;
                } else {
                    let kernel = Kernel::same(width, 3, 1);
                    let hidden = builder.convolve(&path("conv1"), stream, kernel, None);
                    builder.normalise(&path("bn2"), hidden, self.choice(width));
                    stream = builder.convolve(&path("conv2"), hidden, kernel, Some(stream));
                }
            }
        }
        builder.normalise("bn1", stream, self.choice(width));
        builder.finish("fc", stream, self.classes)
    }

    fn post_activation(&self) -> Plan {
        let mut builder = Builder::new(self.image);
        let mut width = self.first_width();
        let stem = match self.stem {
            Stem::Small => Kernel::same(width, 3, 1),
            Stem::Large => Kernel::same(width, 7, 2),
        };
        let first = builder.convolve("conv1", 0, stem, None);
        builder.normalise("bn1", first, self.choice(width));
        let mut stream = match self.stem {
            Stem::Small => builder.join(first, None),
            Stem::Large => {
                let shape = PoolShape {
                    pooling: Pooling::Max,
                    height: 0,
                    width: 0,
                    kernel: 3,
                    stride: 2,
                    padding: 1,
                };
                builder.pool(first, shape)
            }
        };
        for stage in 0..4 {
            for block in 0..2 {
                let path = |name: &str| format!("layer{}.{block}.{name}", stage + 1);
                let shrinks = stage > 0 && block == 0;
                if shrinks {
                    width *= 2;
                }
                let first = Kernel::same(width, 3, if shrinks { 2 } else { 1 });
                let hidden = builder.convolve(&path("conv1"), stream, first, None);
                builder.normalise(&path("bn1"), hidden, self.choice(width));
                let branch =
                    builder.convolve(&path("conv2"), hidden, Kernel::same(width, 3, 1), None);
                builder.normalise(&path("bn2"), branch, self.choice(width));
                let shortcut = if shrinks {
                    let kernel = Kernel::same(width, 1, 2);
                    let shortcut = builder.convolve(&path("downsample.0"), stream, kernel, None);
                    builder.normalise(&path("downsample.1"), shortcut, self.choice(width));
                    shortcut
                } else {
                    stream
                };
                stream = builder.join(branch, Some(shortcut));
            }
        }
        builder.finish("fc", stream, self.classes)
    }
}
