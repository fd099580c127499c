//! (K + λ)⁻¹b for many λ, K being X̃ᵀX̃ or X̃X̃ᵀ.

use faer::{Mat, Side};

use super::tridiagonal::Tridiagonal;
use crate::EvidenceError;

/// The reduced matrix, and what is needed to solve with it.
#[derive(Debug)]
pub(crate) struct Solution {
    pub(crate) reduced: Tridiagonal,
    /// X̃ᵀ (p × n) in the dual; nothing in the primal.
    pub(crate) rows: Option<Mat<f64>>,
    /// Eigenvalues up to here are 0 but for rounding.
    pub(crate) floor: f64,
    pub(crate) rank: usize,
}

impl Solution {
    /// Q(T + λ)⁻¹b for each λ, b being rotated already.
    pub(crate) fn path(&self, rotated: &[f64], lambdas: &[f64]) -> Result<Mat<f64>, EvidenceError> {
        let mut path = Mat::zeros(rotated.len(), lambdas.len());
        for (place, &lambda) in lambdas.iter().enumerate() {
            let values = path.col_as_slice_mut(place);
            if lambda == f64::INFINITY {
                continue;
            }
            values.copy_from_slice(rotated);
            if self.needs_eigenvectors(lambda) {
                self.pseudo_solve(lambda, values)?;
            } else {
                self.reduced.factor(lambda).solve(values);
            }
        }
        self.reduced.rotate_back(path.as_mut());
        Ok(path)
    }

    /// Whether λ does not stand out of the rounding of eigenvalues that are 0.
    fn needs_eigenvectors(&self, lambda: f64) -> bool {
        lambda == 0.0 || (self.rank < self.reduced.dimension() && lambda < 1e3 * self.floor)
    }

    /// (T + λ)⁻¹ on the range of T, 0 outside.
    fn pseudo_solve(&self, lambda: f64, values: &mut [f64]) -> Result<(), EvidenceError> {
        let p = values.len();
        let (diagonal, beside) = (&self.reduced.diagonal, &self.reduced.off_diagonal);
        let dense = Mat::from_fn(p, p, |i, j| match i.abs_diff(j) {
            0 => diagonal[i],
            1 => beside[i.min(j)],
            _ => 0.0,
        });
        let eigen =
            dense
                .self_adjoint_eigen(Side::Lower)
                .map_err(|_| EvidenceError::NotConverged {
                    what: "the eigenvectors",
                    iterations: 0,
                    hint: "",
                })?;
        let mut sum = vec![0.0; p];
        for j in 0..p {
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
        Ok(())
    }
}
