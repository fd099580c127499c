//! The shape of an image classifier, whatever its kind.

use serde::{Deserialize, Serialize};

use super::cnn::CnnConfig;
use super::mlp::MlpConfig;
use super::resnet::ResnetConfig;
use super::vit::VitConfig;
use crate::NnError;
use crate::image::ImageShape;
use crate::targets::ClassLoss;

/// Shape of an image classifier. In files, `kind` names the variant; the size and the classes of
/// the images are not there, but filled in by [`VisionConfig::on`].
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
    /// [`NnError::Configuration`] names the first field that is out of range and what it has to
    /// satisfy.
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

    /// The same model for images of this size in so many classes.
    #[must_use]
    pub fn on(mut self, image: ImageShape, classes: usize) -> Self {
        let (its_image, its_classes) = match &mut self {
            Self::Vit(config) => (&mut config.image, &mut config.classes),
            Self::Mlp(config) => (&mut config.image, &mut config.classes),
            Self::Cnn(config) => (&mut config.image, &mut config.classes),
            Self::Resnet(config) => (&mut config.image, &mut config.classes),
        };
        (*its_image, *its_classes) = (image, classes);
        self
    }

    /// Share of the target that cross-entropy spreads over all classes.
    pub fn label_smoothing(&self) -> f64 {
        let written = match self {
            Self::Vit(config) => config.label_smoothing,
            Self::Mlp(config) => config.label_smoothing,
            Self::Cnn(config) => config.label_smoothing,
            Self::Resnet(config) => config.label_smoothing,
        };
        written.unwrap_or(0.0)
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
