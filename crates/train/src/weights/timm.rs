//! The timm form of a vision transformer: the names of its `VisionTransformer`, and the
//! `config.json` with which `timm.create_model("local-dir:FOLDER", pretrained=True)` makes it.

use std::path::Path;

use serde::{Deserialize, Serialize};
use wd_nn::{ParameterLayout, ParameterSegment, Pool, VitActivation, VitConfig};
use wd_store::{PlannedImages, Tensor};

use super::dialect::{Dialect, Form, Translation, misfit, translated, write};
use crate::error::TrainError;

/// The part of a `config.json` that fixes the function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct TimmConfig {
    /// Any ViT: `model_args` overrides its sizes.
    architecture: String,
    num_classes: usize,
    model_args: Arguments,
    pretrained_cfg: PretrainedConfig,
}

/// Arguments of `timm.models.VisionTransformer`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Arguments {
    pub img_size: [usize; 2],
    pub patch_size: usize,
    pub in_chans: usize,
    pub embed_dim: usize,
    pub depth: usize,
    pub num_heads: usize,
    pub mlp_ratio: f64,
    pub qkv_bias: bool,
    pub class_token: bool,
    pub global_pool: String,
    pub fc_norm: bool,
    pub act_layer: String,
}

impl Arguments {
    /// The keys of `[model]` that they fill in.
    pub(crate) fn keys(&self) -> toml::Table {
        let hidden = (self.embed_dim as f64 * self.mlp_ratio) as usize;
        let sizes = [
            ("patch", self.patch_size),
            ("layers", self.depth),
            ("width", self.embed_dim),
            ("heads", self.num_heads),
            ("mlp_width", hidden),
        ];
        let mut keys: toml::Table =
            sizes.map(|(key, size)| (key.to_owned(), (size as i64).into())).into_iter().collect();
        let pool = if self.class_token { "token" } else { "mean" };
        keys.insert("pool".to_owned(), pool.into());
        keys.insert("activation".to_owned(), self.act_layer.replace('_', "-").into());
        keys.insert("qkv_bias".to_owned(), self.qkv_bias.into());
        keys
    }
}

/// How images become numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct PretrainedConfig {
    input_size: [usize; 3],
    fixed_input_size: bool,
    num_classes: usize,
    mean: Vec<f32>,
    std: Vec<f32>,
    first_conv: String,
    classifier: String,
    label_names: Vec<String>,
}

/// timm's names of a ViT's tensors.
pub(crate) struct Names;

impl Dialect for Names {
    fn name(&self, segment: &ParameterSegment) -> Option<Translation> {
        let width = segment.shape.last().copied().unwrap_or_default();
        let shape = segment.shape.clone();
        let (name, shape) = match segment.path.as_str() {
            "embedding.class_token" => ("cls_token".to_owned(), vec![1, 1, width]),
            "embedding.position.weight" => {
                ("pos_embed".to_owned(), vec![1, segment.len() / width.max(1), width])
            }
            path => (timm_name(path)?, shape),
        };
        Some(Translation { name, form: Form::Shaped(shape) })
    }

    /// Counters of batches mean nothing to the function.
    fn is_harmless(&self, name: &str, _values: &[f32], _parameters: &[f32]) -> bool {
        name.ends_with(".num_batches_tracked")
    }
}

fn timm_name(path: &str) -> Option<String> {
    let (module, kind) = path.rsplit_once('.')?;
    let fixed = match module {
        "embedding.patch" => Some("patch_embed.proj"),
        "final_norm" => Some("norm"),
        "head" => Some("head"),
        _ => None,
    };
    if let Some(module) = fixed {
        return Some(format!("{module}.{kind}"));
    }
    let (block, module) = module.strip_prefix("block.")?.split_once('.')?;
    let module = match module {
        "attention.norm" => "norm1",
        "attention.qkv" => "attn.qkv",
        "attention.projection" => "attn.proj",
        "mlp.norm" => "norm2",
        "mlp.up" => "mlp.fc1",
        "mlp.down" => "mlp.fc2",
        _ => return None,
    };
    Some(format!("blocks.{block}.{module}.{kind}"))
}

