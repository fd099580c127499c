//! Student's t: quantiles and two-sided p.

use statrs::distribution::{Continuous, ContinuousCDF, StudentsT};

/// The two-sided level of every test and interval here.
pub const LEVEL: f64 = 0.05;

/// The standard normal's 97.5 % quantile.
pub(crate) const NORMAL_QUANTILE: f64 = 1.959_963_984_540_054;

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
