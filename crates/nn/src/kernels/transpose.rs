//! Transposed copies, for operands that would otherwise be packed across their rows at every
//! product.

use pulp::Simd;

use crate::Float;
use crate::simd::dispatched;

/// Rows that are read together: a cache line of the transpose is written at once.
const ROWS: usize = 16;

dispatched! {
    /// out `[columns, rows]` ← the transpose of a matrix of `columns` columns.
    pub(crate) fn transpose = transpose_body(out: &'a mut [F], matrix: &'a [F], columns: usize)
}

#[inline(always)]
fn transpose_body<F: Float, S: Simd>(_: S, out: &mut [F], matrix: &[F], columns: usize) {
    let rows = matrix.len() / columns;
    let full = rows - rows % ROWS;
    for first in (0..full).step_by(ROWS) {
        let block = &matrix[first * columns..(first + ROWS) * columns];
        for (column, out) in out.chunks_exact_mut(rows).enumerate() {
            let line = &mut out[first..first + ROWS];
            for (row, value) in line.iter_mut().enumerate() {
                *value = block[row * columns + column];
            }
        }
    }
    for row in full..rows {
        for column in 0..columns {
            out[column * rows + row] = matrix[row * columns + column];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn element_by_element() {
        for (rows, columns) in [(1, 1), (16, 3), (37, 5), (5, 40)] {
            let matrix: Vec<f32> = (0..rows * columns).map(|index| index as f32).collect();
            let mut out = vec![f32::NAN; matrix.len()];
            transpose(&mut out, &matrix, columns);
            for (index, value) in out.iter().enumerate() {
                assert_eq!(*value, matrix[index % rows * columns + index / rows]);
            }
        }
    }
}
