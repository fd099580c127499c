//! What only figures show: coefficients along the path, and whether predictive intervals hold what
//! they promise.

use super::fitted::Fitted;
use crate::fit::analysis::{Analysis, CoefficientPath, DRAWN};
use crate::fit::calibration::{Calibration, IntervalCounts};
use crate::fit::error::FitError;
use crate::fit::quality::{Observation, Sample};
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

/// How often predictive intervals hold rows that were left out, each in turn or those of the
/// hold-out; and some of these rows beside what was predicted of them.
pub(super) fn left_out(
    fitted: &Fitted<'_>,
    target: usize,
    posterior: &Posterior,
    beta: f64,
) -> Result<(Option<Calibration>, Vec<Observation>), FitError> {
    if !beta.is_finite() {
        return Ok((None, Vec::new()));
    }
    let source = fitted.source;
    let (mut counts, mut sample) = (IntervalCounts::default(), Sample::default());
    if let Some(path) = &fitted.criteria.hold_out {
        let (p, k) = (source.design.width(), source.design.targets.len());
        source.at(path).for_each_block(|block| {
            let x = MatRef::from_row_major_slice(block.values, block.rows, p);
            for (row, predicted) in posterior.predict(x)?.iter().enumerate() {
                let weight = block.weights.map_or(1.0, |weights| weights[row]);
                if weight > 0.0 {
                    let observed = block.targets[row * k + target];
                    // The variance is that of a row of weight 1.
                    let own = fitted.model.weight_left_out(weight);
                    let variance = predicted.variance + (1.0 / own - 1.0) / beta;
                    counts.add((observed - predicted.mean) / variance.sqrt());
                    sample.add(Observation { predicted: predicted.mean, observed });
                }
            }
            Ok(())
        })?;
        return Ok((counts.calibration("the rows of the hold-out"), sample.finish()));
    }
    if source.sums.is_some() {
        return Ok((None, Vec::new()));
    }
    fitted.for_each_row_block(|x, y, weights| {
        for (row, predicted) in posterior.predict(x)?.iter().enumerate() {
            let weight = weights.map_or(1.0, |weights| weights[row]);
            if weight <= 0.0 {
                continue;
            }
            // h = w(variance·β − 1) is the row's leverage; left out, its error is e/(1 − h), of
            // variance 1/(βw(1 − h)).
            let own = fitted.model.weight_left_out(weight);
            let left = 1.0 - own * (predicted.variance * beta - 1.0);
            if left > 1e-9 {
                let observed = y[(row, target)];
                let error = observed - predicted.mean;
                counts.add(error * (beta * own / left).sqrt());
                sample.add(Observation { predicted: observed - error / left, observed });
            }
        }
        Ok(())
    })?;
    Ok((counts.calibration("every row, left out in turn"), sample.finish()))
}
