//! The weight norm that theory predicts: its trajectory over a run, and its equilibrium.
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

use serde::{Deserialize, Serialize};

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
    /// β₂)/(1 + β₂). Within 4 % where 1/(2s) is ten times the momentum's memory 1/(1 − β₂).
    Lion {
        /// Interpolation coefficient β₁ of the update.
        beta1: f64,
        /// Momentum coefficient β₂.
        beta2: f64,
    },
    /// SGD with momentum α (no dampening): D = E\[g²\]/(1 − α)², E\[u²\] = E\[g²\]/(1 − α²), or
    /// E\[g²\]((1 + α)² + α⁴/(1 − α²)) where Nesterov's u = g + αb looks ahead.
    ///
    /// Under coupled L2 its shrink a step is ηλ/(1 − α), since the penalty's gradient goes through
    /// the momentum too; [`coupled_sgd_equilibrium`] is exact for it.
    Sgd {
        /// Momentum coefficient α.
        momentum: f64,
        /// Does the step look ahead?
        nesterov: bool,
        /// Mean square E\[g²\] of a coordinate of the gradient.
        gradient_mean_square: f64,
    },
    /// Muon: E\[u²\] is what the orthogonalisation makes it, and D = E\[u²\](1 + β)/(1 − β), or
    /// E\[u²\]/((1 − β)²((1 + β)² + β⁴/(1 − β²))) where Nesterov's momentum looks ahead.
    ///
    /// Measured on noise (`crates/optim/tests/optimizer/equilibrium.rs`): five Newton–Schulz steps
    /// make u, and with it the RMS, 0.82–0.88 of what an orthogonal matrix would; the angle is
    /// within 5 % for matrices of 4 : 1 and 20 % more for square ones.
    Muon {
        /// Momentum coefficient β.
        momentum: f64,
        /// Does the momentum look ahead?
        nesterov: bool,
        /// How an orthogonal matrix becomes the update.
        scale: MuonScale,
    },
}

/// What Muon multiplies the orthogonal factor O of a matrix \[d_out, d_in\] by; ‖O‖² = min(d_out,
/// d_in).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MuonScale {
    /// √max(1, d_out/d_in): E\[u²\] = 1/d_in whatever d_out is (Jordan et al. 2024;
    /// `torch.optim.Muon`'s `adjust_lr_fn="original"`).
    Shape {
        /// Columns d_in of the matrix.
        fan_in: u64,
    },
    /// 0.2√max(d_out, d_in): E\[u²\] = 0.2² whatever the shape, about the size of AdamW's update
    /// (Liu et al. 2025, arXiv 2502.16982, equation 4; `adjust_lr_fn="match_rms_adamw"`).
    MatchRms,
}

/// The equilibrium of a tensor at a constant learning rate and shrink.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
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
            UpdateNoise::Sgd { momentum, gradient_mean_square, .. } => {
                gradient_mean_square / (1.0 - momentum).powi(2)
            }
            UpdateNoise::Muon { momentum, nesterov, .. } => {
                // The weights of past gradients in the momentum add up to 1/(1 − β) either way.
                let sum = (1.0 - momentum).recip();
                self.mean_square() * sum * sum / sum_of_squares(momentum, nesterov)
            }
        }
    }

    /// E\[u²\]: mean square of a coordinate of one update.
    pub fn mean_square(&self) -> f64 {
        match *self {
            UpdateNoise::Adam { beta1 } => (1.0 - beta1) / (1.0 + beta1),
            UpdateNoise::Lion { .. } => 1.0,
            UpdateNoise::Sgd { momentum, nesterov, gradient_mean_square } => {
                gradient_mean_square * sum_of_squares(momentum, nesterov)
            }
            UpdateNoise::Muon { scale, .. } => match scale {
                MuonScale::Shape { fan_in } => 1.0 / fan_in.max(1) as f64,
                MuonScale::MatchRms => 0.2 * 0.2,
            },
        }
    }

    /// The equilibrium of the weights under this noise, learning rate η and shrink s.
    ///
    /// For small s the RMS is η√(D/2s): √(η/2λ) for AdamW with s = ηλ. Infinite when nothing
    /// decays, since the norm then grows as √t for ever.
    ///
    /// ```
    /// use wd_decay::UpdateNoise;
    /// let (rate, lambda): (f64, f64) = (1e-3, 0.1);
    /// let found = UpdateNoise::Adam { beta1: 0.9 }.equilibrium(rate, rate * lambda);
    /// assert!((found.rms - (rate / (2.0 * lambda)).sqrt()).abs() < 1e-5);
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

/// Σ_k c_k² of the weights c_k that the gradients of k steps ago have in the step: 1/(1 − α²),
/// since c_k = α^k; with Nesterov c_0 = 1 + α and c_k = α^(k+1).
fn sum_of_squares(momentum: f64, nesterov: bool) -> f64 {
    let plain = (1.0 - momentum * momentum).recip();
    if nesterov { (1.0 + momentum).powi(2) + momentum.powi(4) * plain } else { plain }
}

