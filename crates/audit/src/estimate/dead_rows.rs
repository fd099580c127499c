//! Rows that no gradient has ever reached: tokens that never occur, positions beyond every text,
//! experts that nobody asked.

use serde::Serialize;

use super::pair::Pair;
use crate::measure::{norms, row_layout, side_by_side};

/// How it is known that rows had no gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// Every moment of the row is zero after the window.
    StateAfter,
    /// Every moment was zero before the window, and the row changed by one factor.
    StateBefore,
    /// Rows changed by one factor that they share, while other rows of the tensor did not.
    Factor,
}

/// Rows without gradient.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DeadRows {
    /// Their indices, rising.
    pub(crate) rows: Vec<usize>,
    /// Elements of a row.
    pub(crate) length: usize,
    pub(crate) evidence: Evidence,
}

/// How the rows of a tensor changed, of which some had no gradient.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RowChanges {
    /// The tensor.
    pub tensor: String,
    /// Rows that had no gradient between the two checkpoints.
    pub without_gradient: usize,
    /// Rows of the tensor.
    pub of: usize,
    /// Some of the rows, in order: as many as a figure shows.
    pub rows: Vec<RowChange>,
}

/// How one row changed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RowChange {
    /// Its index.
    pub row: usize,
    /// ⟨w₁, w₂⟩ / ⟨w₁, w₁⟩: what of the row is left along itself.
    pub factor: f64,
    /// Whether it had a gradient.
    pub had_gradient: bool,
}

/// Rows of either kind that a figure shows.
const SHOWN: usize = 150;

/// The changes of the rows of a tensor, for a figure. Nothing if they cannot be compared.
pub(crate) fn picture(pair: &Pair<'_>, dead: &DeadRows) -> Option<RowChanges> {
    let changes = changes(pair, dead.length)?;
    let live: Vec<usize> =
        (0..changes.len()).filter(|row| dead.rows.binary_search(row).is_err()).collect();
    let shown = |rows: &[usize], had_gradient| -> Vec<RowChange> {
        // As evenly as whole numbers allow.
        let stride = rows.len().div_ceil(SHOWN).max(1);
        rows.iter()
            .step_by(stride)
            .filter_map(|&row| changes.get(row).map(|change| (row, change)))
            .filter(|(_, change)| !change.is_zero)
            .map(|(row, change)| RowChange { row, factor: change.factor, had_gradient })
            .collect()
    };
    let mut rows = shown(&dead.rows, false);
    rows.extend(shown(&live, true));
    rows.sort_by_key(|change| change.row);
    let tensor = pair.name.to_owned();
    Some(RowChanges { tensor, without_gradient: dead.rows.len(), of: changes.len(), rows })
}

/// How a row changed: w₂ = a w₁ + r.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Change {
    /// a; zero where the row was zero.
    factor: f64,
    /// ‖r‖/‖w₁‖.
    residual: f64,
    is_zero: bool,
}

/// Rows longer than this are not looked at one by one.
const LONGEST_ROW: usize = 1 << 20;

