//! The Newton–Schulz iteration: from a matrix to near its orthogonal polar factor UVᵀ, by products
//! alone.
//!
//! X ← X/‖X‖_F, then k times X ← aX + b(XXᵀ)X + c(XXᵀ)²X on the wide form of the matrix (rows ≤
//! columns). Each step maps every singular value σ to aσ + bσ³ + cσ⁵; the coefficients are Keller
//! Jordan's (<https://kellerjordan.github.io/posts/muon/>), also PyTorch's: they raise small
//! singular values fast and leave all of them between about 0.7 and 1.2, not exactly at 1.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

const A: f32 = 3.4445;
const B: f32 = -4.7750;
const C: f32 = 2.0315;

/// Smallest norm that a matrix is divided by, so that a zero matrix stays zero.
const SMALLEST_NORM: f64 = 1e-7;

/// Columns of a product that one thread computes at a time. Fixed, so that the bits do not depend
/// on the number of threads; wide enough that packing the other factor anew for each panel costs
/// little.
const PANEL: usize = 256;

/// Memory for matrices up to a size, reused from step to step.
pub(crate) struct Workspace {
    matrix: Vec<f32>,
    next: Vec<f32>,
    gram: Vec<f32>,
    polynomial: Vec<f32>,
}

impl Workspace {
    /// For matrices of these shapes.
    pub(crate) fn new(shapes: impl Iterator<Item = (usize, usize)> + Clone) -> Self {
        let largest = shapes.clone().map(|(rows, columns)| rows * columns).max().unwrap_or(0);
        let side = shapes.map(|(rows, columns)| rows.min(columns)).max().unwrap_or(0);
        Workspace {
            matrix: vec![0.0; largest],
            next: vec![0.0; largest],
            gram: vec![0.0; side * side],
            polynomial: vec![0.0; side * side],
        }
    }

    /// The row-major matrix to orthogonalise, or the result.
    pub(crate) fn matrix(&mut self, rows: usize, columns: usize) -> &mut [f32] {
        &mut self.matrix[..rows * columns]
    }

    /// Orthogonalises the matrix, whose Frobenius norm is
    /// `norm`.
    pub(crate) fn orthogonalize(&mut self, rows: usize, columns: usize, norm: f64, steps: usize) {
        let length = rows * columns;
        let (side, breadth) = (rows.min(columns), rows.max(columns));
        let scale = (1.0 / norm.max(SMALLEST_NORM)) as f32;
        self.matrix[..length].iter_mut().for_each(|value| *value *= scale);
        for _ in 0..steps {
            {
                let matrix = wide(&self.matrix[..length], rows, columns);
                let gram = &mut self.gram[..side * side];
                product(square_mut(gram, side), matrix, matrix.transpose());
                // (bI + cG)G + aI, so that three products do.
                let polynomial = &mut self.polynomial[..side * side];
                let shifted = &mut self.next[..side * side];
                for (shifted, gram) in shifted.iter_mut().zip(&*gram) {
                    *shifted = C * gram;
                }
                add_to_diagonal(shifted, side, B);
                product(square_mut(polynomial, side), square(shifted, side), square(gram, side));
                add_to_diagonal(polynomial, side, A);
                let next = wide_mut(&mut self.next[..length], rows, columns);
                debug_assert_eq!((next.nrows(), next.ncols()), (side, breadth));
                product(next, square(polynomial, side), matrix);
            }
            std::mem::swap(&mut self.matrix, &mut self.next);
        }
    }
}

/// A row-major matrix in its wide form.
fn wide(values: &[f32], rows: usize, columns: usize) -> MatRef<'_, f32> {
    let matrix = MatRef::from_row_major_slice(values, rows, columns);
    if rows <= columns { matrix } else { matrix.transpose() }
}

fn wide_mut(values: &mut [f32], rows: usize, columns: usize) -> MatMut<'_, f32> {
    let matrix = MatMut::from_row_major_slice_mut(values, rows, columns);
    if rows <= columns { matrix } else { matrix.transpose_mut() }
}

/// A symmetric matrix, for which row-major and column-major are one.
fn square(values: &[f32], side: usize) -> MatRef<'_, f32> {
    MatRef::from_column_major_slice(values, side, side)
}

fn square_mut(values: &mut [f32], side: usize) -> MatMut<'_, f32> {
    MatMut::from_column_major_slice_mut(values, side, side)
}

fn add_to_diagonal(values: &mut [f32], side: usize, shift: f32) {
    values.iter_mut().step_by(side + 1).for_each(|value| *value += shift);
}

