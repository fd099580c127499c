//! Differences between runs: of pairs that share a seed, and of two means where there are no pairs.

use serde::Serialize;

use crate::equivalence::{Equivalence, equivalence_of};
use crate::interval::{Interval, interval, standard_deviation};
use crate::student::{LEVEL, quantile, two_sided_p};

/// The most further seeds that are ever reported: beyond it, no practical number would do.
pub const MOST_SEEDS: u64 = 10_000;

/// The power at which [`seeds_needed`] is computed.
pub const POWER: f64 = 0.8;

/// Number of pairs that makes a paired difference significant at 5 % (two-sided) with 80 % power:
/// the smallest n ≥ 2 with
///
/// n ≥ ((t_{0.975,n−1} + t_{0.8,n−1}) / d)²,  d = |mean| / standard deviation.
///
/// This is the usual normal formula with Student's quantiles in place of the normal ones, iterated
/// in n. It gives the same n as the exact power of the non-central t (tested for d from 0.1 to 5).
/// At most [`MOST_SEEDS`] (also when the effect is zero or not a number).
pub fn seeds_needed(effect: f64, deviation: f64) -> u64 {
    let ratio = effect.abs() / deviation;
    if ratio.is_nan() || ratio <= 0.0 {
        return MOST_SEEDS;
    }
    // (1.96 + 0.84)²: what the normal formula asks for. Student's quantiles are larger, so it is a
    // lower bound.
    let normal = 7.84 / (ratio * ratio);
    if normal >= MOST_SEEDS as f64 {
        return MOST_SEEDS;
    }
    let mut n = (normal.floor() as u64).max(2);
    while n < MOST_SEEDS {
        let degrees = (n - 1) as f64;
        let sum = quantile(1.0 - LEVEL / 2.0, degrees) + quantile(POWER, degrees);
        if n as f64 >= (sum / ratio).powi(2) {
            break;
        }
        n += 1;
    }
    n
}

/// A mean difference over paired seeds and what it is worth; made by [`PairedDifference::unpaired`],
/// the difference of two means.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairedDifference {
    /// Mean difference with its 95 % interval.
    pub interval: Interval,
    /// Each seed with its difference, ascending by seed; empty where the samples are not paired.
    pub per_seed: Vec<(u64, f64)>,
    /// Two-sided p of the paired t-test; absent with fewer than two seeds.
    pub p_value: Option<f64>,
    /// The same after Holm's correction within its family: all arms compared with the same
    /// baseline.
    pub adjusted_p: Option<f64>,
    /// Is the uncorrected p below 5 % (the interval then excludes zero)?
    pub significant: bool,
    /// Further seeds after which this effect, with this spread, would be significant at 5 % with 80
    /// % power. Absent when significant already, or with fewer than two seeds; at most
    /// [`MOST_SEEDS`], which stands for "no practical number".
    pub more_seeds: Option<u64>,
    /// ν, the degrees of freedom of the interval: n − 1 of pairs.
    #[serde(skip)]
    pub degrees: f64,
}

impl PairedDifference {
    /// The paired t-test of `per_seed`, pairs of (seed, difference). Differences that are not
    /// finite are left out.
    ///
    /// When every difference is the same number but for rounding, the statistic is infinite: p is 0,
    /// or 1 for differences of 0. (Accuracies of a few seeds may differ by the same number of images
    /// by chance; that is rarer than the level of the test.) `adjusted_p` is left to
    /// [`adjust_family`](crate::adjust_family).
    pub fn of(mut per_seed: Vec<(u64, f64)>) -> Self {
        per_seed.retain(|(_, difference)| difference.is_finite());
        per_seed.sort_by_key(|(seed, _)| *seed);
        let values: Vec<f64> = per_seed.iter().map(|(_, difference)| *difference).collect();
        let n = values.len();
        let deviation = standard_deviation(&values);
        let interval = interval(&values);
        let p_value = match interval.mean {
            _ if n < 2 => None,
            0.0 => Some(1.0),
            centre if has_no_spread(deviation, centre) => Some(0.0),
            centre => Some(two_sided_p(centre / interval.standard_error, (n - 1) as f64)),
        };
        let significant = p_value.is_some_and(|p| p < LEVEL);
        let more_seeds = (n >= 2 && !significant)
            .then(|| seeds_needed(interval.mean, deviation).saturating_sub(n as u64).max(1));
        PairedDifference {
            interval,
            per_seed,
            p_value,
            adjusted_p: None,
            significant,
            more_seeds,
            degrees: n as f64 - 1.0,
        }
    }

