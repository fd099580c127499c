//! What a number counts.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use strum::{Display, IntoStaticStr, VariantArray};

/// What a number counts.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, VariantArray, IntoStaticStr, Display,
)]
pub enum Unit {
    /// Tokens of text.
    #[strum(serialize = "tok")]
    Token,
    /// Sequences of text; `context` says how many tokens each has.
    #[strum(serialize = "seq")]
    Sequence,
    /// Images.
    #[strum(serialize = "img")]
    Image,
    /// Data points of any other kind: rows of a table, examples.
    #[default]
    #[strum(serialize = "ex")]
    Example,
    /// Passes over the training set.
    #[strum(serialize = "ep")]
    Epoch,
    /// Optimizer steps.
    #[strum(serialize = "step")]
    Step,
}

impl Unit {
    /// Every unit, in the order of messages.
    pub const ALL: &[Unit] = Unit::VARIANTS;

    /// The short name, as typed behind a number.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The unit in words, for sentences.
    pub const fn words(self) -> &'static str {
        match self {
            Unit::Token => "tokens",
            Unit::Sequence => "sequences",
            Unit::Image => "images",
            Unit::Example => "examples",
            Unit::Epoch => "epochs",
            Unit::Step => "steps",
        }
    }

    /// One of them: `token`, for a count beside it.
    pub const fn noun(self) -> &'static str {
        match self {
            Unit::Token => "token",
            Unit::Sequence => "sequence",
            Unit::Image => "image",
            Unit::Example => "example",
            Unit::Epoch => "epoch",
            Unit::Step => "step",
        }
    }

    /// For each of them: `a token`, `an image`.
    pub const fn each(self) -> &'static str {
        match self {
            Unit::Token => "a token",
            Unit::Sequence => "a sequence",
            Unit::Image => "an image",
            Unit::Example => "an example",
            Unit::Epoch => "an epoch",
            Unit::Step => "a step",
        }
    }

    /// The unit that is called so: `tok`, `token` or `tokens`.
    pub fn read(text: &str) -> Option<Self> {
        Unit::ALL
            .iter()
            .copied()
            .find(|unit| text == unit.name() || text == unit.words() || text == unit.noun())
    }
}

impl Serialize for Unit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.words())
    }
}

impl<'de> Deserialize<'de> for Unit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Unit::read(&text).ok_or_else(|| {
            let known: Vec<&str> = Unit::ALL.iter().map(|unit| unit.words()).collect();
            let known = known.join(", ");
            de::Error::custom(format!("no unit is called `{text}`; known: {known}"))
        })
    }
}
