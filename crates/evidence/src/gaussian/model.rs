//! Which matrix is reduced, from which data.

use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, MatRef};

use super::evidence::{Evidence, Point};
use super::solution::{DualRows, Solution};
use super::spectrum::diagonalize;
use super::tridiagonal::Tridiagonal;
use crate::columns::{Columns, Intercept, Moments, Options, Weights};
use crate::normal_equations::{Frame, NormalEquations, check_count};
use crate::statistics::check_rows;
use crate::{EvidenceError, Statistics, parallelism};

/// A linear model with Gaussian noise, and a Gaussian prior of precision α on each coefficient, for
/// every λ = α/β at once.
///
/// Equals scikit-learn's `Ridge(alpha=λ)` on the columns of `StandardScaler`; its evidence is that
/// of `BayesianRidge` with all four hyper-priors 0.
#[derive(Debug)]
pub struct Gaussian {
    pub(super) intercept: Intercept,
    pub(super) weights: Weights,
    pub(super) columns: Columns,
    pub(super) moments: Moments,
    pub(super) solution: Solution,
    eigenvalues: Vec<f64>,
    /// QᵀX̃ᵀỹ (primal) or Qᵀỹ (dual), a target each; and z.
    pub(super) rotated: Vec<Vec<f64>>,
    projections: Vec<Vec<f64>>,
}

/// Coefficients at one λ.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// λ with evidence, γ and the rest.
    pub point: Point,
    /// In original units: ŷ = intercept + Σ coefficient · x.
    pub coefficients: Vec<f64>,
    /// Of the columns as they enter the model: these are what the prior N(0, 1/α) is on.
    pub standardized_coefficients: Vec<f64>,
    /// ŷ where every column is 0.
    pub intercept: f64,
}

impl Gaussian {
    /// From sums: memory is O(p²), whatever the number of rows.
    ///
    /// # Errors
    /// No rows, no column that varies, or values whose squares leave the range of f64.
    pub fn from_statistics(
        statistics: &Statistics,
        options: Options,
    ) -> Result<Gaussian, EvidenceError> {
        let equations = NormalEquations::of(statistics, options, None)?;
        Gaussian::from_equations(equations, options)
    }

    /// From sums, with the columns' scales given: those of a larger table.
    pub(super) fn with_scales(
        statistics: &Statistics,
        options: Options,
        scales: &[f64],
    ) -> Result<Gaussian, EvidenceError> {
        Gaussian::from_equations(NormalEquations::of(statistics, options, Some(scales))?, options)
    }

    fn from_equations(
        equations: NormalEquations,
        options: Options,
    ) -> Result<Gaussian, EvidenceError> {
        let NormalEquations { gram, cross, columns, moments } = equations;
        Gaussian::reduce(gram, cross, None, columns, moments, options)
    }

    /// From rows in memory: `x` of n × p, `y` of n × k, and a weight a row (1 where there are
    /// none): the variance of the noise of a row is 1/(βw).
    ///
    /// Takes the primal or the dual, whichever matrix is smaller; the results are the same.
    ///
    /// # Errors
    /// As [`Statistics::add`] and [`Gaussian::from_statistics`].
    pub fn from_rows(
        x: MatRef<'_, f64>,
        y: MatRef<'_, f64>,
        weights: Option<&[f64]>,
        options: Options,
    ) -> Result<Gaussian, EvidenceError> {
        if x.ncols() > x.nrows() {
            return Gaussian::dual(x, y, weights, options);
        }
        let mut statistics = Statistics::new(x.ncols(), y.ncols())?;
        statistics.add(x, y, weights)?;
        Gaussian::from_statistics(&statistics, options)
    }

    /// From rows in memory by the n × n matrix X̃X̃ᵀ, whatever the shape.
    ///
    /// # Errors
    /// As [`Gaussian::from_rows`].
    pub fn dual(
        x: MatRef<'_, f64>,
        y: MatRef<'_, f64>,
        weights: Option<&[f64]>,
        options: Options,
    ) -> Result<Gaussian, EvidenceError> {
        Gaussian::dual_with_scales(x, y, weights, options, None)
    }

