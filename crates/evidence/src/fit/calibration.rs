//! How often predictions hold what they promise.

use statrs::distribution::{ContinuousCDF, Normal};
use wd_statistics::share_interval;

/// How often what is predicted comes true.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// On which rows, in words: `every row, left out in turn`.
    pub rows: String,
    /// What the points are.
    pub kind: CalibrationKind,
    /// Each level.
    pub points: Vec<CalibrationPoint>,
    /// The skewness of errors in predictive standard deviations; 0 of probabilities.
    pub skewness: f64,
}

impl Calibration {
    /// The level in the middle whose share does not hold what it promises, beyond chance.
    pub fn failure(&self) -> Option<&CalibrationPoint> {
        let is_outside = |point: &&CalibrationPoint| {
            let (low, high) = point.interval;
            point.promised < low || point.promised > high
        };
        let far = |point: &CalibrationPoint| (point.observed - point.promised).abs();
        let middle = self.points.iter().find(|point| point.promised == 0.5).filter(is_outside);
        let others = self.points.iter().filter(is_outside);
        middle
            .or_else(|| others.max_by(|a, b| far(a).total_cmp(&far(b))))
            // A point or two are within what a figure shows at a glance.
            .filter(|point| far(point) > 0.05)
    }
}

/// What is held against the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalibrationKind {
    /// Intervals of a probability, and the share of rows in them.
    Intervals,
    /// Probabilities of a class, and the share of rows in it.
    Probabilities,
}

/// One level of a calibration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationPoint {
    /// What was promised.
    pub promised: f64,
    /// What came.
    pub observed: f64,
    /// 95 % interval of the share, from the number of rows.
    pub interval: (f64, f64),
    /// Rows at this level.
    pub count: usize,
}

/// Probabilities of the intervals that are counted.
const LEVELS: [f64; 11] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99];
/// Bins of predicted probabilities.
const BINS: usize = 10;

/// Rows inside the central intervals of each level.
#[derive(Debug, Default)]
pub(super) struct IntervalCounts {
    inside: [usize; LEVELS.len()],
    rows: usize,
    /// Σe, Σe² and Σe³ of the errors.
    powers: [f64; 3],
}

impl IntervalCounts {
    /// Counts a row by its error in predictive standard deviations.
    pub(super) fn add(&mut self, error: f64) {
        self.rows += 1;
        let powers = [error, error * error, error * error * error];
        self.powers.iter_mut().zip(powers).for_each(|(sum, power)| *sum += power);
        // P(|Z| ≤ |error|): the level of the interval that just reaches the row.
        let reached = 2.0 * Normal::standard().cdf(error.abs()) - 1.0;
        for (count, level) in self.inside.iter_mut().zip(LEVELS) {
            *count += usize::from(reached <= level);
        }
    }

    pub(super) fn calibration(&self, rows: &str) -> Option<Calibration> {
        (self.rows > 0).then(|| Calibration {
            rows: rows.to_owned(),
            kind: CalibrationKind::Intervals,
            points: LEVELS
                .iter()
                .zip(self.inside)
                .map(|(level, inside)| share(*level, inside, self.rows))
                .collect(),
            skewness: self.skewness(),
        })
    }

    /// The third central moment over the second's power 3/2.
    fn skewness(&self) -> f64 {
        let [mean, square, cube] = self.powers.map(|sum| sum / self.rows as f64);
        let variance = square - mean * mean;
        let third = cube - 3.0 * mean * square + 2.0 * mean.powi(3);
        if variance > 0.0 { third / variance.powf(1.5) } else { 0.0 }
    }
}

/// Predicted probabilities and what came, in bins of equal width.
#[derive(Debug, Default)]
pub(super) struct ProbabilityCounts {
    bins: [(f64, usize, usize); BINS],
}

impl ProbabilityCounts {
    /// Counts a prediction that came true or not.
    pub(super) fn add(&mut self, probability: f64, came: bool) {
        let bin = ((probability * BINS as f64) as usize).min(BINS - 1);
        let (sum, hits, rows) = &mut self.bins[bin];
        *sum += probability;
        *hits += usize::from(came);
        *rows += 1;
    }

    pub(super) fn calibration(&self, rows: &str) -> Calibration {
        let filled = self.bins.iter().filter(|(_, _, rows)| *rows > 0);
        Calibration {
            rows: rows.to_owned(),
            kind: CalibrationKind::Probabilities,
            points: filled
                .map(|(sum, hits, rows)| share(sum / *rows as f64, *hits, *rows))
                .collect(),
            skewness: 0.0,
        }
    }
}

/// A share with its 95 % interval.
fn share(promised: f64, hits: usize, rows: usize) -> CalibrationPoint {
    CalibrationPoint {
        promised,
        observed: hits as f64 / rows as f64,
        interval: share_interval(hits, rows),
        count: rows,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_count_the_rows_within() {
        let mut counts = IntervalCounts::default();
        // 1.645 and 1.96 deviations bound 90 and 95 %.
        for error in [0.0, 1.7, -1.7, 3.0] {
            counts.add(error);
        }
        let calibration = counts.calibration("rows").expect("four rows");
        let at = |level: f64| {
            calibration
                .points
                .iter()
                .find(|point| point.promised == level)
                .expect("a level")
                .observed
        };
        assert_eq!((at(0.1), at(0.9), at(0.95), at(0.99)), (0.25, 0.25, 0.75, 0.75));
        assert!(IntervalCounts::default().calibration("none").is_none());
    }
}
