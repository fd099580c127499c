//! Z: rows that never had a gradient.
//!
//! Decoupled decay is all that moves them: w₂ = Π_j (1 − η_j λ) w₁. So
//!
//! Â = ⟨w₁, w₂⟩/⟨w₁, w₁⟩ over these rows, κ̂ = −ln Â, and λ̂ solves Σ_j ln(1 − η_j λ) = ln Â.
//!
//! κ̂/Ση would be too large by a share of ηλ/2. Rounding of 1 − ηλ moves λ̂ by up to 2⁻²⁵/η; the
//! interval holds that. Coupled decay moves such rows too, by way of the gradient's moments, which
//! are then not zero.

use super::dead_rows::DeadRows;
use super::pair::Pair;
use super::{Estimate, Method, TensorEstimate, rounding};
use crate::measure::row;

/// How rows without gradient changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shrunk {
    /// Â.
    pub(crate) factor: f64,
    /// Its standard error.
    pub(crate) error: f64,
    /// Whether every element has the same value as before.
    pub(crate) is_equal: bool,
    pub(crate) rows: usize,
    pub(crate) elements: usize,
}

impl Shrunk {
    /// Measures the change of some rows.
    pub(crate) fn of(pair: &Pair<'_>, dead: &DeadRows) -> Option<Self> {
        let (mut square, mut product, mut elements, mut is_equal) = (0.0, 0.0, 0, true);
        let mut lines = Vec::with_capacity(dead.rows.len());
        for &index in &dead.rows {
            let (first, second) = (row(pair.before, index)?, row(pair.after, index)?);
            for (x, y) in first.iter().zip(&second) {
                square += x * x;
                product += x * y;
                elements += 1;
                is_equal &= x == y;
            }
            // Residuals need the factor, so rows are kept until it is known; large tables are
            // sampled, which a standard error can bear.
            if lines.len() < MOST_ROWS {
                lines.push((first, second));
            }
        }
        let factor = product / square;
        if !factor.is_finite() {
            return None;
        }
        let (mut kept, mut meat, mut expected) = (0.0, 0.0, 0.0);
        let spacing = rounding::spacing(pair.after);
        for (x, y) in lines.iter().flat_map(|(first, second)| first.iter().zip(second)) {
            kept += x * x;
            meat += (x * (y - factor * x)).powi(2);
            expected += x * x * rounding::noise_of_change(spacing, *x, (1.0 - factor) * x);
        }
        // In few digits most numbers stay and a few jump: see the estimator of one step.
        let meat = if rounding::is_coarse(pair.after) { meat.max(expected) } else { meat };
        let error = (meat * square / kept).sqrt() / square;
        Some(Shrunk { factor, error, is_equal, rows: dead.rows.len(), elements })
    }

    /// κ̂ with its interval.
    pub(crate) fn shrink(&self, floor: f64) -> Option<Estimate> {
        (self.factor > 0.0)
            .then(|| Estimate::new(0.0 - self.factor.ln(), self.error / self.factor, floor))
    }
}

/// Rows from which the standard error is computed.
const MOST_ROWS: usize = 4096;

/// λ from Â and the learning rates of the window. Nothing where no λ below 1/max η has that factor.
pub(crate) fn solve(rates: &[f64], factor: f64) -> Option<f64> {
    let sum: f64 = rates.iter().sum();
    let largest = rates.iter().copied().fold(0.0, f64::max);
    if !(factor > 0.0 && sum > 0.0) {
        return None;
    }
    if factor == 1.0 {
        return Some(0.0);
    }
    let target = factor.ln();
    // Σ ln(1 − ηλ) falls in λ and is concave, so that Newton's steps from the right of the solution
    // come down to it; a start on its left overshoots to the right, if not beyond 1/max η.
    let mut lambda = -target / sum;
    for _ in 0..100 {
        let bounded = lambda.min((1.0 - 1e-12) / largest);
        let (value, slope) = rates.iter().fold((0.0, 0.0), |(value, slope), rate| {
            let left = 1.0 - rate * bounded;
            (value + (-rate * bounded).ln_1p(), slope - rate / left)
        });
        let next = bounded - (value - target) / slope;
        if !next.is_finite() {
            return None;
        }
        if (next - bounded).abs() <= 1e-15 * next.abs() {
            return Some(next);
        }
        lambda = next;
    }
    Some(lambda)
}

