//! What a number counts.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Tokens of text.
    Token,
    /// Sequences of text; `context` says how many tokens each has.
    Sequence,
    /// Images.
    Image,
    /// Data points of any other kind: rows of a table, examples.
    Example,
    /// Passes over the training set.
    Epoch,
    /// Optimizer steps.
    Step,
}

impl Unit {
    /// Every unit, in the order of messages.
    pub const ALL: [Unit; 6] =
        [Unit::Token, Unit::Sequence, Unit::Image, Unit::Example, Unit::Epoch, Unit::Step];

    /// The short name, as typed behind a number.
    pub const fn name(self) -> &'static str {
        match self {
            Unit::Token => "tok",
            Unit::Sequence => "seq",
            Unit::Image => "img",
            Unit::Example => "ex",
            Unit::Epoch => "ep",
            Unit::Step => "step",
        }
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
            .into_iter()
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
            let known = Unit::ALL.map(Unit::words).join(", ");
            de::Error::custom(format!("no unit is called `{text}`; known: {known}"))
        })
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
