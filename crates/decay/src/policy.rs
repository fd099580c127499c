//! Which tensors decay, with which λ, and why.

use std::str::FromStr;

use globset::Glob;
use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr, VariantArray};

use crate::{DecayError, Role, names};

/// What a policy needs to know of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TensorDescription<'a> {
    /// Path in the model, for example `block.0.mlp.up.weight`.
    pub path: &'a str,
    /// Shape; its length is the number of dimensions.
    pub shape: &'a [usize],
    /// What the tensor is for.
    pub role: Role,
}

#[doc = include_str!("../docs/policy.md")]
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Default,
    Serialize,
    Deserialize,
    VariantArray,
    IntoStaticStr,
    Display,
)]
#[strum(serialize_all = "kebab-case")]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// Tensors of two or more dimensions.
    #[default]
    Nanogpt,
    /// All but norms and biases.
    Hf,
    /// All but embeddings: tokens', positions' and the class token.
    Olmo,
    /// Tensors of two or more dimensions that are neither positions nor the class token.
    Timm,
    /// As `Timm`, under the name of the recipe.
    Deit,
    /// Hidden matrices, convolutions and the output head.
    Matrices,
    /// All.
    Everything,
}

impl Preset {
    /// Every preset, in the order of tables.
    pub const ALL: &[Preset] = Preset::VARIANTS;

    /// The name used in files and on the command line.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Does this tensor decay, and what about it decides so?
    fn decides(self, tensor: &TensorDescription<'_>) -> (bool, String) {
        let dimensions = || format!("{}-D", tensor.shape.len());
        let kind = || {
            match tensor.role {
                Role::Matrix => "matrix",
                Role::Convolution => "convolution",
                Role::Embedding => "token embedding",
                Role::Position => "position embedding",
                Role::ClassToken => "class token",
                Role::Head => "output head",
                Role::Norm => "norm gain",
                Role::Bias => "bias",
            }
            .to_owned()
        };
        match self {
            Preset::Nanogpt if tensor.shape.len() >= 2 => (true, dimensions()),
            Preset::Nanogpt => (false, format!("{} {}", dimensions(), kind())),
            Preset::Hf => (!matches!(tensor.role, Role::Norm | Role::Bias), kind()),
            Preset::Olmo => (
                !matches!(tensor.role, Role::Embedding | Role::Position | Role::ClassToken),
                kind(),
            ),
            Preset::Timm | Preset::Deit => match tensor.role {
                Role::Position | Role::ClassToken | Role::Bias => (false, kind()),
                _ if tensor.shape.len() >= 2 => (true, dimensions()),
                _ => (false, format!("{} {}", dimensions(), kind())),
            },
            Preset::Matrices => {
                (matches!(tensor.role, Role::Matrix | Role::Convolution | Role::Head), kind())
            }
            Preset::Everything => (true, kind()),
        }
    }
}

impl FromStr for Preset {
    type Err = DecayError;

    fn from_str(text: &str) -> Result<Self, DecayError> {
        names::find("policy", text)
    }
}

/// A preset and the exceptions to it.
///
/// In TOML:
/// ```toml
/// preset = "nanogpt"
/// [overrides]
/// "*.mlp.up.weight" = 0.05
/// "embedding.token.weight" = 0.0
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DecayPolicy {
    /// Who decays, unless an override says otherwise.
    pub preset: Preset,
    /// Pattern of paths → λ of the tensors that match (itself, not a multiple of the run's λ). `*`
    /// stands for any characters, dots included; `?`, `[0-3]` and `{a,b}` work as in a shell. Where
    /// several match, the last one wins.
    #[serde(with = "in_order")]
    pub overrides: Vec<(String, f64)>,
}

/// One tensor's λ.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// λ of this tensor.
    pub lambda: f64,
    /// What decided it.
    pub decided_by: DecidedBy,
}

/// What decided a tensor's λ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecidedBy {
    /// The preset.
    Preset {
        /// Which.
        preset: Preset,
        /// What it looked at: `2-D`, `1-D norm gain`.
        property: String,
        /// Its verdict.
        decays: bool,
    },
    /// An override with this pattern, the last that matches.
    Override(String),
}

impl Choice {
    /// Why, in words: ``2-D: decays (nanogpt)``, ``1-D norm gain: no decay (nanogpt)``, ``override
    /// `block.*` ``.
    pub fn reason(&self) -> String {
        match &self.decided_by {
            DecidedBy::Preset { decays: true, .. } => self.reason_for("decays"),
            DecidedBy::Preset { decays: false, .. } => self.reason_for("no decay"),
            DecidedBy::Override(pattern) => format!("override `{pattern}`"),
        }
    }

