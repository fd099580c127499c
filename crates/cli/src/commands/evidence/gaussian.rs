//! The Gaussian family: from sums, in one pass; rows are read again only for what needs them.

use wd_data::table::Findings;
use wd_evidence::comparison::{Comparison, Criterion, Curve, Measure};
use wd_evidence::gaussian::{LeaveOneOut, Outcome};
use wd_evidence::{
    Evidence, EvidenceError, Gaussian, Intercept, MatRef, Maximum, Options, Posterior, Statistics,
    cross_validate, cross_validate_rows, grouped,
};

use wd_evidence::page::CoefficientPath;

use super::analysis::{Analysis, Group, Output, PathPoint};
use super::calibration::IntervalCounts;
use super::conventions::{Fitted, conventions};
use super::criteria::Grouping;
use super::load::{Content, Loaded, Source, merged};
use super::model::Predictor;
use super::{Family, Request};
use crate::diagnostics::CommandError;

/// Coefficients drawn along the path: more lines than these cannot be told apart.
const DRAWN: usize = 10;
/// Decompositions that the search for group precisions may take.
const GROUP_ITERATIONS: usize = 2000;

/// Fits every target of a table.
pub(super) fn fit(
    source: &Source<'_>,
    request: &Request,
) -> Result<(Vec<Analysis>, Findings), CommandError> {
    let groups = request.groups.resolve(source.design)?;
    let loaded = source.sums(request.criteria.folds, request.seed)?;
    let options = request.options(loaded.findings.rows, source.design.width());
    let whole = match &loaded.content {
        Content::Sums(folds) => Some(merged(folds)?),
        Content::Rows(_) => None,
    };
    let model = named(
        source,
        match (&whole, &loaded.content) {
            (Some(statistics), _) => Gaussian::from_statistics(statistics, options),
            (None, Content::Rows(rows)) => {
                Gaussian::from_rows(rows.x(), rows.y(), rows.weights(), options)
            }
            (None, Content::Sums(_)) => unreachable!("sums are always merged"),
        },
    )?;
    let fit =
        Fit { source, request, options, loaded: &loaded, whole: whole.as_ref(), model: &model };
    let analyses = (0..source.design.targets.len())
        .map(|target| fit.target(target, groups.as_ref()))
        .collect::<Result<_, _>>()?;
    Ok((analyses, loaded.findings))
}

/// Names the column or target that an error of the mathematics counts from 0.
fn named<T>(source: &Source<'_>, result: Result<T, EvidenceError>) -> Result<T, CommandError> {
    result.map_err(|error| {
        let place = |what: &str, index: usize| match what {
            "target" => source.design.targets.get(index).map(|target| target.name.clone()),
            _ => source.design.columns().get(index).cloned(),
        };
        let (name, problem) = match &error {
            EvidenceError::ConstantTarget { target } => (
                place("target", *target),
                "the target is the same in every row: there is nothing to explain, and no λ to find",
            ),
            EvidenceError::Scale { what, column, .. } => (
                place(what, *column),
                "its squares overflow or vanish: give it in another unit",
            ),
            _ => (None, ""),
        };
        match name {
            Some(name) => CommandError::usage(
                format!("{}, column `{name}`: {problem}", source.name()),
                "see --drop and --target",
            ),
            None => error.into(),
        }
    })
}

/// One model of a table.
struct Fit<'a> {
    source: &'a Source<'a>,
    request: &'a Request,
    options: Options,
    loaded: &'a Loaded,
    /// Sums of the whole table, where it is not held as rows.
    whole: Option<&'a Statistics>,
    model: &'a Gaussian,
}

