//! Classes and counts: Laplace's evidence, on rows in memory.
//!
//! | file | what |
//! |---|---|
//! | `notes` | what should be said of the maximum |
//! | `quality` | how near the fit comes to the rows |

mod notes;
mod quality;

use wd_data::table::TargetKind;

use crate::comparison::{Comparison, Criterion, Curve, Measure};
use crate::fit::analysis::{Analysis, CoefficientPath, DRAWN, Output, PathPoint, without_constant};
use crate::fit::calibration::{Calibration, ProbabilityCounts};
use crate::fit::conventions::{Convention, Fitted as Convertible, conventions};
use crate::fit::criteria::Criteria;
use crate::fit::error::FitError;
use crate::fit::family::Family;
use crate::fit::predictor::Predictor;
use crate::fit::request::Request;
use crate::fit::rows::Rows;
use crate::fit::source::Source;
use crate::fit::strata;
use crate::glm::{GlmMaximum, LaplacePoint, cross_validate};
use crate::{EvidenceError, Glm, GlmPosterior, Intercept, Options, Outcome, glm};

/// λ at which coefficients are drawn: each is a fit of its own.
const DRAWN_POINTS: usize = 25;
/// More classes than these are likely numbers.
const MOST_CLASSES: usize = 100;

/// The model of a table with what it was made of.
struct Fitted<'a> {
    source: &'a Source<'a>,
    request: &'a Request,
    criteria: Criteria,
    options: Options,
    likelihood: glm::Family,
    rows: Rows,
    model: Glm,
    levels: Vec<String>,
}

/// The λ that was chosen, and by what.
struct Chosen {
    criterion: Criterion,
    is_edge: bool,
    point: LaplacePoint,
    posterior: GlmPosterior,
}

/// Fits the target of a table.
pub(super) fn fit(source: &Source<'_>, request: &Request) -> Result<Analysis, FitError> {
    let levels = levels(source, request.family)?;
    let (rows, findings) = source.rows()?;
    let likelihood = match request.family {
        Family::Softmax => glm::Family::Softmax { classes: levels.len() },
        Family::Poisson => glm::Family::Poisson,
        Family::Logistic | Family::Gaussian => glm::Family::Logistic,
    };
    let columns = source.design.columns();
    let options = request.options(findings.rows, columns.len());
    let model = Glm::of(rows.of_one_target(), likelihood, options)
        .map_err(|error| named(source, &levels, error))?;
    let maximum = model.maximum(&model.grid(request.points())?)?;
    let mut criteria = request.criteria();
    if maximum.outcome == Outcome::Noiseless && criteria == Criteria::default() {
        // Something has to choose where the evidence has no maximum.
        criteria.leave_one_out = true;
    }
    let fitted = Fitted { source, request, criteria, options, likelihood, rows, model, levels };
    let path = path(&maximum);
    let comparison = fitted.comparison(&path)?;
    let chosen = fitted.chosen(&maximum, &comparison)?;
    let (best, weight) = (chosen.point, fitted.rows.weight());
    let lambda = match maximum.outcome {
        Outcome::NoSignal => f64::INFINITY,
        Outcome::Found | Outcome::Noiseless => best.lambda,
    };
    let quality = fitted.quality(&chosen)?;
    let mut analysis = Analysis {
        table: source.summary(findings),
        target: source.design.targets[0].name.clone(),
        family: request.family,
        rows: weight,
        lambda,
        intercept: options.intercept,
        chosen_by: chosen.criterion,
        is_edge: chosen.is_edge,
        interval: maximum.interval,
        outcome: maximum.outcome,
        alpha: lambda,
        beta: 1.0,
        log_evidence: best.log_evidence,
        effective_parameters: best.effective_parameters,
        rank: columns.len().min(fitted.rows.count) * likelihood.outputs(),
        notes: fitted.notes(&maximum, &chosen, &comparison, &quality),
        comparison,
        path: path
            .iter()
            .map(|point| PathPoint {
                log_evidence: point.log_evidence,
                effective_parameters: point.effective_parameters,
                squared_norm: point.squared_norm,
                training_error: -point.log_likelihood / weight,
            })
            .collect(),
        outputs: fitted.outputs(&chosen.posterior)?,
        groups: Vec::new(),
        conventions: match chosen.is_edge {
            true => Vec::new(),
            false => fitted.conventions(lambda),
        },
        coefficient_paths: Vec::new(),
        calibration: None,
        quality,
        observations: Vec::new(),
        predictor: Predictor::Generalized(Box::new(chosen.posterior.clone())),
        columns,
    };
    if request.figures {
        analysis.coefficient_paths = fitted.coefficient_paths(&analysis)?;
        match request.family {
            Family::Poisson => analysis.observations = fitted.observations(&chosen.posterior)?,
            _ => analysis.calibration = Some(fitted.calibration(&chosen.posterior)?),
        }
    }
    Ok(analysis)
}

