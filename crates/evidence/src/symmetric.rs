//! A symmetric matrix as it is written to a file: its lower half, column after column.

use faer::Mat;
use serde::{Deserialize, Serialize};

/// The half that is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct LowerHalf(Vec<f64>);

impl LowerHalf {
    /// Of a matrix whose lower half is given.
    pub(crate) fn of(matrix: &Mat<f64>) -> LowerHalf {
        LowerHalf(
            (0..matrix.ncols())
                .flat_map(|column| matrix.col_as_slice(column)[column..].to_vec())
                .collect(),
        )
    }

    /// The matrix of a given order, both halves filled.
    ///
    /// # Errors
    /// What is wrong, where the number of values does not fit or a value is not finite.
    pub(crate) fn unfold(&self, order: usize) -> Result<Mat<f64>, String> {
        let half = order.checked_mul(order + 1).map(|twice| twice / 2);
        if half != Some(self.0.len()) {
            return Err(format!(
                "{} values are no half of a {order} × {order} matrix",
                self.0.len()
            ));
        }
        if !self.0.iter().all(|value| value.is_finite()) {
            return Err("a value of the matrix is not finite".to_owned());
        }
        let mut matrix = Mat::zeros(order, order);
        let mut rest = self.0.as_slice();
        for column in 0..order {
            let (values, after) = rest.split_at(order - column);
            matrix.col_as_slice_mut(column)[column..].copy_from_slice(values);
            rest = after;
        }
        fill_upper(&mut matrix);
        Ok(matrix)
    }
}

/// Copies the lower half into the upper.
pub(crate) fn fill_upper(matrix: &mut Mat<f64>) {
    for column in 0..matrix.ncols() {
        for row in column + 1..matrix.nrows() {
            matrix[(column, row)] = matrix[(row, column)];
        }
    }
}
