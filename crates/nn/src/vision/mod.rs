//! Classifiers of images: their shapes, their targets and losses.
//!
//! Images are NHWC in memory, `[image][row][column][channel]`, already normalised by whoever loads them.
//! [`VisionConfig`] is the shape of a model and knows its tensors; [`VisionModel`] computes a batch's loss and its
//! gradient, or logits.

mod cnn;
mod layered;
mod mlp;
mod model;
mod network;
mod per_image;
mod resnet;
mod targets;
mod vit;

use serde::{Deserialize, Serialize};

pub use cnn::{CnnConfig, ImageNorm};
use mlp::MlpNetwork;
pub use mlp::{MlpActivation, MlpConfig};
pub use model::VisionModel;
pub use resnet::{ResnetConfig, Stem};
pub use targets::{ClassLoss, Targets};
use vit::VitNetwork;
pub use vit::{Pool, VitActivation, VitConfig};

use network::Network;

use crate::config::check_size;
use crate::transformer::Builder;
use crate::{NnError, ParameterLayout};

/// Size of every image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageShape {
    /// Numbers a pixel: 3 for colour, 1 for grey.
    pub channels: usize,
    /// Rows of pixels.
    pub height: usize,
    /// Columns of pixels.
    pub width: usize,
}

impl ImageShape {
    /// Numbers an image: channels·height·width.
    ///
    /// ```
    /// let image = wd_nn::ImageShape { channels: 3, height: 32, width: 32 };
    /// assert_eq!(image.numbers(), 3072);
    /// ```
    pub fn numbers(self) -> usize {
        self.channels * self.height * self.width
    }

    pub(crate) fn validate(self) -> Result<(), NnError> {
        check_size("image.channels", self.channels)?;
        check_size("image.height", self.height)?;
        check_size("image.width", self.width)?;
        let numbers = [self.channels, self.height, self.width]
            .map(|size| size as u128)
            .iter()
            .product::<u128>();
        if numbers > 1 << 32 {
            return Err(NnError::configuration(
                "image",
                numbers,
                "an image may hold at most 2^32 numbers",
            ));
        }
        Ok(())
    }
}

/// Shape of an image classifier. In files, `kind` names the variant.
///
/// ```
/// # fn main() -> Result<(), wd_nn::NnError> {
/// use wd_nn::{ImageShape, VisionConfig, VitConfig};
///
/// let image = ImageShape { channels: 3, height: 32, width: 32 };
/// let config = VisionConfig::Vit(VitConfig::new(image, 10, 4, 6, 192, 3));
/// config.validate()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum VisionConfig {
    /// A vision transformer.
    Vit(VitConfig),
    /// Fully connected layers.
    Mlp(MlpConfig),
    /// A plain convolutional network.
    Cnn(CnnConfig),
    /// A residual network.
    Resnet(ResnetConfig),
}

impl VisionConfig {
    /// Checks every range of the variant's table.
    ///
    /// # Errors
    /// [`NnError::Configuration`] names the first field that is out of range and what it has to satisfy.
    pub fn validate(&self) -> Result<(), NnError> {
        match self {
            Self::Vit(config) => config.validate(),
            Self::Mlp(config) => config.validate(),
            Self::Cnn(config) => config.validate(),
            Self::Resnet(config) => config.validate(),
        }
    }

    /// Size of every image.
    pub fn image(&self) -> ImageShape {
        match self {
            Self::Vit(config) => config.image,
            Self::Mlp(config) => config.image,
            Self::Cnn(config) => config.image,
            Self::Resnet(config) => config.image,
        }
    }

    /// Number of classes K.
    pub fn classes(&self) -> usize {
        match self {
            Self::Vit(config) => config.classes,
            Self::Mlp(config) => config.classes,
            Self::Cnn(config) => config.classes,
            Self::Resnet(config) => config.classes,
        }
    }

    /// What is minimised.
    pub fn loss(&self) -> ClassLoss {
        match self {
            Self::Vit(config) => config.loss,
            Self::Mlp(config) => config.loss,
            Self::Cnn(config) => config.loss,
            Self::Resnet(config) => config.loss,
        }
    }

    /// Every tensor of the model: path, shape, role, offset, initial distribution.
    ///
    /// Weights lie in the arena as in PyTorch: maps `[out, in]`, convolutions `[out, in, rows, columns]`, a patch
    /// embedding among them. Call [`VisionConfig::validate`] first: the layout of a configuration that it refuses
    /// means nothing.
    pub fn layout(&self) -> ParameterLayout {
        if let Some(plan) = self.layered() {
            return plan.layout;
        }
        let mut builder = Builder::default();
        let _ = Network::new(&mut builder, self);
        builder.layout
    }

    /// What batch norm remembers of the batches it saw: running means, 0 at first, and variances, 1 at first; nothing
    /// of a ViT and an MLP.
    pub fn running_statistics(&self) -> ParameterLayout {
        self.layered().map(|plan| plan.running).unwrap_or_default()
    }

    /// The stages of a model that works layer by layer.
    fn layered(&self) -> Option<layered::Plan> {
        match self {
            Self::Cnn(config) => Some(config.plan()),
            Self::Resnet(config) => Some(config.plan()),
            Self::Vit(_) | Self::Mlp(_) => None,
        }
    }

    /// Fills `parameters` with initial weights.
    ///
    /// CNN and ResNet: see [`CnnConfig`] and [`ResnetConfig`]. ViT, as timm and DeiT: N(0, 0.02²) for maps, the head and positions, N(0, 1e-6²) for the class token; the
    /// patch embedding N(0, 1/(3·inputs)), the variance of PyTorch's uniform numbers. MLP: N(0, 2/inputs) for hidden
    /// layers, N(0, 1/inputs) for the head. Biases 0, norm gains 1.
    ///
    /// A tensor's numbers are a function of (`seed`, path, element).
    ///
    /// # Errors
    /// [`NnError::Length`] if `parameters` does not have the layout's length; [`NnError::Configuration`].
    pub fn initialize(&self, seed: u64, parameters: &mut [f32]) -> Result<(), NnError> {
        self.validate()?;
        self.layout().initialize(seed, parameters)
    }

    /// Floating-point operations of forward and backward per image, in matrix products alone.
    ///
    /// Six per weight and row that it meets, four in the first map (images need no gradient), and what attention
    /// multiplies. What the backward computes a second time is not counted; what a ViT with a class token need not
    /// compute, its last block's maps of the patches, is.
    pub fn flops_per_image(&self) -> f64 {
        match self {
            Self::Vit(config) => config.flops_per_image(),
            Self::Mlp(config) => config.flops_per_image(),
            Self::Cnn(config) => config.plan().flops_per_image(),
            Self::Resnet(config) => config.plan().flops_per_image(),
        }
    }
}