/// target ← left · right, by panels of columns.
fn product(target: MatMut<'_, f32>, left: MatRef<'_, f32>, right: MatRef<'_, f32>) {
    let panels = target.ncols().div_ceil(PANEL);
    if panels <= 1 {
        return matmul(target, Accum::Replace, left, right, 1.0, Par::Seq);
    }
    let at = panels / 2 * PANEL;
    let (first, second) = target.split_at_col_mut(at);
    let (first_right, second_right) = right.split_at_col(at);
    if rayon::current_num_threads() == 1 {
        product(first, left, first_right);
        product(second, left, second_right);
    } else {
        rayon::join(|| product(first, left, first_right), || product(second, left, second_right));
    }
}

/// √max(1, rows/columns): what the orthogonal matrix is multiplied by, so that its effect on a
/// vector does not depend on its shape.
pub(crate) fn shape_factor(rows: usize, columns: usize) -> f64 {
    (rows as f64 / columns.max(1) as f64).max(1.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(rows: usize, columns: usize) -> Vec<f32> {
        (0..rows * columns).map(|index| ((index * index + 3 * index) as f32 * 0.7).sin()).collect()
    }

    fn norm(values: &[f32]) -> f64 {
        values.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt()
    }

    fn orthogonalized(values: &[f32], rows: usize, columns: usize, steps: usize) -> Vec<f32> {
        let mut workspace = Workspace::new([(rows, columns)].into_iter());
        workspace.matrix.copy_from_slice(values);
        workspace.orthogonalize(rows, columns, norm(values), steps);
        workspace.matrix[..rows * columns].to_vec()
    }

    #[test]
    fn singular_values_follow_the_polynomial() {
        // A diagonal matrix stays diagonal, so that its singular values can be followed one by one.
        let diagonal = [0.9f64, 0.3, 0.05, 0.6];
        let (rows, columns) = (6, 4);
        let mut values = vec![0.0f32; rows * columns];
        for (index, value) in diagonal.iter().enumerate() {
            values[index * columns + index] = *value as f32;
        }
        let result = orthogonalized(&values, rows, columns, 5);
        let length = diagonal.iter().map(|value| value * value).sum::<f64>().sqrt();
        for (index, value) in diagonal.iter().enumerate() {
            let mut sigma = value / length;
            for _ in 0..5 {
                sigma = 3.4445 * sigma - 4.775 * sigma.powi(3) + 2.0315 * sigma.powi(5);
            }
            assert!((f64::from(result[index * columns + index]) - sigma).abs() < 1e-5);
        }
        let off_diagonal = norm(&result).powi(2)
            - (0..4).map(|i| f64::from(result[i * columns + i]).powi(2)).sum::<f64>();
        assert!(off_diagonal.abs() < 1e-10);
    }

    #[test]
    fn rows_become_nearly_orthonormal() {
        let (rows, columns) = (40, 300);
        let result = orthogonalized(&sample(rows, columns), rows, columns, 5);
        for left in 0..rows {
            for right in 0..=left {
                let dot: f32 = (0..columns)
                    .map(|k| result[left * columns + k] * result[right * columns + k])
                    .sum();
                let bound = if left == right { 0.55 } else { 0.5 };
                assert!((dot - f32::from(left == right)).abs() < bound, "{left} {right} {dot}");
            }
        }
        // ‖UVᵀ‖² is the number of singular values.
        assert!((norm(&result).powi(2) / rows as f64 - 1.0).abs() < 0.3);
    }

    #[test]
    fn the_transpose_goes_the_same_way() {
        let (rows, columns) = (9, 5);
        let values = sample(rows, columns);
        let transposed: Vec<f32> =
            (0..rows * columns).map(|i| values[i % rows * columns + i / rows]).collect();
        let tall = orthogonalized(&values, rows, columns, 5);
        let flat = orthogonalized(&transposed, columns, rows, 5);
        for index in 0..rows * columns {
            assert!((flat[index] - tall[index % rows * columns + index / rows]).abs() < 1e-5);
        }
    }

    #[test]
    fn a_zero_matrix_stays_zero() {
        assert!(orthogonalized(&[0.0; 12], 3, 4, 5).iter().all(|value| *value == 0.0));
    }

    #[test]
    fn panels_do_not_change_with_threads() {
        let (rows, columns) = (70, 900);
        let values = sample(rows, columns);
        let in_pool = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| orthogonalized(&values, rows, columns, 5))
        };
        let alone = in_pool(1);
        assert_eq!(alone, in_pool(2));
        assert_eq!(alone, in_pool(3));
    }
}
