//! The weight norm that theory predicts: its course over a run, and where it settles.
//!
//! Where gradients are mostly noise and every coordinate is updated, a tensor's weights do a random
//! walk that the decay pulls back. Their mean square ρ then follows
//!
//! ρ_{t+1} = (1 − s_t)² ρ_t + η_t² D,
//!
//! with D the *diffusion* of the optimizer's update u: its long-run variance Σ_k E\[u_t u_{t+k}\]
//! per coordinate, which counts that momentum makes successive updates alike. Where s stays put, ρ
//! settles at η²D/(1 − (1 − s)²) ≈ η²D/(2s) within about 1/(2s) steps, and the direction of the
//! weights turns by η√E\[u²\]/√ρ a step.
//!
//! Sources: Kosson, Messmer & Jaggi 2024 (arXiv 2305.17212, table 1) for AdamW, SGD and Lion; Wen
//! et al. 2025 for Muon. It fails, and a report should say so, where gradients keep a direction
//! (early training), for rows that most steps do not touch (embeddings of rare tokens), and where
//! the optimizer is clipped most of the time.

use std::f64::consts::PI;

/// The random part of an optimizer's update, in which u is what the learning rate multiplies: Δw =
/// −ηu.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum UpdateNoise {
    /// Adam(W): u = m̂/√v̂, so D = 1 and E\[u²\] = (1 − β₁)/(1 + β₁).
    Adam {
        /// First momentum coefficient β₁.
        beta1: f64,
    },
    /// Lion: u = sign(β₁m + (1 − β₁)g), so E\[u²\] = 1 and D = 2/(πb), b = (1 − β₁)² + β₁²(1 −
    /// β₂)/(1 + β₂).
    Lion {
        /// Interpolation coefficient β₁ of the update.
        beta1: f64,
        /// Momentum coefficient β₂.
        beta2: f64,
    },
    /// SGD with momentum α (no dampening): D = E\[g²\]/(1 − α)², E\[u²\] = E\[g²\]/(1 − α²).
    ///
    /// Under coupled L2 its shrink a step is ηλ/(1 − α), since the penalty's gradient goes through
    /// the momentum too.
    Sgd {
        /// Momentum coefficient α.
        momentum: f64,
        /// Mean square E\[g²\] of a coordinate of the gradient.
        gradient_mean_square: f64,
    },
    /// Muon on a matrix \[d_out, d_in\], scaled by √max(1, d_out/d_in): ‖u‖² = d_out, so that
    /// E\[u²\] = 1/d_in and D = (1/d_in)(1 + β)/(1 − β).
    Muon {
        /// Momentum coefficient β.
        momentum: f64,
        /// Columns d_in of the matrix.
        fan_in: usize,
    },
}

/// Where a tensor settles at a constant learning rate and shrink.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Equilibrium {
    /// Root mean square of the weights.
    pub rms: f64,
    /// Angle, in radians, by which the weights turn each step.
    pub angle: f64,
    /// Steps within which the mean square comes near its equilibrium by a factor e.
    pub relaxation_steps: f64,
}

impl UpdateNoise {
    /// D: long-run variance of a coordinate of the update.
    pub fn diffusion(&self) -> f64 {
        match *self {
            UpdateNoise::Adam { .. } => 1.0,
            UpdateNoise::Lion { beta1, beta2 } => {
                let spread = (1.0 - beta1).powi(2) + beta1 * beta1 * (1.0 - beta2) / (1.0 + beta2);
                2.0 / (PI * spread)
            }
            UpdateNoise::Sgd {
                momentum,
                gradient_mean_square,
            } => gradient_mean_square / (1.0 - momentum).powi(2),
            UpdateNoise::Muon { momentum, .. } => {
                self.mean_square() * (1.0 + momentum) / (1.0 - momentum)
            }
        }
    }

    /// E\[u²\]: mean square of a coordinate of one update.
    pub fn mean_square(&self) -> f64 {
        match *self {
            UpdateNoise::Adam { beta1 } => (1.0 - beta1) / (1.0 + beta1),
            UpdateNoise::Lion { .. } => 1.0,
            UpdateNoise::Sgd {
                momentum,
                gradient_mean_square,
            } => gradient_mean_square / (1.0 - momentum * momentum),
            UpdateNoise::Muon { fan_in, .. } => 1.0 / fan_in.max(1) as f64,
        }
    }

    /// Where the weights settle under this noise, learning rate η and shrink s.
    ///
    /// For small s the RMS is η√(D/2s): √(η/2λ) for AdamW with s = ηλ. Infinite when nothing
    /// decays, since the norm then grows as √t for ever.
    ///
    /// ```
    /// use wd_decay::UpdateNoise;
    /// let (learning_rate, lambda) = (1e-3, 0.1);
    /// let settled = UpdateNoise::Adam { beta1: 0.9 }.equilibrium(learning_rate, learning_rate * lambda);
    /// assert!((settled.rms - (learning_rate / (2.0 * lambda)).sqrt()).abs() < 1e-5);
    /// ```
    pub fn equilibrium(&self, learning_rate: f64, shrink: f64) -> Equilibrium {
        // 1 − (1 − s)², without the cancellation.
        let lost = shrink * (2.0 - shrink);
        let rms = learning_rate * (self.diffusion() / lost).sqrt();
        Equilibrium {
            rms,
            angle: learning_rate * self.mean_square().sqrt() / rms,
            relaxation_steps: 1.0 / lost,
        }
    }
}

/// RMS of a tensor after each step: ρ_{t+1} = (1 − s_t)²ρ_t + η_t²D from ρ_0 = `initial_rms`².
///
/// `learning_rates` and `shrinks` hold one number a step; were one longer, the shorter counts. The
/// result has one number a step: element t is the RMS *after* step t (0-based).
pub fn norm_recursion(
    initial_rms: f64,
    learning_rates: &[f64],
    shrinks: &[f64],
    diffusion: f64,
) -> Vec<f64> {
    let mut mean_square = initial_rms * initial_rms;
    learning_rates
        .iter()
        .zip(shrinks)
        .map(|(rate, shrink)| {
            mean_square = (1.0 - shrink).powi(2) * mean_square + rate * rate * diffusion;
            mean_square.sqrt()
        })
        .collect()
}

/// Norm ‖w‖ at which a *scale-invariant* tensor settles under SGD with momentum and coupled L2:
/// ‖w‖⁴ = ηE‖g̃‖²/(2λ(1 − α)), with g̃ the gradient at unit norm (the gradient itself is g̃/‖w‖).
///
/// Here the noise depends on the norm, so that the fourth power takes the place of the square.
pub fn scale_invariant_sgd_norm(
    learning_rate: f64,
    lambda: f64,
    momentum: f64,
    unit_gradient_square: f64,
) -> f64 {
    (learning_rate * unit_gradient_square / (2.0 * lambda * (1.0 - momentum))).powf(0.25)
}
