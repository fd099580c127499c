//! `[model]` → [`ModelConfig`]: the section, what the data say, and the `config.json` beside `init_from`.

use wd_nn::{
    Activation, ClassLoss, CnnConfig, GptConfig, ImageNorm, ImageShape, MlpActivation, MlpConfig,
    NnError, Norm, ParameterLayout, Position, ResnetConfig, VisionConfig, VitActivation, VitConfig,
};

use crate::{
    ConfigSource, TrainError,
    config::{ActivationName, LossName, ModelKind, NormName},
    gpt2::Gpt2Config,
    timm,
};

/// The network of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelConfig {
    /// On text.
    Gpt(GptConfig),
    /// On images.
    Vision(VisionConfig),
}

impl ModelConfig {
    /// Its tensors.
    pub fn layout(&self) -> ParameterLayout {
        match self {
            ModelConfig::Gpt(model) => model.layout(),
            ModelConfig::Vision(model) => model.layout(),
        }
    }

    /// What batch norm keeps beside them; empty without it.
    pub fn running_statistics(&self) -> ParameterLayout {
        match self {
            ModelConfig::Gpt(_) => ParameterLayout::default(),
            ModelConfig::Vision(model) => model.running_statistics(),
        }
    }

    /// Writes initial weights.
    ///
    /// # Errors
    /// As the models'.
    pub fn initialize(&self, seed: u64, parameters: &mut [f32]) -> Result<(), NnError> {
        match self {
            ModelConfig::Gpt(model) => model.initialize(seed, parameters),
            ModelConfig::Vision(model) => model.initialize(seed, parameters),
        }
    }

    /// The network in a few words.
    pub fn describe(&self) -> String {
        match self {
            ModelConfig::Gpt(model) => format!(
                "{} layers, width {}, {} heads, context {}",
                model.layers, model.width, model.heads, model.context
            ),
            ModelConfig::Vision(VisionConfig::Vit(_)) => "vit".to_owned(),
            ModelConfig::Vision(VisionConfig::Resnet(_)) => "resnet".to_owned(),
            ModelConfig::Vision(VisionConfig::Cnn(_)) => "cnn".to_owned(),
            ModelConfig::Vision(VisionConfig::Mlp(_)) => "mlp".to_owned(),
        }
    }

    /// Width of the residual stream, where there is one.
    pub fn width(&self) -> Option<usize> {
        match self {
            ModelConfig::Gpt(model) => Some(model.width),
            ModelConfig::Vision(VisionConfig::Vit(model)) => Some(model.width),
            ModelConfig::Vision(_) => None,
        }
    }

    /// Tokens a sequence; absent on images.
    pub fn context(&self) -> Option<usize> {
        match self {
            ModelConfig::Gpt(model) => Some(model.context),
            ModelConfig::Vision(_) => None,
        }
    }
}

/// A key of `[model]` that has no default.
fn required<T>(source: &ConfigSource, name: &str, value: Option<T>) -> Result<T, TrainError> {
    value.ok_or_else(|| {
        source.invalid(
            &format!("model.{name}"),
            format!("model.{name} is missing"),
            format!("add `{name} = …` to [model]"),
        )
    })
}

/// An activation or norm that this kind of model does not have.
fn not_here(source: &ConfigSource, key: &str, known: &str) -> TrainError {
    source.invalid(
        &format!("model.{key}"),
        format!("a model of kind \"{}\" does not have this {key}", source.config.model.kind.name()),
        format!("it has {known}"),
    )
}

fn valid(source: &ConfigSource, checked: Result<(), NnError>) -> Result<(), TrainError> {
    checked.map_err(|error| {
        source.invalid(
            "model",
            error.to_string(),
            "mend the [model] section; `wd plan` shows what follows from it",
        )
    })
}

