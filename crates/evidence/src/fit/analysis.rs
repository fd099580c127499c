//! What a fit found of one target, whatever the family.

use super::calibration::Calibration;
use super::conventions::Convention;
use super::family::Family;
use super::predictor::Predictor;
use super::quality::{Observation, Quality};
use super::table::TableSummary;
use crate::columns::Intercept;
use crate::comparison::{Comparison, Criterion};
use crate::gaussian::Outcome;

/// Coefficients drawn along the path: more lines than these cannot be told apart.
pub(super) const DRAWN: usize = 10;

/// One target's fit. As JSON it has the keys `lambda`, `lambda_interval`, `alpha`, `beta`,
/// `log_evidence`, `effective_parameters`, `coefficients` (by column, in original units),
/// `intercept`, `path`, `comparison`, `conventions` and more; where there are groups λ and α are
/// objects with a key each, and ∞ is null.
#[derive(Debug, Clone)]
pub struct Analysis {
    /// The table that was read.
    pub table: TableSummary,
    /// What is explained.
    pub target: String,
    /// What the target is.
    pub family: Family,
    /// n, of which there is one: rows with a positive weight, or the sum of the weights where these
    /// are repeats.
    pub rows: f64,
    /// The columns of the design, p of them.
    pub columns: Vec<String>,
    /// The chosen λ; infinite without signal, 0 without noise.
    pub lambda: f64,
    /// What became of the intercept.
    pub intercept: Intercept,
    /// What chose λ: the evidence, or what stands in where that has no maximum.
    pub chosen_by: Criterion,
    /// Whether every criterion rises to the edge of the path, so that λ is no answer.
    pub is_edge: bool,
    /// 95 % interval of λ by the curvature of the evidence.
    pub interval: Option<(f64, f64)>,
    /// What kind of maximum the evidence has.
    pub outcome: Outcome,
    /// Precision of the prior.
    pub alpha: f64,
    /// Precision of the noise; 1 where the family has none.
    pub beta: f64,
    /// ln p(y | λ) in nats.
    pub log_evidence: f64,
    /// γ.
    pub effective_parameters: f64,
    /// Most parameters that the data can tell apart.
    pub rank: usize,
    /// The model with one λ, along `comparison.lambdas`.
    pub path: Vec<PathPoint>,
    /// The criteria.
    pub comparison: Comparison,
    /// One linear predictor, or one for each class.
    pub outputs: Vec<Output>,
    /// Columns with a prior precision of their own; none where all share one.
    pub groups: Vec<Group>,
    /// The same fit in other libraries.
    pub conventions: Vec<Convention>,
    /// Standardised coefficients along the path; empty where no figures were asked for.
    pub coefficient_paths: Vec<CoefficientPath>,
    /// How often intervals or probabilities are right; only where figures were asked for.
    pub calibration: Option<Calibration>,
    /// How near the fit comes to the rows.
    pub quality: Quality,
    /// Predictions beside what came, of some rows; only where figures were asked for.
    pub observations: Vec<Observation>,
    /// What a user should know besides, a sentence each.
    pub notes: Vec<String>,
    /// What predicts.
    pub predictor: Predictor,
}

/// What follows from one λ of the path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PathPoint {
    /// ln p(y | λ) in nats.
    pub log_evidence: f64,
    /// γ.
    pub effective_parameters: f64,
    /// ‖w̃‖² of the standardised coefficients.
    pub squared_norm: f64,
    /// Mean squared error, or mean negative log likelihood, of the rows that were fitted.
    pub training_error: f64,
}

/// The coefficients of a linear predictor.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// The class, where there are several.
    pub class: Option<String>,
    /// The prediction where every column is 0.
    pub intercept: f64,
    /// In original units, a column each.
    pub coefficients: Vec<f64>,
    /// Of the standardised columns: what the prior is on.
    pub standardized: Vec<f64>,
    /// Posterior standard deviations in original units; empty where they are not known. NaN for a
    /// constant column beside an intercept, whose coefficient is 0 by definition.
    pub deviations: Vec<f64>,
}

/// Columns with a prior precision of their own.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// λ of the group; infinite where the columns say nothing of the target.
    pub lambda: f64,
    /// α of the group.
    pub alpha: f64,
    /// γ of the group.
    pub effective_parameters: f64,
}

/// A standardised coefficient along the path.
#[derive(Debug, Clone, PartialEq)]
pub struct CoefficientPath {
    /// Its column, with the class where there are several.
    pub name: String,
    /// (λ, coefficient).
    pub points: Vec<(f64, f64)>,
}

/// The coefficient of a constant column beside an intercept is 0 whatever the data say: it has no
/// deviation.
pub(super) fn without_constant(deviations: &mut [f64], constant: &[usize]) {
    for &column in constant {
        if let Some(deviation) = deviations.get_mut(column) {
            *deviation = f64::NAN;
        }
    }
}

impl Analysis {
    /// σ = 1/√α of each prior on standardised coefficients.
    pub fn prior_deviations(&self) -> Vec<(String, f64)> {
        if self.groups.is_empty() {
            return vec![("all columns".to_owned(), 1.0 / self.alpha.sqrt())];
        }
        self.groups.iter().map(|group| (group.name.clone(), 1.0 / group.alpha.sqrt())).collect()
    }

    /// What a coefficient is called: its column, with the class where there are several.
    pub fn coefficient_name(&self, output: &Output, column: usize) -> String {
        let name = &self.columns[column];
        output.class.as_ref().map_or_else(|| name.clone(), |class| format!("{name} → {class}"))
    }
}

impl Output {
    /// Places of the columns, the largest standardised coefficient first.
    pub fn by_size(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.standardized.len()).collect();
        let size = |index: &usize| self.standardized[*index].abs();
        order.sort_by(|a, b| size(b).total_cmp(&size(a)));
        order
    }
}
