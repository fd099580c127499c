//! Rows of a table with one target.

use faer::Mat;

use wd_evidence::EvidenceError;

/// Columns x (n × p) with one target y (n × 1).
#[derive(Debug, Clone)]
pub struct Table {
    /// n × p.
    pub x: Mat<f64>,
    /// n × 1.
    pub y: Mat<f64>,
}

impl Table {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.x.nrows()
    }

    /// The rows named.
    pub fn pick(&self, rows: &[usize]) -> Table {
        Table {
            x: Mat::from_fn(rows.len(), self.x.ncols(), |i, j| self.x[(rows[i], j)]),
            y: Mat::from_fn(rows.len(), 1, |i, _| self.y[(rows[i], 0)]),
        }
    }

    /// The rows with the smallest values of a column, and the `share` of rows with the largest:
    /// data of the same law at another place.
    ///
    /// # Errors
    /// [`EvidenceError::Shape`] for a column that does not exist; [`EvidenceError::Empty`] where a
    /// part has no rows.
    pub fn split_at_the_top(
        &self,
        column: usize,
        share: f64,
    ) -> Result<(Table, Table), EvidenceError> {
        if column >= self.x.ncols() {
            return Err(EvidenceError::Shape {
                what: "number of the column, from 0",
                given: column,
                expected: self.x.ncols().saturating_sub(1),
            });
        }
        let mut order: Vec<usize> = (0..self.rows()).collect();
        order.sort_by(|&a, &b| self.x[(a, column)].total_cmp(&self.x[(b, column)]));
        let kept = ((1.0 - share) * order.len() as f64).round() as usize;
        if kept == 0 || kept >= order.len() {
            return Err(EvidenceError::Empty("rows in a part of the table"));
        }
        let (low, high) = order.split_at(kept);
        Ok((self.pick(low), self.pick(high)))
    }

    /// The columns, standardised, with all their squares and products of two: p + p(p + 1)/2
    /// columns.
    pub fn with_products(&self) -> Table {
        let (n, p) = (self.x.nrows(), self.x.ncols());
        let standardized: Vec<Vec<f64>> = (0..p)
            .map(|j| {
                let values = self.x.col_as_slice(j);
                let mean = values.iter().sum::<f64>() / n as f64;
                let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64;
                let scale = if variance > 0.0 { variance.sqrt() } else { 1.0 };
                values.iter().map(|x| (x - mean) / scale).collect()
            })
            .collect();
        let pairs: Vec<(usize, usize)> = (0..p).flat_map(|a| (a..p).map(move |b| (a, b))).collect();
        Table {
            x: Mat::from_fn(n, p + pairs.len(), |i, j| match j.checked_sub(p) {
                None => standardized[j][i],
                Some(pair) => standardized[pairs[pair].0][i] * standardized[pairs[pair].1][i],
            }),
            y: self.y.clone(),
        }
    }

    /// Variance of the target, with n in the denominator.
    pub fn target_variance(&self) -> f64 {
        let values = self.y.col_as_slice(0);
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        values.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_split_by_value_and_grows_its_products() {
        let table = Table {
            x: Mat::from_fn(6, 2, |i, j| [[3, 1, 2, 6, 5, 4], [0, 1, 0, 1, 0, 1]][j][i] as f64),
            y: Mat::from_fn(6, 1, |i, _| i as f64),
        };
        let (low, high) = table.split_at_the_top(0, 1.0 / 3.0).expect("two parts");
        assert_eq!(low.y.col_as_slice(0), [1.0, 2.0, 0.0, 5.0]);
        assert_eq!(high.y.col_as_slice(0), [4.0, 3.0]);
        assert!(table.split_at_the_top(2, 0.5).is_err());
        assert!(table.split_at_the_top(0, 1.0).is_err());
        let products = table.with_products();
        assert_eq!(products.x.ncols(), 5);
        assert_eq!(products.x[(3, 3)], products.x[(3, 0)] * products.x[(3, 1)]);
        assert!((table.target_variance() - 35.0 / 12.0).abs() < 1e-12);
    }
}
