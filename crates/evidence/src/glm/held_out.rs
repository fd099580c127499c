//! Log loss on rows left out, for many λ.

use faer::{Mat, MatRef};

use super::design::Glm;
use super::family::Family;
use crate::EvidenceError;
use crate::columns::{Columns, Moments, Options};
use crate::statistics::check_rows;

impl Glm {
    /// Mean of −ln p(y) on rows that were left out, at the mode of each λ.
    ///
    /// # Errors
    /// As [`Glm::new`] and [`Glm::path`].
    pub fn held_out(
        &self,
        x: MatRef<'_, f64>,
        y: &[f64],
        weights: Option<&[f64]>,
        lambdas: &[f64],
    ) -> Result<Vec<f64>, EvidenceError> {
        check_rows(x, MatRef::from_column_major_slice(y, y.len(), 1), weights)?;
        self.family.check(y)?;
        let design = self.enter(x)?;
        let weights = weights.map_or_else(|| vec![1.0; y.len()], <[f64]>::to_vec);
        let weight: f64 = weights.iter().sum();
        if weight <= 0.0 {
            return Err(EvidenceError::Empty("rows in the hold-out"));
        }
        let mut losses = vec![0.0; lambdas.len()];
        self.descend(lambdas, |place, _, mode| {
            let parameters = MatRef::from_column_major_slice(
                &mode.parameters,
                self.width(),
                self.family.outputs(),
            );
            let (_, log_likelihood) =
                self.family.evaluate((&design * parameters).as_ref(), y, &weights);
            losses[place] = -log_likelihood / weight;
        })?;
        Ok(losses)
    }

    /// Rows in original units as they enter the design.
    pub(super) fn enter(&self, x: MatRef<'_, f64>) -> Result<Mat<f64>, EvidenceError> {
        let columns = &self.columns;
        if x.ncols() != columns.scales.len() {
            return Err(EvidenceError::Shape {
                what: "columns of x",
                given: x.ncols(),
                expected: columns.scales.len(),
            });
        }
        let standardized = Mat::from_fn(x.nrows(), x.ncols(), |i, j| {
            (x[(i, j)] - columns.means[j]) / columns.scales[j]
        });
        let rotated = match &self.basis {
            Some(basis) => &standardized * basis,
            None => standardized,
        };
        let d = self.penalized;
        Ok(Mat::from_fn(x.nrows(), self.width(), |i, j| if j < d { rotated[(i, j)] } else { 1.0 }))
    }
}

/// K-fold cross-validation: the mean of −ln p(y) over rows left out, for each λ. `fold_of` names
/// each row's fold, from 0. Columns keep the scales of the whole table.
///
/// # Errors
/// As [`Glm::new`]: each fold's remainder must have rows of every class. Fewer than two folds.
pub fn cross_validate(
    x: MatRef<'_, f64>,
    y: &[f64],
    fold_of: &[usize],
    family: Family,
    options: Options,
    lambdas: &[f64],
) -> Result<Vec<f64>, EvidenceError> {
    if fold_of.len() != x.nrows() || y.len() != x.nrows() {
        let given = if y.len() == x.nrows() { fold_of.len() } else { y.len() };
        return Err(EvidenceError::Shape {
            what: "fold numbers or labels",
            given,
            expected: x.nrows(),
        });
    }
    let moments = Moments::of_rows(x, MatRef::from_column_major_slice(y, y.len(), 1), None);
    let scales = Columns::of(&moments, x.ncols(), options)?.scales;
    let mut names = fold_of.to_vec();
    names.sort_unstable();
    names.dedup();
    if names.len() < 2 {
        return Err(EvidenceError::Shape {
            what: "folds with rows",
            given: names.len(),
            expected: 2,
        });
    }
    let mut losses = vec![0.0; lambdas.len()];
    for name in names {
        let (inside, outside): (Vec<usize>, Vec<usize>) =
            (0..x.nrows()).partition(|&row| fold_of[row] == name);
        let pick = |rows: &[usize]| {
            let labels: Vec<f64> = rows.iter().map(|&row| y[row]).collect();
            (Mat::from_fn(rows.len(), x.ncols(), |i, j| x[(rows[i], j)]), labels)
        };
        let (train_x, train_y) = pick(&outside);
        let (held_x, held_y) = pick(&inside);
        let model =
            Glm::with_scales(train_x.as_ref(), &train_y, None, family, options, Some(&scales))?;
        let loss = model.held_out(held_x.as_ref(), &held_y, None, lambdas)?;
        let share = inside.len() as f64 / x.nrows() as f64;
        losses.iter_mut().zip(loss).for_each(|(sum, loss)| *sum += share * loss);
    }
    Ok(losses)
}
