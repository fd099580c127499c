//! What a tensor is for, from its name and shape.

use serde::Serialize;
use strum::{Display, IntoStaticStr};

use super::path::Path;

/// What a tensor is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Display, IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Kind {
    /// A matrix of a linear layer.
    Matrix,
    /// Filters of a convolution.
    Convolution,
    /// Rows of tokens.
    Embedding,
    /// Rows of positions.
    Position,
    /// The matrix in front of the softmax.
    Head,
    /// Gains of a normalisation.
    Norm,
    /// An additive vector.
    Bias,
    /// A tensor that models treat apart: A_log, D, dt_bias, logit_scale, layer scales, class tokens.
    Special,
    /// A or B of a low-rank adapter.
    Adapter,
    /// Many tensors as one vector, as FSDP and ZeRO keep them.
    Flat,
    /// A vector that is neither a bias nor a gain as far as its name tells.
    Vector,
}

/// Vectors longer than this that have no name are many tensors in one: the longest vector of a
/// common model is the bias of a head, one number a token, and vocabularies end at about 300,000.
const FLAT_FROM: usize = 1 << 20;

impl Kind {
    /// What a tensor is for, by the names that well-known models give it and by its axes.
    ///
    /// The name decides where it can: a gain of a normalisation may have two axes, and a bias of
    /// several experts has. The number of axes decides the rest.
    ///
    /// # Example
    /// ```
    /// use wd_audit::names::Kind;
    ///
    /// assert_eq!(Kind::of("transformer.h.0.ln_1.weight", &[768]), Kind::Norm);
    /// assert_eq!(Kind::of("backbone.layers.0.mixer.A_log", &[1536, 16]), Kind::Special);
    /// ```
    pub fn of(name: &str, shape: &[usize]) -> Kind {
        let path = Path::new(name);
        by_name(&path, Some(shape.len())).unwrap_or_else(|| by_shape(&path, shape))
    }

    /// What a tensor is for as far as its name alone tells.
    pub fn of_name(name: &str) -> Option<Kind> {
        by_name(&Path::new(name), None)
    }

    /// What a tensor without a name can only be.
    pub fn of_shape(shape: &[usize]) -> Option<Kind> {
        match *shape {
            [] => Some(Kind::Special),
            [length] if length >= FLAT_FROM => Some(Kind::Flat),
            [_] => Some(Kind::Vector),
            [_, _, _, _] | [_, _, _, _, _] => Some(Kind::Convolution),
            _ => None,
        }
    }

    /// Whether it is a weight proper, which multiplies activations, and no gain, bias or scale.
    pub fn is_weight(self) -> bool {
        use Kind::{Adapter, Convolution, Embedding, Flat, Head, Matrix, Position};
        matches!(self, Matrix | Convolution | Embedding | Position | Head | Adapter | Flat)
    }
}

/// The kind that the name gives; `axes` is the number of axes where it is known.
fn by_name(path: &Path, axes: Option<usize>) -> Option<Kind> {
    let is_vector = axes.is_some_and(|axes| axes <= 1);
    if path.last().contains("flat_param") {
        return Some(Kind::Flat);
    }
    if path.parts().any(is_adapter) {
        return Some(Kind::Adapter);
    }
    if is_position(path) {
        return Some(Kind::Position);
    }
    if is_special(path, is_vector) {
        return Some(Kind::Special);
    }
    if is_bias(path) {
        return Some(Kind::Bias);
    }
    if is_gain(path) || (is_vector && path.last() == "weight" && !is_activation(path.module())) {
        // Of PyTorch's modules only normalisations and PReLU have a `weight` with one axis.
        return Some(Kind::Norm);
    }
    if axes.is_some_and(|axes| axes != 2) {
        return None;
    }
    if is_head(path) {
        return Some(Kind::Head);
    }
    is_embedding(path).then_some(Kind::Embedding)
}

fn by_shape(path: &Path, shape: &[usize]) -> Kind {
    match shape.len() {
        0 => Kind::Special,
        1 => Kind::Vector,
        2 => Kind::Matrix,
        // Three axes: one-dimensional convolutions, or the matrices of several experts.
        3 if path.parts().any(|part| part.contains("conv")) => Kind::Convolution,
        3 => Kind::Matrix,
        _ => Kind::Convolution,
    }
}

fn is_adapter(part: &str) -> bool {
    const STARTS: [&str; 5] = ["lora_", "hada_w", "ia3_", "lokr_w", "vera_lambda"];
    // Names of kohya's files begin with `lora_unet_` and are adapters as a whole.
    STARTS.iter().any(|start| part.starts_with(start))
}

fn is_position(path: &Path) -> bool {
    const NAMES: [&str; 14] = [
        "wpe",
        "pos_embed",
        "pos_emb",
        "pos_embedding",
        "position_embedding",
        "position_embeddings",
        "positional_embedding",
        "position_embedding_table",
        "embed_positions",
        "absolute_pos_embed",
        "relative_position_bias_table",
        "relative_attention_bias",
        "rel_pos_h",
        "rel_pos_w",
    ];
    let leaf = path.last();
    NAMES.contains(&leaf)
        || (leaf == "weight" && NAMES.contains(&path.module()))
        || leaf.ends_with("_pos_embed")
}