/// The classifier of a configuration, for images of this size in so many classes.
pub(crate) fn resolve_vision(
    source: &ConfigSource,
    image: ImageShape,
    classes: usize,
) -> Result<VisionConfig, TrainError> {
    let section = &source.config.model;
    let label_smoothing = section.label_smoothing.unwrap_or(0.0);
    let loss = match section.loss.unwrap_or_default() {
        LossName::CrossEntropy => ClassLoss::CrossEntropy { label_smoothing },
        LossName::MeanSquaredError if section.label_smoothing.is_some() => {
            return Err(source.invalid(
                "model.label_smoothing",
                "the squared error has no label smoothing",
                "remove label_smoothing, or set loss = \"cross-entropy\"",
            ));
        }
        LossName::MeanSquaredError => ClassLoss::MeanSquaredError,
    };
    let dropout = section.dropout.unwrap_or(0.0);
    let model = match section.kind {
        ModelKind::Vit => {
            let beside = match &section.init_from {
                Some(file) => timm::beside(file)?,
                None => None,
            };
            let beside = beside.as_ref();
            let required = |name: &str, written: Option<usize>, inherited: Option<usize>| {
                required(source, name, written.or(inherited))
            };
            let patch = required("patch", section.patch, beside.map(|c| c.patch_size))?;
            let layers = required("layers", section.layers, beside.map(|c| c.depth))?;
            let width = required("width", section.width, beside.map(|c| c.embed_dim))?;
            let heads = required("heads", section.heads, beside.map(|c| c.num_heads))?;
            let defaults = VitConfig::new(image, classes, patch, layers, width, heads);
            VisionConfig::Vit(VitConfig {
                mlp_width: section.mlp_width.or(beside.map(timm::Arguments::hidden)),
                pool: (section.pool.or(beside.map(timm::Arguments::pool))).unwrap_or(defaults.pool),
                activation: match section.activation {
                    None => beside.map_or(VitActivation::Gelu, timm::Arguments::activation),
                    Some(ActivationName::Gelu) => VitActivation::Gelu,
                    Some(ActivationName::GeluTanh) => VitActivation::GeluTanh,
                    Some(_) => {
                        return Err(not_here(source, "activation", "\"gelu\", \"gelu-tanh\""));
                    }
                },
                qkv_bias: (section.qkv_bias.or(beside.map(|c| c.qkv_bias)))
                    .unwrap_or(defaults.qkv_bias),
                dropout,
                norm_epsilon: section.norm_epsilon.unwrap_or(defaults.norm_epsilon),
                loss,
                ..defaults
            })
        }
        ModelKind::Resnet => {
            let depth = required(source, "depth", section.depth)?;
            let defaults = ResnetConfig::new(image, classes, depth);
            VisionConfig::Resnet(ResnetConfig {
                width: section.width,
                stem: section.stem.unwrap_or(defaults.stem),
                norm: image_norm(source)?,
                loss,
                ..defaults
            })
        }
        ModelKind::Cnn => {
            let channels = required(source, "channels", section.channels.clone())?;
            let defaults = CnnConfig::new(image, classes, channels);
            VisionConfig::Cnn(CnnConfig {
                convolutions: section.convolutions.unwrap_or(defaults.convolutions),
                kernel: section.kernel.unwrap_or(defaults.kernel),
                groups: section.groups.unwrap_or(defaults.groups),
                norm: image_norm(source)?,
                pooling: section.pooling.unwrap_or(defaults.pooling),
                loss,
                ..defaults
            })
        }
        ModelKind::Mlp => VisionConfig::Mlp(MlpConfig {
            activation: match section.activation {
                None | Some(ActivationName::Relu) => MlpActivation::Relu,
                Some(ActivationName::Gelu) => MlpActivation::Gelu,
                Some(_) => return Err(not_here(source, "activation", "\"relu\", \"gelu\"")),
            },
            dropout,
            loss,
            ..MlpConfig::new(image, classes, required(source, "hidden", section.hidden.clone())?)
        }),
        ModelKind::Gpt => {
            return Err(source.invalid(
                "model.kind",
                "a GPT reads text, and these data are images",
                "set model.kind to \"vit\", \"resnet\", \"cnn\" or \"mlp\"",
            ));
        }
    };
    valid(source, model.validate())?;
    Ok(model)
}

