//! Laplace's evidence of one α, and its slope.
//!
//! With t = ln α and θ̂(t) the mode, dθ̂/dt = −αH⁻¹Pθ̂ (P keeps the penalised parameters), and
//! since ∇ vanishes at the mode
//!
//! dL/dt = ½dK − ½α‖Ŵ‖² − ½α tr(H⁻¹P) − ½ tr(H⁻¹ dH/dt at fixed α).
//!
//! MacKay's fixed point α = γ/‖Ŵ‖² leaves the last term out; here it is kept, so that the zero is
//! that of L itself.

use std::f64::consts::PI;

use serde::Serialize;
use statrs::function::gamma::ln_gamma;

use super::design::Glm;
use super::family::Family;
use super::mode::{Mode, invert, solve};
use crate::EvidenceError;

/// One λ with its mode's likelihood and evidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LaplacePoint {
    /// λ = α = 1/σ²: precision of the prior on the standardised weights.
    pub lambda: f64,
    /// Laplace's approximation to ln p(y | α).
    pub log_evidence: f64,
    /// γ, without the intercepts.
    pub effective_parameters: f64,
    /// ‖Ŵ‖² of the standardised weights.
    pub squared_norm: f64,
    /// ℓ: Σ w ln p(y) at the mode.
    pub log_likelihood: f64,
    /// Whether the mode puts every row on its own side: the classes are then separable, and have no
    /// maximum likelihood.
    pub separates: bool,
    /// Newton steps taken.
    pub iterations: usize,
}

impl Glm {
    /// ℓ of the intercepts alone, at their best.
    ///
    /// # Errors
    /// Data of which the intercepts cannot be found.
    pub fn null_log_likelihood(&self) -> Result<f64, EvidenceError> {
        Ok(self.local(&self.start()?).log_likelihood)
    }

    /// ℓ where each row is fitted by itself: 0 for classes, and the most that counts allow.
    pub fn saturated_log_likelihood(&self) -> f64 {
        match self.family {
            Family::Logistic | Family::Softmax { .. } => 0.0,
            Family::Poisson => {
                let rows = self.target.iter().zip(&self.weights);
                let of_row = |y: f64| match y > 0.0 {
                    true => y * y.ln() - y - ln_gamma(y + 1.0),
                    false => 0.0,
                };
                rows.map(|(y, weight)| weight * of_row(*y)).sum()
            }
        }
    }

    pub(super) fn point(&self, alpha: f64, mode: &Mode) -> LaplacePoint {
        let parameters = self.penalized_parameters() as f64;
        let intercepts = if self.has_intercept { self.family.intercepts() as f64 } else { 0.0 };
        let free = self.free();
        let log_determinant: f64 = (0..free).map(|i| 2.0 * mode.factor.L()[(i, i)].ln()).sum();
        LaplacePoint {
            lambda: alpha,
            log_evidence: mode.local.log_likelihood - 0.5 * alpha * mode.squared_norm
                + 0.5 * parameters * alpha.ln()
                - 0.5 * log_determinant
                + 0.5 * intercepts * (2.0 * PI).ln(),
            effective_parameters: parameters - alpha * self.penalized_trace(mode),
            squared_norm: mode.squared_norm,
            log_likelihood: mode.local.log_likelihood,
            separates: self.family.separates(
                mode.local.predictor.as_ref(),
                &self.target,
                &self.weights,
            ),
            iterations: mode.iterations,
        }
    }

    /// dL/d ln α.
    pub(super) fn slope(&self, alpha: f64, mode: &Mode) -> f64 {
        let inverse = invert(&mode.factor, self.free());
        let trace: f64 =
            (0..self.free()).filter(|&i| self.is_penalized(i)).map(|i| inverse[(i, i)]).sum();
        let along = self.tangent(alpha, mode);
        0.5 * (self.penalized_parameters() as f64
            - alpha * (mode.squared_norm + trace)
            - self.curvature_trace(&mode.local, &inverse, &along))
    }

    /// dθ̂/d ln α, laid out as the parameters.
    pub(super) fn tangent(&self, alpha: f64, mode: &Mode) -> Vec<f64> {
        let right: Vec<f64> = (0..self.free())
            .map(
                |index| {
                    if self.is_penalized(index) { -alpha * mode.parameters[index] } else { 0.0 }
                },
            )
            .collect();
        let mut tangent = solve(&mode.factor, &right);
        tangent.resize(mode.parameters.len(), 0.0);
        tangent
    }

    /// tr(H⁻¹P), as Σ‖L⁻¹e_i‖².
    fn penalized_trace(&self, mode: &Mode) -> f64 {
        let free = self.free();
        let mut inverse = faer::Mat::<f64>::identity(free, free);
        faer::linalg::triangular_solve::solve_lower_triangular_in_place(
            mode.factor.L(),
            inverse.as_mut(),
            crate::parallelism(),
        );
        (0..free)
            .filter(|&i| self.is_penalized(i))
            .map(|i| inverse.col_as_slice(i).iter().map(|value| value * value).sum::<f64>())
            .sum()
    }
}
