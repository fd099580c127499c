//! B: the spread of rows without gradient against their initial spread, from one checkpoint.
//!
//! Rows that started with standard deviation σ₀ have e^−κ of it left, so that
//! κ̂ = −ln(RMS/σ₀), with standard error 1/√(2n) for n normal elements.

use super::pair::Held;
use super::{Estimate, Method, TensorEstimate};
use crate::measure::{norms, row_layout};
use crate::tensor::Tensor;

/// So many standard errors below zero κ̂ is not a matter of chance.
const SURE: f64 = 4.0;

/// κ̂ since the start, and λ̂ where the learning rates since then are known. Nothing without rows
/// whose moments are all zero, while the tensor has been updated.
pub(crate) fn estimate(
    name: &str,
    weights: &Tensor,
    held: &Held<'_>,
    initial: f64,
    rates: Option<&[f64]>,
    declared: Option<f64>,
) -> Option<TensorEstimate> {
    let (_, length) = row_layout(weights)?;
    let moments = held.moments(weights);
    let mut dead: Option<Vec<bool>> = None;
    for moment in &moments {
        let measured = norms(moment)?;
        let zeros = measured.rows.iter().map(|row| row.sum_of_magnitudes == 0.0);
        dead = Some(match dead {
            None => zeros.collect(),
            Some(dead) => dead.iter().zip(zeros).map(|(&dead, zero)| dead && zero).collect(),
        });
    }
    let dead = dead.filter(|dead| dead.contains(&false))?;
    let measured = norms(weights)?;
    // Rows of zeros started as zeros.
    let squares: Vec<f64> = measured
        .rows
        .iter()
        .zip(&dead)
        .filter(|&(row, &dead)| dead && row.sum_of_squares > 0.0)
        .map(|(row, _)| row.sum_of_squares)
        .collect();
    let elements = squares.len() * length;
    if elements < 2 || initial.is_nan() || initial <= 0.0 {
        return None;
    }
    let root_mean_square = (squares.iter().sum::<f64>() / elements as f64).sqrt();
    let (shrink, error) =
        (-(root_mean_square / initial).ln(), (2.0 * elements as f64).sqrt().recip());
    let sum = rates.map(|rates| rates.iter().sum::<f64>()).filter(|&sum| sum > 0.0);
    // Decay makes no row wider: such rows began otherwise, and tell nothing.
    if shrink + SURE * error < 0.0 {
        return None;
    }
    Some(TensorEstimate {
        tensor: name.to_owned(),
        method: Method::InitialSpread,
        lambda: sum.map(|sum| Estimate::new(shrink / sum, error / sum, 0.0)),
        shrink: Some(Estimate::new(shrink, error, 0.0)),
        rate: None,
        declared,
        rows: squares.len(),
        elements,
        declared_before: None,
        remark: Some(format!(
            "If these rows started with a standard deviation of {}.",
            wd_page::number::short(initial)
        )),
    })
}
