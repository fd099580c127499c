//! The GPT-2 form of a model: Hugging Face's tensor names and `config.json`, both ways.
//!
//! Hugging Face's GPT-2 stores linear layers as `Conv1D`, `[in, out]`; ours are `[out, in]`. A
//! model without biases is written with zero biases, which is the same function.

use std::path::Path;

use serde::{Deserialize, Serialize};
use wd_nn::{Activation, GptConfig, Norm, ParameterLayout, ParameterSegment, Position};
use wd_store::Tensor;

use super::dialect::{Dialect, Form, Translation, misfit, translated, write};
use crate::error::TrainError;

/// The part of a GPT-2 `config.json` that fixes the function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Gpt2Config {
    /// Always `gpt2`.
    pub model_type: String,
    /// Rows of the embedding.
    pub vocab_size: usize,
    /// Context length.
    pub n_positions: usize,
    /// Width of the residual stream.
    pub n_embd: usize,
    /// Blocks.
    pub n_layer: usize,
    /// Attention heads.
    pub n_head: usize,
    /// Hidden width of the MLP; absent: 4 × `n_embd`.
    #[serde(default)]
    pub n_inner: Option<usize>,
    /// `gelu_new` is the tanh form.
    #[serde(default = "gelu_new")]
    pub activation_function: String,
    /// Added to the variance.
    #[serde(default = "default_epsilon")]
    pub layer_norm_epsilon: f64,
    /// Is the head the embedding?
    #[serde(default = "yes")]
    pub tie_word_embeddings: bool,
    /// Standard deviation of new weights.
    #[serde(default = "default_range")]
    pub initializer_range: f64,
    /// Dropout of the embeddings.
    #[serde(default)]
    pub embd_pdrop: f64,
    /// Dropout of the attention probabilities.
    #[serde(default)]
    pub attn_pdrop: f64,
    /// Dropout of the residual branches.
    #[serde(default)]
    pub resid_pdrop: f64,
    /// Written as null: a corpus' own tokens are not GPT-2's 50256.
    #[serde(default)]
    pub bos_token_id: Option<u64>,
    /// Written as null, likewise.
    #[serde(default)]
    pub eos_token_id: Option<u64>,
    /// The class that `transformers` loads.
    #[serde(default)]
    pub architectures: Vec<String>,
}

fn gelu_new() -> String {
    "gelu_new".to_owned()
}

fn default_epsilon() -> f64 {
    1e-5
}

fn default_range() -> f64 {
    0.02
}

fn yes() -> bool {
    true
}

impl Gpt2Config {
    /// Reads the `config.json` in the folder of a weights file, if there is one.
    pub(crate) fn beside(weights: &Path) -> Result<Option<Self>, TrainError> {
        let path = weights.with_file_name("config.json");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(misfit(&path, error.to_string())),
        };
        let config: Gpt2Config = serde_json::from_str(&text)
            .map_err(|error| misfit(&path, format!("it is no GPT-2 config.json: {error}")))?;
        if config.model_type != "gpt2" {
            return Err(misfit(
                &path,
                format!("its model_type is `{}`; only `gpt2` can be read", config.model_type),
            ));
        }
        if config.activation_function != "gelu_new"
            && config.activation_function != "gelu_pytorch_tanh"
        {
            return Err(misfit(
                &path,
                format!(
                    "its activation is `{}`; only the tanh form `gelu_new` can be computed",
                    config.activation_function
                ),
            ));
        }
        Ok(Some(config))
    }

    /// The keys of `[model]` that it fills in.
    pub(crate) fn keys(&self) -> toml::Table {
        let sizes = [
            ("vocabulary", Some(self.vocab_size)),
            ("context", Some(self.n_positions)),
            ("layers", Some(self.n_layer)),
            ("width", Some(self.n_embd)),
            ("heads", Some(self.n_head)),
            ("mlp_width", self.n_inner),
        ];
        let mut keys: toml::Table = sizes
            .into_iter()
            .filter_map(|(key, size)| Some((key.to_owned(), (size? as i64).into())))
            .collect();
        keys.insert("norm_epsilon".to_owned(), self.layer_norm_epsilon.into());
        keys.insert("tied_head".to_owned(), self.tie_word_embeddings.into());
        keys.insert("init_std".to_owned(), self.initializer_range.into());
        keys
    }

    /// The `config.json` of a model.
    ///
    /// # Errors
    /// [`TrainError::NoForm`] names the option that GPT-2 does not have.
    pub(crate) fn of(model: &GptConfig) -> Result<Self, TrainError> {
        let refuse = |reason: &str| Err(TrainError::NoForm { reason: reason.to_owned() });
        if model.norm != Norm::LayerNorm {
            return refuse("it uses RMSNorm");
        }
        if model.position != Position::Learned {
            return refuse("it uses rotary positions");
        }
        if model.activation != Activation::Gelu {
            return refuse("it uses SwiGLU");
        }
        if model.qk_norm {
            return refuse("it normalises queries and keys");
        }
        Ok(Gpt2Config {
            model_type: "gpt2".to_owned(),
            vocab_size: model.vocabulary,
            n_positions: model.context,
            n_embd: model.width,
            n_layer: model.layers,
            n_head: model.heads,
            n_inner: model.mlp_width,
            activation_function: gelu_new(),
            layer_norm_epsilon: model.norm_epsilon,
            tie_word_embeddings: model.tied_head,
            initializer_range: model.init_std,
            embd_pdrop: model.dropout,
            attn_pdrop: model.dropout,
            resid_pdrop: model.dropout,
            bos_token_id: None,
            eos_token_id: None,
            architectures: vec!["GPT2LMHeadModel".to_owned()],
        })
    }
}

