//! The evidence beside errors on rows that were left out.

use wd_data::table::Folds;

use super::fitted::Fitted;
use crate::comparison::{Comparison, Criterion, Curve, Measure};
use crate::fit::error::FitError;
use crate::fit::source::Content;
use crate::gaussian::Point;
use crate::{LeaveOneOut, cross_validate, cross_validate_rows};

/// The evidence and every criterion that is asked for, along the path; leave-one-out also where it
/// has to stand in for the evidence.
pub(super) fn comparison(
    fitted: &Fitted<'_>,
    target: usize,
    points: &[Point],
    needs_left_out: bool,
) -> Result<Comparison, FitError> {
    let lambdas: Vec<f64> = points.iter().map(|point| point.lambda).collect();
    let mut curves = vec![Curve::new(
        Criterion::Evidence,
        Measure::LogEvidence,
        points.iter().map(|point| point.log_evidence).collect(),
    )];
    let error = |criterion, values| Curve::new(criterion, Measure::SquaredError, values);
    if fitted.criteria.generalized {
        let values = points.iter().map(|point| point.generalized_cross_validation);
        curves.push(error(Criterion::GeneralizedCrossValidation, values.collect()));
    }
    if fitted.criteria.leave_one_out || needs_left_out {
        let mut errors = LeaveOneOut::new(&fitted.model, target, &lambdas)?;
        fitted.for_each_row_block(|x, y, weights| Ok(errors.add(x, y, weights)?))?;
        curves.push(error(Criterion::LeaveOneOut, errors.mean_squared_errors()));
    }
    if fitted.criteria.folds > 0 {
        curves.push(folds(fitted, target, &lambdas)?);
    }
    if let Some(path) = &fitted.criteria.hold_out {
        let values = match fitted.source.at(path).load(0, 0)?.0 {
            Content::Sums { whole, .. } => fitted.model.held_out(target, &whole, &lambdas)?,
            Content::Rows(rows) => {
                let (x, y) = (rows.x(), rows.y());
                fitted.model.held_out_rows(target, x, y, rows.weights(), &lambdas)?
            }
        };
        curves.push(error(Criterion::HoldOut, values));
    }
    Ok(Comparison::new(lambdas, curves)?)
}

/// Cross-validation, from the sums of each fold or from the rows.
fn folds(fitted: &Fitted<'_>, target: usize, lambdas: &[f64]) -> Result<Curve, FitError> {
    let folds = fitted.criteria.folds;
    let found = match &fitted.content {
        Content::Sums { folds, .. } => cross_validate(folds, fitted.options, target, lambdas)?,
        Content::Rows(rows) => {
            let fold_of: Vec<usize> =
                Folds::new(folds, fitted.request.seed).take(rows.count).collect();
            cross_validate_rows(
                rows.x(),
                rows.y(),
                rows.weights(),
                &fold_of,
                fitted.options,
                target,
                lambdas,
            )?
        }
    };
    Ok(Curve {
        criterion: Criterion::CrossValidation { folds },
        measure: Measure::SquaredError,
        values: found.mean_squared_errors,
        standard_errors: found.standard_errors,
    })
}
