//! Coefficients by which an optimizer's direction remembers earlier gradients.
//!
//! # Symbols
//! | symbol | meaning |
//! |---|---|
//! | μ, τ | momentum, dampening: b ← μb + (1 − τ)g |
//! | x | ηλ, the coupled penalty's push on w per step |

use serde::{Deserialize, Serialize};

/// The coefficients of SGD, Muon, Adam or Lion. Those that an optimizer does not have are not
/// looked at.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Momenta {
    /// Momentum μ of SGD or Muon, below 1.
    pub momentum: f64,
    /// Dampening τ: the share of the gradient that SGD's momentum leaves out.
    pub dampening: f64,
    /// Does the momentum look ahead?
    pub nesterov: bool,
    /// β₁ of Adam or Lion.
    pub beta1: f64,
    /// β₂ of Adam or Lion.
    pub beta2: f64,
}

impl Momenta {
    /// How many times as strong a constant push arrives through SGD's buffer: (1 − τ)/(1 − μ), and
    /// with Nesterov 1 + μ(1 − τ)/(1 − μ). Under coupled L2 a step takes ηλ times as much off the
    /// weights.
    pub fn gain(&self) -> f64 {
        let passed_on = (1.0 - self.dampening) / (1.0 - self.momentum);
        match (self.momentum, self.nesterov) {
            (0.0, _) => 1.0,
            (_, false) => passed_on,
            (momentum, true) => 1.0 + momentum * passed_on,
        }
    }

    /// The share of a gradient that SGD's momentum takes in; PyTorch has no dampening without one.
    pub fn intake(&self) -> f64 {
        if self.momentum == 0.0 { 1.0 } else { 1.0 - self.dampening }
    }

    /// How far the rate at which w decays under x is from its first order x · gain, as a share.
    ///
    /// (w, b) ← M(w, b) is linear; its slow eigenvalue is 1 − rate. `None` when it is complex.
    pub fn rate_error(&self, x: f64) -> Option<f64> {
        let (momentum, push) = (self.momentum, 1.0 - self.dampening);
        let (trace, determinant) = if self.nesterov {
            (1.0 - x - momentum * push * x + momentum, momentum * (1.0 - x))
        } else {
            (1.0 - push * x + momentum, momentum)
        };
        let discriminant = trace * trace - 4.0 * determinant;
        let first_order = x * self.gain();
        if discriminant < 0.0 || first_order == 0.0 {
            return None;
        }
        let rate = 1.0 - 0.5 * (trace + discriminant.sqrt());
        Some((rate - first_order).abs() / first_order)
    }
}
