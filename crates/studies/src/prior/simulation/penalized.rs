//! The minimum of ½‖ỹ − X̃w‖² + (λ/2)‖w‖², computed by ways that share nothing with
//! [`Gaussian`](wd_evidence::Gaussian).

use faer::linalg::solvers::Solve;
use faer::{Mat, Side};

use super::table::Table;
use wd_evidence::EvidenceError;

/// The penalised loss of a table, its columns centred and divided by their standard deviations, its
/// target centred.
#[derive(Debug, Clone)]
pub struct Penalized {
    x: Mat<f64>,
    y: Mat<f64>,
    lambda: f64,
}

/// Where gradient descent came to rest.
#[derive(Debug, Clone, PartialEq)]
pub struct Descent {
    /// w.
    pub coefficients: Vec<f64>,
    /// Steps taken.
    pub steps: usize,
}

/// Most steps of gradient descent: far more than a condition number of 10⁴ needs.
const MOST_STEPS: usize = 1_000_000;

impl Penalized {
    /// λ weighs ½‖w‖² beside half the *sum* of squares.
    ///
    /// # Errors
    /// [`EvidenceError::Lambda`] unless 0 < λ < ∞; [`EvidenceError::ConstantColumns`] for a column
    /// without variance.
    pub fn new(table: &Table, lambda: f64) -> Result<Penalized, EvidenceError> {
        if !(lambda.is_finite() && lambda > 0.0) {
            return Err(EvidenceError::Lambda(lambda));
        }
        let (mut x, mut y) = (table.x.clone(), table.y.clone());
        let n = table.rows() as f64;
        for j in 0..x.ncols() {
            let column = x.col_as_slice_mut(j);
            centre(column);
            let scale = (column.iter().map(|x| x * x).sum::<f64>() / n).sqrt();
            if scale == 0.0 {
                return Err(EvidenceError::ConstantColumns);
            }
            column.iter_mut().for_each(|x| *x /= scale);
        }
        centre(y.col_as_slice_mut(0));
        Ok(Penalized { x, y, lambda })
    }

    /// N.
    pub fn rows(&self) -> usize {
        self.x.nrows()
    }

    /// p.
    pub fn columns(&self) -> usize {
        self.x.ncols()
    }

    /// λ.
    pub fn lambda(&self) -> f64 {
        self.lambda
    }

    /// w = (X̃ᵀX̃ + λ)⁻¹X̃ᵀỹ by Cholesky's factor.
    ///
    /// # Errors
    /// [`EvidenceError::Lambda`] where rounding leaves the matrix without a factor.
    pub fn normal_equations(&self) -> Result<Vec<f64>, EvidenceError> {
        let mut matrix = self.x.transpose() * &self.x;
        for j in 0..self.columns() {
            matrix[(j, j)] += self.lambda;
        }
        let factor = matrix.llt(Side::Lower).map_err(|_| EvidenceError::Lambda(self.lambda))?;
        let solution = factor.solve(self.x.transpose() * &self.y);
        Ok(solution.col_as_slice(0).to_vec())
    }

    /// X̃ᵀ(X̃w − ỹ): the gradient of ½‖ỹ − X̃w‖², without the penalty's λw.
    pub fn gradient(&self, coefficients: &[f64]) -> Vec<f64> {
        let w = Mat::from_fn(self.columns(), 1, |j, _| coefficients[j]);
        let residual = &self.x * w - &self.y;
        let gradient = self.x.transpose() * residual;
        gradient.col_as_slice(0).to_vec()
    }

    /// Bound on the largest eigenvalue of X̃ᵀX̃: its largest sum of absolute values in a row
    /// (Gershgorin).
    pub fn curvature_bound(&self) -> f64 {
        let gram = self.x.transpose() * &self.x;
        (0..self.columns())
            .map(|j| gram.col_as_slice(j).iter().map(|value| value.abs()).sum())
            .fold(0.0, f64::max)
    }

    /// w ← w − η(X̃ᵀ(X̃w − ỹ) + λw) from w = 0 with η = 1/(bound on the curvature + λ), until
    /// rounding stops it.
    pub fn gradient_descent(&self) -> Descent {
        let rate = 1.0 / (self.curvature_bound() + self.lambda);
        let mut coefficients = vec![0.0; self.columns()];
        for step in 0..MOST_STEPS {
            let gradient = self.gradient(&coefficients);
            let (mut moved, mut norm) = (0.0, 0.0);
            for (w, slope) in coefficients.iter_mut().zip(gradient) {
                let change = rate * (slope + self.lambda * *w);
                *w -= change;
                moved += change * change;
                norm += *w * *w;
            }
            if moved <= f64::EPSILON * f64::EPSILON * norm {
                return Descent { coefficients, steps: step + 1 };
            }
        }
        Descent { coefficients, steps: MOST_STEPS }
    }
}

fn centre(values: &mut [f64]) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter_mut().for_each(|value| *value -= mean);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(lambda: f64) -> Penalized {
        let table = Table {
            x: Mat::from_fn(8, 2, |i, j| ((i * (j + 2)) % 7) as f64),
            y: Mat::from_fn(8, 1, |i, _| (i as f64).sqrt()),
        };
        Penalized::new(&table, lambda).expect("two columns that vary")
    }

    #[test]
    fn both_ways_meet_where_the_penalised_gradient_vanishes() {
        let problem = problem(3.0);
        let exact = problem.normal_equations().expect("a factor");
        for (slope, w) in problem.gradient(&exact).iter().zip(&exact) {
            assert!((slope + 3.0 * w).abs() < 1e-12);
        }
        let descent = problem.gradient_descent();
        assert!(descent.steps < 1000);
        for (a, b) in descent.coefficients.iter().zip(&exact) {
            assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
    }

    #[test]
    fn the_mode_of_the_posterior_is_the_same_point() {
        let table = Table {
            x: Mat::from_fn(8, 2, |i, j| ((i * (j + 2)) % 7) as f64),
            y: Mat::from_fn(8, 1, |i, _| (i as f64).sqrt()),
        };
        let model = wd_evidence::Gaussian::from_rows(
            table.x.as_ref(),
            table.y.as_ref(),
            None,
            wd_evidence::Options::default(),
        )
        .expect("a model");
        let mode = model.fit(0, 3.0).expect("a fit").standardized_coefficients;
        let exact = problem(3.0).normal_equations().expect("a factor");
        for (a, b) in mode.iter().zip(&exact) {
            assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
    }

    #[test]
    fn without_a_penalty_or_without_variance_there_is_no_problem() {
        let table =
            Table { x: Mat::from_fn(3, 1, |_, _| 2.0), y: Mat::from_fn(3, 1, |i, _| i as f64) };
        assert!(matches!(Penalized::new(&table, 1.0), Err(EvidenceError::ConstantColumns)));
        assert!(matches!(Penalized::new(&table, 0.0), Err(EvidenceError::Lambda(_))));
    }
}
