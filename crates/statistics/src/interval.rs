//! A mean over seeds, and the interval that it is worth.

use serde::Serialize;

use crate::student::{LEVEL, quantile};

/// A mean over seeds with its two-sided 95 % Student interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// Mean over seeds; NaN when there is none.
    pub mean: f64,
    /// Lower end; NaN with fewer than two seeds.
    pub low: f64,
    /// Upper end; NaN with fewer than two seeds.
    pub high: f64,
    /// Standard error of the mean; NaN with fewer than two seeds.
    pub standard_error: f64,
    /// Number of seeds.
    pub n: usize,
}

/// x̄; NaN of nothing.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// s, with n − 1 in the denominator; NaN with fewer than two values.
pub fn standard_deviation(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return f64::NAN;
    }
    let centre = mean(values);
    let squares: f64 = values.iter().map(|x| (x - centre).powi(2)).sum();
    (squares / (values.len() - 1) as f64).sqrt()
}

/// x̄ ± t_{0.975,n−1}·s/√n. Values that are not finite are left out.
///
/// Equals `scipy.stats.t.interval(0.95, n - 1, mean, sem)`.
pub fn interval(values: &[f64]) -> Interval {
    let finite: Vec<f64> = values.iter().copied().filter(|x| x.is_finite()).collect();
    let n = finite.len();
    let centre = mean(&finite);
    let standard_error = standard_deviation(&finite) / (n as f64).sqrt();
    let half =
        if n < 2 { f64::NAN } else { quantile(1.0 - LEVEL / 2.0, (n - 1) as f64) * standard_error };
    Interval { mean: centre, low: centre - half, high: centre + half, standard_error, n }
}
