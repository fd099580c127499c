//! Evidence, γ, residual and GCV as functions of λ, in O(rank) each.
//!
//! With s_i > 0 and z_i as in the crate's table, R₀ = Σ(y − ŷ)² at λ → 0:
//!
//! - ‖w‖² = Σ z²/(s + λ)²
//! - RSS = R₀ + λ² Σ z²/(s(s + λ)²)
//! - E = RSS + λ‖w‖² = R₀ + λ Σ z²/(s(s + λ))
//! - γ = Σ s/(s + λ)
//! - β = ν/E, the best noise precision at this λ, and α = λβ
//! - ln p(y | λ) = ½ν(ln β − 1 − ln 2π) − ½ Σ ln(1 + s/λ) + ½ Σ ln w, and − ½ ln Σw for an
//!   integrated intercept
//!
//! Sources: MacKay 1992 (“Bayesian interpolation”), eq. 4.1–4.8; Bishop 2006, eq. 3.86. Every sum
//! is of positive terms, so that no digits cancel but those of R₀.

use std::f64::consts::PI;

use serde::Serialize;

/// Everything about one target as a function of λ.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// s_i > 0, descending: r of them.
    pub(super) eigenvalues: Vec<f64>,
    /// z_i/√Σỹ².
    pub(super) projections: Vec<f64>,
    /// R₀/Σỹ².
    pub(super) unexplained: f64,
    /// Σỹ².
    pub(super) total: f64,
    /// ν.
    pub(super) degrees: f64,
    /// n.
    pub(super) rows: f64,
    /// Parameters that are not penalised: 1 with an intercept.
    pub(super) unpenalized: f64,
    /// What of the log evidence depends on the weights alone.
    pub(super) offset: f64,
}

/// One λ with all that follows from it. `lambda` may be 0 (no prior) or infinite (all coefficients
/// 0).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Point {
    /// λ = α/β on the columns as they enter the model.
    pub lambda: f64,
    /// α = 1/σ²: precision of the prior.
    pub alpha: f64,
    /// β: precision of the noise, the best at this λ.
    pub beta: f64,
    /// ln p(y | α, β).
    pub log_evidence: f64,
    /// γ, without the intercept.
    pub effective_parameters: f64,
    /// ‖w̃‖² of the standardised coefficients.
    pub squared_norm: f64,
    /// Σ w(y − ŷ)².
    pub residual_sum_of_squares: f64,
    /// (RSS/n)/(1 − (γ + intercept)/n)²: Golub, Heath & Wahba 1979. Infinite where nothing is left
    /// over.
    pub generalized_cross_validation: f64,
}

/// The sums that evidence and its slopes are made of, with Σỹ² = 1.
pub(super) struct Sums {
    /// γ.
    pub(super) gamma: f64,
    /// Σ sλ/(s + λ)² = −dγ/d ln λ.
    pub(super) gamma_fall: f64,
    /// ‖w‖².
    pub(super) norm: f64,
    /// Σ z²/(s + λ)³.
    pub(super) cubic: f64,
    /// E.
    pub(super) penalized: f64,
    /// RSS.
    pub(super) residual: f64,
}

impl Evidence {
    /// γ, evidence, residual and all else at λ ≥ 0, infinity included. NaN where λ is negative or
    /// NaN.
    pub fn at(&self, lambda: f64) -> Point {
        if lambda == f64::INFINITY {
            return self.point(lambda, 0.0, 0.0, 1.0, 1.0, 0.0);
        }
        let sums = self.sums(lambda);
        self.point(
            lambda,
            sums.gamma,
            sums.norm,
            sums.residual,
            sums.penalized,
            self.log_determinant(lambda),
        )
    }

    /// [`Self::at`] for each λ.
    pub fn path(&self, lambdas: &[f64]) -> Vec<Point> {
        lambdas.iter().map(|&lambda| self.at(lambda)).collect()
    }

    /// `count` values of λ, ascending and evenly spaced in ln λ, from where γ is within a hundredth
    /// of the rank to where it is within a hundredth of 0, and no further than fifteen decades.
    pub fn grid(&self, count: usize) -> Vec<f64> {
        let (largest, smallest) = self.extent();
        let high = largest * 100.0 * self.eigenvalues.len() as f64;
        let low = (smallest / (100.0 * self.eigenvalues.len() as f64)).max(high * 1e-15);
        let step = (high / low).ln() / count.saturating_sub(1).max(1) as f64;
        (0..count).map(|i| low * (step * i as f64).exp()).collect()
    }

