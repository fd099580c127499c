//! Blocks of rows into statistics.

use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, MatRef, RowRef};
use rayon::prelude::*;

use super::Statistics;
use crate::{EvidenceError, parallelism};

/// Values of a block that is centred and multiplied at once: 8 MB of f64, so that reading and
/// writing the Gram matrix is little beside the product.
const BLOCK_VALUES: usize = 1 << 20;

/// Rows that one thread takes at a time.
const ROWS_A_TASK: usize = 64;

impl Statistics {
    /// Adds rows: `x` of n × p, `y` of n × k, and a weight a row (1 where there are none). Rows of
    /// weight 0 do not count.
    ///
    /// The matrices may be views of row-major or column-major data:
    /// [`MatRef::from_row_major_slice`](faer::MatRef::from_row_major_slice) and its column-major
    /// sibling.
    ///
    /// # Errors
    /// Sizes that do not fit, values that are not finite, weights below 0. Nothing is added then.
    pub fn add(
        &mut self,
        x: MatRef<'_, f64>,
        y: MatRef<'_, f64>,
        weights: Option<&[f64]>,
    ) -> Result<(), EvidenceError> {
        if x.ncols() != self.columns {
            return Err(EvidenceError::Shape {
                what: "columns of x",
                given: x.ncols(),
                expected: self.columns,
            });
        }
        if y.ncols() != self.targets {
            return Err(EvidenceError::Shape {
                what: "targets of y",
                given: y.ncols(),
                expected: self.targets,
            });
        }
        check_rows(x, y, weights)?;
        let block = (BLOCK_VALUES / self.means.len()).clamp(64, 8192);
        // One for all blocks: fresh memory of this size costs as much as a third of the product.
        let mut scratch = vec![0.0; self.means.len() * block.min(x.nrows())];
        let mut start = 0;
        while start < x.nrows() {
            let rows = block.min(x.nrows() - start);
            self.add_block(
                x.subrows(start, rows),
                y.subrows(start, rows),
                weights.map(|weights| &weights[start..start + rows]),
                &mut scratch,
            );
            start += rows;
        }
        Ok(())
    }

    /// `block` is overwritten: the rows of the data, one after the other.
    fn add_block(
        &mut self,
        x: MatRef<'_, f64>,
        y: MatRef<'_, f64>,
        weights: Option<&[f64]>,
        block: &mut [f64],
    ) {
        let width = self.means.len();
        let weight_of = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let kept: Vec<usize> = (0..x.nrows()).filter(|&row| weight_of(row) > 0.0).collect();
        let block_weights: Vec<f64> = kept.iter().map(|&row| weight_of(row)).collect();
        let rows = kept.len();
        if rows == 0 {
            return;
        }
        let block = &mut block[..rows * width];
        block.par_chunks_mut(width).with_min_len(ROWS_A_TASK).zip(&kept).for_each(
            |(values, &row)| {
                let (columns, targets) = values.split_at_mut(x.ncols());
                let row = (x.row(row), y.row(row));
                let copy = |to: &mut [f64], from: RowRef<'_, f64>| {
                    to.iter_mut().zip(from.iter()).for_each(|(to, from)| *to = *from);
                };
                copy(columns, row.0);
                copy(targets, row.1);
            },
        );
        let weight: f64 = block_weights.iter().sum();
        // Means about the first row: exact for a constant column, whose centred values are then
        // exactly 0.
        let origin = block[..width].to_vec();
        let mut means = vec![0.0; width];
        for (row, weight) in block_weights.iter().enumerate() {
            for ((mean, value), origin) in
                means.iter_mut().zip(&block[row * width..][..width]).zip(&origin)
            {
                *mean += weight * (value - origin);
            }
        }
        for (mean, origin) in means.iter_mut().zip(&origin) {
            *mean = origin + *mean / weight;
        }
        block.par_chunks_mut(width).with_min_len(ROWS_A_TASK).zip(&block_weights).for_each(
            |(values, weight)| {
                let root = weight.sqrt();
                for (value, mean) in values.iter_mut().zip(&means) {
                    *value = root * (*value - mean);
                }
            },
        );
        let block = MatRef::from_column_major_slice(block, width, rows);
        triangular::matmul(
            self.gram.as_mut(),
            BlockStructure::TriangularLower,
            Accum::Add,
            block,
            BlockStructure::Rectangular,
            block.transpose(),
            BlockStructure::Rectangular,
            1.0,
            parallelism(),
        );
        let log_weight = block_weights.iter().map(|weight| weight.ln()).sum();
        self.shift_towards(&means, rows, weight, log_weight);
    }
}

/// Refuses values that are not finite, weights below 0, and sizes that do not fit.
pub(crate) fn check_rows(
    x: MatRef<'_, f64>,
    y: MatRef<'_, f64>,
    weights: Option<&[f64]>,
) -> Result<(), EvidenceError> {
    if y.nrows() != x.nrows() {
        return Err(EvidenceError::Shape {
            what: "rows of y",
            given: y.nrows(),
            expected: x.nrows(),
        });
    }
    if let Some(weights) = weights {
        if weights.len() != x.nrows() {
            return Err(EvidenceError::Shape {
                what: "weights",
                given: weights.len(),
                expected: x.nrows(),
            });
        }
        if let Some(row) = weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0))
        {
            return Err(EvidenceError::Weight { row, value: weights[row] });
        }
    }
    for (what, matrix) in [("column", x), ("target", y)] {
        // Along the memory: across it, this check costs a tenth of a fit.
        let is_row_major = matrix.col_stride().unsigned_abs() < matrix.row_stride().unsigned_abs();
        let along = if is_row_major { matrix.transpose() } else { matrix };
        if !along.is_all_finite() {
            for row in 0..matrix.nrows() {
                for column in 0..matrix.ncols() {
                    let value = matrix[(row, column)];
                    if !value.is_finite() {
                        return Err(EvidenceError::NotFinite { what, column, row, value });
                    }
                }
            }
        }
    }
    Ok(())
}
