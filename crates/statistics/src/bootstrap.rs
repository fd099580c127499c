//! A bootstrap beside Student's interval: whether two ways of reasoning agree, and whether there are
//! enough values for the second one to mean anything.

use serde::Serialize;

use crate::crossing::split_mix;
use crate::interval::mean;
use crate::student::LEVEL;

/// Resamples: the ends of a 95 % interval are then the 50th smallest and largest.
const RESAMPLES: usize = 2_000;

/// What a bootstrap says of a mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BootstrapCheck {
    /// Lower end of the 95 % percentile interval; NaN with fewer than two values.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The smallest two-sided p that flipping the signs of so many values can give, 2/2ⁿ.
    pub least_sign_flip_p: f64,
    /// Are there enough values? With fewer than six no sign-flip test can reach 5 %, and the
    /// percentile interval covers too seldom: then only Student's interval counts.
    pub is_enough: bool,
}

impl BootstrapCheck {
    /// Does the interval leave zero out?
    pub fn excludes_zero(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

/// The percentile bootstrap of the mean of `values`; values that are not finite are left out. The
/// resamples are drawn from a fixed seed: the same values give the same interval.
pub fn bootstrap_check(values: &[f64]) -> BootstrapCheck {
    let values: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    let n = values.len();
    let least_sign_flip_p = 2.0 * 0.5_f64.powi(n as i32);
    let is_enough = least_sign_flip_p <= LEVEL;
    if n < 2 {
        let low = f64::NAN;
        return BootstrapCheck { low, high: f64::NAN, least_sign_flip_p, is_enough };
    }
    let mut state = 0x5eed_u64;
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let drawn = (0..n).map(|_| values[((split_mix(&mut state) >> 32) as usize * n) >> 32]);
            drawn.sum::<f64>() / n as f64
        })
        .collect();
    means.sort_by(f64::total_cmp);
    let tail = (LEVEL / 2.0 * RESAMPLES as f64) as usize;
    let centre = mean(&values);
    let (low, high) = (means[tail].min(centre), means[RESAMPLES - 1 - tail].max(centre));
    BootstrapCheck { low, high, least_sign_flip_p, is_enough }
}
