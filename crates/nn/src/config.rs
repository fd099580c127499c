//! The shape of a GPT: what may be chosen, its defaults, and what is refused.

use serde::{Deserialize, Serialize};

use crate::NnError;

/// Normalisation before every branch and before the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Norm {
    /// y = (x − mean) / √(variance + ε) · gain + bias, the variance over n (not n − 1).
    #[default]
    LayerNorm,
    /// y = x / √(mean of squares + ε) · gain; never has a bias.
    RmsNorm,
}

/// How the model knows where a token stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Position {
    /// A learned vector per position, added to the token's.
    #[default]
    Learned,
    /// Rotary embedding of queries and keys, rotate-half pairing (x_i, x_{i+d/2}) as in Llama and
    /// GPT-NeoX.
    Rope,
}

/// Non-linearity of the MLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// down(gelu(up x)), GELU in its tanh form as in GPT-2.
    #[default]
    Gelu,
    /// down(silu(gate x) · up x), silu(z) = z/(1 + e^−z).
    SwiGlu,
}

/// Shape of a decoder-only transformer.
///
/// | field | default | range |
/// |---|---|---|
/// | `vocabulary` | – | 1 … 2³² tokens |
/// | `context` | – | ≥ 1 tokens a sequence |
/// | `layers` | – | ≥ 1 |
/// | `width` | – | ≥ 1, a multiple of `heads` |
/// | `heads` | – | ≥ 1; `width / heads` even with RoPE |
/// | `mlp_width` | 4·width; with SwiGLU ⌈8/3·width⌉ rounded up to a multiple of 8 | ≥ 1 |
/// | `norm` | `layernorm` | `layernorm`, `rmsnorm` |
/// | `norm_epsilon` | 1e-5 | ≥ 0, finite |
/// | `position` | `learned` | `learned`, `rope` |
/// | `rope_base` | 10000 | > 0, finite |
/// | `activation` | `gelu` | `gelu`, `swiglu` |
/// | `tied_head` | true | the head is the token embedding |
/// | `bias` | true | of every linear map and LayerNorm; the head never has one |
/// | `qk_norm` | false | RMSNorm of each head's query and key, before RoPE, with `norm_epsilon` |
/// | `dropout` | 0 | 0 ≤ p < 1: embeddings, attention probabilities, both branches, as in GPT-2 |
/// | `init_std` | 0.02 | ≥ 0, finite; branch outputs get `init_std/√(2·layers)` |
///
/// ```
/// let config = wd_nn::GptConfig::new(1024, 64, 2, 64, 4);
/// assert_eq!(config.layout().len, 169_728);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GptConfig {
    /// Number of tokens V; a file may leave it to the corpus.
    #[serde(default)]
    pub vocabulary: usize,
    /// Tokens in a sequence T.
    pub context: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Width of the residual stream C.
    pub width: usize,
    /// Attention heads; each has C/heads columns.
    pub heads: usize,
    /// Width of the MLP's hidden layer H; see [`GptConfig::hidden`] for the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mlp_width: Option<usize>,
    /// Kind of normalisation.
    #[serde(default)]
    pub norm: Norm,
    /// ε of every normalisation.
    #[serde(default = "default_norm_epsilon")]
    pub norm_epsilon: f64,
    /// Kind of position information.
    #[serde(default)]
    pub position: Position,
    /// Base of the rotary frequencies base^(−2i/d).
    #[serde(default = "default_rope_base")]
    pub rope_base: f64,
    /// Non-linearity of the MLP.
    #[serde(default)]
    pub activation: Activation,
    /// Is the head the transposed token embedding?
    #[serde(default = "default_true")]
    pub tied_head: bool,
    /// Do linear maps and LayerNorms have biases?
    #[serde(default = "default_true")]
    pub bias: bool,
    /// Are queries and keys normalised per head?
    #[serde(default)]
    pub qk_norm: bool,
    /// Probability of dropping an element in training.
    #[serde(default)]
    pub dropout: f64,
    /// Standard deviation of the initial weights.
    #[serde(default = "default_init_std")]
    pub init_std: f64,
}

fn default_norm_epsilon() -> f64 {
    1e-5
}

fn default_rope_base() -> f64 {
    10_000.0
}

fn default_true() -> bool {
    true
}

fn default_init_std() -> f64 {
    0.02
}