/// Hugging Face's names of a GPT-2.
pub(crate) struct Names {
    /// Files saved without the head carry no `transformer.` prefix.
    prefixed: bool,
    /// Where the token embedding lies.
    embedding: Option<std::ops::Range<usize>>,
}

impl Names {
    /// The names as a file with these tensors has them.
    pub(crate) fn of(tensors: &[Tensor], layout: &ParameterLayout) -> Self {
        Names {
            prefixed: tensors.iter().any(|(name, ..)| name.starts_with("transformer.")),
            embedding: layout.segment("embedding.token.weight").map(ParameterSegment::range),
        }
    }
}

impl Dialect for Names {
    fn name(&self, segment: &ParameterSegment) -> Option<Translation> {
        let (name, transposed) = hugging_face_name(&segment.path)?;
        Some(Translation {
            name: match self.prefixed {
                true => name,
                false => name.replacen("transformer.", "", 1),
            },
            form: match transposed {
                true => Form::Transposed,
                false => Form::Same,
            },
        })
    }

    /// A tied head is stored twice by some writers, causal masks by old ones; zero biases are no
    /// biases.
    fn is_harmless(&self, name: &str, values: &[f32], parameters: &[f32]) -> bool {
        let embedding = self.embedding.clone().map(|range| &parameters[range]);
        (name == "lm_head.weight" && Some(values) == embedding)
            || name.ends_with(".attn.bias")
            || name.ends_with(".attn.masked_bias")
            || (name.ends_with(".bias") && values.iter().all(|value| *value == 0.0))
    }
}

/// Our path → Hugging Face's name and whether the matrix is transposed there.
fn hugging_face_name(path: &str) -> Option<(String, bool)> {
    let fixed = match path {
        "embedding.token.weight" => Some("transformer.wte.weight"),
        "embedding.position.weight" => Some("transformer.wpe.weight"),
        "final_norm.weight" => Some("transformer.ln_f.weight"),
        "final_norm.bias" => Some("transformer.ln_f.bias"),
        "head.weight" => Some("lm_head.weight"),
        _ => None,
    };
    if let Some(name) = fixed {
        return Some((name.to_owned(), false));
    }
    let (block, rest) = path.strip_prefix("block.")?.split_once('.')?;
    let (module, kind) = rest.rsplit_once('.')?;
    let (name, is_linear) = match module {
        "attention.norm" => ("ln_1", false),
        "attention.qkv" => ("attn.c_attn", true),
        "attention.projection" => ("attn.c_proj", true),
        "mlp.norm" => ("ln_2", false),
        "mlp.up" => ("mlp.c_fc", true),
        "mlp.down" => ("mlp.c_proj", true),
        _ => return None,
    };
    Some((format!("transformer.h.{block}.{name}.{kind}"), is_linear && kind == "weight"))
}

/// Writes weights as `file` in GPT-2's names, and `config.json` beside it.
///
/// # Errors
/// A model that GPT-2 cannot express; a file that cannot be written; another `config.json` there,
/// unless told to `overwrite` it.
pub(crate) fn export(
    model: &GptConfig,
    layout: &ParameterLayout,
    parameters: &[f32],
    file: &Path,
    overwrite: bool,
) -> Result<(), TrainError> {
    let json = serde_json::to_string_pretty(&Gpt2Config::of(model)?)
        .map_err(|error| TrainError::NoForm { reason: error.to_string() })?;
    let names = Names { prefixed: true, embedding: None };
    let mut tensors: Vec<Tensor> = layout
        .segments
        .iter()
        .map(|segment| translated(&names, segment, parameters))
        .collect::<Result<_, _>>()?;
    if !model.bias {
        let with_bias = GptConfig { bias: true, ..model.clone() };
        for segment in with_bias.layout().segments {
            if segment.path.ends_with(".bias")
                && let Some((name, _)) = hugging_face_name(&segment.path)
            {
                let zeros = vec![0.0; segment.len()];
                tensors.push((name, segment.shape, zeros));
            }
        }
    }
    write(file, &tensors, Some(&json), overwrite)
}