    /// The same, where λ does something else than to decay: ``2-D: its norm is held (nanogpt)``.
    pub fn reason_for(&self, verdict: &str) -> String {
        match &self.decided_by {
            DecidedBy::Preset { preset, property, .. } => {
                format!("{property}: {verdict} ({preset})")
            }
            DecidedBy::Override(pattern) => format!("override `{pattern}`: {verdict}"),
        }
    }
}

impl DecayPolicy {
    /// λ of every tensor, in the order given, where the run's λ is `lambda`.
    ///
    /// # Errors
    /// When a λ is negative or not finite, a pattern is malformed, or a pattern matches no tensor:
    /// an override that silently does nothing is the commonest way for a decay not to be what was
    /// declared.
    pub fn choose(
        &self,
        lambda: f64,
        tensors: &[TensorDescription<'_>],
    ) -> Result<Vec<Choice>, DecayError> {
        checked(lambda, || "the run".to_owned())?;
        let mut choices: Vec<Choice> = tensors
            .iter()
            .map(|tensor| {
                let (decays, property) = self.preset.decides(tensor);
                Choice {
                    lambda: if decays { lambda } else { 0.0 },
                    decided_by: DecidedBy::Preset { preset: self.preset, property, decays },
                }
            })
            .collect();
        for (pattern, lambda) in &self.overrides {
            checked(*lambda, || format!("override `{pattern}`"))?;
        }
        let paths: Vec<&str> = tensors.iter().map(|tensor| tensor.path).collect();
        let matches = last_matches(self.overrides.iter().map(|(pattern, _)| pattern), &paths)?;
        for (choice, place) in choices.iter_mut().zip(matches) {
            if let Some((pattern, lambda)) = place.map(|place| &self.overrides[place]) {
                let decided_by = DecidedBy::Override(pattern.clone());
                *choice = Choice { lambda: *lambda, decided_by };
            }
        }
        Ok(choices)
    }

    /// The paths of tensors that the preset leaves out and an override makes decay: a pattern such
    /// as `block.*` takes norms and biases with it.
    pub fn lifted<'a>(
        &self,
        tensors: &[TensorDescription<'a>],
        choices: &[Choice],
    ) -> Vec<&'a str> {
        let is_lifted = |tensor: &TensorDescription<'_>, choice: &Choice| {
            matches!(choice.decided_by, DecidedBy::Override(_))
                && choice.lambda > 0.0
                && !self.preset.decides(tensor).0
        };
        let pairs = tensors.iter().zip(choices);
        pairs
            .filter(|(tensor, choice)| is_lifted(tensor, choice))
            .map(|(tensor, _)| tensor.path)
            .collect()
    }
}

/// The place of the last of some patterns that matches each path.
///
/// # Errors
/// A pattern that is malformed, or matches no path.
pub fn last_matches<'a>(
    patterns: impl IntoIterator<Item = &'a String>,
    paths: &[&str],
) -> Result<Vec<Option<usize>>, DecayError> {
    let mut places = vec![None; paths.len()];
    for (place, pattern) in patterns.into_iter().enumerate() {
        let matcher = Glob::new(pattern)
            .map_err(|error| DecayError::InvalidGlob {
                glob: pattern.clone(),
                reason: error.kind().to_string(),
            })?
            .compile_matcher();
        let mut matched = false;
        for (path, found) in paths.iter().zip(&mut places) {
            if matcher.is_match(path) {
                matched = true;
                *found = Some(place);
            }
        }
        if !matched {
            return Err(DecayError::UnmatchedGlob {
                glob: pattern.clone(),
                nearest: names::nearest(pattern, paths.iter().copied()),
            });
        }
    }
    Ok(places)
}

fn checked(value: f64, of: impl FnOnce() -> String) -> Result<(), DecayError> {
    if value.is_finite() && value >= 0.0 {
        Ok(())
    } else {
        Err(DecayError::InvalidLambda { of: of(), value })
    }
}

/// Serde of a map whose order counts, kept as pairs: `#[serde(with = "…")]`.
pub mod in_order {
    use std::fmt;

    use serde::de::{MapAccess, Visitor};
    use serde::{Deserializer, Serializer};

    /// Writes the pairs as a map.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(
        pairs: &[(String, f64)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(pairs.iter().map(|(key, value)| (key, value)))
    }

    /// Reads a map in the order of the file.
    ///
    /// # Errors
    /// Those of the deserializer.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(String, f64)>, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Vec<(String, f64)>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a table of path patterns and their weight decay")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(pairs)
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}
