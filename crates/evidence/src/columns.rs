//! How columns enter the model: centred, standardised, beside an intercept that is never penalised.

use faer::MatRef;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{EvidenceError, Statistics};

/// What becomes of the intercept. It is never penalised: the prior on it is flat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Intercept {
    /// None: ŷ = 0 where every column is 0.
    Absent,
    /// Set to its best value, and counted as no parameter: ν = n. The evidence is scikit-learn's
    /// `BayesianRidge(fit_intercept=True)`.
    ///
    /// With p ≥ n − 1 this evidence grows without bound as λ → 0 (like ½ ln 1/λ), since n counts
    /// one degree of freedom more than centred data have;
    /// [`Evidence::maximum`](crate::Evidence::maximum) then takes the highest *inner* maximum.
    #[default]
    Profiled,
    /// Integrated out: ν = n − 1, so that 1/β is unbiased. The honest choice where p ≥ n.
    Integrated,
}

/// What the weight of a row means to a Gaussian model; the other likelihoods know repeats alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weights {
    /// A row of weight w is w rows: n = Σw.
    Repeats,
    /// The noise of a row of weight w has the variance 1/(βw), as of a mean of w measurements: n
    /// counts the rows with a positive weight.
    #[default]
    Precision,
}

/// How the columns enter.
///
/// | field | default | meaning |
/// |---|---|---|
/// | `intercept` | profiled | see [`Intercept`] |
/// | `weights` | precision | see [`Weights`] |
/// | `standardize` | `true` | divide each column by its standard deviation (n in the denominator), so that one λ fits all; the results are in original units again |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// The intercept.
    pub intercept: Intercept,
    /// Whether columns are divided by their standard deviation.
    pub standardize: bool,
    /// What weights mean.
    pub weights: Weights,
}

impl Default for Options {
    fn default() -> Options {
        Options { intercept: Intercept::default(), standardize: true, weights: Weights::default() }
    }
}

/// The map x̃ = (x − mean)/scale, and back for coefficients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Columns {
    /// What is subtracted of each column: 0 without an intercept.
    pub means: Vec<f64>,
    /// What each column is divided by: its standard deviation, or 1.
    pub scales: Vec<f64>,
    /// Columns that never vary, from 0. With an intercept their coefficient is 0.
    pub constant: Vec<usize>,
}

/// n, Σw, Σ ln w, and mean and centred sum of squares of the p columns, then of the k targets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Moments {
    /// Rows with a positive weight.
    pub(crate) rows: usize,
    /// n, by what weights mean: it is counted by degrees of freedom.
    pub(crate) count: f64,
    pub(crate) weight: f64,
    pub(crate) log_weight: f64,
    pub(crate) means: Vec<f64>,
    pub(crate) squares: Vec<f64>,
}

impl Moments {
    pub(crate) fn of_statistics(statistics: &Statistics) -> Moments {
        Moments {
            rows: statistics.rows(),
            count: statistics.rows() as f64,
            weight: statistics.weight(),
            log_weight: statistics.log_weight(),
            means: statistics.means().to_vec(),
            squares: (0..statistics.means().len())
                .map(|i| statistics.centred_product(i, i))
                .collect(),
        }
    }

    /// Of rows in memory, without the Gram matrix: for more columns than rows.
    pub(crate) fn of_rows(
        x: MatRef<'_, f64>,
        y: MatRef<'_, f64>,
        weights: Option<&[f64]>,
    ) -> Moments {
        let weight_of = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let kept: Vec<usize> = (0..x.nrows()).filter(|&row| weight_of(row) > 0.0).collect();
        let weight: f64 = kept.iter().map(|&row| weight_of(row)).sum();
        let (means, squares) = (0..x.ncols() + y.ncols())
            .into_par_iter()
            .map(|index| {
                let values = match index.checked_sub(x.ncols()) {
                    None => x.col(index),
                    Some(target) => y.col(target),
                };
                let origin = kept.first().map_or(0.0, |&row| values[row]);
                let mean = origin
                    + kept.iter().map(|&row| weight_of(row) * (values[row] - origin)).sum::<f64>()
                        / weight;
                let squares: f64 =
                    kept.iter().map(|&row| weight_of(row) * (values[row] - mean).powi(2)).sum();
                (mean, squares)
            })
            .unzip();
        Moments {
            rows: kept.len(),
            count: kept.len() as f64,
            weight,
            log_weight: kept.iter().map(|&row| weight_of(row).ln()).sum(),
            means,
            squares,
        }
    }

