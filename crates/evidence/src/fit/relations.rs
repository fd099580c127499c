//! Columns that say the same as others: multiples of one another or of the target, and columns that
//! others add up to. All of it follows from the sums of a table.

use crate::Statistics;

/// A correlation that differs from ±1 by no more than this is ±1 but for rounding.
const ROUNDING: f64 = 1e-9;

/// A column that is another one, times a factor, plus a constant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Multiple {
    /// The column.
    pub column: usize,
    /// The other column, or the number of the target.
    pub of: usize,
    /// What the other is multiplied by.
    pub factor: f64,
    /// What is added; 0 where it is no more than rounding.
    pub constant: f64,
}

/// Columns of a design that say the same as others.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Relations {
    /// Columns that are a multiple of an earlier one.
    pub multiples: Vec<Multiple>,
    /// Columns that are a multiple of a target.
    pub of_target: Vec<Multiple>,
    /// How many directions the columns have, where rows would allow for more.
    pub rank: Option<usize>,
}

impl Relations {
    /// Of sums. `rank` is that of the columns that vary.
    pub(super) fn of(sums: &Statistics, rank: usize) -> Relations {
        let (p, k) = (sums.columns(), sums.targets());
        let varying: Vec<usize> = (0..p).filter(|column| !sums.is_constant(*column)).collect();
        let mut relations = Relations::default();
        let mut firsts: Vec<usize> = Vec::new();
        for &column in &varying {
            match firsts.iter().find_map(|first| multiple(sums, column, *first)) {
                Some(found) => relations.multiples.push(found),
                None => firsts.push(column),
            }
            let targets = (p..p + k).filter(|target| !sums.is_constant(*target));
            let of_target = targets.filter_map(|target| multiple(sums, column, target));
            relations
                .of_target
                .extend(of_target.map(|multiple| Multiple { of: multiple.of - p, ..multiple }));
        }
        // The mean takes a row.
        let is_short = rank < varying.len() && sums.rows() > varying.len();
        relations.rank = is_short.then_some(rank);
        relations
    }
}

/// One of the columns and targets as a multiple of another.
fn multiple(sums: &Statistics, column: usize, of: usize) -> Option<Multiple> {
    let [product, own, other] = [(column, of), (column, column), (of, of)]
        .map(|(row, column)| sums.centred_product(row, column));
    let correlation = product / own.sqrt() / other.sqrt();
    if correlation.is_nan() || 1.0 - correlation.abs() > ROUNDING {
        return None;
    }
    let factor = product / other;
    let mean = factor * sums.means()[of];
    let constant = sums.means()[column] - mean;
    let spread = (own / sums.weight()).sqrt();
    let is_rounding = constant.abs() <= 1e-4 * spread;
    Some(Multiple { column, of, factor, constant: if is_rounding { 0.0 } else { constant } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MatRef;

    #[test]
    fn multiples_are_found_and_what_is_only_alike_is_not() {
        let rows: Vec<f64> = (0..40)
            .flat_map(|row| {
                let (a, b) = (f64::from(row * 7 % 11), f64::from(row * 5 % 13));
                [a, 100.0 * a, 3.0 - a, a + b, b, a + 1e-3 * b]
            })
            .collect();
        let target: Vec<f64> = (0..40).map(|row| 0.5 * f64::from(row * 5 % 13)).collect();
        let mut sums = Statistics::new(6, 1).expect("columns");
        let x = MatRef::from_row_major_slice(&rows, 40, 6);
        let y = MatRef::from_column_major_slice(&target, 40, 1);
        sums.add(x, y, None).expect("rows");
        let relations = Relations::of(&sums, 2);
        let found = |multiples: &[Multiple]| -> Vec<(usize, usize, f64, f64)> {
            let rounded = |value: f64| (value * 1e6).round() / 1e6;
            let parts = multiples.iter();
            parts.map(|m| (m.column, m.of, rounded(m.factor), rounded(m.constant))).collect()
        };
        assert_eq!(found(&relations.multiples), [(1, 0, 100.0, 0.0), (2, 0, -1.0, 3.0)]);
        assert_eq!(found(&relations.of_target), [(4, 0, 2.0, 0.0)]);
        assert_eq!(relations.rank, Some(2));
        assert_eq!(Relations::of(&sums, 6).rank, None);
    }
}
