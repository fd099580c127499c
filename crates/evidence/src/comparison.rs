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
    /// What.
    pub lambda: f64,
    /// The place of that λ in the list.
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
        let choices = curves
            .iter()
            .map(|chooser| {
                let index = chooser.best();
                let standard_error = chooser.standard_errors.get(index).copied();
                let within_error = standard_error.and_then(|error| {
                    let most = chooser.loss(index) + error;
                    let within =
                        (0..lambdas.len()).rev().find(|&other| chooser.loss(other) <= most);
                    within.map(|other| lambdas[other])
                });
                Choice {
                    criterion: chooser.criterion,
                    lambda: lambdas[index],
                    index,
                    error: chooser.values[index],
                    standard_error,
                    within_error,
                    at_edge: index == 0 || index + 1 == lambdas.len(),
                    costs: curves.iter().map(|curve| curve.cost(index)).collect(),
                }
            })
            .collect();
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

    /// How much worse the value at `index` is than the best.
    fn cost(&self, index: usize) -> f64 {
        let (best, here) = (self.loss(self.best()), self.loss(index));
        if here == best {
            return 0.0;
        }
        match self.measure {
            Measure::SquaredError => here / best - 1.0,
            Measure::LogEvidence | Measure::LogLoss => here - best,
        }
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
        assert_eq!(evidence.costs, [0.0, 0.5, 0.125]);
        assert_eq!(leave_one_out.lambda, 10.0);
        assert_eq!(leave_one_out.costs, [1.0, 0.0, 0.125]);
        assert_eq!((hold_out.lambda, hold_out.at_edge), (100.0, true));
        assert_eq!(hold_out.costs, [4.0, 2.0, 0.0]);
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
