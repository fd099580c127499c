//! K = QTQᵀ: a symmetric matrix made tridiagonal, and (T + λ)a = b in O(p).

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::tridiag::{tridiag_in_place, tridiag_in_place_scratch};
use faer::linalg::householder::{
    apply_block_householder_sequence_on_the_left_in_place_scratch,
    apply_block_householder_sequence_on_the_left_in_place_with_conj,
    apply_block_householder_sequence_transpose_on_the_left_in_place_scratch,
    apply_block_householder_sequence_transpose_on_the_left_in_place_with_conj,
};
use faer::linalg::qr::no_pivoting::factor::recommended_block_size;
use faer::{Conj, Mat, MatMut};

use crate::parallelism;

/// Q as Householder reflections, and T as its two diagonals.
#[derive(Debug)]
pub(crate) struct Tridiagonal {
    reflectors: Mat<f64>,
    factors: Mat<f64>,
    pub(crate) diagonal: Vec<f64>,
    /// `off_diagonal[i]` joins i and i + 1.
    pub(crate) off_diagonal: Vec<f64>,
}

impl Tridiagonal {
    /// Reduces a symmetric matrix of which the lower half is given.
    pub(crate) fn of(mut matrix: Mat<f64>) -> Tridiagonal {
        let p = matrix.nrows();
        let below = p.saturating_sub(1);
        let mut factors = Mat::zeros(recommended_block_size::<f64>(p, p), below);
        if p > 1 {
            let mut memory = MemBuffer::new(tridiag_in_place_scratch::<f64>(
                p,
                parallelism(),
                Default::default(),
            ));
            tridiag_in_place(
                matrix.as_mut(),
                factors.as_mut(),
                parallelism(),
                MemStack::new(&mut memory),
                Default::default(),
            );
        }
        Tridiagonal {
            diagonal: (0..p).map(|i| matrix[(i, i)]).collect(),
            off_diagonal: (0..below).map(|i| matrix[(i + 1, i)]).collect(),
            reflectors: matrix,
            factors,
        }
    }

    /// p.
    pub(crate) fn dimension(&self) -> usize {
        self.diagonal.len()
    }

    /// B ← QᵀB for B of p × m.
    pub(crate) fn rotate(&self, matrix: MatMut<'_, f64>) {
        let below = self.off_diagonal.len();
        if below == 0 {
            return;
        }
        let scratch = apply_block_householder_sequence_transpose_on_the_left_in_place_scratch::<f64>(
            below,
            self.factors.nrows(),
            matrix.ncols(),
        );
        apply_block_householder_sequence_transpose_on_the_left_in_place_with_conj(
            self.reflectors.submatrix(1, 0, below, below),
            self.factors.as_ref(),
            Conj::No,
            matrix.subrows_mut(1, below),
            parallelism(),
            MemStack::new(&mut MemBuffer::new(scratch)),
        );
    }

    /// B ← QB for B of p × m.
    pub(crate) fn rotate_back(&self, matrix: MatMut<'_, f64>) {
        let below = self.off_diagonal.len();
        if below == 0 {
            return;
        }
        let scratch = apply_block_householder_sequence_on_the_left_in_place_scratch::<f64>(
            below,
            self.factors.nrows(),
            matrix.ncols(),
        );
        apply_block_householder_sequence_on_the_left_in_place_with_conj(
            self.reflectors.submatrix(1, 0, below, below),
            self.factors.as_ref(),
            Conj::No,
            matrix.subrows_mut(1, below),
            parallelism(),
            MemStack::new(&mut MemBuffer::new(scratch)),
        );
    }

    /// LDLᵀ = T + λ: without pivoting, which is stable since T + λ is positive definite for λ > 0.
    pub(crate) fn factor(&self, lambda: f64) -> Factor {
        let mut pivots = Vec::with_capacity(self.dimension());
        let mut multipliers = Vec::with_capacity(self.off_diagonal.len());
        let mut pivot = 0.0;
        for (i, diagonal) in self.diagonal.iter().enumerate() {
            let mut next = diagonal + lambda;
            if i > 0 {
                let multiplier = self.off_diagonal[i - 1] / pivot;
                next -= multiplier * self.off_diagonal[i - 1];
                multipliers.push(multiplier);
            }
            // A pivot is at least λ but for rounding, which must not make it 0 or negative.
            pivot = next.max(lambda);
            pivots.push(pivot);
        }
        Factor { multipliers, pivots }
    }
}

/// L (unit bidiagonal) and D of T + λ.
pub(crate) struct Factor {
    pub(crate) multipliers: Vec<f64>,
    pub(crate) pivots: Vec<f64>,
}

impl Factor {
    /// b ← (T + λ)⁻¹b.
    pub(crate) fn solve(&self, values: &mut [f64]) {
        for i in 1..values.len() {
            values[i] -= self.multipliers[i - 1] * values[i - 1];
        }
        for (value, pivot) in values.iter_mut().zip(&self.pivots) {
            *value /= pivot;
        }
        for i in (1..values.len()).rev() {
            values[i - 1] -= self.multipliers[i - 1] * values[i];
        }
    }
}
