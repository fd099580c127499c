//! MacKay's fixed point: α ← γ/‖w‖², 1/β ← RSS/(ν − γ), until λ = α/β stays.
//!
//! The slow way to [`Evidence::maximum`](super::Evidence::maximum), kept because it is the
//! textbook's and scikit-learn's: the two must agree. Source: MacKay 1992, eq. 4.9; Bishop 2006,
//! eq. 3.92 and 3.95.

use serde::Serialize;

use super::evidence::{Evidence, Point};
use crate::EvidenceError;

/// Change of ln λ at which the iteration ends.
const TOLERANCE: f64 = 1e-14;

/// Where the iteration ended.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FixedPoint {
    /// λ and all that follows from it.
    pub point: Point,
    /// α by MacKay's own rule, γ/‖w‖²; equal to `point.alpha` at the fixed point.
    pub alpha: f64,
    /// β by MacKay's own rule, (ν − γ)/RSS; equal to `point.beta` at the fixed point.
    pub beta: f64,
    /// Iterations made.
    pub iterations: usize,
}

impl Evidence {
    /// Iterates from `start`; scikit-learn starts at α = 1 and 1/β = the target's variance.
    ///
    /// # Errors
    /// [`EvidenceError::NotConverged`] where λ runs off to 0 or ∞, as it does without noise or
    /// without signal, or after `iterations`: the rate of convergence is linear, and slow where the
    /// maximum is flat.
    pub fn fixed_point(&self, start: f64, iterations: usize) -> Result<FixedPoint, EvidenceError> {
        let not_converged = |iterations, hint| EvidenceError::NotConverged {
            what: "MacKay's fixed point",
            iterations,
            hint,
        };
        if !(start > 0.0 && start.is_finite()) {
            return Err(EvidenceError::Lambda(start));
        }
        let (largest, smallest) = self.extent();
        let mut lambda = start;
        for iteration in 1..=iterations {
            let sums = self.sums(lambda);
            let alpha = sums.gamma / sums.norm;
            let beta = (self.degrees - sums.gamma) / sums.residual;
            let next = alpha / beta;
            if next.is_nan() || next > largest * 1e12 {
                return Err(not_converged(
                    iteration,
                    ": λ runs off to infinity, as without signal",
                ));
            }
            if next < smallest * 1e-16 && self.is_interpolated() {
                return Err(not_converged(iteration, ": λ runs off to 0, as without noise"));
            }
            let change = (next / lambda).ln().abs();
            lambda = next;
            if change <= TOLERANCE {
                return Ok(FixedPoint {
                    point: self.at(lambda),
                    alpha: alpha / self.total,
                    beta: beta / self.total,
                    iterations: iteration,
                });
            }
        }
        Err(not_converged(iterations, ": take Evidence::maximum, or more iterations"))
    }
}
