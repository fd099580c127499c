//! The fit as a file: what is needed to predict, and nothing of the data but their design.

use std::path::Path;

use serde::{Deserialize, Serialize};
use wd_data::table::{Design, Reading, TargetKind};

use super::analysis::Analysis;
use super::error::FitError;
use super::family::Family;
use super::predictor::Predictor;

/// The first words of a model file: a file of another kind is refused by them.
const FORMAT: &str = "wd-model-1";

/// Fits of one table, as they are written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    format: String,
    /// What the targets are.
    pub family: Family,
    /// How a table becomes the columns that predict.
    pub design: Design,
    /// How the table was read, and others are.
    #[serde(default)]
    pub reading: Reading,
    /// A fit for each target.
    pub fits: Vec<TargetFit>,
}

/// One target's fit.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetFit {
    /// The target.
    pub target: String,
    /// What predicts it.
    pub predictor: Predictor,
}

impl Model {
    /// The model of all targets of a fit to a table that was read so; none without a target.
    pub fn new(analyses: &[Analysis], reading: &Reading) -> Option<Self> {
        let first = analyses.first()?;
        let fits = analyses.iter().map(|analysis| TargetFit {
            target: analysis.target.clone(),
            predictor: analysis.predictor.clone(),
        });
        Some(Model {
            format: FORMAT.to_owned(),
            family: first.family,
            design: first.table.design.clone(),
            reading: reading.clone(),
            fits: fits.collect(),
        })
    }

    /// The file that [`Model::read`] reads.
    ///
    /// # Errors
    /// Numbers that JSON cannot hold.
    pub fn to_json(&self) -> Result<String, FitError> {
        // A key a line would make a line of every number of a covariance.
        Ok(serde_json::to_value(self)?.to_string() + "\n")
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// [`FitError::File`] for what [`Model::to_json`] never writes.
    pub fn read(path: &Path) -> Result<Self, FitError> {
        let refused = |problem: String| {
            let what = "model that a fit has saved";
            FitError::File { path: path.to_owned(), what, problem }
        };
        let text = std::fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
        if !text.trim_start().starts_with('{') {
            return Err(refused("it holds no JSON".to_owned()));
        }
        let model: Model =
            serde_json::from_str(&text).map_err(|error| refused(error.to_string()))?;
        if model.format != FORMAT {
            return Err(refused(format!("its format is `{}`, not `{FORMAT}`", model.format)));
        }
        if model.fits.is_empty() {
            return Err(refused("it holds no fit".to_owned()));
        }
        model.design.check(path)?;
        match model.fits.iter().all(|fit| model.fits_design(&fit.predictor)) {
            true => Ok(model),
            false => Err(refused("its coefficients do not fit its columns and classes".to_owned())),
        }
    }

    /// Reads the model that predicts a table's rows.
    ///
    /// # Errors
    /// As [`Model::read`], and [`FitError::Swapped`] where the table is the model.
    pub fn read_beside(path: &Path, table: &Path) -> Result<Self, FitError> {
        Self::read(path).map_err(|error| match Self::read(table) {
            Ok(_) => FitError::Swapped { model: table.to_owned(), table: path.to_owned() },
            Err(_) => error,
        })
    }

    /// The classes of the target; none where it holds numbers.
    pub fn classes(&self) -> &[String] {
        match self.design.targets.first().map(|target| &target.kind) {
            Some(TargetKind::Classes { levels }) => levels,
            Some(TargetKind::Number) | None => &[],
        }
    }

    /// Whether the mean of a prediction is the same at the mode and over the posterior.
    pub fn is_linear(&self) -> bool {
        let mut fits = self.fits.iter();
        fits.all(|fit| !matches!(fit.predictor, Predictor::Generalized(_)))
    }

    /// Whether there is a coefficient a column, and a linear predictor a class.
    fn fits_design(&self, predictor: &Predictor) -> bool {
        let width = self.design.width();
        if width == 0 {
            return false;
        }
        match predictor {
            // Its own parts were checked when it was read.
            Predictor::Gaussian(_) => true,
            Predictor::Linear { coefficients, .. } => coefficients.len() == width,
            Predictor::Generalized(posterior) => {
                let outputs = match self.family {
                    Family::Softmax => self.classes().len(),
                    Family::Logistic if self.classes().len() != 2 => return false,
                    Family::Logistic | Family::Poisson | Family::Gaussian => 1,
                };
                let coefficients = posterior.coefficients();
                coefficients.len() == outputs && coefficients.iter().all(|own| own.len() == width)
            }
        }
    }
}
