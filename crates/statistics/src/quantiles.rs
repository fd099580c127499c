//! Quartiles of values that may be infinite.

/// The quartiles and the median by the nearest rank; NaN of nothing.
///
/// Every one is a value of the list, since values such as λ = ∞ cannot be averaged.
///
/// ```
/// let infinity = f64::INFINITY;
/// let found = wd_statistics::quartiles(vec![infinity, 3.0, 1.0, 2.0, infinity]);
/// assert_eq!(found, [2.0, 3.0, infinity]);
/// assert!(wd_statistics::quartiles(Vec::new())[1].is_nan());
/// ```
pub fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1) as f64;
    [0.25, 0.5, 0.75]
        .map(|share| values.get((share * last).round() as usize).copied().unwrap_or(f64::NAN))
}
