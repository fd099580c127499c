//! Classes and counts: Laplace's evidence, on rows in memory.

use wd_data::table::{Folds, TargetKind};

use super::analysis::{Analysis, CoefficientPath, DRAWN, Output, PathPoint};
use super::calibration::{Calibration, ProbabilityCounts};
use super::conventions::{Fitted as Convertible, conventions};
use super::criteria::Criteria;
use super::error::FitError;
use super::family::Family;
use super::predictor::Predictor;
use super::request::Request;
use super::rows::Rows;
use super::source::Source;
use crate::comparison::{Comparison, Criterion, Curve, Measure};
use crate::glm::{GlmMaximum, LaplacePoint, cross_validate};
use crate::{Glm, GlmPosterior, Options, Outcome, glm};

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
    let model = Glm::new(rows.x(), &rows.target_values, rows.weights(), likelihood, options)?;
    let maximum = model.maximum(&model.grid(request.points())?)?;
    let criteria = request.criteria();
    let fitted = Fitted { source, request, criteria, options, likelihood, rows, model };
    let (best, posterior) = (maximum.point, &maximum.posterior);
    let path = path(&maximum);
    let weight = match fitted.rows.weights() {
        Some(weights) => weights.iter().sum(),
        None => fitted.rows.count as f64,
    };
    let mut analysis = Analysis {
        table: source.summary(findings),
        target: source.design.targets[0].name.clone(),
        family: request.family,
        rows: fitted.rows.count,
        lambda: best.lambda,
        interval: maximum.interval,
        outcome: maximum.outcome,
        alpha: best.lambda,
        beta: 1.0,
        log_evidence: best.log_evidence,
        effective_parameters: best.effective_parameters,
        rank: columns.len().min(fitted.rows.count) * likelihood.outputs(),
        comparison: fitted.comparison(&path)?,
        path: path
            .iter()
            .map(|point| PathPoint {
                log_evidence: point.log_evidence,
                effective_parameters: point.effective_parameters,
                squared_norm: point.squared_norm,
                training_error: -point.log_likelihood / weight,
            })
            .collect(),
        outputs: fitted.outputs(posterior, &levels),
        groups: Vec::new(),
        conventions: conventions(&Convertible {
            family: request.family,
            lambda: best.lambda,
            beta: 1.0,
            rows: weight,
            target_deviation: f64::NAN,
            standardize: options.standardize,
        }),
        coefficient_paths: Vec::new(),
        calibration: None,
        notes: fitted.notes(&maximum, &levels),
        predictor: Predictor::Generalized(Box::new(posterior.clone())),
        columns,
    };
    if request.figures {
        analysis.coefficient_paths = fitted.coefficient_paths(&analysis)?;
        if request.family.has_classes() {
            analysis.calibration = Some(fitted.calibration(posterior)?);
        }
    }
    Ok(analysis)
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
            if rows.weights().is_some() {
                return Err(FitError::option(
                    "compare",
                    format!("cv:{folds}"),
                    "folds know no weights outside the gaussian family",
                    "leave the weights out, or compare with loo or holdout:FILE",
                ));
            }
            let fold_of: Vec<usize> =
                Folds::new(folds, self.request.seed).take(rows.count).collect();
            let (x, y) = (rows.x(), &rows.target_values);
            let values = cross_validate(x, y, &fold_of, *likelihood, *options, &lambdas)?;
            curves.push(log_loss(Criterion::CrossValidation { folds }, values));
        }
        if let Some(path) = &self.criteria.hold_out {
            let (held_out, _) = source.at(path).rows()?;
            let (x, y) = (held_out.x(), &held_out.target_values);
            let values = model.held_out(x, y, held_out.weights(), &lambdas)?;
            curves.push(log_loss(Criterion::HoldOut, values));
        }
        Ok(Comparison::new(lambdas, curves)?)
    }

    /// A linear predictor, or one for each class.
    fn outputs(&self, posterior: &GlmPosterior, levels: &[String]) -> Vec<Output> {
        let scales = &self.model.columns().scales;
        let classes = posterior.coefficients().iter().zip(posterior.intercepts()).enumerate();
        let outputs = classes.map(|(class, (coefficients, intercept))| Output {
            class: (self.request.family == Family::Softmax).then(|| levels[class].clone()),
            intercept: *intercept,
            coefficients: coefficients.clone(),
            standardized: coefficients.iter().zip(scales).map(|(w, scale)| w * scale).collect(),
            deviations: Vec::new(),
        });
        outputs.collect()
    }

    /// What should be said of the maximum.
    fn notes(&self, maximum: &GlmMaximum, levels: &[String]) -> Vec<String> {
        let separable = match maximum.separable {
            Some(true) => Some(
                "The classes are separable: maximum likelihood has no finite fit (its coefficients \
                 grow without bound), the posterior mode has one for every λ > 0.",
            ),
            None => Some(
                "The coefficients still grow at the smallest λ of the path: maximum likelihood may \
                 have no finite fit (quasi-separation), the posterior mode has one for every λ > \
                 0.",
            ),
            Some(false) => None,
        };
        let edge = match maximum.outcome {
            Outcome::Found => None,
            Outcome::NoSignal => Some(
                "The evidence rises up to the largest λ of the path: these columns say nothing of \
                 the target, and every coefficient is all but 0.",
            ),
            Outcome::Noiseless => Some(
                "The evidence rises down to the smallest λ of the path, which is the answer for \
                 want of a better one.",
            ),
        };
        let approximate = self.criteria.leave_one_out.then_some(
            "Leave-one-out is approximate in this family: a Newton step from the mode for each row \
             left out.",
        );
        let mut notes: Vec<String> =
            [separable, edge, approximate].into_iter().flatten().map(str::to_owned).collect();
        if let (Family::Logistic, [no, yes]) = (self.request.family, levels) {
            notes.push(format!(
                "Probabilities and coefficients are those of `{yes}` against `{no}`."
            ));
        }
        notes
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
            None => "the rows that were fitted; a hold-out gives others",
        }))
    }
}
