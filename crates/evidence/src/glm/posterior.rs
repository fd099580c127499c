//! Predictions at the mode, and averaged over Laplace's posterior N(θ̂, H⁻¹).
//!
//! With η ~ N(η̂, s²), s² = x̃ᵀH⁻¹x̃, the average of σ(η) is close to σ(η̂/√(1 + πs²/8)) (MacKay 1992; Bishop 2006, eq. 4.153), that of
//! softmax to softmax(η̂_k/√(1 + πs_k²/8)) (Gibbs 1997), and that of exp(η) *is* exp(η̂ + s²/2).

use std::f64::consts::PI;

use faer::{Mat, MatRef};
use serde::{Deserialize, Serialize};

use super::design::Glm;
use super::family::Family;
use super::laplace::LaplacePoint;
use super::mode::{Mode, invert};
use crate::EvidenceError;
use crate::columns::Columns;
use crate::symmetric::LowerHalf;

/// The mode at one λ with its posterior: enough to predict without the data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlmPosterior {
    family: Family,
    columns: Columns,
    lambda: f64,
    /// Of each class, a coefficient a column, in original units.
    coefficients: Vec<Vec<f64>>,
    intercepts: Vec<f64>,
    /// Rows of basisᵀ, where there were more columns than rows.
    basis: Option<Vec<Vec<f64>>>,
    has_intercept: bool,
    /// H⁻¹ of the free parameters.
    covariance: LowerHalf,
}

/// What is predicted of a row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GlmPrediction {
    /// At the mode: p(1), the probability of each class, or the expected count.
    pub at_mode: Vec<f64>,
    /// The same, averaged over the posterior: less sure where the data say little.
    pub averaged: Vec<f64>,
}

impl Glm {
    /// Mode and posterior at λ > 0.
    ///
    /// # Errors
    /// As [`Glm::path`].
    pub fn posterior(&self, lambda: f64) -> Result<(LaplacePoint, GlmPosterior), EvidenceError> {
        if !(lambda.is_finite() && lambda > 0.0) {
            return Err(EvidenceError::Lambda(lambda));
        }
        let mode = self.mode(lambda, self.start()?, None)?;
        Ok((self.point(lambda, &mode), self.posterior_of(lambda, &mode)))
    }

    /// The posterior around a mode that has been found.
    pub(super) fn posterior_of(&self, lambda: f64, mode: &Mode) -> GlmPosterior {
        let (m, d) = (self.width(), self.penalized);
        let mut coefficients = Vec::new();
        let mut intercepts = Vec::new();
        for parameters in mode.parameters.chunks(m) {
            let standardized: Vec<f64> = match &self.basis {
                None => parameters[..d].to_vec(),
                Some(basis) => (0..basis.nrows())
                    .map(|i| (0..d).map(|j| basis[(i, j)] * parameters[j]).sum())
                    .collect(),
            };
            let original = self.columns.coefficients(&standardized);
            let at_mean = if self.has_intercept {
                parameters[d]
            } else {
                0.0
            };
            intercepts.push(self.columns.intercept_at_zero(at_mean, &original));
            coefficients.push(original);
        }
        GlmPosterior {
            family: self.family,
            columns: self.columns.clone(),
            lambda,
            coefficients,
            intercepts,
            basis: self
                .basis
                .as_ref()
                .map(|basis| (0..d).map(|j| basis.col_as_slice(j).to_vec()).collect()),
            has_intercept: self.has_intercept,
            covariance: LowerHalf::of(&invert(&mode.factor, self.free())),
        }
    }
}

impl GlmPosterior {
    /// Coefficients of each class (one list for logistic and Poisson), in original units.
    pub fn coefficients(&self) -> &[Vec<f64>] {
        &self.coefficients
    }

    /// η of each class where every column is 0.
    pub fn intercepts(&self) -> &[f64] {
        &self.intercepts
    }

    /// λ = α.
    pub fn lambda(&self) -> f64 {
        self.lambda
    }

