//! The shape of a plain convolutional network.

use serde::{Deserialize, Serialize};

use super::layered::{Builder, Kernel, NormChoice, Plan};
use crate::NnError;
use crate::config::check_size;
use crate::image::ImageShape;
use crate::kernels::pool::{PoolShape, Pooling};
use crate::targets::ClassLoss;

/// Normalisation after every convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImageNorm {
    /// Per channel, over batch and pixels: `torch.nn.BatchNorm2d`.
    #[default]
    Batch,
    /// Per image, over groups of channels and pixels: `torch.nn.GroupNorm`, with as many groups as
    /// 32 (the default of Wu & He, 1803.08494) and the channels have as a common divisor, and of no
    /// fewer than 4 channels each.
    Group,
    /// None; convolutions have biases instead.
    None,
}

/// Shape of a convolutional network: blocks of convolution, normalisation, ReLU, each block ended
/// by 2×2 pooling; then the mean over all pixels and a linear map to the classes.
///
/// | field | default | range |
/// |---|---|---|
/// | `image` | – | ≥ 1 each; every side at least 2^blocks |
/// | `classes` | – | ≥ 1 |
/// | `channels` | – | of each block, 1 to 65536 |
/// | `convolutions` | 1 | in a block, ≥ 1 |
/// | `kernel` | 3 | odd, 1 to 31; padding keeps the image's size |
/// | `groups` | 1 | of every convolution but the first; divides all channels |
/// | `norm` | `batch` | `batch`, `group`, `none` |
/// | `pooling` | `max` | `max`, `average` |
/// | `loss` | `cross-entropy` | `cross-entropy`, `mean-squared-error` |
/// | `label_smoothing` | 0 | 0 ≤ ε < 1, of cross-entropy |
///
/// Initial weights: N(0, 2/(out·kernel²)) for convolutions (He et al., 1502.01852, fan-out mode, as
/// torchvision's ResNet), N(0, 1/(3·in)) for the head, whose variance is that of
/// `torch.nn.Linear`'s uniform; gains 1, biases 0.
///
/// ```
/// use wd_nn::{CnnConfig, ImageShape};
///
/// let image = ImageShape { channels: 3, height: 32, width: 32 };
/// CnnConfig::new(image, 10, vec![64, 128, 256]).validate()?;
/// # Ok::<(), wd_nn::NnError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CnnConfig {
    /// Size of every image; never read from a file, the data tell.
    #[serde(skip)]
    pub image: ImageShape,
    /// Number of classes K; likewise.
    #[serde(skip)]
    pub classes: usize,
    /// Channels of each block.
    pub channels: Vec<usize>,
    /// Convolutions in a block.
    #[serde(default = "one")]
    pub convolutions: usize,
    /// Side of the kernels.
    #[serde(default = "default_kernel")]
    pub kernel: usize,
    /// Groups of channels that do not see one another, in every convolution but the first.
    #[serde(default = "one")]
    pub groups: usize,
    /// Normalisation after every convolution.
    #[serde(default)]
    pub norm: ImageNorm,
    /// What ends a block.
    #[serde(default)]
    pub pooling: Pooling,
    /// What is minimised.
    #[serde(default)]
    pub loss: ClassLoss,
    /// Share ε of the target that cross-entropy spreads over all classes; 0 unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_smoothing: Option<f64>,
}

fn one() -> usize {
    1
}

fn default_kernel() -> usize {
    3
}

/// Most channels of a layer: products of two of them and a kernel stay far from overflow.
pub(super) const MOST_CHANNELS: usize = 1 << 16;
/// Largest kernel.
const LARGEST_KERNEL: usize = 31;
/// Groups of a group norm, at most: the default of Wu & He (1803.08494).
const NORM_GROUPS: usize = 32;
/// Channels of a group, at least. One channel a group is an instance norm: it takes the mean of
/// every channel away, which the global average pooling is there to see. A ResNet-8 of width 8
/// reached 21 % on 1,000 images of Fashion-MNIST with 1 channel a group, 55 % with 4, 52 % with 8,
/// 47 % with 16 (150 steps of SGD at η = 0.05, batches of 64, clipped to norm 1, otherwise as
/// `studies/fashion-cnn.toml`).
const NORM_CHANNELS: usize = 4;