impl GptConfig {
    /// A GPT-2-style model of the given sizes, everything else at its default.
    pub fn new(
        vocabulary: usize,
        context: usize,
        layers: usize,
        width: usize,
        heads: usize,
    ) -> Self {
        Self {
            vocabulary,
            context,
            layers,
            width,
            heads,
            mlp_width: None,
            norm: Norm::default(),
            norm_epsilon: default_norm_epsilon(),
            position: Position::default(),
            rope_base: default_rope_base(),
            activation: Activation::default(),
            tied_head: true,
            bias: true,
            qk_norm: false,
            dropout: 0.0,
            init_std: default_init_std(),
        }
    }

    /// Width H of the MLP's hidden layer: `mlp_width`, or 4·width (GELU), or ⌈8/3·width⌉ rounded up
    /// to a multiple of 8 (SwiGLU, which keeps the parameter count near that of GELU).
    pub fn hidden(&self) -> usize {
        self.mlp_width.unwrap_or_else(|| match self.activation {
            Activation::Gelu => self.width.saturating_mul(4),
            Activation::SwiGlu => self
                .width
                .saturating_mul(8)
                .div_ceil(3)
                .checked_next_multiple_of(8)
                .unwrap_or(usize::MAX),
        })
    }

    /// Columns of one attention head.
    pub fn head_width(&self) -> usize {
        self.width.checked_div(self.heads).unwrap_or(0)
    }

    /// Checks every range of the table above.
    ///
    /// # Errors
    /// [`NnError::Configuration`] names the first field that is out of range and what it has to
    /// satisfy.
    pub fn validate(&self) -> Result<(), NnError> {
        for (field, value) in [
            ("vocabulary", self.vocabulary),
            ("context", self.context),
            ("layers", self.layers),
            ("width", self.width),
            ("heads", self.heads),
            ("mlp_width", self.hidden()),
        ] {
            check_size(field, value)?;
        }
        check_heads(self.heads, self.width)?;
        if self.position == Position::Rope && !self.head_width().is_multiple_of(2) {
            let requirement =
                format!("RoPE needs an even width / heads, not {}", self.head_width());
            return Err(NnError::configuration("heads", self.heads, requirement));
        }
        check_not_negative("norm_epsilon", self.norm_epsilon)?;
        if !(self.rope_base.is_finite() && self.rope_base > 0.0) {
            return Err(NnError::configuration(
                "rope_base",
                self.rope_base,
                "it has to be finite and positive",
            ));
        }
        check_dropout(self.dropout)?;
        check_not_negative("init_std", self.init_std)?;
        check_parameters("width", self.width, self.parameters())
    }

    /// An upper bound of the number of parameters that cannot overflow.
    fn parameters(&self) -> u128 {
        let [vocabulary, context, layers, width, hidden] =
            [self.vocabulary, self.context, self.layers, self.width, self.hidden()]
                .map(|size| size as u128);
        let block = 4 * width * width + 3 * width * hidden + 12 * width + 2 * hidden;
        (2 * vocabulary + context + 2) * width + layers.saturating_mul(block)
    }
}

/// Keeps every product of sizes that the engine forms far from overflow.
pub(crate) fn check_size(field: &'static str, value: usize) -> Result<(), NnError> {
    match value {
        0 => Err(NnError::configuration(field, value, "it has to be at least 1")),
        _ if value > 1 << 32 => Err(NnError::configuration(field, value, "it may be at most 2^32")),
        _ => Ok(()),
    }
}

pub(crate) fn check_heads(heads: usize, width: usize) -> Result<(), NnError> {
    if width.is_multiple_of(heads) {
        Ok(())
    } else {
        let requirement = format!("it has to divide the width, {width}");
        Err(NnError::configuration("heads", heads, requirement))
    }
}

pub(crate) fn check_dropout(dropout: f64) -> Result<(), NnError> {
    if (0.0..1.0).contains(&dropout) {
        Ok(())
    } else {
        let requirement = "it has to be at least 0 and below 1";
        Err(NnError::configuration("dropout", dropout, requirement))
    }
}

pub(crate) fn check_not_negative(field: &'static str, value: f64) -> Result<(), NnError> {
    if value.is_finite() && value >= 0.0 {
        Ok(())
    } else {
        let requirement = "it has to be finite and not negative";
        Err(NnError::configuration(field, value, requirement))
    }
}

/// Refuses a model of so many parameters; `field` is the size to blame.
pub(crate) fn check_parameters(
    field: &'static str,
    value: usize,
    parameters: u128,
) -> Result<(), NnError> {
    if parameters > (isize::MAX as u128) / 16 {
        let requirement = "the model would not fit in the address space";
        return Err(NnError::configuration(field, value, requirement));
    }
    Ok(())
}
