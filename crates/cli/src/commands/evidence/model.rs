//! The fit as a file: what is needed to predict, and nothing of the data but their design.

use std::path::Path;

use serde::{Deserialize, Serialize};
use wd_data::table::Design;
use wd_evidence::{GlmPosterior, Posterior};

use super::analysis::Analysis;
use crate::diagnostics::CommandError;

/// The first words of a model file: a file of another kind is refused by them.
const FORMAT: &str = "wd-model-1";

/// A model as it is written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Model {
    format: String,
    pub(crate) family: String,
    pub(crate) design: Design,
    pub(crate) fits: Vec<TargetFit>,
}

/// One target's fit.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TargetFit {
    pub(crate) target: String,
    pub(crate) predictor: Predictor,
}

/// What predicts.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Predictor {
    /// A mean and a variance.
    Gaussian(Box<Posterior>),
    /// A mean alone: of groups, or without noise.
    Linear { intercept: f64, coefficients: Vec<f64> },
    /// Probabilities, or an expected count.
    Generalized(Box<GlmPosterior>),
}

impl Model {
    pub(super) fn new(family: &str, design: &Design, analyses: &[Analysis]) -> Self {
        Model {
            format: FORMAT.to_owned(),
            family: family.to_owned(),
            design: design.clone(),
            fits: analyses
                .iter()
                .map(|analysis| TargetFit {
                    target: analysis.target.clone(),
                    predictor: analysis.predictor.clone(),
                })
                .collect(),
        }
    }

    pub(super) fn to_json(&self) -> String {
        // A key a line would make a line of every number of a covariance.
        serde_json::json!(self).to_string() + "\n"
    }

    /// Reads a model file.
    pub(crate) fn read(path: &Path) -> Result<Self, CommandError> {
        let refused = |problem: String| {
            CommandError::usage(
                format!("{} is no model: {problem}", path.display()),
                "`wd evidence DATA --target COLUMN --save MODEL.json` writes one",
            )
        };
        let text = std::fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
        let model: Model =
            serde_json::from_str(&text).map_err(|error| refused(error.to_string()))?;
        if model.format != FORMAT {
            return Err(refused(format!("its format is `{}`, not `{FORMAT}`", model.format)));
        }
        if model.fits.is_empty() {
            return Err(refused("it holds no fit".to_owned()));
        }
        Ok(model)
    }
}