impl TimmConfig {
    fn of(model: &VitConfig, images: &PlannedImages) -> Result<Self, TrainError> {
        if model.norm_epsilon != 1e-6 {
            return Err(TrainError::NoForm {
                reason: format!("timm's LayerNorm has ε = 1e-6, this one {:e}", model.norm_epsilon),
            });
        }
        let image = model.image;
        let has_token = model.pool == Pool::Token;
        Ok(TimmConfig {
            architecture: "vit_tiny_patch16_224".to_owned(),
            num_classes: model.classes,
            model_args: Arguments {
                img_size: [image.height, image.width],
                patch_size: model.patch,
                in_chans: image.channels,
                embed_dim: model.width,
                depth: model.layers,
                num_heads: model.heads,
                mlp_ratio: ratio(model.hidden(), model.width),
                qkv_bias: model.qkv_bias,
                class_token: has_token,
                global_pool: if has_token { "token" } else { "avg" }.to_owned(),
                // Else timm moves the last norm behind the mean.
                fc_norm: false,
                act_layer: match model.activation {
                    VitActivation::Gelu => "gelu",
                    VitActivation::GeluTanh => "gelu_tanh",
                }
                .to_owned(),
            },
            pretrained_cfg: PretrainedConfig {
                input_size: [image.channels, image.height, image.width],
                fixed_input_size: true,
                num_classes: model.classes,
                mean: images.mean.clone(),
                std: images.std.clone(),
                first_conv: "patch_embed.proj".to_owned(),
                classifier: "head".to_owned(),
                label_names: images.classes.clone(),
            },
        })
    }
}

/// Reads the arguments in the folder of a weights file, if a `config.json` there has any.
pub(crate) fn beside(weights: &Path) -> Result<Option<Arguments>, TrainError> {
    #[derive(Deserialize)]
    struct Part {
        model_args: Option<Arguments>,
    }
    let path = weights.with_file_name("config.json");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(misfit(&path, error.to_string())),
    };
    let part: Part = serde_json::from_str(&text).map_err(|error| {
        misfit(&path, format!("its model_args are not those of a vision transformer: {error}"))
    })?;
    if let Some(arguments) = &part.model_args
        && !["gelu", "gelu_tanh"].contains(&arguments.act_layer.as_str())
    {
        return Err(misfit(
            &path,
            format!(
                "its activation is `{}`; only `gelu` and `gelu_tanh` can be computed",
                arguments.act_layer
            ),
        ));
    }
    Ok(part.model_args)
}

/// A ratio of which timm's `int(width * ratio)` makes the hidden width again.
fn ratio(hidden: usize, width: usize) -> f64 {
    let (hidden, width) = (hidden as f64, width as f64);
    if (width * (hidden / width)).floor() == hidden {
        hidden / width
    } else {
        (hidden + 0.5) / width
    }
}

/// Writes a ViT as `file` in timm's names, and `config.json` beside it.
///
/// # Errors
/// A model that timm does not have; a file that cannot be written; another `config.json` there,
/// unless told to `overwrite` it.
pub(crate) fn export(
    model: &VitConfig,
    images: &PlannedImages,
    layout: &ParameterLayout,
    parameters: &[f32],
    file: &Path,
    overwrite: bool,
) -> Result<(), TrainError> {
    let json = serde_json::to_string_pretty(&TimmConfig::of(model, images)?)
        .map_err(|error| TrainError::NoForm { reason: error.to_string() })?;
    let tensors: Vec<Tensor> = layout
        .segments
        .iter()
        .map(|segment| translated(&Names, segment, parameters))
        .collect::<Result<_, _>>()?;
    write(file, &tensors, Some(&json), overwrite)
}
