//! The shape of a fully connected classifier.

use serde::{Deserialize, Serialize};

use crate::NnError;
use crate::config::{check_dropout, check_parameters, check_size};
use crate::image::ImageShape;
use crate::targets::ClassLoss;

/// Non-linearity after every hidden layer of an MLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MlpActivation {
    /// max(x, 0).
    #[default]
    Relu,
    /// x·Φ(x), `torch.nn.GELU()`.
    Gelu,
}

/// Shape of a multilayer perceptron: flatten, hidden layers (map, non-linearity, dropout), head.
///
/// | field | default | range |
/// |---|---|---|
/// | `image` | – | ≥ 1 each |
/// | `classes` | – | ≥ 1 |
/// | `hidden` | – | widths ≥ 1, in order; an empty list is softmax regression |
/// | `activation` | `relu` | `relu`, `gelu` |
/// | `dropout` | 0 | 0 ≤ p < 1: after every hidden layer |
/// | `loss` | `cross-entropy` | `cross-entropy`, `mean-squared-error` |
/// | `label_smoothing` | 0 | 0 ≤ ε < 1, of cross-entropy |
///
/// The first map reads an image channel by channel, `[channel][row][column]`, as after
/// `torch.nn.Flatten` of an NCHW image: weights go to and from PyTorch unchanged.
///
/// ```
/// use wd_nn::{ImageShape, MlpConfig};
///
/// let image = ImageShape { channels: 1, height: 28, width: 28 };
/// MlpConfig::new(image, 10, vec![300, 100]).validate()?;
/// # Ok::<(), wd_nn::NnError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MlpConfig {
    /// Size of every image; never read from a file, the data tell.
    #[serde(skip)]
    pub image: ImageShape,
    /// Number of classes K; likewise.
    #[serde(skip)]
    pub classes: usize,
    /// Widths of the hidden layers.
    pub hidden: Vec<usize>,
    /// Non-linearity after each of them.
    #[serde(default)]
    pub activation: MlpActivation,
    /// Probability of dropping an element in training.
    #[serde(default)]
    pub dropout: f64,
    /// What is minimised.
    #[serde(default)]
    pub loss: ClassLoss,
    /// Share ε of the target that cross-entropy spreads over all classes; 0 unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_smoothing: Option<f64>,
}

impl MlpConfig {
    /// An MLP of the given widths, everything else at its default.
    pub fn new(image: ImageShape, classes: usize, hidden: Vec<usize>) -> Self {
        Self {
            image,
            classes,
            hidden,
            activation: MlpActivation::default(),
            dropout: 0.0,
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
        for width in &self.hidden {
            check_size("hidden", *width)?;
        }
        check_dropout(self.dropout)?;
        self.loss.validate(self.label_smoothing)?;
        let mut inputs = self.image.numbers() as u128;
        let mut parameters = 0u128;
        for outputs in self.hidden.iter().chain([&self.classes]) {
            let outputs = *outputs as u128;
            parameters = parameters.saturating_add((inputs + 1) * outputs);
            inputs = outputs;
        }
        let widest = self.hidden.iter().copied().max().unwrap_or(self.classes);
        check_parameters("hidden", widest, parameters)
    }
}
