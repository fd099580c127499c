//! What a number counts.

use std::fmt;

use serde::{Serialize, Serializer};

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

    /// The unit that is called so: `tok`, `token` or `tokens`.
    pub fn read(text: &str) -> Option<Self> {
        Unit::ALL.into_iter().find(|unit| {
            text == unit.name()
                || text == unit.words()
                || Some(text) == unit.words().strip_suffix('s')
        })
    }
}

impl Serialize for Unit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.words())
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
