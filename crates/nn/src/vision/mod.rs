//! Classifiers of images: their shapes, their targets and losses.
//!
//! Images are NHWC in memory, `[image][row][column][channel]`, already normalised by whoever loads them.
//! [`VisionConfig`] is the shape of a model and knows its tensors.

mod cnn;
mod layered;
mod mlp;
mod model;
mod resnet;
mod targets;
mod vit;

use serde::{Deserialize, Serialize};

pub use cnn::{CnnConfig, ImageNorm};
pub use mlp::{MlpActivation, MlpConfig};
pub use model::VisionModel;
pub use resnet::{ResnetConfig, Stem};
pub use targets::{ClassLoss, Targets};
pub use vit::{Pool, VitActivation, VitConfig};

use crate::NnError;
use crate::config::check_size;

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
}
