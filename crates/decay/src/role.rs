//! What a tensor is for: the ground on which presets and laws tell tensors apart.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr, VariantArray};

use crate::{DecayError, names};

/// What a tensor does in its model.
///
/// Given by the model that owns the tensor, never guessed from a name or a number of dimensions:
/// guesses are how norms came to decay and matrices came not to in many a library.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    VariantArray,
    IntoStaticStr,
    Display,
)]
#[strum(serialize_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Weight of a linear map inside the network.
    Matrix,
    /// Kernel of a convolution inside the network, the patch embedding of a vision transformer
    /// among them.
    Convolution,
    /// Token embedding; also the head when the two are tied.
    Embedding,
    /// Learned position embedding.
    Position,
    /// Learned vector that stands for the whole image among its patches.
    ClassToken,
    /// Untied output projection.
    Head,
    /// Gain of a normalisation.
    Norm,
    /// Additive bias, of a linear map or a normalisation.
    Bias,
}

impl Role {
    /// Every role, in the order of tables.
    pub const ALL: &[Role] = Role::VARIANTS;

    /// The roles of weights proper: gains and biases start at 1 and 0, and are no random walk from
    /// zero.
    pub const WEIGHTS: [Role; 6] = [
        Role::Matrix,
        Role::Convolution,
        Role::Embedding,
        Role::Position,
        Role::ClassToken,
        Role::Head,
    ];

    /// The name used in files and on the command line.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl FromStr for Role {
    type Err = DecayError;

    fn from_str(text: &str) -> Result<Self, DecayError> {
        names::find("role", text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Holder {
        role: Role,
    }

    #[test]
    fn a_name_reads_back_as_its_role_everywhere() {
        for &role in Role::ALL {
            assert_eq!(role.name().parse::<Role>(), Ok(role));
            let text = toml::to_string(&Holder { role }).unwrap();
            assert_eq!(text.trim(), format!("role = \"{role}\""));
            assert_eq!(toml::from_str::<Holder>(&text).unwrap(), Holder { role });
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let message = "layernorm".parse::<Role>().unwrap_err().to_string();
        assert_eq!(
            message,
            "unknown role `layernorm`; known: matrix, convolution, embedding, position, \
             class_token, head, norm, bias"
        );
    }
}
