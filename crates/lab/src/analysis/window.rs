//! Means over windows of a run.

use std::ops::Range;

use crate::record::Curve;

/// Windows that a curve is cut into: enough to see its shape, few enough that each averages out the
/// batch noise.
pub(crate) const WINDOWS: usize = 60;

/// The rows of each window: `rows` rows cut into at most [`WINDOWS`] windows of nearly equal
/// length.
pub(crate) fn windows(rows: usize) -> Vec<Range<usize>> {
    let count = WINDOWS.min(rows);
    (0..count).map(|window| window * rows / count..(window + 1) * rows / count).collect()
}

/// The step at the centre of a window; row i holds step i + 1.
pub(crate) fn centre(window: &Range<usize>) -> f64 {
    (window.start + window.end + 1) as f64 / 2.0
}

/// Mean of the numbers of a curve at the steps of `rows` (row i is step i + 1; a step 0 counts to
/// the first), leaving out NaN; NaN when there is none.
pub(crate) fn window_mean(curve: &Curve, rows: Range<usize>) -> f64 {
    let place = |row: usize| match row {
        0 => 0,
        row => curve.steps.partition_point(|step| *step <= row as u64),
    };
    let (sum, count) = curve.values[place(rows.start)..place(rows.end)]
        .iter()
        .filter(|x| !x.is_nan())
        .fold((0.0, 0_u64), |(sum, count), x| (sum + x, count + 1));
    sum / count as f64
}

/// The mean of each window of a run of `steps` steps.
pub(crate) fn window_means(curve: &Curve, steps: usize) -> Vec<f64> {
    windows(steps).into_iter().map(|window| window_mean(curve, window)).collect()
}

/// The rows between two fractions of a run: those with `from`·rows < step ≤ `to`·rows, and always
/// at least one.
pub(crate) fn part(rows: usize, from: f64, to: f64) -> Range<usize> {
    let end = ((to * rows as f64).floor() as usize).clamp(usize::from(rows > 0), rows);
    let start = (from * rows as f64).floor() as usize;
    start.min(end.saturating_sub(1))..end
}
