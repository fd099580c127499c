//! Sufficient statistics: all that a Gaussian model needs to know of the data, whatever their
//! number of rows.
//!
//! For columns z = (x₁ … x_p, y₁ … y_k) and weights w they are n, W = Σw, Σ ln w, the weighted
//! means z̄ and the *centred* Gram matrix G = Σ w (z − z̄)(z − z̄)ᵀ, in f64. Two such statistics
//! are merged exactly (to rounding) by
//!
//! G = G_a + G_b + (W_a W_b / W) δδᵀ,  δ = z̄_b − z̄_a
//!
//! (Chan, Golub & LeVeque 1983, eq. 2.1), so that files, machines and folds add up, and a block of
//! rows is merged in the same way as a file. Centring block by block keeps a column of mean 10⁸ and
//! spread 1 to full precision, which Σzzᵀ − W z̄z̄ᵀ would lose.

mod accumulate;
mod portable;
mod sparse;

pub(crate) use accumulate::check_rows;
pub use sparse::SparseRows;

use faer::Mat;
use serde::{Deserialize, Serialize};

use crate::EvidenceError;

/// n, Σw, Σ ln w, means and the centred Gram matrix of p columns and k targets.
///
/// ```
/// use wd_evidence::{MatRef, Statistics};
/// let x = MatRef::from_row_major_slice(&[1.0, 0.0, 0.0, 1.0, 1.0, 1.0], 3, 2);
/// let y = MatRef::from_row_major_slice(&[1.0, 2.0, 3.0], 3, 1);
/// let mut whole = Statistics::new(2, 1)?;
/// whole.add(x, y, None)?;
///
/// let (mut first, mut rest) = (Statistics::new(2, 1)?, Statistics::new(2, 1)?);
/// first.add(x.subrows(0, 1), y.subrows(0, 1), None)?;
/// rest.add(x.subrows(1, 2), y.subrows(1, 2), None)?;
/// first.merge(&rest)?;
/// assert_eq!(first.rows(), 3);
/// assert!((first.means()[0] - whole.means()[0]).abs() < 1e-15);
/// # Ok::<(), wd_evidence::EvidenceError>(())
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "portable::Portable", into = "portable::Portable")]
pub struct Statistics {
    columns: usize,
    targets: usize,
    rows: usize,
    weight: f64,
    log_weight: f64,
    /// Of the p columns, then of the k targets.
    means: Vec<f64>,
    /// G of columns and targets together; only the lower half is kept up to date.
    gram: Mat<f64>,
}

impl Statistics {
    /// Of no rows yet.
    ///
    /// # Errors
    /// [`EvidenceError::Empty`] without a column or without a target.
    pub fn new(columns: usize, targets: usize) -> Result<Statistics, EvidenceError> {
        if columns == 0 {
            return Err(EvidenceError::Empty("columns"));
        }
        if targets == 0 {
            return Err(EvidenceError::Empty("targets"));
        }
        Ok(Statistics {
            columns,
            targets,
            rows: 0,
            weight: 0.0,
            log_weight: 0.0,
            means: vec![0.0; columns + targets],
            gram: Mat::zeros(columns + targets, columns + targets),
        })
    }

    /// Adds what `other` has seen to what this has seen.
    ///
    /// # Errors
    /// [`EvidenceError::Shape`] if the two are of different columns or targets.
    pub fn merge(&mut self, other: &Statistics) -> Result<(), EvidenceError> {
        for (what, given, expected) in [
            ("columns of the other statistics", other.columns, self.columns),
            ("targets of the other statistics", other.targets, self.targets),
        ] {
            if given != expected {
                return Err(EvidenceError::Shape { what, given, expected });
            }
        }
        if other.rows == 0 {
            return Ok(());
        }
        for column in 0..self.means.len() {
            for row in column..self.means.len() {
                self.gram[(row, column)] += other.gram[(row, column)];
            }
        }
        self.shift_towards(&other.means, other.rows, other.weight, other.log_weight);
        Ok(())
    }

    /// The part of a merge that joins means and counts, once the centred Gram matrices are added.
    fn shift_towards(&mut self, means: &[f64], rows: usize, weight: f64, log_weight: f64) {
        let total = self.weight + weight;
        if self.rows > 0 {
            let joint = self.weight * (weight / total);
            let apart: Vec<f64> = means.iter().zip(&self.means).map(|(b, a)| b - a).collect();
            for (column, first) in apart.iter().enumerate() {
                let factor = joint * first;
                for (row, second) in apart.iter().enumerate().skip(column) {
                    self.gram[(row, column)] += factor * second;
                }
            }
            for (mean, apart) in self.means.iter_mut().zip(&apart) {
                *mean += apart * (weight / total);
            }
        } else {
            self.means.copy_from_slice(means);
        }
        self.rows += rows;
        self.weight = total;
        self.log_weight += log_weight;
    }

    /// p: columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// k: targets.
    pub fn targets(&self) -> usize {
        self.targets
    }

    /// n: rows with a positive weight.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// W = Σw; equals n without weights.
    pub fn weight(&self) -> f64 {
        self.weight
    }

    /// Σ ln w; 0 without weights.
    pub fn log_weight(&self) -> f64 {
        self.log_weight
    }

    /// Weighted means of the p columns, then of the k targets.
    pub fn means(&self) -> &[f64] {
        &self.means
    }

    /// Whether one of the p + k columns and targets never varies beyond the rounding of its mean.
    pub fn is_constant(&self, index: usize) -> bool {
        let deviation = (self.centred_product(index, index) / self.weight).sqrt();
        crate::columns::is_constant(self.means[index], deviation)
    }

    /// Σ w (z_i − z̄_i)(z_j − z̄_j) of two of the p + k columns and targets, in the order of
    /// [`Self::means`].
    pub fn centred_product(&self, i: usize, j: usize) -> f64 {
        self.gram[(i.max(j), i.min(j))]
    }
}
