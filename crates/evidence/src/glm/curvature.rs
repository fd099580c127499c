//! Value, gradient and curvature of the log likelihood, a block of rows at a time.
//!
//! Blocks are computed side by side and added in their order, so that the result has the same bits
//! whatever the number of threads.

use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, MatRef, Par};
use rayon::prelude::*;

use super::design::Glm;
use crate::parallelism;

/// Rows of a block, so that what is made of it stays in cache.
pub(super) const BLOCK_ROWS: usize = 1024;

/// Values of the partial curvatures that are summed side by side: 128 MB. Beyond, the matrix
/// product is what is parallel.
const PARTIAL_VALUES: usize = 1 << 24;

/// The likelihood at some parameters.
#[derive(Clone)]
pub(super) struct Local {
    /// η: n × K.
    pub(super) predictor: Mat<f64>,
    /// μ: n × K.
    pub(super) means: Mat<f64>,
    pub(super) log_likelihood: f64,
    /// ∇ℓ, laid out as the parameters.
    pub(super) gradient: Vec<f64>,
}

impl Glm {
    /// η, μ, ℓ and ∇ℓ at parameters that are laid out class by class.
    pub(super) fn local(&self, parameters: &[f64]) -> Local {
        let (n, m, outputs) = (self.design.nrows(), self.width(), self.family.outputs());
        let parameters = MatRef::from_column_major_slice(parameters, m, outputs);
        let blocks: Vec<_> = self
            .blocks(BLOCK_ROWS)
            .into_par_iter()
            .map(|(start, rows)| {
                let block = self.design.subrows(start, rows);
                let (target, weights) =
                    (&self.target[start..start + rows], &self.weights[start..start + rows]);
                let mut predictor = Mat::zeros(rows, outputs);
                matmul(predictor.as_mut(), Accum::Replace, block, parameters, 1.0, Par::Seq);
                if let Some(offset) = &self.offset {
                    add_offset(&mut predictor, &offset[start..start + rows]);
                }
                let (means, log_likelihood) =
                    self.family.evaluate(predictor.as_ref(), target, weights);
                let residuals = Mat::from_fn(rows, outputs, |i, k| {
                    weights[i] * self.family.residual(means[(i, k)], target[i], k)
                });
                let mut gradient = Mat::zeros(m, outputs);
                matmul(
                    gradient.as_mut(),
                    Accum::Replace,
                    block.transpose(),
                    &residuals,
                    1.0,
                    Par::Seq,
                );
                (start, predictor, means, log_likelihood, gradient)
            })
            .collect();
        let mut local = Local {
            predictor: Mat::zeros(n, outputs),
            means: Mat::zeros(n, outputs),
            log_likelihood: 0.0,
            gradient: vec![0.0; m * outputs],
        };
        for (start, predictor, means, log_likelihood, gradient) in blocks {
            let rows = predictor.nrows();
            local.predictor.subrows_mut(start, rows).copy_from(&predictor);
            local.means.subrows_mut(start, rows).copy_from(&means);
            local.log_likelihood += log_likelihood;
            for (k, sums) in local.gradient.chunks_mut(m).enumerate() {
                sums.iter_mut().zip(gradient.col_as_slice(k)).for_each(|(sum, part)| *sum += part);
            }
        }
        local
    }

    /// −∇²ℓ of the free parameters: the lower half.
    pub(super) fn curvature(&self, local: &Local) -> Mat<f64> {
        let order = self.width() * self.family.outputs();
        let parts = (PARTIAL_VALUES / (order * order)).clamp(1, 16);
        let blocks = self.blocks(BLOCK_ROWS);
        let share = blocks.len().div_ceil(parts);
        let partial: Vec<Mat<f64>> = blocks
            .par_chunks(share)
            .map(|blocks| {
                let mut sum = Mat::zeros(order, order);
                let parallelism = if parts == 1 { parallelism() } else { Par::Seq };
                for &(start, rows) in blocks {
                    self.add_curvature(local, start, rows, &mut sum, parallelism);
                }
                sum
            })
            .collect();
        let mut partial = partial.into_iter();
        let mut whole = partial.next().unwrap_or_else(|| Mat::zeros(order, order));
        partial.for_each(|part| whole += part);
        let free = self.free();
        whole.submatrix(0, 0, free, free).to_owned()
    }

    /// tr(−P∇²ℓ): Σ w·curvature(k, k)·‖x‖² over rows and classes, without the intercept's column.
    pub(super) fn penalized_curvature_trace(&self, local: &Local) -> f64 {
        let mut squares = vec![0.0; self.design.nrows()];
        for column in 0..self.penalized {
            let values = self.design.col_as_slice(column);
            let pairs = squares.iter_mut().zip(values);
            pairs.for_each(|(sum, value)| *sum += value * value);
        }
        let rows = squares.iter().enumerate();
        rows.map(|(row, square)| {
            let of_class = |k| self.family.curvature(local.means.as_ref(), row, k, k);
            let sum: f64 = (0..self.family.outputs()).map(of_class).sum();
            self.weights[row] * sum * square
        })
        .sum()
    }