/// Where SGD with momentum α (no dampening, no Nesterov) and coupled L2 settles on gradients of
/// pure noise, exactly.
///
/// Its weights are an autoregression of order two, w_{t+1} = (1 + α − ηλ)w_t − αw_{t−1} − ηg_t,
/// whose stationary moments are known (Box & Jenkins 1976, section 3.2.4):
///
/// RMS² = ηE\[g²\](1 + α)/((1 − α)λ(2(1 + α) − ηλ)) ≈ ηE\[g²\]/(2λ(1 − α)), and
/// cos(angle) = 1 − ηλ/(1 + α), so that the angle ≈ √(2ηλ/(1 + α)) does not depend on the gradient
/// (Kosson, Messmer & Jaggi 2024, table 1). `torch.optim.SGD`'s λ and η.
///
/// ```
/// let found = wd_decay::coupled_sgd_equilibrium(0.1, 1e-4, 0.9, 1e-6);
/// assert!((found.rms - (0.1f64 * 1e-6 / (2.0 * 1e-4 * 0.1)).sqrt()).abs() < 1e-6);
/// assert!((found.angle - (2.0f64 * 1e-5 / 1.9).sqrt()).abs() < 1e-7);
/// ```
pub fn coupled_sgd_equilibrium(
    learning_rate: f64,
    lambda: f64,
    momentum: f64,
    gradient_mean_square: f64,
) -> Equilibrium {
    let (alpha, pull) = (momentum, learning_rate * lambda);
    let mean_square = learning_rate * gradient_mean_square * (1.0 + alpha)
        / ((1.0 - alpha) * lambda * (2.0 * (1.0 + alpha) - pull));
    // The larger root of z² − (1 + α − ηλ)z + α; where they are complex, both have modulus √α.
    let middle = 0.5 * (1.0 + alpha - pull);
    let discriminant = middle * middle - alpha;
    let root_square =
        if discriminant > 0.0 { (middle + discriminant.sqrt()).powi(2) } else { alpha };
    Equilibrium {
        rms: mean_square.sqrt(),
        angle: (1.0 - pull / (1.0 + alpha)).acos(),
        relaxation_steps: 1.0 / (1.0 - root_square),
    }
}

/// Mean square at which weights settle under Adam with coupled L2 on gradients of pure noise.
///
/// The denominator of Adam holds the penalty beside the gradient: v = E\[g²\] + λ²ρ. The penalty
/// shrinks by s = ηλ/√v a step, and the gradient's part of the update has the diffusion E\[g²\]/v,
/// so that
///
/// ρ = η²(E\[g²\]/v)/(s(2 − s)) = ηE\[g²\]/(λ(2√v − ηλ)).
///
/// The right side falls with ρ: there is one solution, for every η and λ above 0. Where the penalty
/// is small it is that of a decoupled decay with λ/√E\[g²\]. The momentum is left out, which holds
/// while s is well below 1 − β₁: with β₁ = 0.9 the optimizer itself settles 2 % below this RMS at
/// s = 0.1 and 18 % below at s = 0.8 (`wd_optim`'s tests of the equilibrium).
///
/// ```
/// let rho = wd_decay::norm::coupled_adam_mean_square(1e-3, 1e-4, 1e-2);
/// let small = 1e-3 * 1e-2 / (2.0 * 1e-4);
/// assert!((rho / small - 1.0).abs() < 0.01);
/// ```
pub fn coupled_adam_mean_square(learning_rate: f64, lambda: f64, gradient_rms: f64) -> f64 {
    if lambda == 0.0 {
        return f64::INFINITY;
    }
    // Is the solution above this mean square?
    let is_above = |mean_square: f64| {
        let denominator = gradient_rms.hypot(lambda * mean_square.sqrt());
        let lost = 2.0 * denominator - learning_rate * lambda;
        lost <= 0.0 || learning_rate * gradient_rms.powi(2) / (lambda * lost) > mean_square
    };
    let (mut low, mut high) = (0.0, learning_rate * learning_rate);
    while is_above(high) && high.is_finite() {
        high *= 4.0;
    }
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if is_above(middle) { low = middle } else { high = middle }
    }
    0.5 * (low + high)
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
            mean_square = next_mean_square(mean_square, *rate, *shrink, diffusion);
            mean_square.sqrt()
        })
        .collect()
}

/// One step of the recursion: (1 − s)²ρ + η²D.
pub fn next_mean_square(mean_square: f64, learning_rate: f64, shrink: f64, diffusion: f64) -> f64 {
    (1.0 - shrink).powi(2) * mean_square + learning_rate * learning_rate * diffusion
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
