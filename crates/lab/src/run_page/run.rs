//! What the page of a run draws: every measurement, and means over windows of its steps.

use wd_store::Plan;

use crate::LabError;
use crate::record::{Record, Series};
use wd_page::figure::Point;

/// Windows that a run's steps are divided into for drawing.
const WINDOWS: usize = 100;

/// A planned run, as far as it got.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) series: Series,
    /// Steps done, one for each row of the series.
    steps: Vec<f64>,
}

impl<'a> Run<'a> {
    /// # Errors
    /// [`LabError::Store`] when there is no plan, or the metrics are damaged.
    pub(crate) fn of(record: &'a Record) -> Result<Self, LabError> {
        let (plan, series) = (record.planned()?, record.series()?);
        Ok(Self { plan, steps: series.column("step"), series })
    }

    /// The last finite value of a column.
    pub(crate) fn last(&self, name: &str) -> Option<f64> {
        self.series.column(name).into_iter().rev().find(|value| value.is_finite())
    }

    /// Mean training loss of the last 5 % of the steps done.
    pub(crate) fn final_train_loss(&self) -> Option<f64> {
        let losses = self.series.column("train_loss");
        let tail = &losses[losses.len() - losses.len().div_ceil(20)..];
        let finite: Vec<f64> = tail.iter().copied().filter(|loss| loss.is_finite()).collect();
        (!finite.is_empty()).then(|| finite.iter().sum::<f64>() / finite.len() as f64)
    }

    /// Every finite value of a column as a point.
    pub(crate) fn points(&self, values: &[f64]) -> Vec<Point> {
        let pairs = self.steps.iter().zip(values).filter(|(_, value)| value.is_finite());
        pairs.map(|(step, value)| Point::at(*step, *value)).collect()
    }

    /// Means over windows of steps, with the 10th and the 90th percentile of each window as its
    /// interval.
    pub(crate) fn windowed(&self, values: &[f64]) -> Vec<Point> {
        let finite: Vec<(f64, f64)> = self
            .steps
            .iter()
            .copied()
            .zip(values.iter().copied())
            .filter(|(_, value)| value.is_finite())
            .collect();
        let size = finite.len().div_ceil(WINDOWS).max(1);
        finite
            .chunks(size)
            .map(|window| {
                let count = window.len() as f64;
                let mut sorted: Vec<f64> = window.iter().map(|(_, value)| *value).collect();
                sorted.sort_by(f64::total_cmp);
                let at =
                    |fraction: f64| sorted[((sorted.len() - 1) as f64 * fraction).round() as usize];
                let interval =
                    if window.len() >= 5 { (at(0.1), at(0.9)) } else { (f64::NAN, f64::NAN) };
                Point {
                    x: window.iter().map(|(step, _)| step).sum::<f64>() / count,
                    y: sorted.iter().sum::<f64>() / count,
                    low: interval.0,
                    high: interval.1,
                }
            })
            .collect()
    }
}
