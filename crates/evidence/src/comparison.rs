//! Which λ each criterion chooses, and what that choice costs by the others.

use serde::Serialize;

use crate::EvidenceError;

/// What a λ is chosen by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Criterion {
    /// The log evidence, to be as high as possible.
    Evidence,
    /// The error of each row by the fit to all others.
    LeaveOneOut,
    /// Golub, Heath & Wahba's approximation to it, which no rotation of the rows changes.
    GeneralizedCrossValidation,
    /// The error of each of K folds by the fit to the others.
    CrossValidation {
        /// K.
        folds: usize,
    },
    /// The error on rows that no fit has seen.
    HoldOut,
}

impl Criterion {
    /// The name in tables and keys.
    pub fn name(self) -> String {
        match self {
            Criterion::Evidence => "evidence".to_owned(),
            Criterion::LeaveOneOut => "leave-one-out".to_owned(),
            Criterion::GeneralizedCrossValidation => "GCV".to_owned(),
            Criterion::CrossValidation { folds } => format!("{folds}-fold CV"),
            Criterion::HoldOut => "hold-out".to_owned(),
        }
    }
}

/// In what a criterion is measured, and so how two of its values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// ln p(y | λ) in nats: a cost is a difference.
    LogEvidence,
    /// Mean squared error: a cost is a ratio less 1.
    SquaredError,
    /// Mean negative log likelihood of a row in nats: a cost is a difference.
    LogLoss,
}

/// A criterion at every λ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Curve {
    /// What is measured.
    pub criterion: Criterion,
    /// In which unit.
    pub measure: Measure,
    /// Its value at each λ.
    pub values: Vec<f64>,
    /// Standard error of each value; empty where there is none.
    pub standard_errors: Vec<f64>,
}

/// The λ that a criterion prefers among those compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Choice {
    /// Who chooses.
    pub criterion: Criterion,
    /// What: of an inner optimum the minimum of the polynomial in ln λ through the points around
    /// it. The maximum of the evidence is a point of the list by itself.
    pub lambda: f64,
    /// The place of the nearest best λ in the list.
    pub index: usize,
    /// Whether it is the first or last λ of the list: the true choice may lie beyond.
    pub at_edge: bool,
    /// Its value there, by the criterion's own measure.
    pub error: f64,
    /// The standard error of that value, over folds.
    pub standard_error: Option<f64>,
    /// The largest λ whose error is within one standard error of the least: as good as can be told,
    /// and the simplest model.
    pub within_error: Option<f64>,
    /// What it costs by each criterion, in the order of the curves and in their measures; 0 by its
    /// own.
    pub costs: Vec<f64>,
}

/// Criteria side by side over one list of λ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// λ, ascending.
    pub lambdas: Vec<f64>,
    /// The criteria.
    pub curves: Vec<Curve>,
    /// What each of them chooses.
    pub choices: Vec<Choice>,
}

impl Comparison {
    /// Compares criteria over ascending λ.
    ///
    /// # Errors
    /// [`EvidenceError::Empty`] without a λ; [`EvidenceError::Shape`] for a curve of another
    /// length.
    pub fn new(lambdas: Vec<f64>, curves: Vec<Curve>) -> Result<Comparison, EvidenceError> {
        if lambdas.is_empty() {
            return Err(EvidenceError::Empty("values of λ"));
        }
        if let Some(curve) = curves.iter().find(|curve| curve.values.len() != lambdas.len()) {
            return Err(EvidenceError::Shape {
                what: "values of a curve",
                given: curve.values.len(),
                expected: lambdas.len(),
            });
        }
        let choices = curves.iter().map(|chooser| chooser.choice(&lambdas, &curves)).collect();
        Ok(Comparison { lambdas, curves, choices })
    }
}

impl Curve {
    /// Values without standard errors.
    pub fn new(criterion: Criterion, measure: Measure, values: Vec<f64>) -> Curve {
        Curve { criterion, measure, values, standard_errors: Vec::new() }
    }

