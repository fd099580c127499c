//! Q: decay by way of the gradient, from the momentum of rows that no gradient of the loss reached.
//!
//! Under decoupled decay, or none, their momentum is zero. A coupled penalty is their whole
//! gradient, λw, so that the momentum is parallel to the weights.
//!
//! SGD with momentum μ: b_t = λ Σ μʲ w_{t−1−j}. Such a row shrinks by one factor ρ a step; with
//! β = ⟨b, w⟩/⟨w, w⟩ it is ρ = 1/(1 + ηβ), and λ = β(ρ − μ) exactly. Without η, λ ≈ β(1 − μ).
//!
//! Adam: every element falls by η a step, whatever λ, so that
//! m̂ = λ(w + η sgn(w)/(1 − β₁)) while |w| ≫ η, and v̂ ≈ m̂², which no noisy gradient does.

use super::least_squares::Equations;
use super::pair::Held;
use super::update::{Family, family};
use super::{Estimate, Method, TensorEstimate};
use crate::measure::{SHORTEST_ROW, row_layout, side_by_side};
use crate::tensor::Tensor;

/// Cosine between momentum and weights from which a row counts. A row of eight random elements
/// passes 0.995 once in 10⁷.
const PARALLEL: f64 = 0.995;

/// λ̂ of a coupled penalty, and the rows that gave it. Nothing if no row's momentum is parallel to
/// its weights.
pub(crate) fn estimate(
    name: &str,
    weights: &Tensor,
    held: &Held<'_>,
    declared: Option<f64>,
) -> Option<TensorEstimate> {
    let (_, length) = row_layout(weights).filter(|&(_, length)| length >= SHORTEST_ROW)?;
    let state = held.state?;
    let family = family(held, state).ok()?;
    let moments = match family {
        Family::Momentum => vec![state.tensor("momentum_buffer")?],
        Family::Adam => vec![state.tensor("exp_avg")?, state.tensor("exp_avg_sq")?],
        Family::Lion => return None,
    };
    let rate = held.group.rate.unwrap_or(0.0);
    let (beta1, beta2) = held.group.betas.unwrap_or((0.0, 0.0));
    let past = if family == Family::Adam { rate / (1.0 - beta1) } else { 0.0 };
    let step = held.step.unwrap_or(f64::INFINITY);
    let (first, second) = (1.0 - beta1.powf(step), 1.0 - beta2.powf(step));
    let mut tensors = vec![weights];
    tensors.extend(moments);
    let mut equations = Equations::<1>::default();
    let mut rows = Vec::new();
    let is_real = side_by_side(&tensors, length, |_, blocks| {
        let [weights, momentum, rest @ ..] = blocks else { return };
        let mut row = Equations::<1>::default();
        let mut steady = 0_usize;
        for (at, (&w, &m)) in weights.iter().zip(momentum).enumerate() {
            // Elements within some steps of zero swing about it.
            if family == Family::Adam && w.abs() < 20.0 * past {
                continue;
            }
            row.add([w + past * sign(w)], m / if family == Family::Adam { first } else { 1.0 });
            let square = rest.first().map_or(0.0, |v| v[at] / second);
            steady += usize::from((m / first).powi(2) > 0.5 * square);
        }
        let is_steady = family != Family::Adam || 2 * steady > row.count;
        let Some(solution) = row.solve() else { return };
        let explained = solution.coefficients[0].powi(2) * row.square(0);
        // A full row of momentum along the weights, and all its elements steady.
        if row.count >= SHORTEST_ROW && is_steady && explained >= PARALLEL.powi(2) * row.total {
            rows.push(solution.coefficients[0]);
            weights.iter().zip(momentum).for_each(|(&w, &m)| {
                if family == Family::Momentum || w.abs() >= 20.0 * past {
                    let scale = if family == Family::Adam { first } else { 1.0 };
                    equations.add([w + past * sign(w)], m / scale);
                }
            });
        }
    });
    if !is_real || rows.len() < 2 || equations.total == 0.0 {
        return None;
    }
    let slope = equations.solve()?.coefficients[0];
    let mean = rows.iter().sum::<f64>() / rows.len() as f64;
    let spread = rows.iter().map(|row| (row - mean).powi(2)).sum::<f64>() / (rows.len() - 1) as f64;
    let error = (spread / rows.len() as f64).sqrt();
    let (lambda, scale) = match family {
        Family::Momentum => {
            let momentum = held.group.momentum.unwrap_or(0.0);
            let intake = 1.0 - held.group.dampening.unwrap_or(0.0);
            let factor = 1.0 / (1.0 + rate * slope);
            (slope * (factor - momentum) / intake, (1.0 - momentum) / intake)
        }
        _ => (slope, 1.0),
    };
    // The rate is the next step's, and stood for those of the last 1/(1 − μ) steps.
    let floor = lambda.abs() * if rate > 0.0 { 1e-2 } else { 0.3 };
    Some(TensorEstimate {
        tensor: name.to_owned(),
        method: Method::CoupledMomentum,
        lambda: Some(Estimate::new(lambda, error * scale, floor)),
        shrink: None,
        rate: None,
        declared,
        rows: rows.len(),
        elements: equations.count,
        remark: Some("The decay is part of the gradient: an L2 penalty.".to_owned()),
    })
}

fn sign(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.signum() }
}
