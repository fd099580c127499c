//! Two one-sided tests: the evidence *for* "no change worth the name".
//!
//! That a difference is not significant says nothing: with few seeds nothing is. Equivalence is
//! claimed only when the 90 % interval of the difference lies wholly inside ±margin, which is the
//! same as rejecting, at 5 % each, both "the change is ≤ −margin" and "the change is ≥ margin".
//! Source: D. J. Schuirmann, J. Pharmacokinet. Biopharm. 15 (1987).

use serde::Serialize;

use crate::interval::{Interval, interval};
use crate::paired::{MOST_SEEDS, POWER};
use crate::student::{LEVEL, quantile};

/// The outcome of two one-sided tests.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Equivalence {
    /// Largest absolute change that counts as none.
    pub margin: f64,
    /// Lower end of the 90 % interval of the mean.
    pub low: f64,
    /// Upper end of the 90 % interval of the mean.
    pub high: f64,
    /// Is the mean shown to lie inside ±margin?
    pub holds: bool,
}

/// Tests whether the mean of `differences` lies inside ±`margin`. With fewer than two differences
/// it never holds.
pub fn equivalence(differences: &[f64], margin: f64) -> Equivalence {
    let interval = interval(differences);
    equivalence_of(&interval, interval.n as f64 - 1.0, margin)
}

/// The same of an interval whose standard error has `degrees` degrees of freedom.
pub(crate) fn equivalence_of(interval: &Interval, degrees: f64, margin: f64) -> Equivalence {
    let half = match interval.n {
        0 | 1 => f64::NAN,
        _ if interval.standard_error == 0.0 => 0.0,
        _ => quantile(1.0 - LEVEL, degrees) * interval.standard_error,
    };
    let (low, high) = (interval.mean - half, interval.mean + half);
    Equivalence { margin, low, high, holds: low > -margin && high < margin }
}

/// Number of pairs that would show the mean to lie inside ±`margin` with 80 % power, if the true
/// mean and standard deviation are those given: the smallest n ≥ 2 with
///
/// n ≥ ((t_{0.95,n−1} + t_{0.9,n−1}) · deviation / (margin − |mean|))².
///
/// The quantile 0.9 instead of 0.8 allows for a failure on either side. `None` when the mean is not
/// inside the margin: then no number of seeds shows that it is.
pub fn seeds_for_equivalence(mean: f64, deviation: f64, margin: f64) -> Option<u64> {
    let room = margin - mean.abs();
    if room.is_nan() || deviation.is_nan() || room <= 0.0 {
        return None;
    }
    let enough = |n: u64| {
        let degrees = (n - 1) as f64;
        let sum = quantile(1.0 - LEVEL, degrees) + quantile(1.0 - (1.0 - POWER) / 2.0, degrees);
        n as f64 >= (sum * deviation / room).powi(2)
    };
    // (1.645 + 1.282)²: the same with normal quantiles, which is a lower bound.
    let normal = 8.56 * (deviation / room).powi(2);
    let first = (normal as u64).clamp(2, MOST_SEEDS);
    Some((first..MOST_SEEDS).find(|&n| enough(n)).unwrap_or(MOST_SEEDS))
}
