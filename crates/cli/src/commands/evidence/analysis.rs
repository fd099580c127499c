//! What a fit found of one target, whatever the family.

use wd_evidence::comparison::Comparison;
use wd_evidence::gaussian::Outcome;
use wd_evidence::page::{Calibration, CoefficientPath};

use super::Family;
use super::conventions::Convention;
use super::model::Predictor;

/// One target's fit.
pub(super) struct Analysis {
    pub(super) target: String,
    pub(super) family: Family,
    /// n and p.
    pub(super) rows: usize,
    pub(super) columns: Vec<String>,
    /// At the chosen λ; infinite without signal, 0 without noise.
    pub(super) lambda: f64,
    pub(super) interval: Option<(f64, f64)>,
    pub(super) outcome: Outcome,
    pub(super) alpha: f64,
    /// 1 where the family has no noise.
    pub(super) beta: f64,
    pub(super) log_evidence: f64,
    pub(super) effective_parameters: f64,
    /// Most parameters that the data can tell apart.
    pub(super) rank: usize,
    /// Of the model with one λ, along `comparison.lambdas`.
    pub(super) path: Vec<PathPoint>,
    pub(super) comparison: Comparison,
    /// One linear predictor, or one for each class.
    pub(super) outputs: Vec<Output>,
    pub(super) groups: Vec<Group>,
    pub(super) conventions: Vec<Convention>,
    /// Standardised coefficients along the path, for the report.
    pub(super) coefficient_paths: Vec<CoefficientPath>,
    pub(super) calibration: Option<Calibration>,
    /// What a user should know besides.
    pub(super) notes: Vec<String>,
    pub(super) predictor: Predictor,
}

/// One λ of the path.
#[derive(Debug, Clone, Copy)]
pub(super) struct PathPoint {
    pub(super) lambda: f64,
    pub(super) log_evidence: f64,
    pub(super) effective_parameters: f64,
    /// ‖w̃‖².
    pub(super) squared_norm: f64,
    /// Mean squared error, or mean negative log likelihood, of the rows that were fitted.
    pub(super) training_error: f64,
}

/// The coefficients of a linear predictor.
pub(super) struct Output {
    /// The class, where there are several.
    pub(super) class: Option<String>,
    pub(super) intercept: f64,
    /// In original units, a column each.
    pub(super) coefficients: Vec<f64>,
    /// As the prior sees them.
    pub(super) standardized: Vec<f64>,
    /// Posterior standard deviations in original units; empty where they are not known.
    pub(super) deviations: Vec<f64>,
}

/// Columns with a prior precision of their own.
pub(super) struct Group {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    /// Infinite where the columns say nothing of the target.
    pub(super) lambda: f64,
    pub(super) alpha: f64,
    pub(super) effective_parameters: f64,
}

impl Analysis {
    /// σ = 1/√α of each prior.
    pub(super) fn prior_deviations(&self) -> Vec<(String, f64)> {
        if self.groups.is_empty() {
            return vec![("all columns".to_owned(), 1.0 / self.alpha.sqrt())];
        }
        self.groups.iter().map(|group| (group.name.clone(), 1.0 / group.alpha.sqrt())).collect()
    }

    /// Places of the columns, the largest standardised coefficient first.
    pub(super) fn by_size(&self, output: &Output) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.columns.len()).collect();
        order.sort_by(|a, b| {
            let size = |index: &usize| output.standardized[*index].abs();
            size(b).total_cmp(&size(a))
        });
        order
    }
}
