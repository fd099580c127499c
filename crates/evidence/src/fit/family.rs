//! What the target of a table is.

use serde::{Deserialize, Serialize};

/// The likelihood of a target, as a request names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// A number with Gaussian noise.
    #[default]
    Gaussian,
    /// One of two classes.
    Logistic,
    /// One of several classes.
    Softmax,
    /// A count.
    Poisson,
}

impl Family {
    /// The name in requests, files and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Family::Gaussian => "gaussian",
            Family::Logistic => "logistic",
            Family::Softmax => "softmax",
            Family::Poisson => "poisson",
        }
    }

    /// Whether the target holds classes rather than numbers.
    pub fn has_classes(self) -> bool {
        matches!(self, Family::Logistic | Family::Softmax)
    }
}