/// Finds the rows of a tensor that had no gradient between two checkpoints. Nothing if there are
/// none, or none can be known.
pub(crate) fn find(pair: &Pair<'_>) -> Option<DeadRows> {
    let (rows, length) = row_layout(pair.after).filter(|&(_, length)| length <= LONGEST_ROW)?;
    let moments_after = pair.held_after.map(|held| held.moments(pair.after)).unwrap_or_default();
    let moments_before = pair.held_before.map(|held| held.moments(pair.before)).unwrap_or_default();
    let (candidates, evidence) = if !moments_after.is_empty() {
        (rows_of_zeros(&moments_after, rows)?, Evidence::StateAfter)
    } else if !moments_before.is_empty() {
        (rows_of_zeros(&moments_before, rows)?, Evidence::StateBefore)
    } else {
        ((0..rows).collect(), Evidence::Factor)
    };
    if candidates.is_empty() {
        return None;
    }
    let changes = changes(pair, length)?;
    let rounding = pair.before.dtype().unit_roundoff().max(pair.after.dtype().unit_roundoff());
    // A row of f32 that decays a million times is off by some √10⁶ roundings: 3e-5.
    let tolerance = (2.0 * rounding).max(1e-5);
    let is_factor = |row: &usize| {
        changes.get(*row).is_some_and(|change| !change.is_zero && change.residual < tolerance)
    };
    let rows: Vec<usize> = match evidence {
        // The state proves it; a row that started as zeros tells nothing.
        Evidence::StateAfter => {
            let is_there = |row: &usize| changes.get(*row).is_some_and(|change| !change.is_zero);
            candidates.into_iter().filter(is_there).collect()
        }
        Evidence::StateBefore => candidates.into_iter().filter(is_factor).collect(),
        Evidence::Factor => {
            if rounding > 1e-7 {
                return None;
            }
            sharing_a_factor(
                candidates.into_iter().filter(is_factor).collect(),
                &changes,
                tolerance,
            )?
        }
    };
    (!rows.is_empty()).then_some(DeadRows { rows, length, evidence })
}

/// Rows in which every tensor is zero.
fn rows_of_zeros(moments: &[&crate::tensor::Tensor], rows: usize) -> Option<Vec<usize>> {
    let mut is_zero = vec![true; rows];
    for moment in moments {
        let measured = norms(moment)?;
        if measured.rows.len() != rows || measured.non_finite > 0 {
            return None;
        }
        for (is_zero, row) in is_zero.iter_mut().zip(&measured.rows) {
            *is_zero &= row.sum_of_magnitudes == 0.0;
        }
    }
    Some((0..rows).filter(|&row| is_zero[row]).collect())
}

fn changes(pair: &Pair<'_>, length: usize) -> Option<Vec<Change>> {
    let mut changes = Vec::new();
    let is_real = side_by_side(&[pair.before, pair.after], length, |_, blocks| {
        let [first, second] = blocks else { return };
        let (mut square, mut product) = (0.0, 0.0);
        for (x, y) in first.iter().zip(second) {
            square += x * x;
            product += x * y;
        }
        if square <= 0.0 || !square.is_finite() || !product.is_finite() {
            changes.push(Change { is_zero: true, ..Change::default() });
            return;
        }
        let factor = product / square;
        let rest: f64 = first.iter().zip(second).map(|(x, y)| (y - factor * x).powi(2)).sum();
        changes.push(Change { factor, residual: (rest / square).sqrt(), is_zero: false });
    });
    is_real.then_some(changes)
}

/// The rows whose factors are the same, provided that enough other rows clearly have none: in a
/// tensor that hardly moved every row seems to have one.
fn sharing_a_factor(
    candidates: Vec<usize>,
    changes: &[Change],
    tolerance: f64,
) -> Option<Vec<usize>> {
    if candidates.len() < 2 || 2 * candidates.len() > changes.len() {
        return None;
    }
    let mut others: Vec<f64> = changes
        .iter()
        .filter(|change| !change.is_zero && change.residual >= tolerance)
        .map(|change| change.residual)
        .collect();
    if others.is_empty() {
        return None;
    }
    let middle = others.len() / 2;
    let (_, &mut median, _) = others.select_nth_unstable_by(middle, f64::total_cmp);
    if median < 30.0 * tolerance {
        return None;
    }
    let mut factors: Vec<f64> = candidates.iter().map(|&row| changes[row].factor).collect();
    factors.sort_by(f64::total_cmp);
    let middle = factors[factors.len() / 2];
    let shares = |row: &usize| (changes[*row].factor - middle).abs() < tolerance;
    let rows: Vec<usize> = candidates.into_iter().filter(shares).collect();
    (rows.len() >= 2).then_some(rows)
}
