//! Rows of a table in memory.

use std::ops::Range;

use wd_data::table::{Block, Design};

use super::error::FitError;
use crate::{GlmRows, MatRef, Statistics};

/// Above this many columns their Gram matrix takes more than 512 MiB.
const MOST_SUMMED_COLUMNS: usize = 8192;

/// Rows in memory.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) columns: usize,
    pub(super) targets: usize,
    pub(super) count: usize,
    pub(super) values: Vec<f64>,
    pub(super) target_values: Vec<f64>,
    weights: Option<Vec<f64>>,
    offset: Option<Vec<f64>>,
}

impl Rows {
    pub(super) fn new(design: &Design) -> Self {
        Rows { columns: design.width(), targets: design.targets.len(), ..Rows::default() }
    }

    pub(super) fn x(&self) -> MatRef<'_, f64> {
        MatRef::from_row_major_slice(&self.values, self.count, self.columns)
    }

    pub(super) fn y(&self) -> MatRef<'_, f64> {
        MatRef::from_row_major_slice(&self.target_values, self.count, self.targets)
    }

    pub(super) fn weights(&self) -> Option<&[f64]> {
        self.weights.as_deref()
    }

    pub(super) fn offset(&self) -> Option<&[f64]> {
        self.offset.as_deref()
    }

    /// Rows of a single target, with what they weigh.
    pub(super) fn of_one_target(&self) -> GlmRows<'_> {
        GlmRows {
            x: self.x(),
            y: &self.target_values,
            weights: self.weights(),
            offset: self.offset(),
        }
    }

    /// n: the sum of the weights.
    pub(super) fn weight(&self) -> f64 {
        self.weights().map_or(self.count as f64, |weights| weights.iter().sum())
    }

    /// Adds some rows of a block.
    pub(super) fn add(&mut self, block: &Block<'_>, rows: Range<usize>) {
        let (p, k) = (self.columns, self.targets);
        self.count += rows.len();
        self.values.extend_from_slice(&block.values[rows.start * p..rows.end * p]);
        self.target_values.extend_from_slice(&block.targets[rows.start * k..rows.end * k]);
        if let Some(offset) = block.offset {
            self.offset.get_or_insert_default().extend_from_slice(&offset[rows.clone()]);
        }
        if let Some(weights) = block.weights {
            self.weights.get_or_insert_default().extend_from_slice(&weights[rows]);
        }
    }

    pub(super) fn clear(&mut self) {
        self.count = 0;
        self.values.clear();
        self.target_values.clear();
        for values in self.weights.iter_mut().chain(&mut self.offset) {
            values.clear();
        }
    }

    pub(super) fn block(&self) -> Block<'_> {
        Block {
            rows: self.count,
            values: &self.values,
            sparse: None,
            targets: &self.target_values,
            weights: self.weights(),
            offset: self.offset(),
            baselines: &[],
            numbers: &[],
            labels: &[],
            is_complete: true,
        }
    }

    pub(super) fn add_to(&self, statistics: &mut Statistics) -> Result<(), FitError> {
        Ok(statistics.add(self.x(), self.y(), self.weights())?)
    }

    /// Their sums, even where these take more room than the rows.
    pub(super) fn statistics(&self) -> Result<Statistics, FitError> {
        if self.columns > MOST_SUMMED_COLUMNS {
            let (columns, most) = (self.columns, MOST_SUMMED_COLUMNS);
            return Err(FitError::TooManyColumns { columns, most });
        }
        let mut statistics = Statistics::new(self.columns, self.targets)?;
        self.add_to(&mut statistics)?;
        Ok(statistics)
    }
}