/// The tensors of rule S06.
fn is_special(path: &Path, is_vector: bool) -> bool {
    let (leaf, module) = (path.last(), path.module());
    const LEAVES: [&str; 33] = [
        "a_log",
        "dt_bias",
        "logit_scale",
        "logit_bias",
        "cls_token",
        "class_token",
        "class_embedding",
        "dist_token",
        "mask_token",
        "reg_token",
        "register_tokens",
        "query_tokens",
        "latents",
        "latent_query",
        "lambda1",
        "lambda_1",
        "lambda_2",
        "gamma_1",
        "gamma_2",
        "layer_scale_1",
        "layer_scale_2",
        "layer_scalar",
        "resid_lambdas",
        "x0_lambdas",
        "skip_weights",
        "e_score_correction_bias",
        "expert_bias",
        "sinks",
        "temperature",
        "scale_shift_table",
        "time_decay",
        "time_first",
        "time_faaaa",
    ];
    // Only Mamba's skip connection is a lone capital D.
    if LEAVES.contains(&leaf) || path.last_as_written() == "D" {
        return true;
    }
    if leaf.starts_with("time_mix_") || leaf.starts_with("time_maa_") || leaf.ends_with("_token") {
        return true;
    }
    // ConvNeXt's `blocks.0.gamma`, timm's `ls1.gamma`; the gamma of a normalisation is a gain.
    if matches!(leaf, "gamma" | "scale" | "per_dim_scale") || leaf.ends_with("_scale") {
        return !is_normalisation(module) && !is_normalisation(leaf);
    }
    // Gates that open a frozen model: one number, or one a channel.
    is_vector && leaf.ends_with("gate")
}

fn is_bias(path: &Path) -> bool {
    let leaf = path.last();
    leaf == "bias"
        || leaf == "beta"
        || leaf.ends_with("_bias")
        || leaf.starts_with("bias_")
        || (leaf == "b" && is_normalisation(path.module()))
}

fn is_gain(path: &Path) -> bool {
    let leaf = path.last();
    // Megatron keeps the gain in the linear layer: `linear_qkv.layer_norm_weight`.
    if is_normalisation(leaf) || leaf == "weight_g" {
        return true;
    }
    // Weight normalisation since PyTorch 2: g is `parametrizations.weight.original0`.
    if leaf == "original0" {
        return true;
    }
    matches!(leaf, "weight" | "gamma" | "scale" | "g") && is_normalisation(path.module())
}

/// Whether a part of a name is that of a normalisation: `norm1`, `ln_f`, `q_norm`, `bn2` …
pub(crate) fn is_normalisation(part: &str) -> bool {
    if part.contains("norm") {
        // `weight_norm` is a way to write a matrix, and `normalize` a step of the data.
        return part != "weight_norm" && !part.contains("normaliz");
    }
    let is_short = |word: &str| {
        let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
        matches!(letters, "ln" | "bn" | "gn")
    };
    part.split('_').any(is_short) || part.ends_with("_layrnorm")
}

fn is_activation(module: &str) -> bool {
    module.contains("relu") || module.starts_with("act")
}

fn is_head(path: &Path) -> bool {
    let module = path.module();
    if path.last() != "weight" && path.last() != "kernel" {
        return false;
    }
    const ANYWHERE: [&str; 13] = [
        "lm_head",
        "classifier",
        "classification_head",
        "output_layer",
        "output_projection",
        "embed_out",
        "unembed",
        "score",
        "qa_outputs",
        "seq_relationship",
        "w_out",
        "lm_head_weight",
        "head_dist",
    ];
    if ANYWHERE.contains(&module) || path.ends_with(&["predictions", "decoder", "weight"]) {
        return true;
    }
    // A number in the path is that of a layer, and the head lies behind all layers, except where
    // a classifier is a sequence itself (`classifier.6.weight`).
    if path.parts().any(is_number) {
        return path.parent() == "classifier" && is_number(module);
    }
    matches!(module, "head" | "fc" | "output" | "ff_out")
}

fn is_embedding(path: &Path) -> bool {
    let (leaf, module) = (path.last(), path.module());
    const NAMES: [&str; 22] = [
        "wte",
        "embed",
        "embeds",
        "emb",
        "embedding",
        "embeddings",
        "embed_tokens",
        "embed_tokens_per_layer",
        "embed_in",
        "tok_embeddings",
        "tok_embedding",
        "tok_emb",
        "token_embedding",
        "token_embedding_table",
        "token_emb",
        "token_embeddings",
        "token_type_embeddings",
        "word_embeddings",
        "word_embedding",
        "shared",
        "label_emb",
        "value_embeds",
    ];
    if leaf == "weight" && is_number(module) {
        return matches!(path.parent(), "value_embeds" | "embeddings" | "embeds");
    }
    (leaf == "weight" && (NAMES.contains(&module) || module.ends_with("_token_embedding")))
        || NAMES.contains(&leaf)
}

fn is_number(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}