/// The groups of so many channels.
fn norm_groups(channels: usize) -> usize {
    let mut groups = 1;
    while groups < NORM_GROUPS
        && channels.is_multiple_of(2 * groups)
        && channels / (2 * groups) >= NORM_CHANNELS
    {
        groups *= 2;
    }
    groups
}

impl ImageNorm {
    pub(super) fn choice(self, channels: usize) -> NormChoice {
        match self {
            Self::Batch => NormChoice::Batch,
            Self::Group => NormChoice::Group(norm_groups(channels)),
            Self::None => NormChoice::None,
        }
    }
}

impl CnnConfig {
    /// A network of those blocks, everything else at its default.
    pub fn new(image: ImageShape, classes: usize, channels: Vec<usize>) -> Self {
        Self {
            image,
            classes,
            channels,
            convolutions: 1,
            kernel: default_kernel(),
            groups: 1,
            norm: ImageNorm::default(),
            pooling: Pooling::default(),
            loss: ClassLoss::default(),
            label_smoothing: None,
        }
    }

    /// Checks every range of the table above.
    ///
    /// # Errors
    /// [`NnError::Configuration`] names the first field that is out of range and what it has to
    /// satisfy.
    pub fn validate(&self) -> Result<(), NnError> {
        self.image.validate()?;
        check_size("classes", self.classes)?;
        if self.channels.is_empty() {
            let requirement = "it has to name at least one block's channels";
            return Err(NnError::configuration("channels", "[]", requirement));
        }
        check_size("groups", self.groups)?;
        for channels in &self.channels {
            check_channels("channels", *channels)?;
            if !channels.is_multiple_of(self.groups) {
                let requirement = format!("it has to be a multiple of groups, {}", self.groups);
                return Err(NnError::configuration("channels", channels, requirement));
            }
        }
        check_size("convolutions", self.convolutions)?;
        if self.convolutions > MOST_CHANNELS {
            let requirement = format!("it may be at most {MOST_CHANNELS}");
            return Err(NnError::configuration("convolutions", self.convolutions, requirement));
        }
        if self.kernel.is_multiple_of(2) || self.kernel > LARGEST_KERNEL {
            let requirement = format!("it has to be odd and at most {LARGEST_KERNEL}");
            return Err(NnError::configuration("kernel", self.kernel, requirement));
        }
        let side = self.image.height.min(self.image.width);
        let halvings = side.checked_ilog2().unwrap_or(0) as usize;
        if halvings < self.channels.len() {
            let requirement = format!(
                "{} blocks halve the image as many times: it needs sides of at least 2^{0}",
                self.channels.len()
            );
            return Err(NnError::configuration("image", side, requirement));
        }
        self.loss.validate(self.label_smoothing)?;
        self.plan().check()
    }

    /// The network's stages, of a valid configuration.
    pub(crate) fn plan(&self) -> Plan {
        let mut builder = Builder::new(self.image);
        let mut stream = 0;
        let mut groups = 1;
        for (block, channels) in self.channels.iter().enumerate() {
            for index in 0..self.convolutions {
                let kernel = Kernel { groups, ..Kernel::same(*channels, self.kernel, 1) };
                let path = format!("block.{block}.convolution.{index}");
                stream = builder.convolve(&path, stream, kernel, None);
                let path = match self.norm {
                    ImageNorm::None => path,
                    ImageNorm::Batch | ImageNorm::Group => format!("block.{block}.norm.{index}"),
                };
                builder.normalise(&path, stream, self.norm.choice(*channels));
                groups = self.groups;
            }
            let shape = PoolShape {
                pooling: self.pooling,
                height: 0,
                width: 0,
                kernel: 2,
                stride: 2,
                padding: 0,
            };
            stream = builder.pool(stream, shape);
        }
        builder.finish("head", stream, self.classes)
    }
}

/// Refuses sizes beyond 1 to [`MOST_CHANNELS`].
pub(super) fn check_channels(field: &'static str, channels: usize) -> Result<(), NnError> {
    check_size(field, channels)?;
    if channels > MOST_CHANNELS {
        let requirement = format!("it may be at most {MOST_CHANNELS}");
        return Err(NnError::configuration(field, channels, requirement));
    }
    Ok(())
}