/// dκ/dλ = Σ η/(1 − ηλ).
fn slope(rates: &[f64], lambda: f64) -> f64 {
    rates.iter().map(|rate| rate / (1.0 - rate * lambda)).sum()
}

/// λ̂ of a tensor, or κ̂ alone where the rates are not known.
///
/// `largest_rate` bounds λ where rows kept their bits and the rates are not known: a step of that
/// rate would have moved them.
pub(crate) fn estimate(
    pair: &Pair<'_>,
    shrunk: &Shrunk,
    rates: Option<&[f64]>,
    largest_rate: Option<f64>,
) -> Option<TensorEstimate> {
    let one = rounding::shrink_of_one_step(pair.after);
    let solved = rates.and_then(|rates| Some((rates, solve(rates, shrunk.factor)?)));
    let floor =
        solved.map_or(one, |(rates, lambda)| rounding::shrink_of_window(pair.after, rates, lambda));
    let is_coarse = rounding::is_coarse(pair.after);
    // In few digits n numbers that all stayed show that κ is below some spacings/n, and no more:
    // each would have jumped with probability κ/spacing, and e⁻³ is 5 %.
    let jump = 3.0 * rounding::spacing(pair.after) / shrunk.elements.max(1) as f64;
    let floor = if is_coarse { floor + jump } else { floor };
    let is_exact = shrunk.is_equal && !is_coarse;
    let shrink = shrunk.shrink(if is_exact { 0.0 } else { floor })?;
    let lambda = if is_exact {
        // Every single step left them as they are, that of the largest rate too.
        let window = rates.map(|rates| rates.iter().copied().fold(0.0, f64::max));
        let largest = window.or(largest_rate).filter(|&rate| rate > 0.0);
        largest.map(|rate| Estimate { value: 0.0, low: -one / rate, high: one / rate })
    } else {
        solved.map(|(rates, lambda)| {
            let slope = slope(rates, lambda);
            Estimate::new(lambda, shrunk.error / shrunk.factor / slope, floor / slope)
        })
    };
    Some(TensorEstimate {
        tensor: pair.name.to_owned(),
        method: Method::NeverSeen,
        lambda,
        shrink: Some(shrink),
        rate: None,
        declared: pair.declared,
        rows: shrunk.rows,
        elements: shrunk.elements,
        declared_before: None,
        remark: shrunk.is_equal.then(|| "Every element kept its value.".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_product_of_shrinks_is_inverted_exactly() {
        let rates: Vec<f64> = (1..=1500).map(|t| 5e-4 * (1.0 - f64::from(t) / 3000.0)).collect();
        for lambda in [-0.05, 1e-4, 0.1, 5.0, 300.0] {
            let factor: f64 = rates.iter().map(|rate| (-rate * lambda).ln_1p()).sum::<f64>().exp();
            let found = solve(&rates, factor).unwrap();
            assert!((found / lambda - 1.0).abs() < 1e-10, "{lambda} {found}");
        }
        // The simple quotient is off by ηλ/2.
        let factor = (1.0 - 1e-3 * 0.1_f64).powi(100);
        let quotient = -factor.ln() / 0.1;
        assert!((quotient / 0.1 - 1.0 - 5e-5).abs() < 1e-7);
        assert!((solve(&[1e-3; 100], factor).unwrap() - 0.1).abs() < 1e-12);
    }

    #[test]
    fn what_no_decay_can_do_has_no_lambda() {
        assert_eq!(solve(&[1e-3; 10], 0.0), None);
        assert_eq!(solve(&[1e-3; 10], -0.5), None);
        assert_eq!(solve(&[0.0; 10], 0.5), None);
        assert_eq!(solve(&[], 0.5), None);
        assert_eq!(solve(&[1e-3], 1.0), Some(0.0));
    }
}
