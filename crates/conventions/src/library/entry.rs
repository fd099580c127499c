//! What the table says of one entry.

use serde::{Deserialize, Serialize};
use wd_decay::OptimizerKind;

use super::convention::Convention;
use super::key::{Key, KeyDefault, KeyMeaning};

/// One optimizer, regularizer or estimator of a library.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LibraryEntry {
    /// As users type it: `torch.AdamW`.
    pub name: String,
    /// Other names for the same thing.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// What forms the direction u_t that decay stands beside; absent for an estimator, and for a
    /// penalty that is added to the loss of any optimizer.
    #[serde(default)]
    pub optimizer: Option<OptimizerKind>,
    /// The meanings that its switches choose between; the first is the default.
    pub variants: Vec<Variant>,
    /// The keys it takes that matter here, with its defaults.
    pub keys: Vec<Key>,
    /// Which tensors decay when nobody says otherwise, in words.
    pub decays: String,
    /// Whether norm gains and biases decay when nobody excludes them.
    #[serde(default)]
    pub decays_norms: bool,
    /// Whether token embeddings decay when nobody excludes them.
    #[serde(default)]
    pub decays_embeddings: bool,
    /// Whether the intercept (the bias) is penalised when nobody excludes it; absent where the
    /// entry leaves that open.
    #[serde(default)]
    pub penalizes_intercept: Option<bool>,
    /// Whether the columns are divided by their standard deviation (with N) before the fit, so that
    /// its coefficients are those of the divided columns.
    #[serde(default)]
    pub divides_columns: bool,
    /// Whether a step stores the shrunk weights before it adds the update to them; otherwise it
    /// adds η(u + λw) at once, as the signs in the equation show.
    #[serde(default = "yes")]
    pub stores_shrunk_weights: bool,
    /// Whether the update, and not the decay, is divided by a width multiplier.
    #[serde(default)]
    pub scales_update_by_width: bool,
    /// How the above was established, and at which version.
    pub checked: Checked,
    /// Whether ε is added to √v before its bias correction (the ε̂ of Kingma & Ba 2015, section 2).
    #[serde(default)]
    pub epsilon_before_correction: bool,
    /// The learning-rate schedule of a trainer that has one unless told otherwise, as it is typed.
    #[serde(default)]
    pub schedule: Option<String>,
    /// Where the library behaves otherwise than its documentation or than people expect.
    #[serde(default)]
    pub quirks: Vec<String>,
}

const fn yes() -> bool {
    true
}

impl LibraryEntry {
    /// The library: `torch`.
    pub fn library(&self) -> &str {
        self.name.split_once('.').map_or(&self.name, |(library, _)| library)
    }

    /// The part of the name behind the library: `AdamW`.
    pub fn class(&self) -> &str {
        self.name.split_once('.').map_or(&self.name, |(_, class)| class)
    }

    /// The key with this meaning.
    pub fn key(&self, meaning: KeyMeaning) -> Option<&Key> {
        self.keys.iter().find(|key| key.meaning == meaning)
    }

    /// The library's own name of λ.
    pub fn lambda_name(&self) -> &str {
        self.key(KeyMeaning::WeightDecay).map_or("weight_decay", |key| &key.name)
    }

    /// The variant that these switches choose; a switch that was not set has its default.
    pub fn variant(&self, set: &[(String, bool)]) -> Option<&Variant> {
        let state = |name: &str| {
            let set = set.iter().find(|(key, _)| key == name).map(|(_, on)| *on);
            set.or_else(|| {
                self.keys.iter().find(|key| key.name == name).and_then(|key| match key.default {
                    KeyDefault::Switch(on) => Some(on),
                    _ => None,
                })
            })
        };
        self.variants
            .iter()
            .find(|variant| variant.switches.iter().all(|(key, on)| state(key) == Some(*on)))
    }

    /// Whether it trains by steps, so that λ belongs to a step; otherwise it minimises an
    /// objective.
    pub fn has_steps(&self) -> bool {
        self.variants.iter().all(|variant| variant.convention.rule().is_some())
    }

    /// Whether it is a penalty that is added to the loss, under whichever optimizer.
    pub fn is_penalty_on_any_loss(&self) -> bool {
        self.optimizer.is_none() && self.has_steps()
    }

    /// What forms the direction, in sentences.
    pub fn optimizer_title(&self) -> &'static str {
        match self.optimizer {
            Some(optimizer) => optimizer.title(),
            None if self.has_steps() => "any optimizer",
            None => "an estimator",
        }
    }
}

/// One meaning of λ.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// The switches that choose it, as (key, value); empty for the only or default meaning.
    #[serde(default)]
    pub switches: Vec<(String, bool)>,
    /// What λ does.
    pub convention: Convention,
    /// The same in the library's own symbols.
    pub equation: String,
    /// A call to paste; `{key}` stands for the value of that key.
    pub call: String,
}

impl Variant {
    /// The keys whose values the call has room for.
    pub fn holes(&self) -> impl Iterator<Item = &str> {
        self.call.split('{').skip(1).filter_map(|part| {
            let (name, _) = part.split_once('}')?;
            let identifier =
                |character: char| character.is_ascii_alphanumeric() || character == '_';
            (!name.is_empty() && name.chars().all(identifier)).then_some(name)
        })
    }
}

/// How an entry was established.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Checked {
    /// Version or commit.
    pub version: String,
    /// How.
    pub method: Method,
    /// What was read: a file of the library, a page.
    pub source: String,
}

/// Whether the library was run or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Its own trajectory (or fitted coefficients) is followed by our rule, as a test.
    Golden,
    /// Its source was read; nothing was run.
    Source,
}
