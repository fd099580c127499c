//! K: a few steps apart, roughly explained by the states at both ends.
//!
//! The updates between two states a few steps apart lie near the plane of the first and the last
//! one: w₁ − w₂ ≈ κ w₁ + a û₁ + b û₂. What lies outside of it is not independent of w, so that no
//! standard error holds: measured over ten steps, λ̂ was between .88 and 1.24 of the truth. The
//! interval is a quarter of λ to either side.

use super::least_squares::Equations;
use super::pair::Pair;
use super::update::Update;
use super::{Estimate, Method, TensorEstimate, rounding};
use crate::measure::side_by_side;

/// Steps from which the plane explains too little.
pub(crate) const MOST_STEPS: u64 = 10;

/// Half of the interval, as a share of λ.
const SHARE: f64 = 0.25;

const BLOCK: usize = 4096;

/// λ̂ over 2 to [`MOST_STEPS`] steps.
///
/// # Errors
/// The reason why there is none, as a clause.
pub(crate) fn estimate(pair: &Pair<'_>, rates: Option<&[f64]>) -> Result<TensorEstimate, String> {
    let (Some(held_before), Some(held_after)) = (pair.held_before, pair.held_after) else {
        return Err("the state of both checkpoints is needed".to_owned());
    };
    let first = Update::of(None, &held_before)?;
    let last = Update::of(None, &held_after)?;
    let mut equations = Equations::<3>::default();
    let each = |visit: &mut dyn FnMut([f64; 3], f64)| {
        let mut tensors = vec![pair.before, pair.after];
        tensors.extend(&first.state);
        tensors.extend(&last.state);
        let (mut u, mut v) = (Vec::new(), Vec::new());
        side_by_side(&tensors, BLOCK, |_, blocks| {
            let [before, after, states @ ..] = blocks else { return };
            let (early, late) = states.split_at(first.state.len());
            first.directions(early, &mut u);
            last.directions(late, &mut v);
            for (at, (&x, &y)) in before.iter().zip(after).enumerate() {
                visit([x, u[at], v[at]], x - y);
            }
        })
    };
    if !each(&mut |regressors, change| {
        equations.add(regressors, change);
    }) {
        return Err("its elements are not real numbers".to_owned());
    }
    let mut solution =
        equations.solve().ok_or("its weights and updates are too few or lie in one direction")?;
    each(&mut |regressors, change| solution.add(regressors, change));
    let [shrink, early, late] = solution.coefficients;
    let fitted = early + late;
    let sum = rates.map_or(fitted, |rates| rates.iter().sum());
    if !(sum > 0.0 && shrink < 1.0) {
        return Err("its change is not along its updates".to_owned());
    }
    let error = solution.variance([1.0, 0.0, 0.0]).sqrt();
    let lambda = -(-shrink).ln_1p() / sum;
    let scale = lambda.abs().max(pair.declared.unwrap_or(0.0).abs());
    let floor = SHARE * scale + rounding::shrink_of_one_step(pair.after) / sum;
    Ok(TensorEstimate {
        tensor: pair.name.to_owned(),
        method: Method::FewSteps,
        lambda: Some(Estimate::new(lambda, error / sum, floor)),
        shrink: Some(Estimate::new(lambda * sum, error, floor * sum)),
        rate: None,
        declared: pair.declared,
        rows: pair.after.rows().0,
        elements: equations.count,
        remark: Some(match rates {
            Some(_) => {
                "Good to about a quarter: the steps in between are not in the files.".to_owned()
            }
            None => "Good to about a quarter: the steps in between, and their learning rates, are \
                     not in the files."
                .to_owned(),
        }),
    })
}
