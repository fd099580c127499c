//! The posterior N(w̃, Σ) of the coefficients at one λ, and what it predicts.
//!
//! Σ = (βX̃ᵀX̃ + α)⁻¹ = (X̃ᵀX̃ + λ)⁻¹/β, and by the dual (1 − X̃ᵀ(X̃X̃ᵀ + λ)⁻¹X̃)/α. A prediction
//! at x̃ has mean ȳ + x̃ᵀw̃ and variance 1/β (noise) + x̃ᵀΣx̃ (coefficients) + 1/(βΣw) (intercept).
//! Source: Bishop 2006, eq. 3.53–3.59.

use std::ops::Range;

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef};
use serde::{Deserialize, Serialize};

use super::model::Gaussian;
use crate::columns::{Columns, Intercept};
use crate::symmetric::LowerHalf;
use crate::{EvidenceError, parallelism};

/// Rows predicted at once.
const BLOCK_ROWS: usize = 1024;

/// The posterior at one λ: enough to predict, with intervals, without the data.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Portable", into = "Portable")]
pub struct Posterior {
    written: Portable,
    /// (X̃ᵀX̃ + λ)⁻¹ or (X̃X̃ᵀ + λ)⁻¹.
    inverse: Mat<f64>,
    /// X̃ᵀ: p × n, in the dual.
    rows: Option<Mat<f64>>,
}

/// A [`Posterior`] as it is written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Portable {
    columns: Columns,
    standardized_coefficients: Vec<f64>,
    at_mean: f64,
    /// `None` for ∞: without signal.
    alpha: Option<f64>,
    beta: f64,
    intercept_variance: f64,
    inverse: LowerHalf,
    rows: Option<Vec<Vec<f64>>>,
}

/// A predicted value, with its uncertainty.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Prediction {
    /// ŷ.
    pub mean: f64,
    /// Variance of a new observation: noise, coefficients and intercept.
    pub variance: f64,
}

impl Gaussian {
    /// The posterior of one target's coefficients at λ > 0 (∞ included: all are 0). Costs O(p³), or
    /// O(n³) by the dual.
    ///
    /// # Errors
    /// [`EvidenceError::Lambda`] for λ ≤ 0: without a prior some direction may have no finite
    /// variance.
    pub fn posterior(&self, target: usize, lambda: f64) -> Result<Posterior, EvidenceError> {
        if lambda.is_nan() || lambda <= 0.0 {
            return Err(EvidenceError::Lambda(lambda));
        }
        let fit = self.fit(target, lambda)?;
        let reduced = &self.solution.reduced;
        let order = reduced.dimension();
        let mut inverse = Mat::zeros(order, order);
        if lambda.is_finite() {
            let factor = reduced.factor(lambda);
            for column in 0..order {
                inverse[(column, column)] = 1.0;
                factor.solve(inverse.col_as_slice_mut(column));
            }
            reduced.rotate_back(inverse.as_mut());
            inverse = inverse.transpose().to_owned();
            reduced.rotate_back(inverse.as_mut());
        }
        let intercept_variance = match self.intercept {
            Intercept::Absent => 0.0,
            Intercept::Profiled | Intercept::Integrated => {
                1.0 / (fit.point.beta * self.moments.weight)
            }
        };
        let rows = self.solution.rows.as_ref().map(|rows| rows.values.clone());
        Ok(Posterior {
            written: Portable {
                columns: self.columns.clone(),
                standardized_coefficients: fit.standardized_coefficients,
                at_mean: self.at_mean(target),
                alpha: lambda.is_finite().then_some(fit.point.alpha),
                beta: fit.point.beta,
                intercept_variance,
                inverse: LowerHalf::of(&inverse),
                rows: rows.as_ref().map(|rows| {
                    (0..rows.ncols()).map(|row| rows.col_as_slice(row).to_vec()).collect()
                }),
            },
            inverse,
            rows,
        })
    }
}

impl Posterior {
    /// Predicts each row of `x` (m × p, in original units).
    ///
    /// # Errors
    /// Sizes that do not fit; values that are not finite.
    pub fn predict(&self, x: MatRef<'_, f64>) -> Result<Vec<Prediction>, EvidenceError> {
        let written = &self.written;
        let p = written.standardized_coefficients.len();
        if x.ncols() != p {
            return Err(EvidenceError::Shape {
                what: "columns of x",
                given: x.ncols(),
                expected: p,
            });
        }
        crate::statistics::check_rows(x, Mat::zeros(x.nrows(), 0).as_ref(), None)?;
        let mut predictions = Vec::with_capacity(x.nrows());
        for start in (0..x.nrows()).step_by(BLOCK_ROWS) {
            let block = x.subrows(start, BLOCK_ROWS.min(x.nrows() - start));
            let mut standardized = Mat::zeros(p, block.nrows());
            for row in 0..block.nrows() {
                written.columns.standardize_into(
                    block.row(row).iter().copied(),
                    standardized.col_as_slice_mut(row),
                );
            }
            let variances = self.coefficient_variance(&standardized);
            for (row, variance) in variances.into_iter().enumerate() {
                let along: f64 = standardized
                    .col_as_slice(row)
                    .iter()
                    .zip(&written.standardized_coefficients)
                    .map(|(x, w)| x * w)
                    .sum();
                predictions.push(Prediction {
                    mean: written.at_mean + along,
                    variance: 1.0 / written.beta + written.intercept_variance + variance,
                });
            }
        }
        Ok(predictions)
    }

