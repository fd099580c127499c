//! What a conversion comes to.

use serde::Serialize;
use strum::IntoStaticStr;

use super::value::Value;
use crate::library::{Key, KeyDefault, KeyMeaning, LibraryEntry, Variant};

/// How much of the source setting the converted one keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Fidelity {
    /// The trajectory is the same; between objectives, the minimum is.
    Exact,
    /// Something differs; the reasons say what and by how much.
    Approximate,
    /// No number does it; the reasons say why.
    Impossible,
}

impl Fidelity {
    /// The name in tables.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// A setting carried over to another library.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversion {
    /// The library's entry.
    pub entry: &'static LibraryEntry,
    /// The meaning that its switches choose.
    pub variant: &'static Variant,
    /// Exact, approximate or impossible.
    pub fidelity: Fidelity,
    /// What is the same, or why something is not.
    pub reasons: Vec<String>,
    /// The values of the target's keys, in its order; empty when impossible.
    pub keys: Vec<(&'static str, Value)>,
    /// The call to paste; absent when impossible.
    pub call: Option<String>,
}

impl Conversion {
    /// λ in the target's own convention.
    pub fn lambda(&self) -> Option<f64> {
        let own = self.entry.lambda_name();
        self.keys.iter().find_map(|(name, value)| match value {
            Value::Number(number) if *name == own => Some(*number),
            _ => None,
        })
    }

    /// `weight_decay=0.1`, with the switches that are not as the library has them.
    pub fn written(&self) -> String {
        let differs = |key: &Key, value: &Value| match (key.default, value) {
            (KeyDefault::Switch(default), Value::Switch(on)) => {
                key.meaning != KeyMeaning::Nesterov && *on != default
            }
            _ => key.meaning == KeyMeaning::WeightDecay,
        };
        let words: Vec<String> = (self.keys.iter())
            .filter_map(|(name, value)| {
                let key = self.entry.keys.iter().find(|key| key.name == *name)?;
                differs(key, value).then(|| format!("{name}={value}"))
            })
            .collect();
        words.join(" ")
    }
}

/// What a conversion has found before it is written in the target's keys.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) fidelity: Fidelity,
    pub(super) reasons: Vec<String>,
    /// λ in the target's convention.
    pub(super) lambda: f64,
    /// Share of L1, for the targets that have one.
    pub(super) l1_ratio: Option<f64>,
}

impl Found {
    pub(super) fn exact(lambda: f64, reason: impl Into<String>) -> Self {
        Found { fidelity: Fidelity::Exact, reasons: vec![reason.into()], lambda, l1_ratio: None }
    }

    pub(super) fn approximate(lambda: f64, reason: impl Into<String>) -> Self {
        Found { fidelity: Fidelity::Approximate, ..Found::exact(lambda, reason) }
    }

    pub(super) fn impossible(reason: impl Into<String>) -> Self {
        Found { fidelity: Fidelity::Impossible, ..Found::exact(0.0, reason) }
    }

    /// The same, with one thing more that differs.
    pub(super) fn but(mut self, reason: impl Into<String>) -> Self {
        if self.fidelity == Fidelity::Exact {
            self.fidelity = Fidelity::Approximate;
        }
        self.reasons.push(reason.into());
        self
    }
}
