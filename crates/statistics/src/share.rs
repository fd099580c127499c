//! Shares of counted things.

use crate::student::NORMAL_QUANTILE;

/// 95 % interval of the share `hits`/`rows` by Wilson's score, which stays within 0 and 1.
///
/// Source: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927).
///
/// ```
/// // Newcombe 1998, table I: 81 of 263.
/// let (low, high) = wd_statistics::share_interval(81, 263);
/// assert!((low - 0.2553).abs() < 5e-5 && (high - 0.3662).abs() < 5e-5);
/// assert_eq!(wd_statistics::share_interval(0, 10).0, 0.0);
/// ```
pub fn share_interval(hits: usize, rows: usize) -> (f64, f64) {
    let z = NORMAL_QUANTILE;
    let (n, observed) = (rows as f64, hits as f64 / rows as f64);
    let centre = (observed + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half =
        z / (1.0 + z * z / n) * (observed * (1.0 - observed) / n + z * z / (4.0 * n * n)).sqrt();
    ((centre - half).max(0.0), (centre + half).min(1.0))
}