    /// The same, with rows counted as weights say.
    pub(crate) fn counted_by(mut self, weights: Weights) -> Moments {
        if weights == Weights::Repeats {
            (self.count, self.log_weight) = (self.weight, 0.0);
        }
        self
    }

    /// Standard deviation of one of the p + k columns and targets, n in the denominator.
    ///
    /// # Errors
    /// [`EvidenceError::Scale`] where the sum of squares overflows or is so small that it has lost
    /// digits.
    pub(crate) fn deviation(
        &self,
        index: usize,
        what: &'static str,
        column: usize,
    ) -> Result<f64, EvidenceError> {
        let squares = self.squares[index];
        let spread = (squares / self.weight).sqrt();
        // Each square below the smallest normal number is off by up to 2⁻¹⁰⁷⁵: no more than
        // rounding in a sum of this size.
        let vanished = squares < f64::MIN_POSITIVE * self.rows as f64;
        if !spread.is_finite() || (vanished && squares > 0.0) {
            return Err(EvidenceError::Scale { what, column, spread });
        }
        Ok(spread)
    }
}

impl Columns {
    /// The centring and scaling that `options` ask for, of the first `columns` of `moments`.
    ///
    /// # Errors
    /// [`EvidenceError::Scale`] where a column's squares leave the range of f64;
    /// [`EvidenceError::ConstantColumns`].
    pub(crate) fn of(
        moments: &Moments,
        columns: usize,
        options: Options,
    ) -> Result<Columns, EvidenceError> {
        let has_intercept = options.intercept != Intercept::Absent;
        let mut constant = Vec::new();
        let mut scales = Vec::with_capacity(columns);
        for column in 0..columns {
            let deviation = moments.deviation(column, "column", column)?;
            if is_constant(moments.means[column], deviation) {
                constant.push(column);
                scales.push(1.0);
            } else {
                scales.push(if options.standardize { deviation } else { 1.0 });
            }
        }
        if has_intercept && constant.len() == columns {
            return Err(EvidenceError::ConstantColumns);
        }
        let means =
            if has_intercept { moments.means[..columns].to_vec() } else { vec![0.0; columns] };
        Ok(Columns { means, scales, constant })
    }

    /// w = w̃/scale: coefficients in original units.
    pub(crate) fn coefficients(&self, standardized: &[f64]) -> Vec<f64> {
        standardized.iter().zip(&self.scales).map(|(weight, scale)| weight / scale).collect()
    }

    /// What the intercept becomes in original units: at x = 0 rather than at the mean.
    pub(crate) fn intercept_at_zero(&self, at_mean: f64, coefficients: &[f64]) -> f64 {
        at_mean
            - self.means.iter().zip(coefficients).map(|(mean, weight)| mean * weight).sum::<f64>()
    }

    /// x̃ of one row.
    pub(crate) fn standardize_into(&self, row: impl Iterator<Item = f64>, into: &mut [f64]) {
        for (((into, value), mean), scale) in
            into.iter_mut().zip(row).zip(&self.means).zip(&self.scales)
        {
            *into = (value - mean) / scale;
        }
    }
}

/// Whether a spread is no more than the rounding of the mean.
pub(crate) fn is_constant(mean: f64, deviation: f64) -> bool {
    deviation <= 4.0 * f64::EPSILON * mean.abs()
}
