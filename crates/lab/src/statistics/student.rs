//! Student's t: quantiles, two-sided p, and the interval of a mean.
//!
//! # Symbols
//! | symbol | meaning |
//! |---|---|
//! | n | number of seeds |
//! | x̄, s | mean and standard deviation (n − 1 in the denominator) of the seeds' values |
//! | t_{p,ν} | p-quantile of Student's t with ν degrees of freedom |

use statrs::distribution::{Continuous, ContinuousCDF, StudentsT};

use crate::analysis::Interval;

/// The two-sided level of every test and interval here.
pub const LEVEL: f64 = 0.05;

/// t_{p,ν}: the p-quantile with `degrees` = ν degrees of freedom; NaN unless 0 < p < 1 and ν > 0.
pub fn quantile(p: f64, degrees: f64) -> f64 {
    if !(p > 0.0 && p < 1.0) {
        return f64::NAN;
    }
    StudentsT::new(0.0, 1.0, degrees).map_or(f64::NAN, |distribution| {
        let first = distribution.inverse_cdf(p);
        // One step of Newton's method: `inverse_cdf` stops at about 1e-8.
        first - (distribution.cdf(first) - p) / distribution.pdf(first)
    })
}

/// P(|T| ≥ |t|) with `degrees` degrees of freedom; NaN unless `degrees` > 0.
pub fn two_sided_p(t: f64, degrees: f64) -> f64 {
    StudentsT::new(0.0, 1.0, degrees)
        .map_or(f64::NAN, |distribution| (2.0 * distribution.cdf(-t.abs())).min(1.0))
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
