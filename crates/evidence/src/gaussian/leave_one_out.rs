//! Exact leave-one-out error for many λ, in one pass over the rows.
//!
//! A row left out is predicted with the error e/(1 − h), e its residual and h = w x̃ᵀ(X̃ᵀX̃ + λ)⁻¹x̃ + w/Σw its leverage, so that n
//! refits cost no more than one. With q = Qᵀx̃ and LDLᵀ = T + λ the quadratic form is Σ v_j²/d_j where Lv = q, and v_j = q_j −
//! l_j v_{j−1}: three operations a row, column and λ, done for several rows side by side, and no eigenvectors. Columns keep
//! the scales of the whole table.
//!
//! Sources: Allen 1974 (PRESS); Golub, Heath & Wahba 1979.

use faer::{Mat, MatRef};
use rayon::prelude::*;

use super::model::Gaussian;
use super::tridiagonal::Factor;
use crate::EvidenceError;
use crate::columns::Intercept;
use crate::statistics::check_rows;

/// Rows that go through the recurrence side by side: four AVX-512 registers, which hide the latency of a fused
/// multiply-add (4 cycles).
const LANES: usize = 32;

/// Rows rotated at once.
const BLOCK_ROWS: usize = 2048;

/// Sums the squared leave-one-out errors of rows as they come, for each λ.
///
/// ```
/// use wd_evidence::{Gaussian, LeaveOneOut, MatRef, Options};
/// let x = MatRef::from_row_major_slice(&[0.0, 1.0, 2.0, 3.0], 4, 1);
/// let y = MatRef::from_row_major_slice(&[0.1, 0.9, 2.2, 2.8], 4, 1);
/// let model = Gaussian::from_rows(x, y, None, Options::default())?;
/// let mut errors = LeaveOneOut::new(&model, 0, &[0.1, 1.0])?;
/// errors.add(x, y, None)?;
/// assert!(errors.mean_squared_errors()[0] < errors.mean_squared_errors()[1]);
/// # Ok::<(), wd_evidence::EvidenceError>(())
/// ```
pub struct LeaveOneOut<'a> {
    model: &'a Gaussian,
    target: usize,
    /// Of each λ: L and D, and the rotated solution a = (T + λ)⁻¹QᵀX̃ᵀỹ.
    factors: Vec<(Factor, Vec<f64>)>,
    lambdas: Vec<f64>,
    sums: Vec<f64>,
    weight: f64,
    /// The dual's answer, complete already.
    finished: Option<Vec<f64>>,
}

