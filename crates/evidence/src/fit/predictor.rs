//! What predicts a target.

use serde::{Deserialize, Serialize};

use crate::{GlmPosterior, Posterior};

/// What predicts a target, without the data.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Predictor {
    /// A mean and a variance.
    Gaussian(Box<Posterior>),
    /// A mean alone: of groups, or without noise.
    Linear {
        /// The prediction where every column is 0.
        intercept: f64,
        /// A coefficient a column, in original units.
        coefficients: Vec<f64>,
    },
    /// Probabilities, or an expected count.
    Generalized(Box<GlmPosterior>),
}
