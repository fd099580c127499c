//! The noise of a paired difference grows with the distance of the two λ.
//!
//! Two runs of one seed share their initial weights and batches, and what that noise does to their
//! losses is nearly the same while λ is. So the difference of near λ is quiet and that of far ones
//! loud: one pooled variance is wrong for both. The model is
//!
//! Var(difference) = σ²(1 + c·d²), d = |ln λ₁ − ln λ₂|,
//!
//! with σ² and c ≥ 0 from all arms by maximum likelihood. Its intervals are narrower than those of
//! each arm by itself, since the spread is known from all.

use serde::Serialize;

use crate::interval::{Interval, mean};
use crate::student::{LEVEL, quantile};

/// c is looked for up to here: a difference at a distance of one (a factor e in λ) is then a hundred
/// times as loud as one at none.
const MOST_GROWTH: f64 = 1e4;

/// Some differences and the distance of their λ.
#[derive(Debug, Clone, Copy)]
pub struct DistantDifferences<'a> {
    /// d = |ln λ₁ − ln λ₂|.
    pub distance: f64,
    /// A difference for each seed.
    pub values: &'a [f64],
}

/// The spread of differences as a function of distance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct DifferenceNoise {
    /// σ², the variance of a difference at no distance.
    pub variance: f64,
    /// c, how it grows with the square of the distance.
    pub growth: f64,
    /// Degrees of freedom of the fit: those of all arms, less one for c.
    pub degrees: f64,
}

impl DifferenceNoise {
    /// Fits the spread of differences of several arms against one. Absent with fewer than two arms
    /// that have at least two finite differences at a finite distance, or without any spread.
    pub fn fit(arms: &[DistantDifferences<'_>]) -> Option<Self> {
        // Sum of squares about the mean, degrees of freedom, squared distance.
        let spreads: Vec<(f64, f64, f64)> = arms
            .iter()
            .filter(|arm| arm.distance.is_finite())
            .filter_map(|arm| {
                let values: Vec<f64> =
                    arm.values.iter().copied().filter(|value| value.is_finite()).collect();
                let centre = mean(&values);
                let squares = values.iter().map(|value| (value - centre).powi(2)).sum::<f64>();
                let freedom = values.len() as f64 - 1.0;
                (freedom >= 1.0).then_some((squares, freedom, arm.distance * arm.distance))
            })
            .collect();
        let degrees = spreads.iter().map(|(_, freedom, _)| freedom).sum::<f64>();
        if spreads.len() < 2 || spreads.iter().all(|(squares, _, _)| *squares == 0.0) {
            return None;
        }
        // −2 log likelihood with σ² at its best for each c.
        let variance = |growth: f64| {
            let scaled =
                spreads.iter().map(|(squares, _, square)| squares / (1.0 + growth * square));
            scaled.sum::<f64>() / degrees
        };
        let cost = |growth: f64| {
            let sizes =
                spreads.iter().map(|(_, freedom, square)| freedom * (1.0 + growth * square).ln());
            degrees * variance(growth).ln() + sizes.sum::<f64>()
        };
        let growth = least(cost);
        Some(DifferenceNoise { variance: variance(growth), growth, degrees: degrees - 1.0 })
    }

    /// The standard deviation of one difference at a distance.
    pub fn deviation(&self, distance: f64) -> f64 {
        (self.variance * (1.0 + self.growth * distance * distance)).sqrt()
    }

    /// The mean of some differences at a distance, with the 95 % interval that this spread gives.
    pub fn interval(&self, differences: DistantDifferences<'_>) -> Interval {
        let finite = differences.values.iter().copied().filter(|value| value.is_finite());
        let values: Vec<f64> = finite.collect();
        let n = values.len();
        let centre = mean(&values);
        let standard_error = self.deviation(differences.distance) / (n as f64).sqrt();
        let half = quantile(1.0 - LEVEL / 2.0, self.degrees) * standard_error;
        Interval { mean: centre, low: centre - half, high: centre + half, standard_error, n }
    }
}

/// The c of least cost, by a grid in its logarithm and then golden sections. The cost has one valley
/// but for accidents of very few values, which the grid sees.
fn least(cost: impl Fn(f64) -> f64) -> f64 {
    const STEPS: i32 = 60;
    let place = |step: f64| match step <= 0.0 {
        true => 0.0,
        false => MOST_GROWTH * 10f64.powf(-8.0 * (1.0 - step / f64::from(STEPS))),
    };
    let best =
        (0..=STEPS).map(f64::from).min_by(|a, b| cost(place(*a)).total_cmp(&cost(place(*b))));
    let best = best.unwrap_or(0.0);
    let (mut low, mut high) = ((best - 1.0).max(0.0), (best + 1.0).min(f64::from(STEPS)));
    let ratio = (5f64.sqrt() - 1.0) / 2.0;
    for _ in 0..60 {
        let (a, b) = (high - ratio * (high - low), low + ratio * (high - low));
        match cost(place(a)) <= cost(place(b)) {
            true => high = b,
            false => low = a,
        }
    }
    let found = place((low + high) / 2.0);
    if cost(0.0) <= cost(found) { 0.0 } else { found }
}
