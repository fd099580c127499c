//! Error on data left out, for many λ: a hold-out, or K folds in turn.
//!
//! A fold's statistics are all that is needed of it, to leave it out (the others' are merged) and
//! to be predicted: with w in original units, the fold's centred G, c and Σy², and the error d of
//! its mean,
//!
//! Σ w(y − ŷ)² = Σy² − 2wᵀc + wᵀGw + W d².
//!
//! So K-fold costs one pass over the data. λ weighs ‖w‖² against the *sum* of squares in every
//! fold, since α/β is a property of the model and not of n; columns keep the scales of the whole
//! table.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef};
use serde::Serialize;

use super::model::Gaussian;
use crate::columns::{Columns, Moments, Options};
use crate::statistics::check_rows;
use crate::symmetric::fill_upper;
use crate::{EvidenceError, Statistics, parallelism};

/// Error of folds left out, for each λ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CrossValidation {
    /// Mean squared error over all rows left out.
    pub mean_squared_errors: Vec<f64>,
    /// Its standard error, from the spread of the folds' own mean squared errors (glmnet's `cvsd`).
    pub standard_errors: Vec<f64>,
}

impl Gaussian {
    /// Mean squared error on data of which `held_out` are the statistics, at each λ ≥ 0.
    ///
    /// # Errors
    /// Statistics of other columns or targets, or of no rows; [`EvidenceError::Lambda`].
    pub fn held_out(
        &self,
        target: usize,
        held_out: &Statistics,
        lambdas: &[f64],
    ) -> Result<Vec<f64>, EvidenceError> {
        let p = self.columns.scales.len();
        for (what, given, expected) in [
            ("columns of the hold-out", held_out.columns(), p),
            ("targets of the hold-out", held_out.targets(), self.targets()),
        ] {
            if given != expected {
                return Err(EvidenceError::Shape { what, given, expected });
            }
        }
        if held_out.rows() == 0 {
            return Err(EvidenceError::Empty("rows in the hold-out"));
        }
        let mut coefficients = self.coefficient_path(target, lambdas)?;
        for j in 0..lambdas.len() {
            coefficients
                .col_as_slice_mut(j)
                .iter_mut()
                .zip(&self.columns.scales)
                .for_each(|(w, scale)| *w /= scale);
        }
        let mut gram =
            Mat::from_fn(p, p, |i, j| if i >= j { held_out.centred_product(i, j) } else { 0.0 });
        fill_upper(&mut gram);
        let mut product = Mat::zeros(p, lambdas.len());
        matmul(product.as_mut(), Accum::Replace, &gram, &coefficients, 1.0, parallelism());
        let squares = held_out.centred_product(p + target, p + target);
        let means = held_out.means();
        Ok((0..lambdas.len())
            .map(|j| {
                let weights = coefficients.col_as_slice(j);
                let intercept = self.columns.intercept_at_zero(self.at_mean(target), weights);
                let mut apart = means[p + target] - intercept;
                let mut sum = squares;
                for (i, weight) in weights.iter().enumerate() {
                    sum +=
                        weight * (product[(i, j)] - 2.0 * held_out.centred_product(p + target, i));
                    apart -= weight * means[i];
                }
                sum.max(0.0) / held_out.weight() + apart * apart
            })
            .collect())
    }

    /// [`Self::held_out`] of rows in memory, without p × p matrices: for more columns than rows.
    ///
    /// # Errors
    /// As [`Gaussian::held_out`], and values that are not finite.
    pub fn held_out_rows(
        &self,
        target: usize,
        x: MatRef<'_, f64>,
        y: MatRef<'_, f64>,
        weights: Option<&[f64]>,
        lambdas: &[f64],
    ) -> Result<Vec<f64>, EvidenceError> {
        check_rows(x, y, weights)?;
        let p = self.columns.scales.len();
        for (what, given, expected) in
            [("columns of x", x.ncols(), p), ("targets of y", y.ncols(), self.targets())]
        {
            if given != expected {
                return Err(EvidenceError::Shape { what, given, expected });
            }
        }
        let coefficients = self.coefficient_path(target, lambdas)?;
        let mut standardized = Mat::zeros(p, x.nrows());
        for row in 0..x.nrows() {
            self.columns
                .standardize_into(x.row(row).iter().copied(), standardized.col_as_slice_mut(row));
        }
        let mut fitted = Mat::zeros(x.nrows(), lambdas.len());
        matmul(
            fitted.as_mut(),
            Accum::Replace,
            standardized.transpose(),
            &coefficients,
            1.0,
            parallelism(),
        );
        let weight_of = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let weight: f64 = (0..x.nrows()).map(weight_of).sum();
        if weight <= 0.0 {
            return Err(EvidenceError::Empty("rows in the hold-out"));
        }
        let at_mean = self.at_mean(target);
        Ok((0..lambdas.len())
            .map(|j| {
                let error = |row: usize| y[(row, target)] - at_mean - fitted[(row, j)];
                (0..x.nrows()).map(|row| weight_of(row) * error(row).powi(2)).sum::<f64>() / weight
            })
            .collect())
    }
}