/// What normalises the outputs of convolutions.
fn image_norm(source: &ConfigSource) -> Result<ImageNorm, TrainError> {
    match source.config.model.norm {
        None | Some(NormName::Batch) => Ok(ImageNorm::Batch),
        Some(NormName::Group) => Ok(ImageNorm::Group),
        Some(NormName::None) => Ok(ImageNorm::None),
        Some(NormName::Layernorm | NormName::Rmsnorm) => {
            Err(not_here(source, "norm", "\"batch\", \"group\", \"none\""))
        }
    }
}

/// The GPT of a configuration, for a corpus of so many tokens.
///
/// A value comes from the section; else from the `config.json` beside `model.init_from`; else from the defaults of
/// [`GptConfig`]. Context, layers, width and heads have no default.
pub(crate) fn resolve_gpt(
    source: &ConfigSource,
    corpus_vocabulary: usize,
) -> Result<GptConfig, TrainError> {
    let section = &source.config.model;
    let beside = match &section.init_from {
        Some(file) => Gpt2Config::beside(file)?,
        None => None,
    };
    let required = |name: &str, written: Option<usize>, inherited: Option<usize>| {
        required(source, name, written.or(inherited))
    };
    let gpt2 = beside.as_ref();
    let vocabulary = section.vocabulary.or(gpt2.map(|c| c.vocab_size)).unwrap_or(corpus_vocabulary);
    if vocabulary < corpus_vocabulary {
        return Err(source.invalid(
            "model.vocabulary",
            format!("the corpus has {corpus_vocabulary} tokens, the model only {vocabulary}"),
            "leave model.vocabulary out, or prepare the corpus with the model's tokenizer",
        ));
    }
    let context = required("context", section.context, gpt2.map(|c| c.n_positions))?;
    let layers = required("layers", section.layers, gpt2.map(|c| c.n_layer))?;
    let width = required("width", section.width, gpt2.map(|c| c.n_embd))?;
    let heads = required("heads", section.heads, gpt2.map(|c| c.n_head))?;
    let defaults = GptConfig::new(vocabulary, context, layers, width, heads);
    let model = GptConfig {
        mlp_width: section.mlp_width.or(gpt2.and_then(|c| c.n_inner)),
        norm: match section.norm {
            None | Some(NormName::Layernorm) => Norm::LayerNorm,
            Some(NormName::Rmsnorm) => Norm::RmsNorm,
            Some(_) => return Err(not_here(source, "norm", "\"layernorm\", \"rmsnorm\"")),
        },
        norm_epsilon: section
            .norm_epsilon
            .or(gpt2.map(|c| c.layer_norm_epsilon))
            .unwrap_or(defaults.norm_epsilon),
        position: section.position.unwrap_or(Position::Learned),
        rope_base: section.rope_base.unwrap_or(defaults.rope_base),
        activation: match section.activation {
            None | Some(ActivationName::Gelu) => Activation::Gelu,
            Some(ActivationName::Swiglu) => Activation::SwiGlu,
            Some(_) => return Err(not_here(source, "activation", "\"gelu\", \"swiglu\"")),
        },
        tied_head: section
            .tied_head
            .or(gpt2.map(|c| c.tie_word_embeddings))
            .unwrap_or(defaults.tied_head),
        bias: section.bias.unwrap_or(defaults.bias),
        qk_norm: section.qk_norm.unwrap_or(defaults.qk_norm),
        dropout: section.dropout.unwrap_or(defaults.dropout),
        init_std: section
            .init_std
            .or(gpt2.map(|c| c.initializer_range))
            .unwrap_or(defaults.init_std),
        ..defaults
    };
    valid(source, model.validate())?;
    Ok(model)
}
