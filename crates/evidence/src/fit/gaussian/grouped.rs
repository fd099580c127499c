//! A λ for each group of columns.

use wd_page::{counted, number};

use super::fitted::Fitted;
use crate::fit::analysis::{Analysis, Group, Output};
use crate::fit::error::FitError;
use crate::fit::groups::Grouping;
use crate::fit::predictor::Predictor;
use crate::grouped;

/// Decompositions that the search for group precisions may take.
const ITERATIONS: usize = 2000;

/// Replaces the fit with one λ by that with a λ for each group, and gives its residual sum of
/// squares.
pub(super) fn regroup(
    fitted: &Fitted<'_>,
    analysis: &mut Analysis,
    target: usize,
    Grouping { names, group_of }: &Grouping,
) -> Result<f64, FitError> {
    let statistics = fitted.content.statistics()?;
    let found = fitted.named(grouped(&statistics, target, group_of, fitted.options, ITERATIONS))?;
    analysis.notes.push(format!(
        "A λ for each of {} raises the log evidence by {} nats over one λ for all ({}); curves and \
         criteria are those of the one λ.",
        counted(number::count(names.len() as u64), "group"),
        number::fixed(found.log_evidence - analysis.log_evidence, 2),
        number::short(analysis.lambda)
    ));
    let columns_of = |group: usize| {
        let columns = group_of.iter().zip(&analysis.columns);
        columns.filter(|(of, _)| **of == group).map(|(_, column)| column.clone()).collect()
    };
    let groups = names.iter().enumerate().map(|(group, name)| Group {
        name: name.clone(),
        columns: columns_of(group),
        lambda: found.lambdas[group],
        alpha: found.alphas[group],
        effective_parameters: found.effective_parameters[group],
    });
    analysis.groups = groups.collect();
    analysis.beta = found.beta;
    analysis.log_evidence = found.log_evidence;
    analysis.effective_parameters = found.effective_parameters.iter().sum();
    analysis.conventions.clear();
    analysis.predictor =
        Predictor::Linear { intercept: found.intercept, coefficients: found.coefficients.clone() };
    analysis.outputs = vec![Output {
        class: None,
        intercept: found.intercept,
        coefficients: found.coefficients,
        standardized: found.standardized_coefficients,
        deviations: Vec::new(),
    }];
    Ok(found.residual_sum_of_squares)
}
