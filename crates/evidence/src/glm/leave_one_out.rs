//! Approximate leave-one-out: log loss of each row by the fit to all others, without the n fits.
//!
//! Without row i the objective has the gradient −r_i at the mode θ̂ of all rows (r = ∂ln p/∂η) and
//! the Hessian H less C_i (C = −∂²ln p/∂η²) along x̃_i. One Newton step from θ̂, with A_i =
//! x̃_iᵀH⁻¹x̃_i, by Woodbury's identity, ends at
//!
//! η₋ᵢ = η_i − A_i (1 − C_i A_i)⁻¹ r_i,
//!
//! and of a row of weight w, which is w rows, one is left out w times. These are
//! numbers for one linear predictor, K × K matrices for softmax. It is exact for a Gaussian
//! likelihood, and *approximate* here: the better, the less a single row moves the mode. On 60 rows
//! of 4 columns the mean loss is within 0.7 % of that of 60 refits
//! (`approximate_leave_one_out_is_near_n_refits`), and nearer the larger λ is.
//!
//! Sources: Pregibon 1981 (logistic regression); Rad & Maleki 2020 (generalised linear models with
//! a penalty).

use faer::Mat;
use faer::linalg::solvers::Solve;
use rayon::prelude::*;

use super::curvature::{BLOCK_ROWS, covariances};
use super::design::Glm;
use super::mode::{Mode, invert};
use crate::EvidenceError;

impl Glm {
    /// About the mean of −ln p(y) of each row at the mode of all other rows, for each λ. Columns
    /// keep the scales of the whole table.
    ///
    /// # Errors
    /// As [`Glm::path`].
    pub fn leave_one_out(&self, lambdas: &[f64]) -> Result<Vec<f64>, EvidenceError> {
        let mut losses = vec![0.0; lambdas.len()];
        self.descend(lambdas, |place, _, mode| {
            losses[place] = self.loss_left_out(mode);
        })?;
        Ok(losses)
    }

    fn loss_left_out(&self, mode: &Mode) -> f64 {
        let inverse = invert(&mode.factor, self.free());
        let log_likelihoods: Vec<f64> = self
            .blocks(BLOCK_ROWS)
            .into_par_iter()
            .map(|(start, rows)| {
                let predictor = self.left_out(mode, &inverse, start, rows);
                let (target, weights) =
                    (&self.target[start..start + rows], &self.weights[start..start + rows]);
                self.family.evaluate(predictor.as_ref(), target, weights).1
            })
            .collect();
        -log_likelihoods.iter().sum::<f64>() / self.weights.iter().sum::<f64>()
    }

    /// η₋ᵢ of some rows.
    fn left_out(&self, mode: &Mode, inverse: &Mat<f64>, start: usize, rows: usize) -> Mat<f64> {
        let outputs = self.family.outputs();
        let means = mode.local.means.subrows(start, rows);
        let covariances = covariances(self.design.subrows(start, rows), inverse.as_ref(), outputs);
        let mut predictor = mode.local.predictor.subrows(start, rows).to_owned();
        for (row, covariance) in covariances.iter().enumerate() {
            // One of the rows that it stands for is left out.
            let weight = f64::from(u8::from(self.weights[start + row] > 0.0));
            let target = self.target[start + row];
            let residual = Mat::from_fn(outputs, 1, |k, _| {
                weight * self.family.residual(means[(row, k)], target, k)
            });
            let curvature = Mat::from_fn(outputs, outputs, |k, l| {
                weight * self.family.curvature(means, row, k, l)
            });
            let rest = Mat::<f64>::identity(outputs, outputs) - curvature * covariance;
            let step = covariance * rest.partial_piv_lu().solve(&residual);
            (0..outputs).for_each(|k| predictor[(row, k)] -= step[(k, 0)]);
        }
        predictor
    }
}
