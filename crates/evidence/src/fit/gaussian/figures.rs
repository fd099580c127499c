//! What only figures show: coefficients along the path, and whether predictive intervals hold what
//! they promise.

use super::fitted::Fitted;
use crate::fit::analysis::{Analysis, CoefficientPath, DRAWN};
use crate::fit::calibration::{Calibration, IntervalCounts};
use crate::fit::error::FitError;
use crate::{MatRef, Posterior};

/// The largest coefficients along the path.
pub(super) fn coefficient_paths(
    fitted: &Fitted<'_>,
    analysis: &Analysis,
    target: usize,
) -> Result<Vec<CoefficientPath>, FitError> {
    let lambdas = &analysis.comparison.lambdas;
    let path = fitted.model.coefficient_path(target, lambdas)?;
    let drawn = analysis.outputs[0].by_size().into_iter().take(DRAWN);
    Ok(drawn
        .map(|column| {
            let points =
                lambdas.iter().enumerate().map(|(place, lambda)| (*lambda, path[(column, place)]));
            CoefficientPath { name: analysis.columns[column].clone(), points: points.collect() }
        })
        .collect())
}

/// How often predictive intervals hold rows that were left out: each in turn, or those of the
/// hold-out.
pub(super) fn calibration(
    fitted: &Fitted<'_>,
    target: usize,
    posterior: &Posterior,
    beta: f64,
) -> Result<Option<Calibration>, FitError> {
    if !beta.is_finite() {
        return Ok(None);
    }
    let source = fitted.source;
    let mut counts = IntervalCounts::default();
    if let Some(path) = &fitted.criteria.hold_out {
        let (p, k) = (source.design.width(), source.design.targets.len());
        source.at(path).for_each_block(|block| {
            let x = MatRef::from_row_major_slice(block.values, block.rows, p);
            for (row, predicted) in posterior.predict(x)?.iter().enumerate() {
                let weight = block.weights.map_or(1.0, |weights| weights[row]);
                if weight > 0.0 {
                    // The variance is that of a row of weight 1.
                    let variance = predicted.variance + (1.0 / weight - 1.0) / beta;
                    let error = block.targets[row * k + target] - predicted.mean;
                    counts.add(error / variance.sqrt());
                }
            }
            Ok(())
        })?;
        return Ok(counts.calibration("the rows of the hold-out"));
    }
    if source.sums.is_some() {
        return Ok(None);
    }
    fitted.for_each_row_block(|x, y, weights| {
        for (row, predicted) in posterior.predict(x)?.iter().enumerate() {
            let weight = weights.map_or(1.0, |weights| weights[row]);
            // h = w(variance·β − 1) is the row's leverage; left out, its error is e/(1 − h), of
            // variance 1/(βw(1 − h)).
            let left = 1.0 - weight * (predicted.variance * beta - 1.0);
            if weight > 0.0 && left > 1e-9 {
                let error = y[(row, target)] - predicted.mean;
                counts.add(error * (beta * weight / left).sqrt());
            }
        }
        Ok(())
    })?;
    Ok(counts.calibration("every row, left out in turn"))
}