/// Names the class or the column that an error of the mathematics speaks of.
fn named(source: &Source<'_>, levels: &[String], error: EvidenceError) -> FitError {
    let column = |problem: String| FitError::Column {
        files: source.name(),
        column: source.design.targets[0].name.clone(),
        problem,
    };
    match error {
        EvidenceError::Label { row, value, expected, .. } => column(format!(
            "row {} of those that are used holds {value}, and the family takes {expected}; a rate \
             is the count with its exposure as the offset",
            row + 1
        )),
        EvidenceError::NoIntercept { problem, fix } if levels.is_empty() => {
            column(format!("{problem}, so that the intercept has no finite best value; {fix}"))
        }
        other => other.into(),
    }
}

/// The classes of the target, checked against the family.
fn levels(source: &Source<'_>, family: Family) -> Result<Vec<String>, FitError> {
    let target = &source.design.targets[0];
    let TargetKind::Classes { levels } = &target.kind else {
        return Ok(Vec::new());
    };
    let problem = match (family, levels.len()) {
        (_, 0 | 1) => "holds one class only: there is nothing to tell apart",
        (Family::Logistic, 3..) => "holds more than two classes: use the family softmax",
        (Family::Softmax, more) if more > MOST_CLASSES => {
            "holds more than 100 classes: if it is a number, use the family gaussian"
        }
        _ => return Ok(levels.clone()),
    };
    let some = levels[..levels.len().min(8)].join(", ");
    Err(FitError::Column {
        files: source.name(),
        column: target.name.clone(),
        problem: format!("it {problem}; its classes are {some}"),
    })
}

/// The path that was searched, with the λ that was found.
fn path(maximum: &GlmMaximum) -> Vec<LaplacePoint> {
    let mut path = maximum.path.clone();
    let best = maximum.point.lambda;
    if path.iter().all(|point| point.lambda != best) {
        let place = path.partition_point(|point| point.lambda < best);
        path.insert(place, maximum.point);
    }
    path
}