    /// Place of the best value; of equally good ones the largest λ, which is the simplest model.
    fn best(&self) -> usize {
        let mut best = self.values.len() - 1;
        for index in (0..best).rev() {
            if self.loss(index) < self.loss(best) {
                best = index;
            }
        }
        best
    }

    /// The value, turned so that less is better.
    fn loss(&self, index: usize) -> f64 {
        let value = match self.measure {
            Measure::LogEvidence => -self.values[index],
            Measure::SquaredError | Measure::LogLoss => self.values[index],
        };
        if value.is_nan() { f64::INFINITY } else { value }
    }

    /// What it prefers among these λ, with what that costs by each curve.
    fn choice(&self, lambdas: &[f64], curves: &[Curve]) -> Choice {
        let index = self.best();
        let standard_error = self.standard_errors.get(index).copied();
        let within_error = standard_error.and_then(|error| {
            let most = self.loss(index) + error;
            let within = (0..lambdas.len()).rev().find(|&other| self.loss(other) <= most);
            within.map(|other| lambdas[other])
        });
        let (lambda, error) = self.optimum(lambdas, index);
        Choice {
            criterion: self.criterion,
            lambda,
            index,
            error,
            standard_error,
            within_error,
            at_edge: index == 0 || index + 1 == lambdas.len(),
            costs: curves.iter().map(|curve| curve.cost(lambdas, index, lambda)).collect(),
        }
    }

    /// The best λ, and the value there: the minimum of the polynomial in ln λ through the points
    /// around the best of the list.
    fn optimum(&self, lambdas: &[f64], index: usize) -> (f64, f64) {
        let on_list = (lambdas[index], self.values[index]);
        if self.measure == Measure::LogEvidence {
            return on_list;
        }
        let Some(local) = Local::around(lambdas, &self.values, index) else {
            return on_list;
        };
        match local.lowest() {
            Some(place) => (lambdas[index] * place.exp(), local.at(place)),
            None => on_list,
        }
    }

    /// How much worse the value at λ, near the place `index` of the list, is than the best.
    fn cost(&self, lambdas: &[f64], index: usize, lambda: f64) -> f64 {
        let (best_lambda, best_value) = self.optimum(lambdas, self.best());
        let turned = |value: f64| if self.measure == Measure::LogEvidence { -value } else { value };
        let local = Local::around(lambdas, &self.values, index);
        let here = match local.filter(|_| lambda != lambdas[index]) {
            Some(local) => turned(local.at((lambda / lambdas[index]).ln())),
            None => self.loss(index),
        };
        let best = turned(best_value);
        if here <= best || lambda == best_lambda {
            return 0.0;
        }
        match self.measure {
            Measure::SquaredError => here / best - 1.0,
            Measure::LogEvidence | Measure::LogLoss => here - best,
        }
    }
}

/// The polynomial in t = ln λ through up to five points of a curve around one of them, from which t
/// is counted.
struct Local {
    points: Vec<(f64, f64)>,
    /// The points beside the middle one.
    range: (f64, f64),
}

impl Local {
    /// Through the points around a place of a curve; nothing at its ends, or beside what is no
    /// number.
    fn around(lambdas: &[f64], values: &[f64], index: usize) -> Option<Local> {
        let (before, after) = (index.checked_sub(1)?, index + 1);
        let from = |other: usize| (lambdas[other] / lambdas[index]).ln();
        if after >= lambdas.len() || !values[before..=after].iter().all(|value| value.is_finite()) {
            return None;
        }
        let all = index.saturating_sub(2)..(index + 3).min(lambdas.len());
        let points = all.filter(|other| values[*other].is_finite());
        let points = points.map(|other| (from(other), values[other])).collect();
        Some(Local { points, range: (from(before), from(after)) })
    }

