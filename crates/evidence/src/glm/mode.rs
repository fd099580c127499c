//! The mode of the posterior at one α, by Newton's method with a line search, and with an old
//! Hessian where that does.

use faer::linalg::solvers::{Llt, Solve};
use faer::{Mat, MatMut, Side};

use super::curvature::Local;
use super::design::Glm;
use crate::EvidenceError;

/// gᵀH⁻¹g at which the mode counts as found: it is then 1e-9 of a posterior standard deviation
/// away.
const DECREMENT: f64 = 1e-18;

/// Below this decrement the objective's rounding hides what a step gains, and a full step is right.
const QUADRATIC: f64 = 1e-7;

/// A step with the curvature of the step before costs a tenth of one with its own. It is taken as
/// long as each divides the decrement by this much; the last curvature is always that of the mode.
const STALE: f64 = 0.05;

/// Newton steps allowed; from a neighbour on the path it takes two or three.
const ITERATIONS: usize = 200;

/// The mode, and the curvature there.
#[derive(Clone)]
pub(super) struct Mode {
    /// Class by class; the last class's intercept, which is not free, is 0.
    pub(super) parameters: Vec<f64>,
    pub(super) local: Local,
    /// −∇²ℓ: the lower half, of the free parameters.
    pub(super) curvature: Mat<f64>,
    /// Of H = −∇²ℓ + α.
    pub(super) factor: Llt<f64>,
    pub(super) squared_norm: f64,
    pub(super) iterations: usize,
}

impl Glm {
    /// The parameters where no column matters: intercepts alone, at their best.
    pub(super) fn start(&self) -> Result<Vec<f64>, EvidenceError> {
        let mut parameters = vec![0.0; self.width() * self.family.outputs()];
        if !self.has_intercept {
            return Ok(parameters);
        }
        let weight: f64 = self.weights.iter().sum();
        let m = self.width();
        let share = |k: Option<usize>| {
            let hit = |y: f64| k.map_or(y, |k| f64::from(u8::from(y == k as f64)));
            self.target.iter().zip(&self.weights).map(|(&y, &w)| w * hit(y)).sum::<f64>() / weight
        };
        match self.family {
            super::Family::Logistic => {
                let mean = share(None);
                parameters[m - 1] = (mean / (1.0 - mean)).ln();
            }
            super::Family::Poisson => {
                // The mean of exp(offset), by which a rate becomes a count.
                let exposure = match &self.offset {
                    Some(offset) => {
                        let pairs = offset.iter().zip(&self.weights);
                        pairs.map(|(offset, weight)| weight * offset.exp()).sum::<f64>() / weight
                    }
                    None => 1.0,
                };
                parameters[m - 1] = (share(None) / exposure).ln();
            }
            super::Family::Softmax { classes } => {
                let last = share(Some(classes - 1));
                for k in 0..classes - 1 {
                    parameters[k * m + m - 1] = (share(Some(k)) / last).ln();
                }
            }
        }
        Ok(parameters)
    }

    /// Newton's method from `parameters`, where −∇²ℓ is about `curvature` if that is known.
    ///
    /// # Errors
    /// [`EvidenceError::NotConverged`]: where α is so small that H cannot be decomposed.
    pub(super) fn mode(
        &self,
        alpha: f64,
        mut parameters: Vec<f64>,
        curvature: Option<Mat<f64>>,
    ) -> Result<Mode, EvidenceError> {
        let mut local = self.local(&parameters);
        let mut decrement_before = f64::INFINITY;
        // Whether `curvature` is that of the parameters as they are now.
        let mut is_fresh = curvature.is_none();
        let mut curvature = curvature.unwrap_or_else(|| self.curvature(&local));
        let mut factor = self.decompose(&curvature, alpha)?;
        for iteration in 1..=ITERATIONS {
            let gradient = self.penalized_gradient(&local, &parameters, alpha);
            let mut step = solve(&factor, &gradient);
            let mut decrement = dot(&gradient, &step);
            if !is_fresh && (decrement <= DECREMENT || decrement > STALE * decrement_before) {
                curvature = self.curvature(&local);
                factor = self.decompose(&curvature, alpha)?;
                step = solve(&factor, &gradient);
                decrement = dot(&gradient, &step);
            }
            if decrement <= DECREMENT {
                let squared_norm = self.squared_norm(&parameters);
                return Ok(Mode {
                    parameters,
                    local,
                    curvature,
                    factor,
                    squared_norm,
                    iterations: iteration,
                });
            }
            let before = local.log_likelihood - 0.5 * alpha * self.squared_norm(&parameters);
            let mut length = 1.0;
            loop {
                let mut moved = parameters.clone();
                moved
                    .iter_mut()
                    .zip(&step)
                    .for_each(|(parameter, step)| *parameter += length * step);
                let there = self.local(&moved);
                let gain = there.log_likelihood - 0.5 * alpha * self.squared_norm(&moved) - before;
                // Armijo's condition with the usual 1e-4.
                if decrement < QUADRATIC || gain >= 1e-4 * length * decrement {
                    (parameters, local) = (moved, there);
                    break;
                }
                length *= 0.5;
                if length < 1e-12 {
                    return Err(not_converged(iteration));
                }
            }
            (decrement_before, is_fresh) = (decrement, false);
        }
        Err(not_converged(ITERATIONS))
    }

    /// ∇ℓ − αPθ of the free parameters.
    fn penalized_gradient(&self, local: &Local, parameters: &[f64], alpha: f64) -> Vec<f64> {
        let mut gradient = local.gradient.clone();
        for (index, parameter) in parameters.iter().enumerate() {
            if self.is_penalized(index) {
                gradient[index] -= alpha * parameter;
            }
        }
        gradient.truncate(self.free());
        gradient
    }

    /// H = −∇²ℓ + α, decomposed.
    pub(super) fn decompose(
        &self,
        curvature: &Mat<f64>,
        alpha: f64,
    ) -> Result<Llt<f64>, EvidenceError> {
        let mut hessian = curvature.clone();
        (0..self.free()).filter(|&i| self.is_penalized(i)).for_each(|i| hessian[(i, i)] += alpha);
        hessian.llt(Side::Lower).map_err(|_| not_converged(0))
    }

    /// ‖W‖² of the weights that are penalised.
    pub(super) fn squared_norm(&self, parameters: &[f64]) -> f64 {
        let penalized =
            parameters.iter().enumerate().filter(|(index, _)| self.is_penalized(*index));
        penalized.map(|(_, value)| value * value).sum()
    }
}

/// H⁻¹b.
pub(super) fn solve(factor: &Llt<f64>, right: &[f64]) -> Vec<f64> {
    let mut values = right.to_vec();
    let order = values.len();
    factor.solve_in_place(MatMut::from_column_major_slice_mut(&mut values, order, 1));
    values
}

/// H⁻¹, whole.
pub(super) fn invert(factor: &Llt<f64>, order: usize) -> Mat<f64> {
    factor.solve(Mat::<f64>::identity(order, order))
}

fn not_converged(iterations: usize) -> EvidenceError {
    EvidenceError::NotConverged {
        what: "Newton's method for the mode",
        iterations,
        hint: ": λ is too small for columns that are nearly dependent, or classes that are nearly \
               separated; take a larger λ",
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
