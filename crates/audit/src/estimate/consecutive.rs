//! S: one step, explained by the optimizer's state.
//!
//! With the state after step t the update û_t is known (see [`super::update`]), and decoupled decay
//! makes the change of the weights exactly
//!
//! w_{t−1} − w_t = η û_t + ηλ w_{t−1}.
//!
//! Least squares on (û_t, w_{t−1}) gives η̂ = c₁ and λ̂ = c₂/c₁ for every tensor. Nothing else need be
//! known: clipping, accumulation and loss scaling are in the state already. Decay that is coupled
//! to the gradient is in û, so that c₂ = 0.

use super::least_squares::Equations;
use super::update::{Update, UpdateRule};
use super::{Estimate, Method, TensorEstimate, rounding};
use crate::measure::side_by_side;
use crate::tensor::Tensor;

/// Elements of a tensor that are looked at together.
const BLOCK: usize = 4096;

/// Share of the squared change that may stay unexplained, beyond what rounding explains. With the
/// state in f32 the right rule leaves 1e-7 or less; with the state in bf16, which rounds û by
/// 2⁻⁹, about 4e-6. A wrong tensor leaves more than 0.7.
const UNEXPLAINED: f64 = 1e-3;

/// A tensor's change over one step, explained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fit {
    /// η̂.
    pub(crate) rate: Estimate,
    /// λ̂.
    pub(crate) lambda: Estimate,
    /// ηλ, the shrink of the step.
    pub(crate) shrink: Estimate,
    /// Share of the squared change that stays unexplained.
    pub(crate) unexplained: f64,
    /// Whether that is no more than rounding makes.
    pub(crate) is_explained: bool,
    /// cos(û, w).
    pub(crate) cosine: f64,
    /// Elements that were used.
    pub(crate) elements: usize,
}

/// Explains the change from `before` to `after` by an update and a shrink. Nothing where the change
/// is nothing, or update and weights are parallel.
pub(crate) fn fit(before: &Tensor, after: &Tensor, update: &Update<'_>) -> Option<Fit> {
    let mut equations = Equations::<2>::default();
    let mut rounding_square = 0.0;
    let squares = rounding::squares(before, after);
    each(before, after, update, |direction, first, second| {
        if equations.add([direction, first], first - second) {
            rounding_square += squares(first, second);
        }
    })?;
    let mut solution = equations.solve()?;
    // In few digits most numbers stay as they are and a few jump: where these are too few to show
    // the noise, what is expected of them stands for it.
    let mut expected = solution.clone();
    let (is_coarse, spacing) = (rounding::is_coarse(after), rounding::spacing(after));
    let [rate, shrink] = solution.coefficients;
    each(before, after, update, |direction, first, second| {
        solution.add([direction, first], first - second);
        let change = rate * direction + shrink * first;
        if is_coarse && change.is_finite() && first.is_finite() && second.is_finite() {
            let noise = rounding::noise_of_change(spacing, first, change);
            expected.add_square([direction, first], noise);
        }
    })?;
    let error = |gradient| solution.variance(gradient).max(expected.variance(gradient)).sqrt();
    let unexplained = solution.residual / equations.total;
    if !(unexplained.is_finite() && rate.is_finite()) || rate == 0.0 || equations.count < 8 {
        return None;
    }
    let lambda = shrink / rate;
    // Lion's steps are all of one length, which a weight's own spacing rounds alike for many of them.
    let lattice = match update.rule {
        UpdateRule::Lion { .. } => {
            rounding::ARITHMETIC * (equations.square(1) / equations.count as f64).sqrt()
        }
        _ => 0.0,
    };
    // The moments, their corrections and the size of the step are each rounded once.
    let floor = 4.0 * rounding::ARITHMETIC * rate.abs() + lattice;
    let step = rounding::shrink_of_window(after, &[rate], lambda);
    Some(Fit {
        rate: Estimate::new(rate, error([1.0, 0.0]), floor),
        shrink: Estimate::new(shrink, error([0.0, 1.0]), step),
        lambda: Estimate::new(lambda, error([-lambda / rate, 1.0 / rate]), step / rate),
        unexplained,
        is_explained: unexplained < UNEXPLAINED || solution.residual < 2.0 * rounding_square,
        cosine: equations.cosine(0, 1),
        elements: equations.count,
    })
}

/// Visits (û, w_{t−1}, w_t) of every coordinate.
fn each(
    before: &Tensor,
    after: &Tensor,
    update: &Update<'_>,
    mut visit: impl FnMut(f64, f64, f64),
) -> Option<()> {
    let mut tensors = vec![before, after];
    tensors.extend(&update.state);
    let mut directions = Vec::new();
    side_by_side(&tensors, BLOCK, |_, blocks| {
        let [first, second, state @ ..] = blocks else { return };
        update.directions(state, &mut directions);
        for ((&direction, &first), &second) in directions.iter().zip(first).zip(second) {
            visit(direction, first, second);
        }
    })
    .then_some(())
}

impl Fit {
    /// λ̂ of the tensor; why there is none, as a clause, where the state does not explain the change.
    pub(crate) fn estimate(
        &self,
        name: &str,
        declared: Option<f64>,
        rows: usize,
    ) -> Result<TensorEstimate, String> {
        if !self.is_explained {
            return Err(format!(
                "{} of the change of its weights is not explained by its optimizer's state",
                wd_page::number::share(self.unexplained)
            ));
        }
        if self.rate.value <= 0.0 {
            return Err("its weights moved against its optimizer's update".to_owned());
        }
        let is_parallel = self.cosine.abs() > 0.999;
        Ok(TensorEstimate {
            tensor: name.to_owned(),
            method: Method::Consecutive,
            lambda: Some(self.lambda),
            shrink: Some(self.shrink),
            rate: Some(self.rate),
            declared,
            rows,
            elements: self.elements,
            declared_before: None,
            remark: is_parallel.then(|| {
                "The update points along the weights, so that rate and decay are hard to tell \
                 apart."
                    .to_owned()
            }),
        })
    }
}
