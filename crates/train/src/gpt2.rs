//! The GPT-2 form of a model: Hugging Face's tensor names and `config.json`, both ways.
//!
//! Hugging Face's GPT-2 stores linear layers as `Conv1D`, `[in, out]`; ours are `[out, in]`. A model without biases
//! is written with zero biases, which is the same function.

use std::path::Path;

use serde::{Deserialize, Serialize};
use wd_nn::{Activation, GptConfig, Norm, ParameterLayout, Position};
use wd_store::{Tensor, TensorView, read_safetensors, write_safetensors};

use crate::TrainError;

/// The part of a GPT-2 `config.json` that fixes the function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gpt2Config {
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
                format!(
                    "its model_type is `{}`; only `gpt2` can be read",
                    config.model_type
                ),
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

    /// The `config.json` of a model.
    ///
    /// # Errors
    /// [`TrainError::NotGpt2`] names the option that GPT-2 does not have.
    pub fn of(model: &GptConfig) -> Result<Self, TrainError> {
        let refuse = |reason: &str| {
            Err(TrainError::NotGpt2 {
                reason: reason.to_owned(),
            })
        };
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
    Some((
        format!("transformer.h.{block}.{name}.{kind}"),
        is_linear && kind == "weight",
    ))
}

fn transpose(rows: usize, columns: usize, values: &[f32]) -> Vec<f32> {
    let mut out = Vec::with_capacity(values.len());
    for column in 0..columns {
        out.extend((0..rows).map(|row| values[row * columns + column]));
    }
    out
}

/// Writes weights as `file` in GPT-2's names, and `config.json` beside it.
///
/// # Errors
/// A model that GPT-2 cannot express; a file that cannot be written; another `config.json` there, unless told to
/// `overwrite` it.
pub fn export(
    model: &GptConfig,
    layout: &ParameterLayout,
    parameters: &[f32],
    file: &Path,
    overwrite: bool,
) -> Result<(), TrainError> {
    let config = Gpt2Config::of(model)?;
    let json = serde_json::to_string_pretty(&config).map_err(|error| TrainError::NotGpt2 {
        reason: error.to_string(),
    })?;
    let config_path = file.with_file_name("config.json");
    let is_another = std::fs::read(&config_path).is_ok_and(|there| there != json.as_bytes());
    if is_another && !overwrite {
        return Err(TrainError::OtherConfig { path: config_path });
    }
    let mut tensors: Vec<Tensor> = Vec::new();
    for segment in &layout.segments {
        let values = &parameters[segment.range()];
        let (name, transposed) =
            hugging_face_name(&segment.path).ok_or_else(|| TrainError::NotGpt2 {
                reason: format!("it has a tensor `{}`", segment.path),
            })?;
        tensors.push(if transposed {
            let shape = segment.shape.iter().rev().copied().collect();
            (
                name,
                shape,
                transpose(segment.shape[0], segment.shape[1], values),
            )
        } else {
            (name, segment.shape.clone(), values.to_vec())
        });
    }
    if !model.bias {
        let with_bias = GptConfig {
            bias: true,
            ..model.clone()
        };
        for segment in with_bias.layout().segments {
            if segment.path.ends_with(".bias")
                && let Some((name, _)) = hugging_face_name(&segment.path)
            {
                let zeros = vec![0.0; segment.len()];
                tensors.push((name, segment.shape, zeros));
            }
        }
    }
    let views: Vec<TensorView<'_>> = tensors
        .iter()
        .map(|(name, shape, values)| (name.as_str(), shape.as_slice(), values.as_slice()))
        .collect();
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|error| misfit(folder, error.to_string()))?;
    }
    write_safetensors(file, &views)?;
    wd_store::write_file(&config_path, json.as_bytes())?;
    Ok(())
}

/// Reads weights in GPT-2's names (or in our own, as checkpoints hold them) into `parameters`.
///
/// # Errors
/// Missing, superfluous or misshapen tensors, by name; numbers that are not finite; non-zero biases for a model
/// without them; a stored head that is not the embedding for a model with a tied head.
pub fn import(
    file: &Path,
    layout: &ParameterLayout,
    parameters: &mut [f32],
) -> Result<(), TrainError> {
    fill(file, read_safetensors(file)?, layout, parameters)
}

/// The same, from tensors already read from `file`.
pub(crate) fn fill(
    file: &Path,
    mut tensors: Vec<Tensor>,
    layout: &ParameterLayout,
    parameters: &mut [f32],
) -> Result<(), TrainError> {
    // Files saved without the head carry no `transformer.` prefix.
    let prefixed = tensors
        .iter()
        .any(|(name, ..)| name.starts_with("transformer."));
    for segment in &layout.segments {
        let foreign = hugging_face_name(&segment.path).map(|(name, transposed)| {
            let name = if prefixed {
                name
            } else {
                name.replacen("transformer.", "", 1)
            };
            (name, transposed)
        });
        let position = tensors.iter().position(|(name, ..)| {
            *name == segment.path || foreign.as_ref().is_some_and(|(foreign, _)| foreign == name)
        });
        let Some(position) = position else {
            let wanted = foreign.map_or(String::new(), |(name, _)| format!(" (or `{name}`)"));
            return Err(misfit(
                file,
                format!("it has no tensor `{}`{wanted}", segment.path),
            ));
        };
        let (name, shape, values) = tensors.swap_remove(position);
        let transposed = name != segment.path && foreign.is_some_and(|(_, transposed)| transposed);
        let expected: Vec<usize> = if transposed {
            segment.shape.iter().rev().copied().collect()
        } else {
            segment.shape.clone()
        };
        if shape != expected {
            return Err(misfit(
                file,
                format!("`{name}` has shape {shape:?}, the model wants {expected:?}"),
            ));
        }
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            return Err(misfit(
                file,
                format!("`{name}` holds {} at element {index}", values[index]),
            ));
        }
        if transposed {
            let values = transpose(expected[0], expected[1], &values);
            parameters[segment.range()].copy_from_slice(&values);
        } else {
            parameters[segment.range()].copy_from_slice(&values);
        }
    }
    let embedding = layout
        .segment("embedding.token.weight")
        .map(|segment| &parameters[segment.range()]);
    for (name, _, values) in &tensors {
        // A tied head is stored twice by some writers, causal masks by old ones; zero biases are no biases.
        let is_harmless = (name == "lm_head.weight" && Some(values.as_slice()) == embedding)
            || name.ends_with(".attn.bias")
            || name.ends_with(".attn.masked_bias")
            || (name.ends_with(".bias") && values.iter().all(|value| *value == 0.0));
        if !is_harmless {
            return Err(misfit(
                file,
                format!("the model has no place for its tensor `{name}`"),
            ));
        }
    }
    Ok(())
}

fn misfit(path: &Path, reason: String) -> TrainError {
    TrainError::Weights {
        path: path.to_owned(),
        reason,
    }
}