    /// Where it is lowest between the points beside the middle one, by halving: it falls to its
    /// minimum and rises behind it.
    fn lowest(&self) -> Option<f64> {
        let (mut low, mut high) = self.range;
        for _ in 0..100 {
            let third = (high - low) / 3.0;
            match self.at(low + third) < self.at(high - third) {
                true => high -= third,
                false => low += third,
            }
        }
        let place = 0.5 * (low + high);
        (self.at(place) < self.at(0.0)).then_some(place)
    }

    /// Its value, by Neville's scheme.
    fn at(&self, place: f64) -> f64 {
        let mut values: Vec<f64> = self.points.iter().map(|(_, value)| *value).collect();
        for order in 1..values.len() {
            for index in 0..values.len() - order {
                let (left, right) = (self.points[index].0, self.points[index + order].0);
                values[index] = ((place - right) * values[index]
                    + (left - place) * values[index + 1])
                    / (left - right);
            }
        }
        values[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(criterion: Criterion, measure: Measure, values: &[f64]) -> Curve {
        Curve::new(criterion, measure, values.to_vec())
    }

    #[test]
    fn each_criterion_pays_by_the_others() {
        let comparison = Comparison::new(
            vec![0.1, 1.0, 10.0, 100.0],
            vec![
                curve(Criterion::Evidence, Measure::LogEvidence, &[-9.0, -4.0, -5.0, -8.0]),
                curve(Criterion::LeaveOneOut, Measure::SquaredError, &[4.0, 3.0, 2.0, 6.0]),
                curve(Criterion::HoldOut, Measure::LogLoss, &[0.5, 0.25, 0.25, 0.125]),
            ],
        )
        .expect("three curves");
        let [evidence, leave_one_out, hold_out] = &comparison.choices[..] else {
            panic!("three choices")
        };
        assert_eq!((evidence.lambda, evidence.at_edge), (1.0, false));
        // Leave-one-out is lowest between two points, and below both.
        let least = leave_one_out.error;
        assert!(1.0 < leave_one_out.lambda && leave_one_out.lambda < 10.0 && least < 2.0);
        assert_eq!(evidence.costs, [0.0, 3.0 / least - 1.0, 0.125]);
        assert_eq!(leave_one_out.costs[1], 0.0);
        assert!(0.0 < leave_one_out.costs[0] && leave_one_out.costs[0] < 1.0);
        assert_eq!((hold_out.lambda, hold_out.at_edge), (100.0, true));
        assert_eq!(hold_out.costs, [4.0, 6.0 / least - 1.0, 0.0]);
    }

    #[test]
    fn a_minimum_between_two_points_is_found() {
        let lambdas: Vec<f64> = (0..40).map(|step| (f64::from(step) * 0.2 - 4.0).exp()).collect();
        let error = |lambda: &f64| (lambda.ln() - 0.6087).cosh();
        let values: Vec<f64> = lambdas.iter().map(error).collect();
        let curve = curve(Criterion::LeaveOneOut, Measure::SquaredError, &values);
        let comparison = Comparison::new(lambdas, vec![curve]).expect("a curve");
        let choice = &comparison.choices[0];
        assert!((choice.lambda.ln() - 0.6087).abs() < 1e-4, "{}", choice.lambda);
        assert!((choice.error - 1.0).abs() < 1e-5 && choice.costs == [0.0]);
    }

    #[test]
    fn ties_go_to_the_simpler_model_and_what_is_no_number_never_wins() {
        let values = [f64::NAN, 2.0, 2.0, f64::INFINITY];
        let comparison = Comparison::new(
            vec![1.0, 2.0, 3.0, 4.0],
            vec![curve(Criterion::LeaveOneOut, Measure::SquaredError, &values)],
        )
        .expect("a curve");
        assert_eq!(comparison.choices[0].lambda, 3.0);
        assert_eq!(comparison.choices[0].costs, [0.0]);
        let short = vec![curve(Criterion::HoldOut, Measure::LogLoss, &[1.0])];
        assert!(Comparison::new(vec![1.0, 2.0], short).is_err());
        assert!(Comparison::new(Vec::new(), Vec::new()).is_err());
    }
}
