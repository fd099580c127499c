//! The fit of one target, with its path over λ.

use super::fitted::Fitted;
use super::{criteria, figures, grouped};
use crate::comparison::Criterion;
use crate::fit::analysis::{Analysis, Output, PathPoint, without_constant};
use crate::fit::conventions::{Fitted as Convertible, conventions};
use crate::fit::error::FitError;
use crate::fit::family::Family;
use crate::fit::groups::Grouping;
use crate::fit::predictor::Predictor;
use crate::fit::quality::Quality;
use crate::gaussian::Point;
use crate::{Evidence, Intercept, Maximum, Outcome, Posterior};
use wd_page::number::{measured, rounded, short};

/// A nat of evidence or less decides nothing: odds of e to 1.
const UNDECIDED: f64 = 1.0;

/// How far the path goes beyond the interval of λ: far enough to see the evidence fall.
const BEYOND: f64 = 10.0;

/// Fits one target, with one λ for all columns or one for each group.
pub(super) fn analysis(
    fitted: &Fitted<'_>,
    target: usize,
    groups: Option<&Grouping>,
) -> Result<Analysis, FitError> {
    let (source, model) = (fitted.source, &fitted.model);
    let evidence = fitted.named(model.evidence(target))?;
    if evidence.degrees_of_freedom() <= 1.0 {
        // With ν = 1 and R₀ = 0, E = λz²/(s(s + λ)): its share and the determinant's cancel at
        // every λ.
        return Err(FitError::OneDegreeOfFreedom { files: source.name() });
    }
    let maximum = evidence.maximum();
    let points = evidence.path(&lambdas(&evidence, &maximum, fitted.request.points()));
    let fits_any = groups.is_none() && fits_any_target(fitted, &evidence, &maximum);
    let comparison = criteria::comparison(fitted, target, &points, fits_any)?;
    let stand_in = comparison
        .choices
        .iter()
        .find(|choice| fits_any && choice.criterion == Criterion::LeaveOneOut && !choice.at_edge);
    let best = stand_in.map_or(maximum.point, |choice| evidence.at(choice.lambda));
    let chosen_by = stand_in.map_or(Criterion::Evidence, |choice| choice.criterion);
    let exact = fits_any.then(|| exact_by_number(&maximum, &best, &points));
    let notes = notes(fitted, &maximum, exact);
    let fit = fitted.named(model.fit(target, best.lambda))?;
    let posterior = match best.lambda > 0.0 {
        true => Some(model.posterior(target, best.lambda)?),
        false => None,
    };
    let predictor = match &posterior {
        Some(posterior) => Predictor::Gaussian(Box::new(posterior.clone())),
        None => {
            Predictor::Linear { intercept: fit.intercept, coefficients: fit.coefficients.clone() }
        }
    };
    let path = points.iter().map(|point| PathPoint {
        log_evidence: point.log_evidence,
        effective_parameters: point.effective_parameters,
        squared_norm: point.squared_norm,
        training_error: point.residual_sum_of_squares / model.weight(),
    });
    let mut analysis = Analysis {
        table: fitted.table.clone(),
        target: source.design.targets[target].name.clone(),
        family: Family::Gaussian,
        rows: model.rows(),
        columns: source.design.columns(),
        lambda: best.lambda,
        intercept: fitted.options.intercept,
        chosen_by,
        is_edge: maximum.outcome != Outcome::Found && chosen_by == Criterion::Evidence,
        interval: maximum.interval,
        outcome: maximum.outcome,
        alpha: best.alpha,
        beta: best.beta,
        log_evidence: best.log_evidence,
        effective_parameters: best.effective_parameters,
        rank: evidence.rank(),
        path: path.collect(),
        comparison,
        outputs: vec![Output {
            class: None,
            intercept: fit.intercept,
            coefficients: fit.coefficients,
            standardized: fit.standardized_coefficients,
            deviations: posterior
                .as_ref()
                .map_or_else(Vec::new, |posterior| deviations(fitted, posterior)),
        }],
        groups: Vec::new(),
        conventions: conventions(&Convertible {
            family: Family::Gaussian,
            lambda: best.lambda,
            beta: best.beta,
            rows: model.weight(),
            target_deviation: model.target_deviation(target),
            standardize: fitted.options.standardize,
            has_intercept: fitted.options.intercept != Intercept::Absent,
            has_weights: source.design.weights.is_some(),
            exposure: None,
            classes: 0,
        }),
        coefficient_paths: Vec::new(),
        calibration: None,
        quality: Quality::default(),
        observations: Vec::new(),
        notes,
        predictor,
    };
    let mut residual = fit.point.residual_sum_of_squares;
    if let Some(groups) = groups {
        residual = grouped::regroup(fitted, &mut analysis, target, groups)?;
    }
    analysis.quality = quality(fitted, &analysis, residual, evidence.total());
    if fitted.request.figures {
        analysis.coefficient_paths = figures::coefficient_paths(fitted, &analysis, target)?;
        if let (Some(posterior), None) = (&posterior, groups) {
            let (calibration, observations) =
                figures::left_out(fitted, target, posterior, best.beta)?;
            (analysis.calibration, analysis.observations) = (calibration, observations);
        }
    }
    Ok(analysis)
}