    /// The difference of the means of two samples that are not paired. Values that are not finite
    /// are left out. See [`PairedDifference::of_means`].
    pub fn unpaired(with: &[f64], without: &[f64]) -> Self {
        PairedDifference::of_means(&interval(with), &interval(without))
    }

    /// x̄₁ − x̄₂ of two samples that are not paired, by Welch's t-test: its standard error is √(e₁² +
    /// e₂²) with eᵢ = sᵢ/√nᵢ, and ν = (e₁² + e₂²)² / (e₁⁴/(n₁ − 1) + e₂⁴/(n₂ − 1)). There is no
    /// difference of single seeds; `n` is the size of the smaller sample, and `more_seeds` is for
    /// each of the two.
    ///
    /// Equals `scipy.stats.ttest_ind(equal_var=False)`. Sources: B. L. Welch, Biometrika 34 (1947);
    /// F. E. Satterthwaite, Biometrics Bulletin 2 (1946).
    pub fn of_means(with: &Interval, without: &Interval) -> Self {
        let n = with.n.min(without.n);
        let centre = with.mean - without.mean;
        let (a, b) = (with.standard_error.powi(2), without.standard_error.powi(2));
        let standard_error = (a + b).sqrt();
        let freedom = |sample: &Interval| (sample.n as f64 - 1.0).max(1.0);
        let degrees = (a + b).powi(2) / (a * a / freedom(with) + b * b / freedom(without));
        let p_value = match centre {
            _ if n < 2 => None,
            0.0 => Some(1.0),
            _ if has_no_spread(standard_error, centre) => Some(0.0),
            centre => Some(two_sided_p(centre / standard_error, degrees)),
        };
        let significant = p_value.is_some_and(|p| p < LEVEL);
        let half = match n {
            0 | 1 => f64::NAN,
            _ if standard_error == 0.0 => 0.0,
            _ => quantile(1.0 - LEVEL / 2.0, degrees) * standard_error,
        };
        let (low, high) = (centre - half, centre + half);
        let interval = Interval { mean: centre, low, high, standard_error, n };
        let deviation = standard_error * (n as f64).sqrt();
        let more_seeds = (n >= 2 && !significant)
            .then(|| seeds_needed(centre, deviation).saturating_sub(n as u64).max(1));
        PairedDifference {
            interval,
            per_seed: Vec::new(),
            p_value,
            adjusted_p: None,
            significant,
            more_seeds,
            degrees,
        }
    }

    /// Two one-sided tests of whether the difference lies inside ±`margin`.
    pub fn equivalence(&self, margin: f64) -> Equivalence {
        equivalence_of(&self.interval, self.degrees, margin)
    }

    /// The standard deviation of the difference of one pair; of two samples, what it would be if
    /// they were pairs without anything in common.
    pub fn deviation(&self) -> f64 {
        self.interval.standard_error * (self.interval.n as f64).sqrt()
    }

    /// Is the difference still significant at 5 % after Holm's correction?
    pub fn holds_after_correction(&self) -> bool {
        self.adjusted_p.is_some_and(|p| p < LEVEL)
    }

    /// Does it hold after Holm's correction, and lie on this side of zero?
    pub fn surely_has_sign(&self, sign: f64) -> bool {
        self.holds_after_correction() && self.interval.mean * sign > 0.0
    }

    /// Are all differences exactly zero? Then the setting that was compared did nothing at all.
    pub fn is_identical(&self) -> bool {
        !self.per_seed.is_empty() && self.per_seed.iter().all(|(_, difference)| *difference == 0.0)
    }

    /// The differences alone, in the order of their seeds.
    pub fn values(&self) -> Vec<f64> {
        self.per_seed.iter().map(|(_, difference)| *difference).collect()
    }
}

/// Whether differences are one number but for rounding.
fn has_no_spread(deviation: f64, centre: f64) -> bool {
    deviation <= 1e-9 * centre.abs()
}