    /// The dual, with the columns' scales given or its own.
    pub(super) fn dual_with_scales(
        x: MatRef<'_, f64>,
        y: MatRef<'_, f64>,
        weights: Option<&[f64]>,
        options: Options,
        scales: Option<&[f64]>,
    ) -> Result<Gaussian, EvidenceError> {
        check_rows(x, y, weights)?;
        if x.ncols() == 0 || y.ncols() == 0 {
            return Err(EvidenceError::Empty(if x.ncols() == 0 { "columns" } else { "targets" }));
        }
        let moments = Moments::of_rows(x, y, weights).counted_by(options.weights);
        check_count(&moments, options.intercept)?;
        let (p, k) = (x.ncols(), y.ncols());
        let mut columns = Columns::of(&moments, p, options)?;
        if let Some(scales) = scales {
            columns.scales = scales.to_vec();
        }
        // X̃ᵀ and ỹ: a row of data is a contiguous column.
        let mut rows = Mat::zeros(p, moments.rows);
        let mut targets = Mat::zeros(moments.rows, k);
        let mut place = 0;
        for row in 0..x.nrows() {
            let weight = weights.map_or(1.0, |weights| weights[row]);
            if weight > 0.0 {
                let root = weight.sqrt();
                let values = rows.col_as_slice_mut(place);
                columns.standardize_into(x.row(row).iter().copied(), values);
                if options.intercept != Intercept::Absent {
                    columns.constant.iter().for_each(|&column| values[column] = 0.0);
                }
                values.iter_mut().for_each(|value| *value *= root);
                for target in 0..k {
                    let mean = if options.intercept == Intercept::Absent {
                        0.0
                    } else {
                        moments.means[p + target]
                    };
                    targets[(place, target)] = root * (y[(row, target)] - mean);
                }
                place += 1;
            }
        }
        let mut kernel = Mat::zeros(moments.rows, moments.rows);
        triangular::matmul(
            kernel.as_mut(),
            BlockStructure::TriangularLower,
            Accum::Replace,
            rows.transpose(),
            BlockStructure::Rectangular,
            rows.as_ref(),
            BlockStructure::Rectangular,
            1.0,
            parallelism(),
        );
        let positive = (0..x.nrows()).map(|row| weights.map_or(1.0, |weights| weights[row]));
        let positive: Vec<f64> = positive.filter(|weight| *weight > 0.0).collect();
        let share = |weight: &f64| match options.intercept {
            Intercept::Absent => 0.0,
            Intercept::Profiled | Intercept::Integrated => weight / moments.weight,
        };
        let shares = positive.iter().map(share).collect();
        Gaussian::reduce(
            kernel,
            targets,
            Some(DualRows { values: rows, shares, weights: positive }),
            columns,
            moments,
            options,
        )
    }

    fn reduce(
        matrix: Mat<f64>,
        mut right: Mat<f64>,
        rows: Option<DualRows>,
        columns: Columns,
        moments: Moments,
        options: Options,
    ) -> Result<Gaussian, EvidenceError> {
        let reduced = Tridiagonal::of(matrix);
        reduced.rotate(right.as_mut());
        let rotated: Vec<Vec<f64>> =
            (0..right.ncols()).map(|target| right.col_as_slice(target).to_vec()).collect();
        let mut projections = rotated.clone();
        let mut eigenvalues =
            diagonalize(reduced.diagonal.clone(), reduced.off_diagonal.clone(), &mut projections)?;
        // Rounding makes eigenvalues of 0 as large as this.
        let floor = eigenvalues[0] * f64::EPSILON * columns.scales.len().max(moments.rows) as f64;
        eigenvalues.retain(|&s| s > floor);
        if eigenvalues.is_empty() {
            return Err(EvidenceError::ConstantColumns);
        }
        for projection in &mut projections {
            projection.truncate(eigenvalues.len());
            if rows.is_some() {
                // z = √s Uᵀỹ: the dual's eigenvectors are those of X̃X̃ᵀ.
                projection.iter_mut().zip(&eigenvalues).for_each(|(z, s)| *z *= s.sqrt());
            }
        }
        let rank = eigenvalues.len();
        Ok(Gaussian {
            intercept: options.intercept,
            weights: options.weights,
            solution: Solution { reduced, rows, floor, rank },
            columns,
            moments,
            eigenvalues,
            rotated,
            projections,
        })
    }

    /// k: how many targets there are.
    pub fn targets(&self) -> usize {
        self.rotated.len()
    }

    /// How many directions the columns have, to rounding.
    pub fn rank(&self) -> usize {
        self.eigenvalues.len()
    }

    /// n: rows with a positive weight, or the sum of the weights where these are repeats.
    pub fn rows(&self) -> f64 {
        self.moments.count
    }

