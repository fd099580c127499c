//! What is read from a run directory, and windows over its steps.

use wd_store::{Event, MetricsReader, Plan, RunDirectory, Status, StoreError};

use crate::LabError;
use wd_page::figure::Point;

/// Windows that a run's steps are divided into for drawing.
const WINDOWS: usize = 100;

/// A run as far as it got.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) plan: Plan,
    pub(crate) status: Status,
    pub(crate) events: Vec<Event>,
    /// Steps done, one for each row of the metrics.
    pub(crate) steps: Vec<f64>,
    metrics: Option<MetricsReader>,
}

impl Record {
    /// Reads the small files of a run and opens its metrics.
    ///
    /// # Errors
    /// [`LabError::Store`] when there is no plan, or a file is damaged.
    pub(crate) fn read(run: &RunDirectory) -> Result<Self, LabError> {
        let plan = run.read_plan()?;
        let metrics = match run.metrics() {
            Ok(metrics) => Some(metrics),
            Err(StoreError::Missing { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let steps = match &metrics {
            Some(metrics) => metrics.column("step")?,
            None => Vec::new(),
        };
        Ok(Self { plan, status: run.status()?, events: run.events()?.events, steps, metrics })
    }

    /// A column of the metrics; empty when it was not recorded.
    pub(crate) fn column(&self, name: &str) -> Vec<f64> {
        self.metrics
            .as_ref()
            .filter(|metrics| metrics.has_column(name))
            .and_then(|metrics| metrics.column(name).ok())
            .unwrap_or_default()
    }

    /// A measure of some tensors taken together; empty when it was not recorded.
    pub(crate) fn combined(&self, measure: &str, tensors: &[&wd_store::PlannedTensor]) -> Vec<f64> {
        self.metrics
            .as_ref()
            .and_then(|metrics| metrics.combined_column(measure, tensors).ok())
            .unwrap_or_default()
    }

    /// The last finite value of a column.
    pub(crate) fn last(&self, name: &str) -> Option<f64> {
        self.column(name).into_iter().rev().find(|value| value.is_finite())
    }

    /// Mean training loss of the last 5 % of the steps done.
    pub(crate) fn final_train_loss(&self) -> Option<f64> {
        let losses = self.column("train_loss");
        let tail = &losses[losses.len() - losses.len().div_ceil(20)..];
        let finite: Vec<f64> = tail.iter().copied().filter(|loss| loss.is_finite()).collect();
        (!finite.is_empty()).then(|| finite.iter().sum::<f64>() / finite.len() as f64)
    }

    /// Every finite value of a column as a point.
    pub(crate) fn points(&self, values: &[f64]) -> Vec<Point> {
        let pairs = self.steps.iter().zip(values).filter(|(_, value)| value.is_finite());
        pairs
            .map(|(step, value)| Point { x: *step, y: *value, low: f64::NAN, high: f64::NAN })
            .collect()
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