    /// Predicts each row of `x` (m × p, in original units).
    ///
    /// # Errors
    /// Sizes that do not fit; values that are not finite; a model whose parts do not fit each other.
    pub fn predict(&self, x: MatRef<'_, f64>) -> Result<Vec<GlmPrediction>, EvidenceError> {
        let p = self.columns.scales.len();
        let outputs = self.family.outputs();
        let damaged = |problem: &str| Err(EvidenceError::Damaged(problem.to_owned()));
        if x.ncols() != p {
            return Err(EvidenceError::Shape {
                what: "columns of x",
                given: x.ncols(),
                expected: p,
            });
        }
        crate::statistics::check_rows(x, Mat::zeros(x.nrows(), 0).as_ref(), None)?;
        if self.coefficients.len() != outputs
            || self.intercepts.len() != outputs
            || self.columns.means.len() != p
        {
            return damaged("not as many coefficients as classes, or means as columns");
        }
        if self
            .coefficients
            .iter()
            .any(|coefficients| coefficients.len() != p)
            || self
                .basis
                .as_ref()
                .is_some_and(|basis| basis.iter().any(|vector| vector.len() != p))
        {
            return damaged("not as many coefficients as columns");
        }
        let d = self.basis.as_ref().map_or(p, Vec::len);
        let m = d + usize::from(self.has_intercept);
        let tied = matches!(self.family, Family::Softmax { .. }) && self.has_intercept;
        let covariance = self
            .covariance
            .unfold(m * outputs - usize::from(tied))
            .map_err(EvidenceError::Damaged)?;

        Ok((0..x.nrows())
            .map(|row| {
                let mut standardized = vec![0.0; p];
                self.columns
                    .standardize_into(x.row(row).iter().copied(), &mut standardized);
                let mut entered = match &self.basis {
                    None => standardized.clone(),
                    Some(basis) => basis
                        .iter()
                        .map(|vector| dot(vector, &standardized))
                        .collect(),
                };
                // What of the row lies outside the span of the data has only the prior to go by.
                let outside = (dot(&standardized, &standardized) - dot(&entered, &entered))
                    .max(0.0)
                    / self.lambda;
                if self.has_intercept {
                    entered.push(1.0);
                }
                let mut at_mode = Vec::with_capacity(outputs);
                let mut averaged = Vec::with_capacity(outputs);
                for k in 0..outputs {
                    let values = x.row(row);
                    let eta = self.intercepts[k]
                        + values
                            .iter()
                            .zip(&self.coefficients[k])
                            .map(|(x, w)| x * w)
                            .sum::<f64>();
                    let width = m.min(covariance.nrows() - k * m);
                    let inside: f64 = (0..width)
                        .map(|i| {
                            entered[i]
                                * (0..width)
                                    .map(|j| covariance[(k * m + i, k * m + j)] * entered[j])
                                    .sum::<f64>()
                        })
                        .sum();
                    let variance = inside + if self.basis.is_some() { outside } else { 0.0 };
                    at_mode.push(eta);
                    averaged.push(match self.family {
                        Family::Poisson => eta + 0.5 * variance,
                        Family::Logistic | Family::Softmax { .. } => {
                            eta / (1.0 + PI * variance / 8.0).sqrt()
                        }
                    });
                }
                GlmPrediction {
                    at_mode: self.family.link(&at_mode),
                    averaged: self.family.link(&averaged),
                }
            })
            .collect())
    }
}

impl Family {
    /// The predicted means that belong to η.
    fn link(self, predictor: &[f64]) -> Vec<f64> {
        match self {
            Family::Logistic => vec![1.0 / (1.0 + (-predictor[0]).exp())],
            Family::Poisson => vec![predictor[0].exp()],
            Family::Softmax { .. } => {
                let largest = predictor.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let powers: Vec<f64> = predictor.iter().map(|eta| (eta - largest).exp()).collect();
                let sum: f64 = powers.iter().sum();
                powers.iter().map(|power| power / sum).collect()
            }
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