    /// How much of a row's weight is left out with it: of a row that is repeated, one.
    pub fn weight_left_out(&self, weight: f64) -> f64 {
        match self.weights {
            Weights::Repeats => 1.0,
            Weights::Precision => weight,
        }
    }

    /// Σw; equals n without weights.
    pub fn weight(&self) -> f64 {
        self.moments.weight
    }

    /// Standard deviation of a target, n in the denominator; NaN for a target that does not exist.
    pub fn target_deviation(&self, target: usize) -> f64 {
        let squares = self.moments.squares.get(self.columns.scales.len() + target);
        squares.map_or(f64::NAN, |squares| (squares / self.moments.weight).sqrt())
    }

    /// How columns are centred and scaled, and which of them never vary.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Evidence and all else about one target as a function of λ.
    ///
    /// # Errors
    /// [`EvidenceError::ConstantTarget`]; [`EvidenceError::Scale`] where its squares leave the
    /// range of f64.
    pub fn evidence(&self, target: usize) -> Result<Evidence, EvidenceError> {
        self.check_target(target)?;
        let frame = Frame::of(&self.moments, self.columns.scales.len(), target, self.intercept)?;
        let total = frame.total;
        let root = total.sqrt();
        let projections: Vec<f64> = self.projections[target].iter().map(|z| z / root).collect();
        let explained: f64 =
            projections.iter().zip(&self.eigenvalues).map(|(z, s)| z * z / s).sum();
        // What 1 − Σz²/s is made of is known to about this.
        let rounding = 8.0 * f64::EPSILON * (10 + self.eigenvalues.len()) as f64;
        let unexplained = if 1.0 - explained > rounding { 1.0 - explained } else { 0.0 };
        Ok(Evidence {
            eigenvalues: self.eigenvalues.clone(),
            projections,
            unexplained,
            total,
            degrees: frame.degrees,
            rows: self.moments.count,
            unpenalized: frame.unpenalized,
            offset: frame.offset,
        })
    }

    /// Coefficients of one target at λ ≥ 0; at 0 those of least norm, at ∞ all 0.
    ///
    /// # Errors
    /// As [`Gaussian::evidence`]; [`EvidenceError::Lambda`] for λ < 0 or NaN.
    pub fn fit(&self, target: usize, lambda: f64) -> Result<Fit, EvidenceError> {
        let point = self.evidence(target)?.at(lambda);
        let standardized = self.coefficient_path(target, &[lambda])?;
        let standardized_coefficients = standardized.col_as_slice(0).to_vec();
        let coefficients = self.columns.coefficients(&standardized_coefficients);
        let at_mean = match self.intercept {
            Intercept::Absent => 0.0,
            Intercept::Profiled | Intercept::Integrated => {
                self.moments.means[coefficients.len() + target]
            }
        };
        let intercept = self.columns.intercept_at_zero(at_mean, &coefficients);
        Ok(Fit { point, coefficients, standardized_coefficients, intercept })
    }

    /// Standardised coefficients at each λ ≥ 0: p × number of λ.
    ///
    /// # Errors
    /// [`EvidenceError::Lambda`] for λ < 0 or NaN; a target that does not exist.
    pub fn coefficient_path(
        &self,
        target: usize,
        lambdas: &[f64],
    ) -> Result<Mat<f64>, EvidenceError> {
        self.check_target(target)?;
        if let Some(&lambda) = lambdas.iter().find(|lambda| lambda.is_nan() || **lambda < 0.0) {
            return Err(EvidenceError::Lambda(lambda));
        }
        let path = self.solution.path(&self.rotated[target], lambdas)?;
        let Some(rows) = &self.solution.rows else {
            return Ok(path);
        };
        let mut coefficients = Mat::zeros(rows.values.nrows(), lambdas.len());
        matmul(
            coefficients.as_mut(),
            Accum::Replace,
            rows.values.as_ref(),
            path.as_ref(),
            1.0,
            parallelism(),
        );
        Ok(coefficients)
    }

    /// ŷ where every column is at its mean.
    pub(super) fn at_mean(&self, target: usize) -> f64 {
        match self.intercept {
            Intercept::Absent => 0.0,
            Intercept::Profiled | Intercept::Integrated => {
                self.moments.means[self.columns.scales.len() + target]
            }
        }
    }

    pub(super) fn check_target(&self, target: usize) -> Result<(), EvidenceError> {
        if target < self.rotated.len() {
            return Ok(());
        }
        Err(EvidenceError::Shape {
            what: "number of the target, from 0",
            given: target,
            expected: self.rotated.len() - 1,
        })
    }
}
