//! Classes and counts: Laplace's evidence, on rows in memory.

use wd_data::table::{Findings, Folds, TargetKind};
use wd_evidence::comparison::{Comparison, Criterion, Curve, Measure};
use wd_evidence::gaussian::Outcome;
use wd_evidence::{Glm, GlmPosterior, glm};

use wd_evidence::page::CoefficientPath;

use super::analysis::{Analysis, Output, PathPoint};
use super::calibration::ProbabilityCounts;
use super::conventions::{Fitted, conventions};
use super::load::{Rows, Source};
use super::model::Predictor;
use super::{Family, Request};
use crate::diagnostics::CommandError;

/// Coefficients drawn along the path.
const DRAWN: usize = 10;
/// λ at which coefficients are drawn: each is a fit of its own.
const DRAWN_POINTS: usize = 25;

/// Fits the target of a table.
pub(super) fn fit(
    source: &Source<'_>,
    family: Family,
    request: &Request,
) -> Result<(Vec<Analysis>, Findings), CommandError> {
    let levels = levels(source, family)?;
    let (rows, findings) = source.rows()?;
    let likelihood = match family {
        Family::Softmax => glm::Family::Softmax { classes: levels.len() },
        Family::Poisson => glm::Family::Poisson,
        Family::Logistic | Family::Gaussian => glm::Family::Logistic,
    };
    let columns = source.design.columns();
    let options = request.options(findings.rows, columns.len());
    let model = Glm::new(rows.x(), &rows.target_values, rows.weights(), likelihood, options)?;
    let maximum = model.maximum(&model.grid(request.points)?)?;
    let best = maximum.point.lambda;
    let mut path = maximum.path.clone();
    if path.iter().all(|point| point.lambda != best) {
        let place = path.partition_point(|point| point.lambda < best);
        path.insert(place, maximum.point);
    }
    let lambdas: Vec<f64> = path.iter().map(|point| point.lambda).collect();
    let weight = rows.weights().map_or(rows.count as f64, |weights| weights.iter().sum());

    let mut curves = vec![Curve {
        criterion: Criterion::Evidence,
        measure: Measure::LogEvidence,
        values: path.iter().map(|point| point.log_evidence).collect(),
        standard_errors: Vec::new(),
    }];
    curves.extend(errors(source, request, &rows, &model, likelihood, options, &lambdas)?);

    let (point, posterior) = (maximum.point, &maximum.posterior);
    let scales = &model.columns().scales;
    let outputs: Vec<Output> = posterior
        .coefficients()
        .iter()
        .zip(posterior.intercepts())
        .enumerate()
        .map(|(class, (coefficients, intercept))| Output {
            class: (family == Family::Softmax).then(|| levels[class].clone()),
            intercept: *intercept,
            coefficients: coefficients.clone(),
            standardized: coefficients.iter().zip(scales).map(|(w, scale)| w * scale).collect(),
            deviations: Vec::new(),
        })
        .collect();
    let mut notes = Vec::new();
    match maximum.separable {
        Some(true) => notes.push(
            "The classes are separable: maximum likelihood has no finite fit (its coefficients grow without bound), the posterior mode has one for every λ > 0."
                .to_owned(),
        ),
        None => notes.push(
            "The coefficients still grow at the smallest λ of the path: maximum likelihood may have no finite fit (quasi-separation), the posterior mode has one for every λ > 0."
                .to_owned(),
        ),
        Some(false) => {}
    }
    match maximum.outcome {
        Outcome::Found => {}
        Outcome::NoSignal => notes.push(
            "The evidence rises up to the largest λ of the path: these columns say nothing of the target, and every coefficient is all but 0."
                .to_owned(),
        ),
        Outcome::Noiseless => notes.push(
            "The evidence rises down to the smallest λ of the path, which is the answer for want of a better one.".to_owned(),
        ),
    }
    if request.criteria.leave_one_out {
        notes.push(
            "Leave-one-out is approximate in this family: a Newton step from the mode for each row left out.".to_owned(),
        );
    }
    if let (Family::Logistic, [no, yes]) = (family, levels.as_slice()) {
        notes.push(format!("Probabilities and coefficients are those of `{yes}` against `{no}`."));
    }
    let mut analysis = Analysis {
        target: source.design.targets[0].name.clone(),
        family,
        rows: rows.count,
        lambda: best,
        interval: maximum.interval,
        outcome: maximum.outcome,
        alpha: best,
        beta: 1.0,
        log_evidence: point.log_evidence,
        effective_parameters: point.effective_parameters,
        rank: columns.len().min(rows.count) * likelihood.outputs(),
        path: path
            .iter()
            .map(|point| PathPoint {
                lambda: point.lambda,
                log_evidence: point.log_evidence,
                effective_parameters: point.effective_parameters,
                squared_norm: point.squared_norm,
                training_error: -point.log_likelihood / weight,
            })
            .collect(),
        comparison: Comparison::new(lambdas, curves)?,
        outputs,
        groups: Vec::new(),
        conventions: conventions(&Fitted {
            family,
            lambda: best,
            beta: 1.0,
            rows: weight,
            target_deviation: f64::NAN,
            standardize: options.standardize,
        }),
        coefficient_paths: Vec::new(),
        calibration: None,
        notes,
        predictor: Predictor::Generalized(Box::new(posterior.clone())),
        columns,
    };
    if request.report {
        analysis.coefficient_paths = coefficient_paths(&analysis, &model)?;
        if family != Family::Poisson {
            analysis.calibration = Some(calibration(source, request, &rows, posterior)?);
        }
    }
    Ok((vec![analysis], findings))
}

