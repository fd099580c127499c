//! Log loss on rows left out, for many λ.

use faer::{Mat, MatRef};

use super::curvature::add_offset;
use super::design::{Glm, GlmRows};
use super::family::Family;
use crate::EvidenceError;
use crate::columns::{Columns, Moments, Options};
use crate::gaussian::{check_folds, summarize};

impl Glm {
    /// Mean of −ln p(y) on rows that were left out, at the mode of each λ.
    ///
    /// # Errors
    /// As [`Glm::new`] and [`Glm::path`].
    pub fn held_out(&self, rows: GlmRows<'_>, lambdas: &[f64]) -> Result<Vec<f64>, EvidenceError> {
        rows.check()?;
        self.family.check(rows.y)?;
        let design = self.enter(rows.x)?;
        let weights = rows.weights();
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
            let mut predictor = &design * parameters;
            if let Some(offset) = rows.offset {
                add_offset(&mut predictor, offset);
            }
            let (_, log_likelihood) = self.family.evaluate(predictor.as_ref(), rows.y, &weights);
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

/// Log loss of folds left out, for each λ.
#[derive(Debug, Clone, PartialEq)]
pub struct FoldLosses {
    /// Mean of −ln p(y) over all rows left out.
    pub mean_losses: Vec<f64>,
    /// Its standard error, from the spread of the folds' own means.
    pub standard_errors: Vec<f64>,
}

/// K-fold cross-validation: the mean of −ln p(y) over rows left out, for each λ. `fold_of` names
/// each row's fold, from 0. Columns keep the scales of the whole table.
///
/// # Errors
/// As [`Glm::new`]: each fold's remainder must have rows of every class, and
/// [`EvidenceError::Fold`] names the one that has not. Fewer than two folds.
pub fn cross_validate(
    rows: GlmRows<'_>,
    fold_of: &[usize],
    family: Family,
    options: Options,
    lambdas: &[f64],
) -> Result<FoldLosses, EvidenceError> {
    let GlmRows { x, y, weights, offset } = rows;
    if fold_of.len() != x.nrows() || y.len() != x.nrows() {
        let given = if y.len() == x.nrows() { fold_of.len() } else { y.len() };
        return Err(EvidenceError::Shape {
            what: "fold numbers or labels",
            given,
            expected: x.nrows(),
        });
    }
    let moments = Moments::of_rows(x, MatRef::from_column_major_slice(y, y.len(), 1), weights);
    let scales = Columns::of(&moments, x.ncols(), options)?.scales;
    let mut names = fold_of.to_vec();
    names.sort_unstable();
    names.dedup();
    check_folds(names.len())?;
    let mut folds = Vec::with_capacity(names.len());
    for name in names {
        let (inside, outside): (Vec<usize>, Vec<usize>) =
            (0..x.nrows()).partition(|&row| fold_of[row] == name);
        let pick = |values: &[f64], rows: &[usize]| -> Vec<f64> {
            rows.iter().map(|&row| values[row]).collect()
        };
        let part = |rows: &[usize]| Part {
            x: Mat::from_fn(rows.len(), x.ncols(), |i, j| x[(rows[i], j)]),
            y: pick(y, rows),
            weights: weights.map(|weights| pick(weights, rows)),
            offset: offset.map(|offset| pick(offset, rows)),
        };
        let (train, held) = (part(&outside), part(&inside));
        let weight = held.rows().weights().iter().sum::<f64>();
        if weight == 0.0 {
            continue;
        }
        let model = Glm::with_scales(train.rows(), family, options, Some(&scales));
        let model = model.map_err(|error| match error {
            EvidenceError::NoIntercept { problem, .. } => {
                EvidenceError::Fold { fold: name + 1, problem: problem.to_owned() }
            }
            other => other,
        })?;
        folds.push((weight, model.held_out(held.rows(), lambdas)?));
    }
    check_folds(folds.len())?;
    let (mean_losses, standard_errors) = summarize(&folds);
    Ok(FoldLosses { mean_losses, standard_errors })
}

/// Some rows of others.
struct Part {
    x: Mat<f64>,
    y: Vec<f64>,
    weights: Option<Vec<f64>>,
    offset: Option<Vec<f64>>,
}

impl Part {
    fn rows(&self) -> GlmRows<'_> {
        GlmRows {
            x: self.x.as_ref(),
            y: &self.y,
            weights: self.weights.as_deref(),
            offset: self.offset.as_deref(),
        }
    }
}