impl Fit<'_> {
    fn target(&self, target: usize, groups: Option<&Grouping>) -> Result<Analysis, CommandError> {
        let evidence = named(self.source, self.model.evidence(target))?;
        if evidence.degrees_of_freedom() <= 1.0 {
            // With ν = 1 and R₀ = 0, E = λz²/(s(s + λ)): its share and the determinant's cancel at every λ.
            return Err(CommandError::usage(
                format!(
                    "{}: one degree of freedom is left, and the evidence is the same for every λ",
                    self.source.name()
                ),
                "give more rows: the evidence needs two degrees of freedom, which is three rows with an integrated intercept",
            ));
        }
        let maximum = evidence.maximum();
        let best = maximum.point.lambda;
        let lambdas = path_of(&evidence, &maximum, self.request.points);
        let points = evidence.path(&lambdas);
        let rows = self.model.rows();
        let weight = self.weight();
        let path: Vec<PathPoint> = points
            .iter()
            .map(|point| PathPoint {
                lambda: point.lambda,
                log_evidence: point.log_evidence,
                effective_parameters: point.effective_parameters,
                squared_norm: point.squared_norm,
                training_error: point.residual_sum_of_squares / weight,
            })
            .collect();
        let mut curves = vec![curve(
            Criterion::Evidence,
            Measure::LogEvidence,
            points.iter().map(|point| point.log_evidence).collect(),
        )];
        if self.request.criteria.generalized {
            let values = points.iter().map(|point| point.generalized_cross_validation);
            curves.push(curve(
                Criterion::GeneralizedCrossValidation,
                Measure::SquaredError,
                values.collect(),
            ));
        }
        curves.extend(self.errors(target, &lambdas)?);
        let comparison = Comparison::new(lambdas, curves)?;

        let fit = named(self.source, self.model.fit(target, best))?;
        let posterior = match best > 0.0 {
            true => Some(self.model.posterior(target, best)?),
            false => None,
        };
        let predictor = match &posterior {
            Some(posterior) => Predictor::Gaussian(Box::new(posterior.clone())),
            None => Predictor::Linear {
                intercept: fit.intercept,
                coefficients: fit.coefficients.clone(),
            },
        };
        let columns = self.source.design.columns();
        let mut analysis = Analysis {
            target: self.source.design.targets[target].name.clone(),
            family: Family::Gaussian,
            rows,
            lambda: best,
            interval: maximum.interval,
            outcome: maximum.outcome,
            alpha: maximum.point.alpha,
            beta: maximum.point.beta,
            log_evidence: maximum.point.log_evidence,
            effective_parameters: maximum.point.effective_parameters,
            rank: evidence.rank(),
            path,
            comparison,
            outputs: vec![Output {
                class: None,
                intercept: fit.intercept,
                coefficients: fit.coefficients,
                standardized: fit.standardized_coefficients,
                deviations: posterior
                    .as_ref()
                    .map_or_else(Vec::new, Posterior::standard_deviations),
            }],
            groups: Vec::new(),
            conventions: conventions(&Fitted {
                family: Family::Gaussian,
                lambda: best,
                beta: maximum.point.beta,
                rows: weight,
                target_deviation: self.target_deviation(target),
                standardize: self.options.standardize,
            }),
            coefficient_paths: Vec::new(),
            calibration: None,
            notes: self.notes(&maximum),
            predictor,
            columns,
        };
        if let Some(groups) = groups {
            self.regroup(&mut analysis, target, groups)?;
        }
        if self.request.report {
            analysis.coefficient_paths = self.coefficient_paths(&analysis, target)?;
            if let (Some(posterior), true) = (&posterior, groups.is_none()) {
                analysis.calibration = self.calibration(target, posterior, analysis.beta)?;
            }
        }
        Ok(analysis)
    }

    /// Σw.
    fn weight(&self) -> f64 {
        match (&self.loaded.content, self.whole) {
            (_, Some(statistics)) => statistics.weight(),
            (Content::Rows(rows), None) => {
                rows.weights().map_or(rows.count as f64, |weights| weights.iter().sum())
            }
            (Content::Sums(_), None) => 0.0,
        }
    }

    fn target_deviation(&self, target: usize) -> f64 {
        match (&self.loaded.content, self.whole) {
            (_, Some(statistics)) => {
                let index = statistics.columns() + target;
                (statistics.centred_product(index, index) / statistics.weight()).sqrt()
            }
            (Content::Rows(rows), None) => {
                let weight = |row: usize| rows.weights().map_or(1.0, |weights| weights[row]);
                let y = rows.y();
                let total = self.weight();
                let mean =
                    (0..rows.count).map(|row| weight(row) * y[(row, target)]).sum::<f64>() / total;
                let squares = (0..rows.count)
                    .map(|row| weight(row) * (y[(row, target)] - mean).powi(2))
                    .sum::<f64>();
                (squares / total).sqrt()
            }
            (Content::Sums(_), None) => f64::NAN,
        }
    }

    /// Criteria that need more than the whole table's sums.
    fn errors(&self, target: usize, lambdas: &[f64]) -> Result<Vec<Curve>, CommandError> {
        let criteria = &self.request.criteria;
        let mut curves = Vec::new();
        if criteria.leave_one_out {
            let mut errors = LeaveOneOut::new(self.model, target, lambdas)?;
            self.for_each_row_block(|x, y, weights| Ok(errors.add(x, y, weights)?))?;
            curves.push(curve(
                Criterion::LeaveOneOut,
                Measure::SquaredError,
                errors.mean_squared_errors(),
            ));
        }
        if criteria.folds > 0 {
            let folds = criteria.folds;
            let found = match &self.loaded.content {
                Content::Sums(sums) => cross_validate(sums, self.options, target, lambdas)?,
                Content::Rows(rows) => {
                    let fold_of: Vec<usize> = wd_data::table::Folds::new(folds, self.request.seed)
                        .take(rows.count)
                        .collect();
                    cross_validate_rows(
                        rows.x(),
                        rows.y(),
                        rows.weights(),
                        &fold_of,
                        self.options,
                        target,
                        lambdas,
                    )?
                }
            };
            curves.push(Curve {
                criterion: Criterion::CrossValidation { folds },
                measure: Measure::SquaredError,
                values: found.mean_squared_errors,
                standard_errors: found.standard_errors,
            });
        }
        if let Some(path) = &criteria.hold_out {
            let source = self.source.at(path);
            let values = match source.sums(0, 0)?.content {
                Content::Sums(sums) => self.model.held_out(target, &sums[0], lambdas)?,
                Content::Rows(rows) => {
                    self.model.held_out_rows(target, rows.x(), rows.y(), rows.weights(), lambdas)?
                }
            };
            curves.push(curve(Criterion::HoldOut, Measure::SquaredError, values));
        }
        Ok(curves)
    }

    /// The rows of the table, from memory or read again.
    fn for_each_row_block(
        &self,
        mut use_rows: impl FnMut(
            MatRef<'_, f64>,
            MatRef<'_, f64>,
            Option<&[f64]>,
        ) -> Result<(), CommandError>,
    ) -> Result<(), CommandError> {
        if let Content::Rows(rows) = &self.loaded.content {
            return use_rows(rows.x(), rows.y(), rows.weights());
        }
        let (p, k) = (self.source.design.width(), self.source.design.targets.len());
        self.source.for_each_block(|block| {
            let x = MatRef::from_row_major_slice(block.values, block.rows, p);
            let y = MatRef::from_row_major_slice(block.targets, block.rows, k);
            use_rows(x, y, block.weights)
        })?;
        Ok(())
    }

    /// What the outcome asks to be said.
    fn notes(&self, maximum: &Maximum) -> Vec<String> {
        let mut notes = Vec::new();
        match maximum.outcome {
            Outcome::Found => {}
            Outcome::NoSignal => notes.push(
                "The evidence rises all the way to λ → ∞: by a linear model these columns say nothing of the target, and every coefficient is 0."
                    .to_owned(),
            ),
            Outcome::Noiseless => notes.push(
                "The columns fit the target exactly: there is no noise to weigh a prior against, and λ → 0. The coefficients are those of least norm."
                    .to_owned(),
            ),
        }
        if self.options.intercept == Intercept::Integrated && self.request.intercept.is_none() {
            notes.push(
                "There are as many columns as rows: the intercept is integrated out and takes one degree of freedom (--intercept integrated)."
                    .to_owned(),
            );
        }
        notes
    }

    /// Replaces the fit with one λ by that with a λ for each group.
    fn regroup(
        &self,
        analysis: &mut Analysis,
        target: usize,
        Grouping { names, group_of }: &Grouping,
    ) -> Result<(), CommandError> {
        let from_rows;
        let statistics = match (self.whole, &self.loaded.content) {
            (Some(statistics), _) => statistics,
            (None, Content::Rows(rows)) => {
                from_rows = rows.statistics()?;
                &from_rows
            }
            (None, Content::Sums(_)) => unreachable!("sums are always merged"),
        };
        let found = named(
            self.source,
            grouped(statistics, target, group_of, self.options, GROUP_ITERATIONS),
        )?;
        let one = analysis.log_evidence;
        analysis.notes.push(format!(
            "A λ for each of {} raises the log evidence by {:.2} nats over one λ for all ({}); curves and criteria are those of the one λ.",
            crate::text::counted(names.len() as u64, "group"),
            found.log_evidence - one,
            wd_page::number::short(analysis.lambda)
        ));
        analysis.groups = names
            .iter()
            .enumerate()
            .map(|(group, name)| Group {
                name: name.clone(),
                columns: group_of
                    .iter()
                    .zip(&analysis.columns)
                    .filter(|(of, _)| **of == group)
                    .map(|(_, column)| column.clone())
                    .collect(),
                lambda: found.lambdas[group],
                alpha: found.alphas[group],
                effective_parameters: found.effective_parameters[group],
            })
            .collect();
        analysis.beta = found.beta;
        analysis.log_evidence = found.log_evidence;
        analysis.effective_parameters = found.effective_parameters.iter().sum();
        analysis.conventions.clear();
        analysis.predictor = Predictor::Linear {
            intercept: found.intercept,
            coefficients: found.coefficients.clone(),
        };
        analysis.outputs = vec![Output {
            class: None,
            intercept: found.intercept,
            coefficients: found.coefficients,
            standardized: found.standardized_coefficients,
            deviations: Vec::new(),
        }];
        Ok(())
    }

    /// The largest coefficients along the path.
    fn coefficient_paths(
        &self,
        analysis: &Analysis,
        target: usize,
    ) -> Result<Vec<CoefficientPath>, CommandError> {
        let lambdas = &analysis.comparison.lambdas;
        let path = self.model.coefficient_path(target, lambdas)?;
        Ok(analysis
            .by_size(&analysis.outputs[0])
            .into_iter()
            .take(DRAWN)
            .map(|column| {
                let points = lambdas
                    .iter()
                    .enumerate()
                    .map(|(place, lambda)| (*lambda, path[(column, place)]));
                CoefficientPath { name: analysis.columns[column].clone(), points: points.collect() }
            })
            .collect())
    }

    /// How often predictive intervals hold rows that were left out: each in turn, or those of the hold-out.
    fn calibration(
        &self,
        target: usize,
        posterior: &Posterior,
        beta: f64,
    ) -> Result<Option<wd_evidence::page::Calibration>, CommandError> {
        if !beta.is_finite() {
            return Ok(None);
        }
        let mut counts = IntervalCounts::default();
        if let Some(path) = &self.request.criteria.hold_out {
            let (p, k) = (self.source.design.width(), self.source.design.targets.len());
            self.source.at(path).for_each_block(|block| {
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
        if !self.source.has_rows() {
            return Ok(None);
        }
        self.for_each_row_block(|x, y, weights| {
            for (row, predicted) in posterior.predict(x)?.iter().enumerate() {
                let weight = weights.map_or(1.0, |weights| weights[row]);
                // h = w(variance·β − 1) is the row's leverage; left out, its error is e/(1 − h), of variance 1/(βw(1 − h)).
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
}

/// λ from where the prior is hardly noticed to where it leaves nothing, around the choice and through it.
fn path_of(evidence: &Evidence, maximum: &Maximum, points: usize) -> Vec<f64> {
    /// How far the path goes beyond the interval of λ: far enough to see the evidence fall.
    const BEYOND: f64 = 10.0;
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

fn curve(criterion: Criterion, measure: Measure, values: Vec<f64>) -> Curve {
    Curve { criterion, measure, values, standard_errors: Vec::new() }
}
