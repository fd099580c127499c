//! U: rows without a gradient between the two checkpoints, though they had some before.
//!
//! Their moments fade as m_j = β₁ʲm, v_j = β₂ʲv, which the second file confirms, so that Adam's
//! updates û_j of the window are known, and
//!
//! w₂(λ) = P₀ w₁ − Σ_j P_j η_j û_j, P_j = Π_{i>j} (1 − η_i λ),
//!
//! is a function of λ alone. Gauss and Newton's least squares find it.

use super::pair::Pair;
use super::update::{Family, UpdateRule, adam, family};
use super::{Estimate, Method, TensorEstimate, rounding};
use crate::measure::{norms, row, row_layout};
use crate::tensor::Dtype;

/// How far v₂ may be from β₂ᵏv₁, as a share, in every coordinate of a row.
const TOLERANCE: f64 = 1e-4;

/// Elements times steps that are looked at.
const MOST_WORK: usize = 1 << 26;

/// A row whose moments merely faded.
struct Faded {
    index: usize,
    before: Vec<f64>,
    after: Vec<f64>,
    first_moment: Vec<f64>,
    second_moment: Vec<f64>,
}

/// λ̂ of a tensor from rows whose moments merely faded. Nothing if there are none, or the optimizer
/// is not Adam with its state in f32 or better.
pub(crate) fn estimate(pair: &Pair<'_>, rates: &[f64]) -> Option<TensorEstimate> {
    let (start, rows) = faded_rows(pair, rates.len())?;
    let held = pair.held_after?;
    let rules: Option<Vec<UpdateRule>> =
        (1..=rates.len()).map(|step| adam(&held, Some(start + step as f64)).ok()).collect();
    let (rules, betas) = (rules?, held.group.betas?);
    let mut lambda = 0.0;
    let mut fitted = None;
    for _ in 0..8 {
        let fit = linearised(&rows, rates, &rules, betas, lambda);
        if !(fit.square > 0.0 && fit.product.is_finite()) {
            return None;
        }
        let step = fit.product / fit.square;
        lambda += step;
        let is_done = step.abs() <= 1e-12 * lambda.abs().max(1e-9);
        fitted = Some(fit);
        if is_done {
            break;
        }
    }
    let fit = fitted?;
    let error = fit.meat.sqrt() / fit.square;
    let sum: f64 = rates.iter().sum();
    let floor = rounding::shrink_of_window(pair.after, rates, lambda);
    Some(TensorEstimate {
        tensor: pair.name.to_owned(),
        method: Method::UnseenBetween,
        lambda: Some(Estimate::new(lambda, error, floor / sum)),
        shrink: Some(Estimate::new(
            -rates.iter().map(|rate| (-rate * lambda).ln_1p()).sum::<f64>(),
            error * sum,
            floor,
        )),
        rate: None,
        declared: pair.declared,
        rows: rows.len(),
        elements: rows.iter().map(|row| row.before.len()).sum(),
        declared_before: None,
        remark: None,
    })
}

/// The rows, and the step that the window starts from.
fn faded_rows(pair: &Pair<'_>, steps: usize) -> Option<(f64, Vec<Faded>)> {
    let (held_before, held_after) = (pair.held_before?, pair.held_after?);
    let (state_before, state_after) = (held_before.state?, held_after.state?);
    if family(&held_after, state_after).ok()? != Family::Adam
        || held_after.group.amsgrad == Some(true)
    {
        return None;
    }
    let start = held_before.step?;
    if held_after.step? - start != steps as f64 {
        return None;
    }
    let (_, length) = row_layout(pair.after)?;
    let (beta1, beta2) = held_after.group.betas?;
    let (first_fade, fade) = (beta1.powf(steps as f64), beta2.powf(steps as f64));
    let (v1, v2) = (state_before.tensor("exp_avg_sq")?, state_after.tensor("exp_avg_sq")?);
    let (m1, m2) = (state_before.tensor("exp_avg")?, state_after.tensor("exp_avg")?);
    let is_exact = |dtype: Dtype| matches!(dtype, Dtype::Float32 | Dtype::Float64);
    let is_exact = [v1, v2, m1, m2].iter().all(|tensor| is_exact(tensor.dtype()));
    // Below this a faded v is rounded to nothing.
    if !is_exact || fade < 1e-20 {
        return None;
    }
    let (sums1, sums2) = (norms(v1)?, norms(v2)?);
    let mut rows = Vec::new();
    for (index, (first, second)) in sums1.rows.iter().zip(&sums2.rows).enumerate() {
        let wanted = fade * first.sum_of_magnitudes;
        let is_near = (second.sum_of_magnitudes / wanted - 1.0).abs() < TOLERANCE;
        if !(wanted > 0.0 && is_near) || rows.len() * length * steps > MOST_WORK {
            continue;
        }
        let (v, later_v) = (row(v1, index)?, row(v2, index)?);
        let (m, later_m) = (row(m1, index)?, row(m2, index)?);
        if is_faded(&v, &later_v, fade, f64::MIN_POSITIVE)
            // A momentum that faded to nothing is as good as one that is rounded there.
            && is_faded(&m, &later_m, first_fade, 1e-30)
        {
            rows.push(Faded {
                index,
                before: row(pair.before, index)?,
                after: row(pair.after, index)?,
                first_moment: m,
                second_moment: v,
            });
        }
    }
    rows.sort_by_key(|row| row.index);
    (!rows.is_empty()).then_some((start, rows))
}

/// Whether every coordinate became `fade` times what it was.
fn is_faded(before: &[f64], after: &[f64], fade: f64, smallest: f64) -> bool {
    before.iter().zip(after).all(|(x, y)| {
        let wanted = x * fade;
        (y - wanted).abs() <= TOLERANCE * wanted.abs() + smallest
    })
}

/// The sums of a Gauss–Newton step.
#[derive(Default)]
struct Linearised {
    /// Σ(dw/dλ)².
    square: f64,
    /// Σ(dw/dλ) r.
    product: f64,
    /// Σ(dw/dλ)² r².
    meat: f64,
}

/// Predicts w₂ and its derivative by λ.
fn linearised(
    rows: &[Faded],
    rates: &[f64],
    rules: &[UpdateRule],
    (beta1, beta2): (f64, f64),
    lambda: f64,
) -> Linearised {
    let mut sums = Linearised::default();
    for faded in rows {
        for (at, (&start, &end)) in faded.before.iter().zip(&faded.after).enumerate() {
            let (mut weight, mut slope) = (start, 0.0);
            let (mut m, mut v) = (faded.first_moment[at], faded.second_moment[at]);
            for (rate, rule) in rates.iter().zip(rules) {
                (m, v) = (beta1 * m, beta2 * v);
                slope = (1.0 - rate * lambda) * slope - rate * weight;
                weight = (1.0 - rate * lambda) * weight - rate * rule.direction(&[m, v]);
            }
            let rest = end - weight;
            if rest.is_finite() && slope.is_finite() {
                sums.square += slope * slope;
                sums.product += slope * rest;
                sums.meat += (slope * rest).powi(2);
            }
        }
    }
    sums
}