/// K-fold cross-validation from the folds' statistics, which together are those of the table.
///
/// # Errors
/// Fewer than two folds with rows; folds of different columns; what [`Gaussian::from_statistics`]
/// refuses.
pub fn cross_validate(
    folds: &[Statistics],
    options: Options,
    target: usize,
    lambdas: &[f64],
) -> Result<CrossValidation, EvidenceError> {
    let folds: Vec<&Statistics> = folds.iter().filter(|fold| fold.rows() > 0).collect();
    check_folds(folds.len())?;
    let mut whole = folds[0].clone();
    for fold in &folds[1..] {
        whole.merge(fold)?;
    }
    let scales = Columns::of(&Moments::of_statistics(&whole), whole.columns(), options)?.scales;
    let mut errors = Vec::with_capacity(folds.len());
    for (left_out, fold) in folds.iter().enumerate() {
        // Merging the others loses no digits; subtracting the fold from the whole would.
        let mut others = Statistics::new(whole.columns(), whole.targets())?;
        for (other, statistics) in folds.iter().enumerate() {
            if other != left_out {
                others.merge(statistics)?;
            }
        }
        let model = Gaussian::with_scales(&others, options, &scales)?;
        errors.push((fold.weight(), model.held_out(target, fold, lambdas)?));
    }
    let (mean_squared_errors, standard_errors) = summarize(&errors);
    Ok(CrossValidation { mean_squared_errors, standard_errors })
}

/// K-fold cross-validation of rows in memory, by the dual: for more columns than rows. `fold_of`
/// names each row's fold, from 0.
///
/// # Errors
/// As [`cross_validate`].
pub fn cross_validate_rows(
    x: MatRef<'_, f64>,
    y: MatRef<'_, f64>,
    weights: Option<&[f64]>,
    fold_of: &[usize],
    options: Options,
    target: usize,
    lambdas: &[f64],
) -> Result<CrossValidation, EvidenceError> {
    check_rows(x, y, weights)?;
    if fold_of.len() != x.nrows() {
        return Err(EvidenceError::Shape {
            what: "fold numbers",
            given: fold_of.len(),
            expected: x.nrows(),
        });
    }
    let scales = Columns::of(&Moments::of_rows(x, y, weights), x.ncols(), options)?.scales;
    let mut names = fold_of.to_vec();
    names.sort_unstable();
    names.dedup();
    check_folds(names.len())?;
    let pick = |rows: &[usize]| {
        let x = Mat::from_fn(rows.len(), x.ncols(), |i, j| x[(rows[i], j)]);
        let y = Mat::from_fn(rows.len(), y.ncols(), |i, j| y[(rows[i], j)]);
        let weights: Vec<f64> =
            rows.iter().map(|&row| weights.map_or(1.0, |weights| weights[row])).collect();
        (x, y, weights)
    };
    let mut errors = Vec::with_capacity(names.len());
    for name in names {
        let (inside, outside): (Vec<usize>, Vec<usize>) =
            (0..x.nrows()).partition(|&row| fold_of[row] == name);
        let (held_x, held_y, held_weights) = pick(&inside);
        let (x, y, weights) = pick(&outside);
        let model = Gaussian::dual_with_scales(
            x.as_ref(),
            y.as_ref(),
            Some(&weights),
            options,
            Some(&scales),
        )?;
        let error = model.held_out_rows(
            target,
            held_x.as_ref(),
            held_y.as_ref(),
            Some(&held_weights),
            lambdas,
        )?;
        errors.push((held_weights.iter().sum(), error));
    }
    let (mean_squared_errors, standard_errors) = summarize(&errors);
    Ok(CrossValidation { mean_squared_errors, standard_errors })
}

pub(crate) fn check_folds(folds: usize) -> Result<(), EvidenceError> {
    if folds < 2 {
        return Err(EvidenceError::Shape { what: "folds with rows", given: folds, expected: 2 });
    }
    Ok(())
}

/// The mean error over all rows, and its standard error from the spread of the folds, for every λ:
/// from each fold's weight and its errors.
pub(crate) fn summarize(folds: &[(f64, Vec<f64>)]) -> (Vec<f64>, Vec<f64>) {
    let weight: f64 = folds.iter().map(|(weight, _)| weight).sum();
    let count = folds.len() as f64;
    let lambdas = folds[0].1.len();
    let mean =
        |j: usize| folds.iter().map(|(weight, errors)| weight * errors[j]).sum::<f64>() / weight;
    let standard_error = |j: usize| {
        let centre = mean(j);
        let spread =
            folds.iter().map(|(weight, errors)| weight * (errors[j] - centre).powi(2)).sum::<f64>()
                / weight;
        (spread / (count - 1.0)).sqrt()
    };
    ((0..lambdas).map(mean).collect(), (0..lambdas).map(standard_error).collect())
}