    /// Adds XᵀB_klX of some rows for each pair of classes k ≥ l.
    fn add_curvature(
        &self,
        local: &Local,
        start: usize,
        rows: usize,
        sum: &mut Mat<f64>,
        parallelism: Par,
    ) {
        let m = self.width();
        let block = self.design.subrows(start, rows);
        let mut scaled = vec![0.0; rows * m];
        for k in 0..self.family.outputs() {
            for l in 0..=k {
                let curvatures: Vec<f64> = (start..start + rows)
                    .map(|row| {
                        self.weights[row] * self.family.curvature(local.means.as_ref(), row, k, l)
                    })
                    .collect();
                for (column, into) in scaled.chunks_mut(rows).enumerate() {
                    let values = &self.design.col_as_slice(column)[start..start + rows];
                    for ((into, value), curvature) in into.iter_mut().zip(values).zip(&curvatures) {
                        *into = value * curvature;
                    }
                }
                triangular::matmul(
                    sum.submatrix_mut(k * m, l * m, m, m),
                    if k == l {
                        BlockStructure::TriangularLower
                    } else {
                        BlockStructure::Rectangular
                    },
                    Accum::Add,
                    block.transpose(),
                    BlockStructure::Rectangular,
                    MatRef::from_column_major_slice(&scaled, rows, m),
                    BlockStructure::Rectangular,
                    1.0,
                    parallelism,
                );
            }
        }
    }

    /// tr(H⁻¹ dH) when the parameters move by `direction`, with the whole of H⁻¹ given.
    pub(super) fn curvature_trace(
        &self,
        local: &Local,
        inverse: &Mat<f64>,
        direction: &[f64],
    ) -> f64 {
        let (m, outputs, free) = (self.width(), self.family.outputs(), self.free());
        let direction = MatRef::from_column_major_slice(direction, m, outputs);
        let traces: Vec<f64> = self
            .blocks(BLOCK_ROWS)
            .into_par_iter()
            .map(|(start, rows)| {
                let block = self.design.subrows(start, rows);
                let means = local.means.subrows(start, rows);
                let mut shift = Mat::zeros(rows, outputs);
                matmul(shift.as_mut(), Accum::Replace, block, direction, 1.0, Par::Seq);
                // How the means drift: Σ_l curvature(k, l) · shift_l, row after row.
                let drift: Vec<f64> = (0..rows * outputs)
                    .map(|place| (place / outputs, place % outputs))
                    .map(|(row, k)| {
                        (0..outputs)
                            .map(|l| self.family.curvature(means, row, k, l) * shift[(row, l)])
                            .sum()
                    })
                    .collect();
                let mut trace = 0.0;
                for k in 0..outputs {
                    for l in 0..=k {
                        let (height, width) = (m.min(free - k * m), m.min(free - l * m));
                        let quadratic = quadratic(
                            block,
                            inverse.submatrix(k * m, l * m, height, width),
                            k == l,
                        );
                        let times = if k == l { 1.0 } else { 2.0 };
                        for (row, (value, drift)) in
                            quadratic.iter().zip(drift.chunks(outputs)).enumerate()
                        {
                            let change = self.family.curvature_change(means, row, k, l, drift);
                            trace += times * self.weights[start + row] * change * value;
                        }
                    }
                }
                trace
            })
            .collect();
        traces.iter().sum()
    }

    /// First row and number of rows of each block.
    pub(super) fn blocks(&self, rows: usize) -> Vec<(usize, usize)> {
        let n = self.design.nrows();
        (0..n).step_by(rows).map(|start| (start, rows.min(n - start))).collect()
    }
}

/// Adds each row's offset to its linear predictors.
pub(super) fn add_offset(predictor: &mut Mat<f64>, offset: &[f64]) {
    for column in 0..predictor.ncols() {
        let values = predictor.col_as_slice_mut(column);
        values.iter_mut().zip(offset).for_each(|(value, offset)| *value += offset);
    }
}

/// The covariance of η of each row of a block, K × K, under a covariance of the parameters, which
/// lie class by class. The last class may have a parameter less.
pub(super) fn covariances(
    block: MatRef<'_, f64>,
    covariance: MatRef<'_, f64>,
    outputs: usize,
) -> Vec<Mat<f64>> {
    let m = block.ncols();
    let free = |k: usize| m.min(covariance.nrows() - k * m);
    let mut rows = vec![Mat::<f64>::zeros(outputs, outputs); block.nrows()];
    for k in 0..outputs {
        for l in 0..=k {
            let part = covariance.submatrix(k * m, l * m, free(k), free(l));
            for (row, value) in rows.iter_mut().zip(quadratic(block, part, k == l)) {
                (row[(k, l)], row[(l, k)]) = (value, value);
            }
        }
    }
    rows
}

/// xᵀPx of each row x, P being h × w of its first columns; half of P does where it is symmetric.
fn quadratic(block: MatRef<'_, f64>, part: MatRef<'_, f64>, symmetric: bool) -> Vec<f64> {
    let mut product = Mat::zeros(block.nrows(), part.ncols());
    let structure = match symmetric {
        true => BlockStructure::StrictTriangularLower,
        false => BlockStructure::Rectangular,
    };
    triangular::matmul(
        product.as_mut(),
        BlockStructure::Rectangular,
        Accum::Replace,
        block.subcols(0, part.nrows()),
        BlockStructure::Rectangular,
        part,
        structure,
        1.0,
        Par::Seq,
    );
    let mut quadratic = vec![0.0; block.nrows()];
    for column in 0..part.ncols() {
        let pairs = product.col_as_slice(column).iter().zip(block.col(column).iter());
        let terms = quadratic.iter_mut().zip(pairs);
        if symmetric {
            let diagonal = part[(column, column)];
            terms.for_each(|(sum, (a, b))| *sum += (2.0 * a + diagonal * b) * b);
        } else {
            terms.for_each(|(sum, (a, b))| *sum += a * b);
        }
    }
    quadratic
}
