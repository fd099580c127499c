//! The shape of a vision transformer: what may be chosen, its defaults, and what is refused.

use serde::{Deserialize, Serialize};

use crate::NnError;
use crate::config::{check_dropout, check_heads, check_not_negative, check_parameters, check_size};
use crate::image::ImageShape;
use crate::kernels::sequence_pool::Pool;
use crate::targets::ClassLoss;

/// Non-linearity of a ViT's MLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VitActivation {
    /// x·Φ(x) with the normal distribution's exact Φ: `torch.nn.GELU()`, what timm uses.
    #[default]
    Gelu,
    /// Its tanh form, `torch.nn.GELU(approximate="tanh")`.
    GeluTanh,
}

/// Shape of a vision transformer (pre-LayerNorm blocks), as timm's `VisionTransformer` and DeiT
/// have it.
///
/// | field | default | range |
/// |---|---|---|
/// | `image` | – | ≥ 1 each |
/// | `classes` | – | ≥ 1 |
/// | `patch` | – | ≥ 1, divides the image's height and width |
/// | `layers` | – | ≥ 1 |
/// | `width` | – | ≥ 1, a multiple of `heads` |
/// | `heads` | – | ≥ 1 |
/// | `mlp_width` | 4·width | ≥ 1 |
/// | `pool` | `token` | `token`, `mean` |
/// | `activation` | `gelu` | `gelu`, `gelu-tanh` |
/// | `qkv_bias` | true | queries, keys and values have a bias; every other map always has one |
/// | `dropout` | 0 | 0 ≤ p < 1: after the positions, attention probabilities, both branches |
/// | `norm_epsilon` | 1e-6 | ≥ 0, finite |
/// | `loss` | `cross-entropy` | `cross-entropy`, `mean-squared-error` |
/// | `label_smoothing` | 0 | 0 ≤ ε < 1, of cross-entropy |
///
/// Dropout acts after the projection of each branch, once in the MLP: timm's `proj_drop_rate` acts
/// on the MLP's hidden layer too. DeiT trains without dropout.
///
/// ```
/// use wd_nn::{ImageShape, VisionConfig, VitConfig};
///
/// // DeiT-tiny, with as many parameters as timm's deit_tiny_patch16_224.
/// let image = ImageShape { channels: 3, height: 224, width: 224 };
/// let config = VitConfig::new(image, 1000, 16, 12, 192, 3);
/// assert_eq!(config.tokens(), 197);
/// assert_eq!(VisionConfig::Vit(config).layout().len, 5_717_416);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VitConfig {
    /// Size of every image; never read from a file, the data tell.
    #[serde(skip)]
    pub image: ImageShape,
    /// Number of classes K; likewise.
    #[serde(skip)]
    pub classes: usize,
    /// Side of a patch in pixels.
    pub patch: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Width of the residual stream C.
    pub width: usize,
    /// Attention heads; each has C/heads columns.
    pub heads: usize,
    /// Width of the MLP's hidden layer H; 4·width unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mlp_width: Option<usize>,
    /// What the head reads.
    #[serde(default)]
    pub pool: Pool,
    /// Non-linearity of the MLP.
    #[serde(default)]
    pub activation: VitActivation,
    /// Do queries, keys and values have a bias?
    #[serde(default = "default_qkv_bias")]
    pub qkv_bias: bool,
    /// Probability of dropping an element in training.
    #[serde(default)]
    pub dropout: f64,
    /// ε of every LayerNorm; timm's is 1e-6.
    #[serde(default = "default_norm_epsilon")]
    pub norm_epsilon: f64,
    /// What is minimised.
    #[serde(default)]
    pub loss: ClassLoss,
    /// Share ε of the target that cross-entropy spreads over all classes; 0 unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_smoothing: Option<f64>,
}

fn default_qkv_bias() -> bool {
    true
}

fn default_norm_epsilon() -> f64 {
    1e-6
}

impl VitConfig {
    /// A ViT of the given sizes, everything else at its default.
    pub fn new(
        image: ImageShape,
        classes: usize,
        patch: usize,
        layers: usize,
        width: usize,
        heads: usize,
    ) -> Self {
        Self {
            image,
            classes,
            patch,
            layers,
            width,
            heads,
            mlp_width: None,
            pool: Pool::default(),
            activation: VitActivation::default(),
            qkv_bias: default_qkv_bias(),
            dropout: 0.0,
            norm_epsilon: default_norm_epsilon(),
            loss: ClassLoss::default(),
            label_smoothing: None,
        }
    }

    /// Width H of the MLP's hidden layer: `mlp_width`, or 4·width.
    pub fn hidden(&self) -> usize {
        self.mlp_width.unwrap_or_else(|| self.width.saturating_mul(4))
    }

    /// Patches of an image.
    pub fn patches(&self) -> usize {
        let side = |pixels: usize| pixels.checked_div(self.patch).unwrap_or(0);
        side(self.image.height) * side(self.image.width)
    }

    /// Rows of an image in the residual stream: its patches, and the class token if there is one.
    pub fn tokens(&self) -> usize {
        self.patches() + usize::from(self.pool == Pool::Token)
    }

    /// Checks every range of the table above.
    ///
    /// # Errors
    /// [`NnError::Configuration`] names the first field that is out of range and what it has to
    /// satisfy.
    pub fn validate(&self) -> Result<(), NnError> {
        self.image.validate()?;
        for (field, value) in [
            ("classes", self.classes),
            ("patch", self.patch),
            ("layers", self.layers),
            ("width", self.width),
            ("heads", self.heads),
            ("mlp_width", self.hidden()),
        ] {
            check_size(field, value)?;
        }
        let ImageShape { height, width, .. } = self.image;
        if !height.is_multiple_of(self.patch) || !width.is_multiple_of(self.patch) {
            let requirement =
                format!("it has to divide the image's {height} rows and {width} columns");
            return Err(NnError::configuration("patch", self.patch, requirement));
        }
        check_heads(self.heads, self.width)?;
        check_dropout(self.dropout)?;
        check_not_negative("norm_epsilon", self.norm_epsilon)?;
        self.loss.validate(self.label_smoothing)?;
        let [classes, layers, width, hidden, patch, tokens] = [
            self.classes,
            self.layers,
            self.width,
            self.hidden(),
            self.patch * self.patch * self.image.channels,
            self.tokens(),
        ]
        .map(|size| size as u128);
        let block = 4 * width * width + 2 * width * hidden + 9 * width + hidden;
        let parameters =
            (classes + patch + tokens + 4) * width + classes + layers.saturating_mul(block);
        check_parameters("width", self.width, parameters)
    }
}
