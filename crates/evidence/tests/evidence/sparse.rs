//! Rows that are mostly zeros: the same sums as of the whole rows.

use wd_evidence::{EvidenceError, MatRef, SparseRows, Statistics};

use crate::support::Random;

/// 500 rows of a number about 10⁶, indicators of two categories, an imputed share now and then, a
/// constant column; weights with zeros.
fn table() -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let mut random = Random(5);
    let (mut x, mut y, mut weights) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..500 {
        let mut values = [0.0; COLUMNS];
        values[0] = 1e6 + random.normal();
        for (first, levels) in [(1, 8), (9, 6)] {
            let level = (random.uniform() * (levels + 1) as f64) as usize;
            if row % 17 == 3 {
                values[first..first + levels].fill(1.0 / (levels + 1) as f64);
            } else if level > 0 {
                values[first + level - 1] = 1.0;
            }
        }
        values[15] = 3.25;
        x.extend(values);
        y.extend([values[3] + random.normal(), values[0] * 1e-6]);
        weights.push((random.uniform() * 4.0).floor());
    }
    (x, y, weights)
}

const COLUMNS: usize = 16;

/// Columns 0 and 15 in every row, the others where they are not 0.
fn sparse(x: &[f64]) -> (Vec<usize>, Vec<u32>, Vec<f64>) {
    let (mut starts, mut columns, mut values) = (vec![0], Vec::new(), Vec::new());
    for row in x.chunks(COLUMNS) {
        for (column, value) in row.iter().enumerate() {
            if *value != 0.0 || column == 0 || column == 15 {
                columns.push(column as u32);
                values.push(*value);
            }
        }
        starts.push(values.len());
    }
    (starts, columns, values)
}

#[test]
fn the_sums_are_those_of_whole_rows() {
    let (x, y, weights) = table();
    let rows = weights.len();
    for weights in [None, Some(&weights[..])] {
        let mut whole = Statistics::new(COLUMNS, 2).unwrap();
        let y = MatRef::from_row_major_slice(&y, rows, 2);
        whole.add(MatRef::from_row_major_slice(&x, rows, COLUMNS), y, weights).unwrap();
        let mut parts = Statistics::new(COLUMNS, 2).unwrap();
        for range in [0..1, 1..200, 200..rows] {
            let (starts, columns, values) = sparse(&x[range.start * COLUMNS..range.end * COLUMNS]);
            let rows = SparseRows { starts: &starts, columns: &columns, values: &values };
            let y = y.subrows(range.start, range.len());
            parts.add_sparse(rows, y, weights.map(|weights| &weights[range.clone()])).unwrap();
        }
        assert_eq!(parts.rows(), whole.rows());
        for i in 0..COLUMNS + 2 {
            assert!((parts.means()[i] - whole.means()[i]).abs() <= 1e-14 * whole.means()[i].abs());
            for j in 0..=i {
                let (a, b) = (parts.centred_product(i, j), whole.centred_product(i, j));
                let scale = (whole.centred_product(i, i) * whole.centred_product(j, j)).sqrt();
                assert!((a - b).abs() <= 1e-11 * scale, "{i}, {j}: {a} and {b}");
            }
        }
        assert_eq!(parts.centred_product(15, 15), 0.0);
    }
}

#[test]
fn rows_that_are_none_are_refused() {
    let mut statistics = Statistics::new(3, 1).unwrap();
    let y = MatRef::from_row_major_slice(&[1.0], 1, 1);
    let mut add = |starts: &[usize], columns: &[u32], values: &[f64]| {
        let rows = SparseRows { starts, columns, values };
        statistics.add_sparse(rows, y, None)
    };
    assert!(matches!(
        add(&[0, 1], &[1], &[f64::NAN]),
        Err(EvidenceError::NotFinite { column: 1, row: 0, .. })
    ));
    for (starts, columns) in [
        (&[0, 1][..], &[3][..]),
        (&[0, 2], &[1, 1]),
        (&[0, 2], &[1, 0]),
        (&[0, 3], &[0, 1]),
        (&[1, 2], &[0, 1]),
        (&[0, 1, 2], &[0, 1]),
    ] {
        let values = vec![1.0; columns.len()];
        assert!(
            matches!(add(starts, columns, &values), Err(EvidenceError::Shape { .. })),
            "{starts:?} {columns:?}"
        );
    }
    assert_eq!(statistics.rows(), 0);
}
