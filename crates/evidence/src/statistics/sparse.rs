//! Rows that are mostly zeros, such as the indicators of categories, into statistics.
//!
//! A row with m values that are not 0 adds to m²/2 places of the Gram matrix instead of p²/2. The
//! block's Gram matrix is taken about an origin o (the mean of columns with a value in every row, 0
//! elsewhere) and centred once at its end:
//!
//! G = Σ w (z − o)(z − o)ᵀ − W (z̄ − o)(z̄ − o)ᵀ

use faer::MatRef;

use super::{Statistics, check_rows};
use crate::EvidenceError;

/// Rows of which only some columns are given, the others being 0.
///
/// Row i has `values[starts[i]..starts[i + 1]]` in the columns `columns[starts[i]..starts[i + 1]]`,
/// which ascend (compressed sparse rows, as `scipy.sparse.csr_array`). A column of numbers about
/// some large mean keeps its digits if every row gives it, zeros included.
#[derive(Debug, Clone, Copy)]
pub struct SparseRows<'a> {
    /// Where each row starts, and where the last ends: n + 1 numbers.
    pub starts: &'a [usize],
    /// The column of each value.
    pub columns: &'a [u32],
    /// The values.
    pub values: &'a [f64],
}

impl SparseRows<'_> {
    /// n.
    pub fn rows(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// The columns and values of a row.
    fn row(&self, row: usize) -> impl Iterator<Item = (usize, f64)> {
        let range = self.starts[row]..self.starts[row + 1];
        let columns = self.columns[range.clone()].iter();
        columns.zip(&self.values[range]).map(|(column, value)| (*column as usize, *value))
    }

    /// Refuses starts that do not ascend to the end, columns that do not ascend below `columns`,
    /// and values that are not finite.
    fn check(&self, columns: usize) -> Result<(), EvidenceError> {
        let shape = |what, given, expected| EvidenceError::Shape { what, given, expected };
        let end = self.starts.last().copied().unwrap_or_default();
        if self.values.len() != end || self.columns.len() != end {
            return Err(shape("sparse values", self.values.len(), end));
        }
        if self.starts.first().is_some_and(|first| *first != 0) || !self.starts.is_sorted() {
            return Err(shape("starts of sparse rows in order", 0, self.starts.len()));
        }
        for row in 0..self.rows() {
            let mut least = 0;
            for (column, value) in self.row(row) {
                if column < least || column >= columns {
                    return Err(shape("a column of sparse rows, in order", column, columns));
                }
                if !value.is_finite() {
                    return Err(EvidenceError::NotFinite { what: "column", column, row, value });
                }
                least = column + 1;
            }
        }
        Ok(())
    }
}

impl Statistics {
    /// [`Statistics::add`] of rows that are mostly zeros: `x` of n × p, `y` of n × k. The result is
    /// the same to rounding.
    ///
    /// # Errors
    /// As [`Statistics::add`]. Nothing is added then.
    pub fn add_sparse(
        &mut self,
        x: SparseRows<'_>,
        y: MatRef<'_, f64>,
        weights: Option<&[f64]>,
    ) -> Result<(), EvidenceError> {
        for (what, given, expected) in
            [("rows of y", y.nrows(), x.rows()), ("targets of y", y.ncols(), self.targets)]
        {
            if given != expected {
                return Err(EvidenceError::Shape { what, given, expected });
            }
        }
        check_rows(y.subcols(0, 0), y, weights)?;
        x.check(self.columns)?;
        let weight_of = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let kept: Vec<usize> = (0..x.rows()).filter(|&row| weight_of(row) > 0.0).collect();
        if kept.is_empty() {
            return Ok(());
        }
        let (p, width) = (self.columns, self.means.len());
        let weight: f64 = kept.iter().map(|&row| weight_of(row)).sum();
        let entries = |row: usize| {
            let targets = (0..y.ncols()).map(move |target| (p + target, y[(row, target)]));
            x.row(row).chain(targets)
        };

        let mut counts = vec![0_usize; width];
        let mut first = vec![0.0; width];
        let mut sums = vec![0.0; width];
        for &row in &kept {
            for (column, value) in entries(row) {
                if counts[column] == 0 {
                    first[column] = value;
                }
                counts[column] += 1;
                // About the first value: exactly 0 for a constant column.
                sums[column] += weight_of(row) * (value - first[column]);
            }
        }
        let origin: Vec<f64> = (0..width)
            .map(|column| match counts[column] == kept.len() {
                true => first[column] + sums[column] / weight,
                false => 0.0,
            })
            .collect();

        let mut apart = vec![0.0; width];
        let mut present: Vec<(usize, f64)> = Vec::new();
        for &row in &kept {
            let weight = weight_of(row);
            present.clear();
            present.extend(entries(row).map(|(column, value)| (column, value - origin[column])));
            for (index, &(column, value)) in present.iter().enumerate() {
                let weighted = weight * value;
                apart[column] += weighted;
                let gram = self.gram.col_as_slice_mut(column);
                for &(below, other) in &present[index..] {
                    gram[below] += weighted * other;
                }
            }
        }
        apart.iter_mut().for_each(|apart| *apart /= weight);
        for column in 0..width {
            let factor = weight * apart[column];
            if factor != 0.0 {
                let gram = &mut self.gram.col_as_slice_mut(column)[column..];
                for (value, apart) in gram.iter_mut().zip(&apart[column..]) {
                    *value -= factor * apart;
                }
            }
        }
        let means: Vec<f64> = origin.iter().zip(&apart).map(|(o, a)| o + a).collect();
        let log_weight = kept.iter().map(|&row| weight_of(row).ln()).sum();
        self.shift_towards(&means, kept.len(), weight, log_weight);
        Ok(())
    }
}
