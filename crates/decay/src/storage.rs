//! How the weights that an optimizer updates are stored.

use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr, VariantArray};

use crate::Dtype;

/// The number format in which weights are stored between steps, and how they are rounded to it.
///
/// | storage | after a step | as in |
/// |---|---|---|
/// | `f32` | nothing | f32 weights, or f32 master weights beside those in bf16 |
/// | `bf16-nearest` | w ← RN(w − s(w − a)), then w ← RN(w − ηu): rounded to nearest after the decay and after the update | PyTorch's AdamW on bf16 weights, as a loop and with `foreach` |
/// | `bf16-stochastic` | w ← SR(w − s(w − a) − ηu): rounded once, up or down with a probability that keeps the mean | torchao's `bf16_stochastic_round` |
///
/// RN is to nearest, ties to even. A bf16 number has 8 significant bits: with s < 2⁻⁹, RN(w − sw) is
/// w itself, and the decay is lost. Under coupled L2 and hyperball nothing is taken off by itself,
/// and weights are rounded once.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    Serialize,
    Deserialize,
    VariantArray,
    IntoStaticStr,
    Display,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Storage {
    /// In f32.
    #[default]
    F32,
    /// In bf16, rounded to nearest.
    Bf16Nearest,
    /// In bf16, rounded stochastically.
    Bf16Stochastic,
}

impl Storage {
    /// The number format.
    pub fn dtype(self) -> Dtype {
        match self {
            Storage::F32 => Dtype::F32,
            Storage::Bf16Nearest | Storage::Bf16Stochastic => Dtype::Bf16,
        }
    }

    /// In words, for a plan.
    pub fn describe(self) -> &'static str {
        match self {
            Storage::F32 => "f32",
            Storage::Bf16Nearest => {
                "bf16, rounded to nearest after the decay and after the update: a shrink below 2⁻⁹ \
                 = 0.00195 is lost"
            }
            Storage::Bf16Stochastic => {
                "bf16, rounded stochastically after each step: the decay is kept on average"
            }
        }
    }

    /// Is it f32?
    pub fn is_f32(&self) -> bool {
        *self == Storage::F32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_configuration() {
        let names: Vec<String> = Storage::VARIANTS.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["f32", "bf16-nearest", "bf16-stochastic"]);
        assert_eq!(Storage::Bf16Stochastic.dtype(), Dtype::Bf16);
    }
}