impl Fitted<'_> {
    /// The evidence beside log loss on rows left out.
    fn comparison(&self, path: &[LaplacePoint]) -> Result<Comparison, FitError> {
        let Fitted { source, rows, model, likelihood, options, .. } = self;
        let lambdas: Vec<f64> = path.iter().map(|point| point.lambda).collect();
        let mut curves = vec![Curve::new(
            Criterion::Evidence,
            Measure::LogEvidence,
            path.iter().map(|point| point.log_evidence).collect(),
        )];
        let log_loss = |criterion, values| Curve::new(criterion, Measure::LogLoss, values);
        if self.criteria.leave_one_out {
            curves.push(log_loss(Criterion::LeaveOneOut, model.leave_one_out(&lambdas)?));
        }
        if let folds @ 1.. = self.criteria.folds {
            let (family, seed) = (self.request.family, self.request.seed);
            let fold_of = strata::folds(rows, family, &self.levels, folds, seed)?;
            let data = rows.of_one_target();
            let found = cross_validate(data, &fold_of, *likelihood, *options, &lambdas)?;
            let criterion = Criterion::CrossValidation { folds };
            curves.push(Curve {
                standard_errors: found.standard_errors,
                ..log_loss(criterion, found.mean_losses)
            });
        }
        if let Some(path) = &self.criteria.hold_out {
            let (held_out, _) = source.at(path).rows()?;
            let values = model.held_out(held_out.of_one_target(), &lambdas)?;
            curves.push(log_loss(Criterion::HoldOut, values));
        }
        Ok(Comparison::new(lambdas, curves)?)
    }

    /// The λ of the evidence; where that rises to the smallest λ of the path, that of the first
    /// criterion that looks at rows left out.
    fn chosen(&self, maximum: &GlmMaximum, comparison: &Comparison) -> Result<Chosen, FitError> {
        let by_evidence = || Chosen {
            criterion: Criterion::Evidence,
            is_edge: maximum.outcome != Outcome::Found,
            point: maximum.point,
            posterior: maximum.posterior.clone(),
        };
        if maximum.outcome != Outcome::Noiseless {
            return Ok(by_evidence());
        }
        let others =
            comparison.choices.iter().filter(|choice| choice.criterion != Criterion::Evidence);
        // One that has a least error before one that has none.
        let Some(choice) = others.min_by_key(|choice| choice.at_edge) else {
            return Ok(by_evidence());
        };
        let (point, posterior) = self.model.posterior(choice.lambda)?;
        let (criterion, is_edge) = (choice.criterion, choice.at_edge);
        Ok(Chosen { criterion, is_edge, point, posterior })
    }

    /// λ in other libraries.
    fn conventions(&self, lambda: f64) -> Vec<Convention> {
        let exposure = self.rows.offset().map(|offset| {
            let weight_of = |row: usize| self.rows.weights().map_or(1.0, |weights| weights[row]);
            offset.iter().enumerate().map(|(row, offset)| weight_of(row) * offset.exp()).sum()
        });
        conventions(&Convertible {
            family: self.request.family,
            lambda,
            beta: 1.0,
            rows: self.rows.weight(),
            target_deviation: f64::NAN,
            standardize: self.options.standardize,
            has_intercept: self.options.intercept != Intercept::Absent,
            has_weights: self.rows.weights().is_some(),
            exposure,
            classes: self.levels.len(),
        })
    }

    /// A linear predictor, or one for each class.
    fn outputs(&self, posterior: &GlmPosterior) -> Result<Vec<Output>, FitError> {
        let scales = &self.model.columns().scales;
        let mut deviations = posterior.standard_deviations()?;
        if self.options.intercept != Intercept::Absent {
            let constant = &self.model.columns().constant;
            deviations.iter_mut().for_each(|own| without_constant(own, constant));
        }
        let classes = posterior.coefficients().iter().zip(posterior.intercepts()).zip(deviations);
        let outputs =
            classes.enumerate().map(|(class, ((coefficients, intercept), deviations))| {
                let standardized = coefficients.iter().zip(scales).map(|(w, scale)| w * scale);
                Output {
                    class: (self.request.family == Family::Softmax)
                        .then(|| self.levels[class].clone()),
                    intercept: *intercept,
                    coefficients: coefficients.clone(),
                    standardized: standardized.collect(),
                    deviations,
                }
            });
        Ok(outputs.collect())
    }

    /// The largest coefficients at some λ of the path.
    fn coefficient_paths(&self, analysis: &Analysis) -> Result<Vec<CoefficientPath>, FitError> {
        let scales = &self.model.columns().scales;
        let lambdas = &analysis.comparison.lambdas;
        let outputs = analysis.outputs.iter().enumerate();
        let mut drawn: Vec<(usize, usize)> = outputs
            .flat_map(|(class, output)| {
                output.by_size().into_iter().take(DRAWN).map(move |column| (class, column))
            })
            .collect();
        let size =
            |&(class, column): &(usize, usize)| analysis.outputs[class].standardized[column].abs();
        drawn.sort_by(|a, b| size(b).total_cmp(&size(a)));
        drawn.truncate(DRAWN);
        let mut paths: Vec<CoefficientPath> = drawn
            .iter()
            .map(|(class, column)| CoefficientPath {
                name: analysis.coefficient_name(&analysis.outputs[*class], *column),
                points: Vec::new(),
            })
            .collect();
        for lambda in lambdas.iter().step_by(lambdas.len().div_ceil(DRAWN_POINTS)) {
            let (_, posterior) = self.model.posterior(*lambda)?;
            for ((class, column), path) in drawn.iter().zip(&mut paths) {
                let weight = posterior.coefficients()[*class][*column] * scales[*column];
                path.points.push((*lambda, weight));
            }
        }
        Ok(paths)
    }

    /// Probabilities at the mode, which a prediction gives and the hold-out scores, against what
    /// came.
    fn calibration(&self, posterior: &GlmPosterior) -> Result<Calibration, FitError> {
        let held_out = match &self.criteria.hold_out {
            Some(path) => Some(self.source.at(path).rows()?.0),
            None => None,
        };
        let rows = held_out.as_ref().unwrap_or(&self.rows);
        let mut counts = ProbabilityCounts::default();
        let means = posterior.means(rows.x(), rows.offset())?;
        for (predicted, target) in means.iter().zip(&rows.target_values) {
            match predicted.as_slice() {
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
            None => "the rows that were fitted; a hold-out gives others",
        }))
    }
}
