//! L: how a tensor's norm moved in the last step, from one checkpoint with its state.
//!
//! w_{t−1} = (w_t + η û_t)/(1 − ηλ) is exact, so that ‖w_t‖² − ‖w_{t−1}‖² is known; its part by decay
//! is −2ηλ‖w‖². As an estimate of the trend its standard error is 2η√(Σw²û²), relative to ‖w‖²: in
//! tensors below some 10⁵ elements the last step says little of those before.

use super::equilibrium;
use super::pair::Held;
use super::update::{Family, Update, family};
use super::{Balance, Estimate};
use crate::measure::side_by_side;
use crate::tensor::Tensor;

const BLOCK: usize = 4096;

/// The last step of a tensor. Nothing where its update, rate or λ is not known.
pub(crate) fn balance(name: &str, weights: &Tensor, held: &Held<'_>) -> Option<Balance> {
    let (rate, lambda) = (held.group.rate?, held.group.lambda.unwrap_or(0.0));
    let update = Update::of(None, held).ok()?;
    // A coupled penalty is in the update already.
    let is_coupled =
        held.group.decoupled == Some(false) || family(held, held.state?).ok()? == Family::Momentum;
    let decay = if is_coupled { 0.0 } else { rate * lambda };
    if !(0.0..1.0).contains(&decay) || rate.is_nan() || rate <= 0.0 {
        return None;
    }
    let mut tensors = vec![weights];
    tensors.extend(&update.state);
    let (mut square, mut earlier, mut noise, mut count) = (0.0, 0.0, 0.0, 0_usize);
    let mut directions = Vec::new();
    let is_real = side_by_side(&tensors, BLOCK, |_, blocks| {
        let [weights, state @ ..] = blocks else { return };
        update.directions(state, &mut directions);
        for (&w, &u) in weights.iter().zip(&directions) {
            let before = (w + rate * u) / (1.0 - decay);
            if before.is_finite() {
                square += w * w;
                // As a difference of squares, which does not cancel.
                earlier += (w - before) * (w + before);
                noise += (w * u).powi(2);
                count += 1;
            }
        }
    });
    if !is_real || square == 0.0 {
        return None;
    }
    Some(Balance {
        tensor: name.to_owned(),
        growth: Estimate::new(earlier / square, 2.0 * rate * noise.sqrt() / square, 0.0),
        decay_part: -2.0 * decay,
        rms: (square / count as f64).sqrt(),
        equilibrium_rms: if is_coupled { None } else { equilibrium::of(held, lambda) },
    })
}