    /// Σỹ²: what the coefficients explain a part of.
    pub fn total(&self) -> f64 {
        self.total
    }

    /// r: the rank of the centred columns, beyond which γ cannot go.
    pub fn rank(&self) -> usize {
        self.eigenvalues.len()
    }

    /// ν: what RSS + λ‖w‖² is divided by to give 1/β.
    pub fn degrees_of_freedom(&self) -> f64 {
        self.degrees
    }

    /// Whether the columns fit the target exactly, to rounding: then 1/β → 0 as λ → 0.
    pub fn is_interpolated(&self) -> bool {
        self.unexplained == 0.0
    }

    /// Largest and smallest s_i.
    pub(super) fn extent(&self) -> (f64, f64) {
        let last = self.eigenvalues.len() - 1;
        (self.eigenvalues[0], self.eigenvalues[last])
    }

    fn point(
        &self,
        lambda: f64,
        gamma: f64,
        norm: f64,
        residual: f64,
        penalized: f64,
        log_determinant: f64,
    ) -> Point {
        let beta = self.degrees / (penalized * self.total);
        let alpha = if penalized == 0.0 {
            // λβ as λ → 0, where E → λ‖w‖².
            self.degrees / (norm * self.total)
        } else if lambda == f64::INFINITY {
            f64::INFINITY
        } else {
            lambda * beta
        };
        let log_evidence = if penalized == 0.0 {
            // λ → 0 with R₀ = 0: ½(ν − r) ln 1/λ and a constant.
            let excess = self.degrees - self.eigenvalues.len() as f64;
            if excess > 0.0 { f64::INFINITY } else { self.interpolation_limit(norm) }
        } else {
            0.5 * self.degrees * (beta.ln() - 1.0 - (2.0 * PI).ln()) - 0.5 * log_determinant
                + self.offset
        };
        let left = 1.0 - (gamma + self.unpenalized) / self.rows;
        Point {
            lambda,
            alpha,
            beta,
            log_evidence,
            effective_parameters: gamma,
            squared_norm: norm * self.total,
            residual_sum_of_squares: residual * self.total,
            generalized_cross_validation: if left > 1e-12 {
                residual * self.total / self.rows / (left * left)
            } else {
                f64::INFINITY
            },
        }
    }

    /// The log evidence as λ → 0 where the rank is ν and R₀ = 0: every row is fitted, and the
    /// evidence stays finite.
    fn interpolation_limit(&self, norm: f64) -> f64 {
        let log_eigenvalues: f64 = self.eigenvalues.iter().map(|s| s.ln()).sum();
        0.5 * self.degrees * ((self.degrees / (norm * self.total)).ln() - 1.0 - (2.0 * PI).ln())
            - 0.5 * log_eigenvalues
            + self.offset
    }

    pub(super) fn sums(&self, lambda: f64) -> Sums {
        let mut sums = Sums {
            gamma: 0.0,
            gamma_fall: 0.0,
            norm: 0.0,
            cubic: 0.0,
            penalized: 0.0,
            residual: 0.0,
        };
        for (s, z) in self.eigenvalues.iter().zip(&self.projections) {
            let inverse = 1.0 / (s + lambda);
            let kept = s * inverse;
            let shrunk = lambda * inverse;
            let weight = z * inverse;
            let explained = z * z / s;
            sums.gamma += kept;
            sums.gamma_fall += kept * shrunk;
            sums.norm += weight * weight;
            sums.cubic += weight * weight * inverse;
            sums.penalized += explained * shrunk;
            sums.residual += explained * shrunk * shrunk;
        }
        sums.penalized += self.unexplained;
        sums.residual += self.unexplained;
        sums
    }

    /// Σ ln(1 + s/λ), as logarithms of products that stay within f64.
    fn log_determinant(&self, lambda: f64) -> f64 {
        let mut logarithms = 0.0;
        let mut product = 1.0;
        for s in &self.eigenvalues {
            let factor = 1.0 + s / lambda;
            if factor > 1e100 {
                logarithms += factor.ln();
            } else {
                product *= factor;
                if product > 1e150 {
                    logarithms += f64::ln(product);
                    product = 1.0;
                }
            }
        }
        logarithms + f64::ln(product)
    }
}
