//! Is a mean below a target? The question of a benchmark that counts steps to a loss.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use crate::interval::interval;

/// A one-sided test of a mean against a target.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TargetTest {
    /// The target.
    pub target: f64,
    /// Mean of the sample.
    pub mean: f64,
    /// Size of the sample.
    pub n: usize,
    /// The standard deviation that was given; absent when the sample's own was taken.
    pub sigma: Option<f64>,
    /// (target − x̄)·√n / σ, or with the sample's s in place of σ. Positive: below the target.
    pub statistic: f64,
    /// P of a statistic at least as large if the mean were the target: by the normal distribution
    /// with a given σ, else by Student's t with n − 1 degrees of freedom. NaN where there is no
    /// spread to test against.
    pub p_value: f64,
}

/// Tests whether the mean of `values` lies below `target`. With `sigma`, a standard deviation that
/// is known from elsewhere, one value is enough. Values that are not finite are left out.
///
/// ```
/// // modded-nanogpt's rule for 3.28 with σ = 0.0013: (3.28 − mean)·√n ≥ 0.004, which is p < 0.001.
/// let test = wd_statistics::below_target(&[3.2788; 20], 3.28, Some(0.0013));
/// assert!((test.statistic * 0.0013 - 0.0012 * 20f64.sqrt()).abs() < 1e-12);
/// assert!(test.p_value < 0.001);
/// ```
pub fn below_target(values: &[f64], target: f64, sigma: Option<f64>) -> TargetTest {
    let sample = interval(values);
    let n = sample.n as f64;
    let error = sigma.map_or(sample.standard_error, |sigma| sigma / n.sqrt());
    let statistic = (target - sample.mean) / error;
    let is_testable = statistic.is_finite() && error > 0.0;
    let p_value = match sigma {
        _ if !is_testable => f64::NAN,
        Some(_) => Normal::new(0.0, 1.0).map_or(f64::NAN, |normal| normal.cdf(-statistic)),
        None => {
            StudentsT::new(0.0, 1.0, n - 1.0).map_or(f64::NAN, |student| student.cdf(-statistic))
        }
    };
    TargetTest { target, mean: sample.mean, n: sample.n, sigma, statistic, p_value }
}
