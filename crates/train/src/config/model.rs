//! `[model]`: the configurations of the engine, read directly, with what a file beside the weights
//! fills in.

use std::{cell::RefCell, path::PathBuf};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, DeserializeOwned, value::MapDeserializer},
};
use wd_nn::{
    CnnConfig, GptConfig, ImageShape, MlpConfig, NnError, ParameterLayout, ResnetConfig,
    VisionConfig, VitConfig,
};

use super::fault::ConfigFault;
use crate::error::TrainError;
use crate::weights::gpt2::Gpt2Config;
use crate::weights::timm;

/// The families of models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelKind {
    /// A decoder-only transformer, on text.
    #[default]
    Gpt,
    /// A vision transformer.
    Vit,
    /// A residual network of convolutions.
    Resnet,
    /// A plain network of convolutions.
    Cnn,
    /// Fully connected layers, on images.
    Mlp,
}

impl ModelKind {
    /// Every kind.
    pub const ALL: [ModelKind; 5] = {
        use ModelKind::{Cnn, Gpt, Mlp, Resnet, Vit};
        [Gpt, Vit, Resnet, Cnn, Mlp]
    };

    /// The name as written in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            ModelKind::Gpt => "gpt",
            ModelKind::Vit => "vit",
            ModelKind::Resnet => "resnet",
            ModelKind::Cnn => "cnn",
            ModelKind::Mlp => "mlp",
        }
    }

    /// The keys of `[model]` that this kind has, beside `kind` and `init_from`.
    pub fn keys(self) -> &'static [&'static str] {
        match self {
            ModelKind::Gpt => keys_of::<GptConfig>(),
            ModelKind::Vit => keys_of::<VitConfig>(),
            ModelKind::Resnet => keys_of::<ResnetConfig>(),
            ModelKind::Cnn => keys_of::<CnnConfig>(),
            ModelKind::Mlp => keys_of::<MlpConfig>(),
        }
    }
}

/// The network of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum ModelConfig {
    /// On text.
    Gpt(GptConfig),
    /// On images; its own tag tells which.
    #[serde(untagged)]
    Vision(VisionConfig),
}

/// `[model]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelSection {
    /// Start from these weights (safetensors in the names of GPT-2, timm or torchvision) instead of
    /// random ones; the keys that are absent here are read from the `config.json` beside that file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init_from: Option<PathBuf>,
    /// The network, without what follows from the data.
    #[serde(flatten)]
    pub network: ModelConfig,
}

impl ModelConfig {
    /// The family.
    pub fn kind(&self) -> ModelKind {
        match self {
            ModelConfig::Gpt(_) => ModelKind::Gpt,
            ModelConfig::Vision(VisionConfig::Vit(_)) => ModelKind::Vit,
            ModelConfig::Vision(VisionConfig::Resnet(_)) => ModelKind::Resnet,
            ModelConfig::Vision(VisionConfig::Cnn(_)) => ModelKind::Cnn,
            ModelConfig::Vision(VisionConfig::Mlp(_)) => ModelKind::Mlp,
        }
    }

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
            ModelConfig::Vision(_) => self.kind().name().to_owned(),
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

/// A GPT for a corpus of so many tokens.
///
/// # Errors
/// Fewer tokens than the corpus has; what the model itself refuses.
pub(crate) fn on_text(model: &GptConfig, corpus: usize) -> Result<GptConfig, ConfigFault> {
    let vocabulary = if model.vocabulary == 0 { corpus } else { model.vocabulary };
    if vocabulary < corpus {
        return Err(ConfigFault::Vocabulary { corpus, model: vocabulary });
    }
    let model = GptConfig { vocabulary, ..model.clone() };
    model.validate().map_err(ConfigFault::Model)?;
    Ok(model)
}

/// A classifier for images of this size in so many classes.
///
/// # Errors
/// What the model itself refuses.
pub(crate) fn on_images(
    model: &VisionConfig,
    image: ImageShape,
    classes: usize,
) -> Result<VisionConfig, ConfigFault> {
    let model = model.clone().on(image, classes);
    model.validate().map_err(ConfigFault::Model)?;
    Ok(model)
}

/// What `[model]` says of its kind and of the weights to start from.
pub(super) struct Start {
    pub(super) kind: ModelKind,
    init_from: Option<PathBuf>,
    /// The other keys.
    keys: toml::Table,
}

/// A fault, and the key of `[model]` in which the parser found it.
pub(super) type KeyFault = (Option<String>, ConfigFault);

impl Start {
    /// Takes the keys apart.
    pub(super) fn new(mut table: toml::Table) -> Result<Self, KeyFault> {
        let mut take = |key: &str| table.remove(key).map(|value| (key.to_owned(), value));
        let (kind, init_from) = (take("kind"), take("init_from"));
        Ok(Start {
            kind: kind.map_or(Ok(ModelKind::default()), read)?,
            init_from: init_from.map(read).transpose()?,
            keys: table,
        })
    }