impl<'a> LeaveOneOut<'a> {
    /// Prepares for the rows from which `model` was made. λ must be positive and finite.
    ///
    /// # Errors
    /// [`EvidenceError::Lambda`]; a target that does not exist.
    pub fn new(
        model: &'a Gaussian,
        target: usize,
        lambdas: &[f64],
    ) -> Result<LeaveOneOut<'a>, EvidenceError> {
        model.check_target(target)?;
        if let Some(&lambda) = lambdas
            .iter()
            .find(|lambda| !(lambda.is_finite() && **lambda > 0.0))
        {
            return Err(EvidenceError::Lambda(lambda));
        }
        let factors = lambdas
            .iter()
            .map(|&lambda| {
                let factor = model.solution.reduced.factor(lambda);
                let mut solution = model.rotated[target].clone();
                factor.solve(&mut solution);
                (factor, solution)
            })
            .collect();
        let mut errors = LeaveOneOut {
            model,
            target,
            factors,
            lambdas: lambdas.to_vec(),
            sums: vec![0.0; lambdas.len()],
            weight: 0.0,
            finished: None,
        };
        if let Some(rows) = &model.solution.rows {
            errors.finished = Some(errors.by_the_dual(&rows.shares));
        }
        Ok(errors)
    }

    /// Adds rows, in original units: those from which the model was made, all of them, in any order and in any blocks.
    ///
    /// # Errors
    /// As [`Statistics::add`](crate::Statistics::add).
    pub fn add(
        &mut self,
        x: MatRef<'_, f64>,
        y: MatRef<'_, f64>,
        weights: Option<&[f64]>,
    ) -> Result<(), EvidenceError> {
        let columns = &self.model.columns;
        let p = columns.scales.len();
        for (what, given, expected) in [
            ("columns of x", x.ncols(), p),
            ("targets of y", y.ncols(), self.model.targets()),
        ] {
            if given != expected {
                return Err(EvidenceError::Shape {
                    what,
                    given,
                    expected,
                });
            }
        }
        check_rows(x, y, weights)?;
        if self.finished.is_some() {
            return Ok(());
        }
        let at_mean = self.model.at_mean(self.target);
        let intercept_share = match self.model.intercept {
            Intercept::Absent => 0.0,
            Intercept::Profiled | Intercept::Integrated => 1.0 / self.model.moments.weight,
        };
        for start in (0..x.nrows()).step_by(BLOCK_ROWS) {
            let rows = BLOCK_ROWS.min(x.nrows() - start);
            let mut rotated = Mat::zeros(p, rows);
            for row in 0..rows {
                columns.standardize_into(
                    x.row(start + row).iter().copied(),
                    rotated.col_as_slice_mut(row),
                );
            }
            self.model.solution.reduced.rotate(rotated.as_mut());
            let data: Vec<(f64, f64)> = (start..start + rows)
                .map(|row| {
                    (
                        y[(row, self.target)] - at_mean,
                        weights.map_or(1.0, |weights| weights[row]),
                    )
                })
                .collect();
            let factors = &self.factors;
            let sums = data
                .par_chunks(LANES)
                .enumerate()
                .map(|(tile, data)| {
                    let tile = Tile::of(&rotated, tile * LANES, data.len());
                    pulp::Arch::new().dispatch(|| tile.errors(factors, data, intercept_share))
                })
                .collect::<Vec<_>>();
            for tile in sums {
                self.sums
                    .iter_mut()
                    .zip(tile)
                    .for_each(|(sum, error)| *sum += error);
            }
            self.weight += data.iter().map(|(_, weight)| weight).sum::<f64>();
        }
        Ok(())
    }

    /// Σ w(e/(1 − h))²/Σw for each λ: the mean squared error of a row left out. Infinite where a row is all that some
    /// direction is known by.
    pub fn mean_squared_errors(&self) -> Vec<f64> {
        match &self.finished {
            Some(finished) => finished.clone(),
            None => self.sums.iter().map(|sum| sum / self.weight).collect(),
        }
    }

    /// From (X̃X̃ᵀ + λ)⁻¹ = C: e = λCỹ and 1 − h = λC_ii − w/Σw, in units of √w.
    fn by_the_dual(&self, shares: &[f64]) -> Vec<f64> {
        let reduced = &self.model.solution.reduced;
        let n = reduced.dimension();
        let mut unit = Mat::<f64>::identity(n, n);
        reduced.rotate(unit.as_mut());
        let mut means = Vec::with_capacity(self.lambdas.len());
        for ((factor, solution), &lambda) in self.factors.iter().zip(&self.lambdas) {
            let mut total = 0.0;
            for (row, share) in shares.iter().enumerate() {
                let mut quadratic = 0.0;
                let mut along = 0.0;
                let mut before = 0.0;
                for (j, q) in unit.col_as_slice(row).iter().enumerate() {
                    let value = if j == 0 {
                        *q
                    } else {
                        q - factor.multipliers[j - 1] * before
                    };
                    quadratic += value * value / factor.pivots[j];
                    along += q * solution[j];
                    before = value;
                }
                let left = lambda * quadratic - share;
                total += squared_ratio(lambda * along, left);
            }
            means.push(total / self.model.moments.weight);
        }
        means
    }
}

/// Some rows, transposed: `values[j]` holds element j of each.
struct Tile {
    values: Vec<[f64; LANES]>,
}

impl Tile {
    fn of(rotated: &Mat<f64>, first: usize, rows: usize) -> Tile {
        let mut values = vec![[0.0; LANES]; rotated.nrows()];
        for lane in 0..rows {
            for (row, value) in values.iter_mut().zip(rotated.col_as_slice(first + lane)) {
                row[lane] = *value;
            }
        }
        Tile { values }
    }

    /// Σ w(e/(1 − h))² over the rows, for each λ.
    #[inline(always)]
    fn errors(
        &self,
        factors: &[(Factor, Vec<f64>)],
        data: &[(f64, f64)],
        intercept_share: f64,
    ) -> Vec<f64> {
        factors
            .iter()
            .map(|(factor, solution)| {
                let mut quadratic = [0.0; LANES];
                let mut fitted = [0.0; LANES];
                let mut before = [0.0; LANES];
                let mut multiplier = 0.0;
                for (j, values) in self.values.iter().enumerate() {
                    let inverse = 1.0 / factor.pivots[j];
                    for lane in 0..LANES {
                        let value = f64::mul_add(-multiplier, before[lane], values[lane]);
                        quadratic[lane] = f64::mul_add(value * value, inverse, quadratic[lane]);
                        fitted[lane] = f64::mul_add(values[lane], solution[j], fitted[lane]);
                        before[lane] = value;
                    }
                    multiplier = factor.multipliers.get(j).copied().unwrap_or(0.0);
                }
                data.iter()
                    .enumerate()
                    .filter(|(_, (_, weight))| *weight > 0.0)
                    .map(|(lane, (target, weight))| {
                        let left = 1.0 - weight * (quadratic[lane] + intercept_share);
                        weight * squared_ratio(target - fitted[lane], left)
                    })
                    .sum()
            })
            .collect()
    }
}

/// (e/(1 − h))², infinite where rounding leaves nothing of 1 − h.
#[inline(always)]
fn squared_ratio(residual: f64, left: f64) -> f64 {
    if left > 1e-13 {
        (residual / left).powi(2)
    } else {
        f64::INFINITY
    }
}