/// The classes of the target, checked against the family.
fn levels(source: &Source<'_>, family: Family) -> Result<Vec<String>, CommandError> {
    let target = &source.design.targets[0];
    let TargetKind::Classes { levels } = &target.kind else {
        return Ok(Vec::new());
    };
    let problem = match (family, levels.len()) {
        (_, 0 | 1) => "holds one class only: there is nothing to tell apart",
        (Family::Logistic, 3..) => "holds more than two classes: use --family softmax",
        (Family::Softmax, 101..) => {
            "holds more than 100 classes: is it a number? use --family gaussian"
        }
        _ => return Ok(levels.clone()),
    };
    Err(CommandError::usage(
        format!("{}, column `{}` {problem}", source.name(), target.name),
        format!("its classes are {}", levels[..levels.len().min(8)].join(", ")),
    ))
}

/// Log loss on rows left out.
fn errors(
    source: &Source<'_>,
    request: &Request,
    rows: &Rows,
    model: &Glm,
    likelihood: glm::Family,
    options: wd_evidence::Options,
    lambdas: &[f64],
) -> Result<Vec<Curve>, CommandError> {
    let criteria = &request.criteria;
    let log_loss = |criterion, values| Curve {
        criterion,
        measure: Measure::LogLoss,
        values,
        standard_errors: Vec::new(),
    };
    let mut curves = Vec::new();
    if criteria.leave_one_out {
        let values = model.leave_one_out(lambdas)?;
        curves.push(log_loss(Criterion::LeaveOneOut, values));
    }
    if criteria.folds > 0 {
        if rows.weights().is_some() {
            return Err(CommandError::usage(
                "--compare cv knows no weights outside the gaussian family",
                "leave out --weights, or compare with loo or holdout:FILE",
            ));
        }
        let folds = criteria.folds;
        let fold_of: Vec<usize> = Folds::new(folds, request.seed).take(rows.count).collect();
        let values = glm::cross_validate(
            rows.x(),
            &rows.target_values,
            &fold_of,
            likelihood,
            options,
            lambdas,
        )?;
        curves.push(log_loss(Criterion::CrossValidation { folds }, values));
    }
    if let Some(path) = &criteria.hold_out {
        let (held_out, _) = source.at(path).rows()?;
        let values =
            model.held_out(held_out.x(), &held_out.target_values, held_out.weights(), lambdas)?;
        curves.push(log_loss(Criterion::HoldOut, values));
    }
    Ok(curves)
}

/// The largest coefficients at some λ of the path.
fn coefficient_paths(
    analysis: &Analysis,
    model: &Glm,
) -> Result<Vec<CoefficientPath>, CommandError> {
    let scales = &model.columns().scales;
    let lambdas = &analysis.comparison.lambdas;
    let stride = lambdas.len().div_ceil(DRAWN_POINTS);
    let mut drawn: Vec<(usize, usize, String)> = Vec::new();
    for (class, output) in analysis.outputs.iter().enumerate() {
        for column in analysis.by_size(output).into_iter().take(DRAWN) {
            let name = &analysis.columns[column];
            drawn.push((
                class,
                column,
                match &output.class {
                    Some(class) => format!("{name} → {class}"),
                    None => name.clone(),
                },
            ));
        }
    }
    drawn.sort_by(|a, b| {
        let size = |of: &(usize, usize, String)| analysis.outputs[of.0].standardized[of.1].abs();
        size(b).total_cmp(&size(a))
    });
    drawn.truncate(DRAWN);
    let mut paths: Vec<CoefficientPath> = drawn
        .iter()
        .map(|(_, _, name)| CoefficientPath { name: name.clone(), points: Vec::new() })
        .collect();
    for lambda in lambdas.iter().step_by(stride) {
        let (_, posterior) = model.posterior(*lambda)?;
        for ((class, column, _), path) in drawn.iter().zip(&mut paths) {
            path.points
                .push((*lambda, posterior.coefficients()[*class][*column] * scales[*column]));
        }
    }
    Ok(paths)
}

/// Probabilities at the mode, which `wd predict` gives and the hold-out scores, against what came.
fn calibration(
    source: &Source<'_>,
    request: &Request,
    rows: &Rows,
    posterior: &GlmPosterior,
) -> Result<wd_evidence::page::Calibration, CommandError> {
    let held_out = match &request.criteria.hold_out {
        Some(path) => Some(source.at(path).rows()?.0),
        None => None,
    };
    let rows = held_out.as_ref().unwrap_or(rows);
    let mut counts = ProbabilityCounts::default();
    for (predicted, target) in posterior.predict(rows.x())?.iter().zip(&rows.target_values) {
        match predicted.at_mode.as_slice() {
            [probability] => counts.add(*probability, *target == 1.0),
            probabilities => {
                for (class, probability) in probabilities.iter().enumerate() {
                    counts.add(*probability, *target == class as f64);
                }
            }
        }
    }
    Ok(counts.calibration(match held_out {
        Some(_) => "the rows of the hold-out",
        None => "the rows that were fitted (give --compare holdout:FILE for others)",
    }))
}
