//! Which tensors the well-known trainers would decay.
//!
//! | file | question it answers |
//! |---|---|
//! | `statement` | what does a convention say, and where does its source say it? |
//! | `differences` | which tensors of these files would it have treated otherwise? |

mod differences;
mod statement;

pub use differences::{DecayedKind, Difference, decayed_kinds, differences};

use serde::Serialize;
use strum::{Display, IntoStaticStr, VariantArray};

use crate::names::{Kind, is_normalisation};

/// A trainer's choice of the tensors that decay.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Display, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "kebab-case")]
pub enum Convention {
    /// Two axes or more.
    #[strum(serialize = "nanoGPT")]
    NanoGpt,
    /// All but biases and modules of the type `nn.LayerNorm`.
    #[strum(serialize = "Hugging Face 4")]
    HuggingFace4,
    /// The same, and all but five patterns of names.
    #[strum(serialize = "Hugging Face 5")]
    HuggingFace5,
    /// Linear layers.
    #[strum(serialize = "OLMo")]
    Olmo,
    /// All but embeddings.
    #[strum(serialize = "OLMo 2")]
    Olmo2,
    /// All but normalisations, embeddings and biases.
    #[strum(serialize = "levanter")]
    Levanter,
    /// All but vectors and biases.
    #[strum(serialize = "Megatron")]
    Megatron,
    /// All but vectors, biases and a list that the model gives.
    #[strum(serialize = "timm")]
    Timm,
    /// Every tensor: torchtitan and litgpt.
    #[strum(serialize = "torchtitan and litgpt")]
    Everything,
}

impl Convention {
    /// Every convention, in the order of tables.
    pub const ALL: &[Convention] = Convention::VARIANTS;

    /// Whether it decays a tensor, as far as the name tells the type of its module.
    ///
    /// # Example
    /// ```
    /// use wd_audit::convention::Convention;
    /// use wd_audit::names::Kind;
    ///
    /// let norm = ("model.layers.0.mlp.norm1.weight", &[64][..], Kind::Norm);
    /// assert!(!Convention::NanoGpt.decays(norm.0, norm.1, norm.2));
    /// assert!(Convention::Everything.decays(norm.0, norm.1, norm.2));
    /// ```
    pub fn decays(self, name: &str, shape: &[usize], kind: Kind) -> bool {
        self.decays_typed(name, shape, kind, None)
    }

    /// The same, where it may be known whether the tensor is a gain of PyTorch's `nn.LayerNorm`,
    /// on whose type Hugging Face decides. A bias beside a gain tells it from an RMSNorm.
    pub fn decays_typed(
        self,
        name: &str,
        shape: &[usize],
        kind: Kind,
        is_layer_norm: Option<bool>,
    ) -> bool {
        let small = name.to_ascii_lowercase();
        let by_type = || is_layer_norm.unwrap_or_else(|| names_a_layer_norm(&small, kind));
        match self {
            Convention::NanoGpt => shape.len() >= 2,
            Convention::HuggingFace4 => {
                !(name.contains("bias") || (by_type() && !names_a_batch_norm(&small)))
            }
            Convention::HuggingFace5 => {
                let spared =
                    (by_type() && !names_a_batch_norm(&small)) || is_spared_by_name(&small);
                !spared
            }
            Convention::Olmo => {
                !matches!(kind, Kind::Norm | Kind::Bias | Kind::Embedding | Kind::Position)
            }
            Convention::Olmo2 => kind != Kind::Embedding,
            Convention::Levanter => {
                !matches!(kind, Kind::Norm | Kind::Bias | Kind::Embedding | Kind::Position)
            }
            Convention::Megatron => shape.len() != 1 && !name.ends_with(".bias"),
            Convention::Timm => {
                shape.len() > 1 && !name.ends_with(".bias") && !is_on_timms_list(&small)
            }
            Convention::Everything => true,
        }
    }
}

/// The patterns of transformers 5: `bias`, `layernorm`, `rmsnorm`, `(?:^|\.)norm(?:$|\.)` and
/// `_norm(?:$|\.)`, sought in the name in small letters.
fn is_spared_by_name(small: &str) -> bool {
    ["bias", "layernorm", "rmsnorm"].iter().any(|part| small.contains(part))
        || small.split('.').any(|part| part == "norm" || part.ends_with("_norm"))
}

/// Whether a gain is probably one of `nn.LayerNorm`: nothing in its name speaks for another class.
fn names_a_layer_norm(small: &str, kind: Kind) -> bool {
    kind == Kind::Norm && !small.contains("rms") && !names_a_batch_norm(small)
}

/// Whether a part of the name is that of a batch or group normalisation.
fn names_a_batch_norm(small: &str) -> bool {
    small.split('.').any(|part| {
        let letters = part.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
        matches!(letters, "bn" | "gn" | "batchnorm" | "batch_norm" | "group_norm" | "groupnorm")
            || (is_normalisation(part) && (part.contains("batch") || part.contains("group")))
    })
}

/// What `no_weight_decay` of timm's models names: positions, tokens and tables of relative biases.
fn is_on_timms_list(small: &str) -> bool {
    const LEAVES: [&str; 9] = [
        "pos_embed",
        "cls_token",
        "dist_token",
        "reg_token",
        "mask_token",
        "absolute_pos_embed",
        "relative_position_bias_table",
        "relative_position_bias",
        "logit_scale",
    ];
    let leaf = small.rsplit('.').next().unwrap_or_default();
    LEAVES.contains(&leaf)
}
