//! Value, gradient and curvature of the log likelihood, a block of rows at a time.

use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, MatRef};

use super::design::Glm;
use crate::parallelism;

/// Rows whose weighted copy is made at once, so that it stays in cache.
const BLOCK_ROWS: usize = 1024;

/// The likelihood at some parameters.
pub(super) struct Local {
    /// η: n × K.
    pub(super) predictor: Mat<f64>,
    /// μ: n × K.
    pub(super) means: Mat<f64>,
    pub(super) log_likelihood: f64,
}

impl Glm {
    /// η, μ and ℓ at parameters that are laid out class by class.
    pub(super) fn local(&self, parameters: &[f64]) -> Local {
        let outputs = self.family.outputs();
        let parameters = MatRef::from_column_major_slice(parameters, self.width(), outputs);
        let mut predictor = Mat::zeros(self.design.nrows(), outputs);
        matmul(
            predictor.as_mut(),
            Accum::Replace,
            &self.design,
            parameters,
            1.0,
            parallelism(),
        );
        let (means, log_likelihood) =
            self.family
                .evaluate(predictor.as_ref(), &self.target, &self.weights);
        Local {
            predictor,
            means,
            log_likelihood,
        }
    }

    /// ∇ℓ, laid out as the parameters.
    pub(super) fn gradient(&self, local: &Local) -> Vec<f64> {
        let outputs = self.family.outputs();
        let residuals = Mat::from_fn(self.design.nrows(), outputs, |i, k| {
            self.weights[i] * self.family.residual(local.means[(i, k)], self.target[i], k)
        });
        let mut gradient = Mat::zeros(self.width(), outputs);
        matmul(
            gradient.as_mut(),
            Accum::Replace,
            self.design.transpose(),
            &residuals,
            1.0,
            parallelism(),
        );
        (0..outputs)
            .flat_map(|k| gradient.col_as_slice(k).to_vec())
            .collect()
    }

    /// −∇²ℓ + α: the lower half, of the free parameters.
    pub(super) fn hessian(&self, local: &Local, alpha: f64) -> Mat<f64> {
        let (m, outputs) = (self.width(), self.family.outputs());
        let mut hessian = Mat::zeros(m * outputs, m * outputs);
        let mut scaled = Mat::zeros(BLOCK_ROWS.min(self.design.nrows()), m);
        for start in (0..self.design.nrows()).step_by(BLOCK_ROWS) {
            let rows = BLOCK_ROWS.min(self.design.nrows() - start);
            let block = self.design.subrows(start, rows);
            for k in 0..outputs {
                for l in 0..=k {
                    let curvatures: Vec<f64> = (start..start + rows)
                        .map(|row| {
                            self.weights[row]
                                * self.family.curvature(local.means.as_ref(), row, k, l)
                        })
                        .collect();
                    for column in 0..m {
                        let values = &self.design.col_as_slice(column)[start..start + rows];
                        let into = &mut scaled.col_as_slice_mut(column)[..rows];
                        for ((into, value), curvature) in
                            into.iter_mut().zip(values).zip(&curvatures)
                        {
                            *into = value * curvature;
                        }
                    }
                    let structure = if k == l {
                        BlockStructure::TriangularLower
                    } else {
                        BlockStructure::Rectangular
                    };
                    triangular::matmul(
                        hessian.submatrix_mut(k * m, l * m, m, m),
                        structure,
                        Accum::Add,
                        block.transpose(),
                        BlockStructure::Rectangular,
                        scaled.subrows(0, rows),
                        BlockStructure::Rectangular,
                        1.0,
                        parallelism(),
                    );
                }
            }
        }
        let free = self.free();
        let mut hessian = hessian.submatrix(0, 0, free, free).to_owned();
        (0..free)
            .filter(|&index| self.is_penalized(index))
            .for_each(|index| hessian[(index, index)] += alpha);
        hessian
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
        let mut shift = Mat::zeros(self.design.nrows(), outputs);
        matmul(
            shift.as_mut(),
            Accum::Replace,
            &self.design,
            direction,
            1.0,
            parallelism(),
        );
        // How the means drift: Σ_l curvature(k, l) · shift_l.
        let drift: Vec<Vec<f64>> = (0..self.design.nrows())
            .map(|row| {
                (0..outputs)
                    .map(|k| {
                        (0..outputs)
                            .map(|l| {
                                self.family.curvature(local.means.as_ref(), row, k, l)
                                    * shift[(row, l)]
                            })
                            .sum()
                    })
                    .collect()
            })
            .collect();
        let mut trace = 0.0;
        for k in 0..outputs {
            for l in 0..=k {
                let (height, width) = (m.min(free - k * m), m.min(free - l * m));
                let part = inverse.submatrix(k * m, l * m, height, width);
                let quadratic = self.quadratic(part);
                let times = if k == l { 1.0 } else { 2.0 };
                for (row, value) in quadratic.iter().enumerate() {
                    let change =
                        self.family
                            .curvature_change(local.means.as_ref(), row, k, l, &drift[row]);
                    trace += times * self.weights[row] * change * value;
                }
            }
        }
        trace
    }

    /// xᵀPx of each row x of the design, P being h × w of its first columns.
    fn quadratic(&self, part: MatRef<'_, f64>) -> Vec<f64> {
        let n = self.design.nrows();
        let mut product = Mat::zeros(n, part.ncols());
        matmul(
            product.as_mut(),
            Accum::Replace,
            self.design.subcols(0, part.nrows()),
            part,
            1.0,
            parallelism(),
        );
        let mut quadratic = vec![0.0; n];
        for column in 0..part.ncols() {
            let pairs = product
                .col_as_slice(column)
                .iter()
                .zip(self.design.col_as_slice(column));
            quadratic
                .iter_mut()
                .zip(pairs)
                .for_each(|(sum, (a, b))| *sum += a * b);
        }
        quadratic
    }
}