    /// Reads the configuration of the kind, whose missing keys the file beside the weights fills
    /// in.
    pub(super) fn section(mut self) -> Result<Result<ModelSection, KeyFault>, TrainError> {
        if let Some(weights) = &self.init_from {
            let inherited = match self.kind {
                ModelKind::Gpt => Gpt2Config::beside(weights)?.map(|config| config.keys()),
                ModelKind::Vit => timm::beside(weights)?.map(|arguments| arguments.keys()),
                ModelKind::Resnet | ModelKind::Cnn | ModelKind::Mlp => None,
            };
            for (key, value) in inherited.unwrap_or_default() {
                self.keys.entry(key).or_insert(value);
            }
        }
        let Start { kind, init_from, keys } = self;
        let vision = |model| ModelConfig::Vision(model);
        let network = match kind {
            ModelKind::Gpt => network(kind, keys).map(ModelConfig::Gpt),
            ModelKind::Vit => network(kind, keys).map(VisionConfig::Vit).map(vision),
            ModelKind::Resnet => network(kind, keys).map(VisionConfig::Resnet).map(vision),
            ModelKind::Cnn => network(kind, keys).map(VisionConfig::Cnn).map(vision),
            ModelKind::Mlp => network(kind, keys).map(VisionConfig::Mlp).map(vision),
        };
        Ok(network.map(|network| ModelSection { init_from, network }))
    }
}

/// One value, with its key in the complaint.
fn read<T: DeserializeOwned>((key, value): (String, toml::Value)) -> Result<T, KeyFault> {
    T::deserialize(value).map_err(|error| (Some(key), ConfigFault::of_parser(error.message())))
}

fn network<M: DeserializeOwned>(kind: ModelKind, keys: toml::Table) -> Result<M, KeyFault> {
    let last = RefCell::new(None);
    let entries = keys.into_iter().inspect(|(key, _)| *last.borrow_mut() = Some(key.clone()));
    M::deserialize(MapDeserializer::new(entries)).map_err(|error: toml::de::Error| {
        let message = error.message();
        if let Some(rest) = message.strip_prefix("missing field `") {
            let key = format!("model.{}", rest.trim_end_matches('`'));
            return (None, ConfigFault::Missing { key, meaning: None });
        }
        match (ConfigFault::of_parser(message), last.take()) {
            (ConfigFault::Unknown { known, .. }, Some(key)) if kind.keys().contains(&&*key) => {
                let key = format!("model.{key}");
                (None, ConfigFault::NotOfKind { key, kind: kind.name(), known })
            }
            (fault, key) => (key, fault),
        }
    })
}

/// The names of a structure's fields, as serde knows them.
fn keys_of<M: DeserializeOwned>() -> &'static [&'static str] {
    struct Fields<'a>(&'a mut &'static [&'static str]);

    impl<'de> Deserializer<'de> for Fields<'_> {
        type Error = de::value::Error;

        fn deserialize_any<V: de::Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
            Err(de::Error::custom("only the fields are wanted"))
        }

        fn deserialize_struct<V: de::Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            visitor: V,
        ) -> Result<V::Value, Self::Error> {
            *self.0 = fields;
            self.deserialize_any(visitor)
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
            unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    let mut fields: &'static [&'static str] = &[];
    let _always_refused = M::deserialize(Fields(&mut fields));
    fields
}
