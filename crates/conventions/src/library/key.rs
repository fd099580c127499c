//! The keys of an entry.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;
use wd_decay::Declared;

/// A key of an entry.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Row")]
pub struct Key {
    /// As the library spells it.
    pub name: String,
    /// What it sets.
    pub meaning: KeyMeaning,
    /// What it is when nobody sets it.
    pub default: KeyDefault,
}

/// A key as the table has it: name, meaning, default.
#[derive(Deserialize)]
struct Row(String, KeyMeaning, Default);

#[derive(Deserialize)]
#[serde(untagged)]
enum Default {
    Number(f64),
    Switch(bool),
    Word(Required),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Required {
    Required,
}

impl From<Row> for Key {
    fn from(Row(name, meaning, default): Row) -> Self {
        let default = match default {
            Default::Number(number) => KeyDefault::Number(number),
            Default::Switch(on) => KeyDefault::Switch(on),
            Default::Word(Required::Required) => KeyDefault::Required,
        };
        Key { name, meaning, default }
    }
}

/// What a key sets.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum KeyMeaning {
    /// λ, as the library writes it.
    WeightDecay,
    /// The learning rate; its peak where there is a schedule.
    #[strum(serialize = "lr")]
    LearningRate,
    /// Momentum of SGD or Muon.
    Momentum,
    /// Share of the gradient that momentum leaves out.
    Dampening,
    /// Nesterov momentum.
    Nesterov,
    /// Decay of the first moment.
    Beta1,
    /// Decay of the second moment.
    Beta2,
    /// Added to the denominator of Adam.
    #[strum(serialize = "eps")]
    Epsilon,
    /// Share of L1 in a mixed penalty.
    L1Ratio,
    /// A switch between variants.
    Switch,
    /// Decay only where update and weight agree in sign; also a switch.
    Cautious,
}

impl KeyMeaning {
    /// The common name, which every library's own name may be replaced by.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// The default of a key.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum KeyDefault {
    /// There is none: it must be given.
    Required,
    /// A number.
    Number(f64),
    /// A switch.
    Switch(bool),
}

/// Values of an entry's keys, by meaning.
pub type Values = BTreeMap<KeyMeaning, Declared>;