    /// √Σ_jj of each coefficient, in original units.
    pub fn standard_deviations(&self) -> Vec<f64> {
        let written = &self.written;
        let p = written.standardized_coefficients.len();
        let variances: Vec<f64> = match (&self.rows, written.alpha) {
            (_, None) => vec![0.0; p],
            (None, _) => (0..p).map(|j| self.inverse[(j, j)] / written.beta).collect(),
            (Some(_), Some(_)) => {
                let mut variances = Vec::with_capacity(p);
                for start in (0..p).step_by(BLOCK_ROWS) {
                    let width = BLOCK_ROWS.min(p - start);
                    let unit =
                        Mat::from_fn(p, width, |i, j| if i == start + j { 1.0 } else { 0.0 });
                    variances.extend(self.coefficient_variance(&unit));
                }
                variances
            }
        };
        variances
            .iter()
            .zip(&written.columns.scales)
            .map(|(variance, scale)| variance.sqrt() / scale)
            .collect()
    }

    /// The prior variance of a coefficient of these columns in original units, their mean: what is
    /// known of the indicator of a level that was not seen, if it is like those that were.
    pub fn prior_variance(&self, columns: Range<usize>) -> f64 {
        let Some(alpha) = self.written.alpha else { return 0.0 };
        let scales = self.written.columns.scales.get(columns).unwrap_or_default();
        let sum: f64 = scales.iter().map(|scale| 1.0 / (alpha * scale * scale)).sum();
        if scales.is_empty() { 0.0 } else { sum / scales.len() as f64 }
    }

    /// Σ: p × p, of the coefficients in original units. This takes the memory that it says.
    pub fn covariance(&self) -> Mat<f64> {
        let written = &self.written;
        let scales = &written.columns.scales;
        let p = scales.len();
        let standardized = match (&self.rows, written.alpha) {
            (_, None) => Mat::zeros(p, p),
            (None, _) => Mat::from_fn(p, p, |i, j| self.inverse[(i, j)] / written.beta),
            (Some(rows), Some(alpha)) => {
                let explained = rows * (&self.inverse * rows.transpose());
                Mat::from_fn(p, p, |i, j| {
                    (if i == j { 1.0 } else { 0.0 } - explained[(i, j)]) / alpha
                })
            }
        };
        Mat::from_fn(p, p, |i, j| standardized[(i, j)] / scales[i] / scales[j])
    }

    /// x̃ᵀΣx̃ of each column of a p × m matrix.
    fn coefficient_variance(&self, standardized: &Mat<f64>) -> Vec<f64> {
        let Some(alpha) = self.written.alpha else {
            return vec![0.0; standardized.ncols()];
        };
        let along = match &self.rows {
            None => standardized.clone(),
            Some(rows) => {
                let mut along = Mat::zeros(rows.ncols(), standardized.ncols());
                matmul(
                    along.as_mut(),
                    Accum::Replace,
                    rows.transpose(),
                    standardized,
                    1.0,
                    parallelism(),
                );
                along
            }
        };
        let mut solved = Mat::zeros(along.nrows(), along.ncols());
        matmul(solved.as_mut(), Accum::Replace, &self.inverse, &along, 1.0, parallelism());
        (0..along.ncols())
            .map(|row| {
                let quadratic = dot(along.col_as_slice(row), solved.col_as_slice(row));
                match &self.rows {
                    None => quadratic / self.written.beta,
                    Some(_) => {
                        let values = standardized.col_as_slice(row);
                        // Rounding may leave a little less than 0.
                        ((dot(values, values) - quadratic) / alpha).max(0.0)
                    }
                }
            })
            .collect()
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

impl From<Posterior> for Portable {
    fn from(posterior: Posterior) -> Portable {
        posterior.written
    }
}

impl TryFrom<Portable> for Posterior {
    type Error = EvidenceError;

    fn try_from(written: Portable) -> Result<Posterior, EvidenceError> {
        let damaged = |problem: &str| EvidenceError::Damaged(problem.to_owned());
        let p = written.standardized_coefficients.len();
        if p == 0 || written.columns.scales.len() != p || written.columns.means.len() != p {
            return Err(damaged("means, scales and coefficients are not of one length"));
        }
        let precise = |value: f64| value.is_finite() && value > 0.0;
        if !precise(written.beta)
            || !written.alpha.is_none_or(precise)
            || !written.columns.scales.iter().all(|s| precise(*s))
        {
            return Err(damaged("a precision or a scale is not positive"));
        }
        let rows = match &written.rows {
            None => None,
            Some(rows) if rows.iter().all(|row| row.len() == p) => {
                Some(Mat::from_fn(p, rows.len(), |i, row| rows[row][i]))
            }
            Some(_) => return Err(damaged("a row has not as many values as there are columns")),
        };
        let order = rows.as_ref().map_or(p, |rows| rows.ncols());
        let inverse = written.inverse.unfold(order).map_err(EvidenceError::Damaged)?;
        Ok(Posterior { written, inverse, rows })
    }
}
