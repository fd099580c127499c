//! One table under every λ: what a person sees who moves λ.
//!
//! The whole table gives evidence, leave-one-out and folds along λ. A sample D₁ drawn from the
//! lower part of a column gives maximum likelihood (λ = 0) and the posterior mode at λ, whose
//! errors are taken on the sample itself, on the fresh rows that were not drawn, and on D₂: the
//! rows with the largest values of that column, which no sample ever has.

use serde::Serialize;
use wd_evidence::fit::dealt;
use wd_evidence::{
    CrossValidation, Gaussian, LeaveOneOut, Mat, Maximum, Options, Point, cross_validate,
};

use super::shipped;
use super::simulation::{Population, Table, curve};
use crate::StudyError;

/// Values of λ along the path.
const POINTS: usize = 160;
/// Folds of cross-validation.
const FOLDS: usize = 10;
/// The share of rows that are D₂.
const SHIFTED_SHARE: f64 = 1.0 / 3.0;
/// Above this many rows times columns a path is not drawn while a slider moves.
pub const MOST_NUMBERS: usize = 4_000_000;

/// A table with a linear model at every λ.
#[derive(Debug)]
pub struct LambdaPath {
    /// What it is called.
    pub name: String,
    /// What is explained.
    pub target: String,
    /// The columns.
    pub columns: Vec<String>,
    /// λ along the path, ascending.
    pub lambdas: Vec<f64>,
    /// What follows from each λ.
    pub points: Vec<Point>,
    /// Standardised coefficients: p × number of λ.
    pub coefficients: Mat<f64>,
    /// Mean squared error of a row left out, at each λ.
    pub leave_one_out: Vec<f64>,
    /// Of ten folds, at each λ.
    pub folds: CrossValidation,
    /// The λ of highest evidence.
    pub best: Maximum,
    model: Gaussian,
    table: Table,
}

/// What one λ means for the table, and for a sample of it.
#[derive(Debug, Clone, Serialize)]
pub struct AtLambda {
    /// λ and all that follows from it on the whole table.
    pub point: Point,
    /// Standardised coefficients at λ.
    pub standardized: Vec<f64>,
    /// Standardised coefficients at λ = 0: maximum likelihood, of least norm where the table leaves
    /// it open.
    pub unpenalized: Vec<f64>,
    /// The share of the target's variance that is explained.
    pub explained: f64,
    /// The sample.
    pub sample: SampleErrors,
}

/// Mean squared errors of what one sample teaches, in units of the target's variance.
#[derive(Debug, Clone, Serialize)]
pub struct SampleErrors {
    /// Rows drawn.
    pub rows: usize,
    /// λ along the path.
    pub lambdas: Vec<f64>,
    /// On D₁ itself.
    pub training: Vec<f64>,
    /// On rows like it.
    pub fresh: Vec<f64>,
    /// On D₂.
    pub shifted: Vec<f64>,
    /// Of maximum likelihood: on D₁, on fresh rows, on D₂.
    pub maximum_likelihood: [f64; 3],
    /// The same at λ.
    pub at_lambda: [f64; 3],
}

/// What is drawn from the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draw {
    /// Rows of D₁.
    pub rows: usize,
    /// Which draw.
    pub seed: u64,
    /// The column by which D₂ is cut off.
    pub shifted_by: usize,
}

impl LambdaPath {
    /// The shipped table: 442 patients with diabetes.
    ///
    /// # Errors
    /// A program that was built with a damaged table.
    pub fn shipped() -> Result<Self, StudyError> {
        let shipped::Shipped { table, columns, .. } = shipped::diabetes()?;
        Self::of("diabetes", "disease progression", columns, table)
    }

    /// A table with one target.
    ///
    /// # Errors
    /// A table without rows, columns or signal that [`Gaussian::from_rows`] refuses.
    pub fn of(
        name: &str,
        target: &str,
        columns: Vec<String>,
        table: Table,
    ) -> Result<Self, StudyError> {
        let options = Options::default();
        let (x, y) = (table.x.as_ref(), table.y.as_ref());
        let model = Gaussian::from_rows(x, y, None, options)?;
        let evidence = model.evidence(0)?;
        let lambdas = evidence.grid(POINTS);
        let mut leave_one_out = LeaveOneOut::new(&model, 0, &lambdas)?;
        leave_one_out.add(x, y, None)?;
        let leave_one_out = leave_one_out.mean_squared_errors();
        // As the rows of a file are dealt where nobody has named a seed.
        let folds = dealt(x, y, FOLDS, 0)?;
        Ok(LambdaPath {
            name: name.to_owned(),
            target: target.to_owned(),
            columns,
            points: evidence.path(&lambdas),
            coefficients: model.coefficient_path(0, &lambdas)?,
            leave_one_out,
            folds: cross_validate(&folds, options, 0, &lambdas)?,
            best: evidence.maximum(),
            lambdas,
            model,
            table,
        })
    }

    /// Rows of the table.
    pub fn rows(&self) -> usize {
        self.table.rows()
    }

    /// The most rows that D₁ can have: some must be left that it has not seen.
    pub fn most_drawn(&self) -> usize {
        let kept = ((1.0 - SHIFTED_SHARE) * self.rows() as f64).round() as usize;
        kept.saturating_sub(2).max(2)
    }

    /// The place on the path of the λ with the least of some errors.
    pub fn least(&self, errors: &[f64]) -> Option<usize> {
        let finite = errors.iter().enumerate().filter(|(_, error)| error.is_finite());
        finite.min_by(|a, b| a.1.total_cmp(b.1)).map(|(place, _)| place)
    }

    /// What λ > 0 means for the table, and for a sample of it.
    ///
    /// # Errors
    /// A λ that is none; a column by which the table cannot be cut; a sample that cannot be fitted.
    pub fn at(&self, lambda: f64, draw: Draw) -> Result<AtLambda, StudyError> {
        let fit = self.model.fit(0, lambda)?;
        let unpenalized = self.model.fit(0, 0.0)?.standardized_coefficients;
        let unit = self.table.target_variance();
        let (pool, shifted) = self.table.split_at_the_top(draw.shifted_by, SHIFTED_SHARE)?;
        let population = Population::Rows { pool, shifted };
        let rows = draw.rows.clamp(2, self.most_drawn());
        // Every second λ of the path is enough for a curve; 0 and λ itself are judged on the same
        // draw.
        let drawn = self.lambdas.iter().step_by(2).copied();
        let mut lambdas: Vec<f64> = drawn.collect();
        let along = lambdas.len();
        lambdas.extend([0.0, lambda]);
        let errors = curve(&population, rows, draw.seed, &lambdas)?;
        let [training, fresh, shifted] =
            errors.map(|of| of.into_iter().map(|error| error / unit).collect::<Vec<f64>>());
        let three = |place: usize| [training[place], fresh[place], shifted[place]];
        let (maximum_likelihood, at_lambda) = (three(along), three(along + 1));
        let cut = |mut of: Vec<f64>| {
            of.truncate(along);
            of
        };
        lambdas.truncate(along);
        Ok(AtLambda {
            explained: 1.0 - fit.point.residual_sum_of_squares / (unit * self.table.rows() as f64),
            point: fit.point,
            standardized: fit.standardized_coefficients,
            unpenalized,
            sample: SampleErrors {
                rows,
                lambdas,
                training: cut(training),
                fresh: cut(fresh),
                shifted: cut(shifted),
                maximum_likelihood,
                at_lambda,
            },
        })
    }
}
