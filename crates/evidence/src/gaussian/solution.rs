//! (K + λ)⁻¹b for many λ, K being X̃ᵀX̃ or X̃X̃ᵀ.

use faer::linalg::solvers::SelfAdjointEigen;
use faer::{Mat, Side};

use super::tridiagonal::Tridiagonal;
use crate::EvidenceError;

/// The reduced matrix, and what is needed to solve with it.
#[derive(Debug)]
pub(crate) struct Solution {
    pub(crate) reduced: Tridiagonal,
    /// In the dual.
    pub(crate) rows: Option<DualRows>,
    /// Eigenvalues up to here are 0 but for rounding.
    pub(crate) floor: f64,
    pub(crate) rank: usize,
}

/// What the dual keeps of the data.
#[derive(Debug)]
pub(crate) struct DualRows {
    /// X̃ᵀ: p × n.
    pub(crate) values: Mat<f64>,
    /// w/Σw of each row: its leverage on the intercept, 0 where there is none.
    pub(crate) shares: Vec<f64>,
    /// w of each row.
    pub(crate) weights: Vec<f64>,
}

impl Solution {
    /// Q(T + λ)⁻¹b for each λ, b being rotated already.
    pub(crate) fn path(&self, rotated: &[f64], lambdas: &[f64]) -> Result<Mat<f64>, EvidenceError> {
        let mut eigen = None;
        let mut path = Mat::zeros(rotated.len(), lambdas.len());
        for (place, &lambda) in lambdas.iter().enumerate() {
            let values = path.col_as_slice_mut(place);
            if lambda == f64::INFINITY {
                continue;
            }
            values.copy_from_slice(rotated);
            if self.needs_eigenvectors(lambda) {
                if eigen.is_none() {
                    eigen = Some(self.eigenvectors()?);
                }
                if let Some(eigen) = &eigen {
                    self.pseudo_solve(eigen, lambda, values);
                }
            } else {
                self.reduced.factor(lambda).solve(values);
            }
        }
        self.reduced.rotate_back(path.as_mut());
        Ok(path)
    }

    /// Whether directions that are 0 but for rounding would show beside λ. In the dual they do not:
    /// X̃ᵀ maps them to 0.
    fn needs_eigenvectors(&self, lambda: f64) -> bool {
        let deficient = self.rows.is_none() && self.rank < self.reduced.dimension();
        lambda == 0.0 || (deficient && lambda < 1e6 * self.floor)
    }

    fn eigenvectors(&self) -> Result<SelfAdjointEigen<f64>, EvidenceError> {
        let (diagonal, beside) = (&self.reduced.diagonal, &self.reduced.off_diagonal);
        let dense = Mat::from_fn(diagonal.len(), diagonal.len(), |i, j| match i.abs_diff(j) {
            0 => diagonal[i],
            1 => beside[i.min(j)],
            _ => 0.0,
        });
        dense.self_adjoint_eigen(Side::Lower).map_err(|_| EvidenceError::NotConverged {
            what: "the eigenvectors",
            iterations: 0,
            hint: "",
        })
    }

    /// (T + λ)⁻¹ on the range of T, 0 outside.
    fn pseudo_solve(&self, eigen: &SelfAdjointEigen<f64>, lambda: f64, values: &mut [f64]) {
        let mut sum = vec![0.0; values.len()];
        for j in 0..values.len() {
            let s = eigen.S()[j];
            if s > self.floor {
                let vector = eigen.U().col(j);
                let along: f64 = values.iter().zip(vector.iter()).map(|(a, b)| a * b).sum();
                sum.iter_mut()
                    .zip(vector.iter())
                    .for_each(|(sum, v)| *sum += along / (s + lambda) * v);
            }
        }
        values.copy_from_slice(&sum);
    }
}