/// How near the fit comes: `total` is Σ(y − ȳ)², or Σy² without an intercept.
fn quality(fitted: &Fitted<'_>, analysis: &Analysis, residual: f64, total: f64) -> Quality {
    let weight = fitted.model.weight();
    // The errors of rows left out are those of one λ for all columns.
    let comparison = &analysis.comparison;
    let at_choice = comparison
        .curves
        .iter()
        .find(|curve| curve.criterion == Criterion::LeaveOneOut && analysis.groups.is_empty())
        .and_then(|curve| {
            let mut choices = comparison.choices.iter();
            let choice = choices.find(|choice| choice.criterion == analysis.chosen_by)?;
            match choice.criterion == curve.criterion {
                true => Some(choice.error),
                false => curve.values.get(choice.index).copied(),
            }
        });
    Quality {
        r_squared: Some(1.0 - residual / total),
        r_squared_left_out: at_choice.map(|error| 1.0 - error * weight / total),
        root_mean_squared_error: Some((residual / weight).sqrt()),
        ..Quality::default()
    }
}

/// λ from where the prior is hardly noticed to where it leaves nothing, around the choice and
/// through it.
fn lambdas(evidence: &Evidence, maximum: &Maximum, points: usize) -> Vec<f64> {
    let grid = evidence.grid(2);
    let (mut low, mut high) = (grid[0], grid[1]);
    let best = maximum.point.lambda;
    let is_inner = best.is_finite() && best > 0.0;
    if is_inner {
        let (from, to) = maximum.interval.unwrap_or((best, best));
        low = low.min(from / BEYOND);
        high = high.max(to * BEYOND);
    }
    let step = (high / low).ln() / (points - 1) as f64;
    let mut lambdas: Vec<f64> = (0..points).map(|i| low * (step * i as f64).exp()).collect();
    if is_inner {
        let place = lambdas.partition_point(|lambda| *lambda < best);
        if lambdas.get(place) != Some(&best) {
            lambdas.insert(place, best);
        }
    }
    lambdas
}

/// Posterior standard deviations of the coefficients.
fn deviations(fitted: &Fitted<'_>, posterior: &Posterior) -> Vec<f64> {
    let mut deviations = posterior.standard_deviations();
    if fitted.options.intercept != Intercept::Absent {
        without_constant(&mut deviations, &fitted.model.columns().constant);
    }
    deviations
}

/// Whether the columns fit this target exactly for no other reason than that they are as many as
/// the rows; with sums of rows there is nothing that could stand in for the evidence.
fn fits_any_target(fitted: &Fitted<'_>, evidence: &Evidence, maximum: &Maximum) -> bool {
    let intercept = usize::from(fitted.options.intercept != Intercept::Absent);
    let has_rows = fitted.source.sums.is_none();
    let fits_any = (evidence.rank() + intercept) as f64 >= fitted.model.rows();
    maximum.outcome == Outcome::Noiseless && has_rows && fits_any
}

/// What the outcome asks to be said; `exact` where as many columns as rows fit any target.
fn notes(fitted: &Fitted<'_>, maximum: &Maximum, exact: Option<String>) -> Vec<String> {
    let mut notes = Vec::new();
    match maximum.outcome {
        Outcome::Found => {}
        Outcome::NoSignal => notes.push(
            "The evidence rises all the way to λ → ∞: by a linear model these columns say nothing \
             of the target, and every coefficient is 0."
                .to_owned(),
        ),
        Outcome::Noiseless if exact.is_some() => notes.extend(exact),
        Outcome::Noiseless => notes.push(
            "The columns fit the target exactly: there is no noise to weigh a prior against, and \
             λ → 0. The coefficients are those of least norm."
                .to_owned(),
        ),
    }
    if fitted.options.intercept == Intercept::Integrated && fitted.request.intercept.is_none() {
        notes.push(
            "There are as many columns as rows: the intercept is integrated out and takes one \
             degree of freedom."
                .to_owned(),
        );
    }
    notes
}

/// What is said where as many columns as rows fit any target; `best` is the point that was chosen.
fn exact_by_number(maximum: &Maximum, best: &Point, points: &[Point]) -> String {
    const EXACT: &str = "As many columns as rows fit any target exactly, whatever they say of it, \
                         and the evidence rises all the way to λ → 0.";
    let highest = maximum.point.log_evidence;
    if best.lambda == 0.0 {
        let flat = points.iter().rfind(|point| highest - point.log_evidence < UNDECIDED);
        let flat = flat.map(|point| {
            let lambda = short(rounded(point.lambda));
            format!(" Up to λ = {lambda} it is less than a nat lower, which decides nothing.")
        });
        return format!(
            "{EXACT}{} By leave-one-out the best λ lies at the edge of the path too. The \
             coefficients are those of least norm.",
            flat.unwrap_or_default()
        );
    }
    let lead = highest - best.log_evidence;
    let weight = match lead < UNDECIDED {
        true => ", which decides nothing",
        false => "",
    };
    format!(
        "{EXACT} There it is {} nats above its value at λ = {}{weight}. λ is that of the least \
         error by leave-one-out.",
        measured(lead),
        short(rounded(best.lambda))
    )
}
