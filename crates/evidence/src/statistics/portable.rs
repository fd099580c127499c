//! Statistics as written to a file: half of the symmetric matrix, checked when read back.

use faer::Mat;
use serde::{Deserialize, Serialize};

use super::Statistics;
use crate::EvidenceError;
use crate::symmetric::LowerHalf;

/// The written form; `gram` is the lower half of G.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Portable {
    columns: usize,
    targets: usize,
    rows: usize,
    weight: f64,
    log_weight: f64,
    means: Vec<f64>,
    gram: LowerHalf,
}

impl From<Statistics> for Portable {
    fn from(statistics: Statistics) -> Portable {
        Portable {
            columns: statistics.columns,
            targets: statistics.targets,
            rows: statistics.rows,
            weight: statistics.weight,
            log_weight: statistics.log_weight,
            gram: LowerHalf::of(&statistics.gram),
            means: statistics.means,
        }
    }
}

impl TryFrom<Portable> for Statistics {
    type Error = EvidenceError;

    fn try_from(portable: Portable) -> Result<Statistics, EvidenceError> {
        let damaged = |problem: String| Err(EvidenceError::Damaged(problem));
        let Some(width) = portable.columns.checked_add(portable.targets) else {
            return damaged("the number of columns overflows".to_owned());
        };
        if portable.columns == 0 || portable.targets == 0 || portable.means.len() != width {
            return damaged(format!(
                "{} means for {} columns and {} targets",
                portable.means.len(),
                portable.columns,
                portable.targets
            ));
        }
        // Beyond it a weight no longer counts single rows, and sums of two counts would wrap.
        if portable.rows as u64 > 1 << 53 {
            return damaged(format!("{} rows are more than can be counted", portable.rows));
        }
        let finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
        if !finite(&portable.means) || !portable.log_weight.is_finite() {
            return damaged("a mean or the log weight is not finite".to_owned());
        }
        let counted = portable.weight.is_finite() && (portable.weight > 0.0) == (portable.rows > 0);
        if !counted || portable.weight < 0.0 {
            return damaged(format!("a weight of {} for {} rows", portable.weight, portable.rows));
        }
        let gram = portable.gram.unfold(width).map_err(EvidenceError::Damaged)?;
        if let Some(column) = (0..width).find(|&column| gram[(column, column)] < 0.0) {
            return damaged(format!("the sum of squares of column {column} is negative"));
        }
        if let Some((row, column)) = beyond_cauchy_schwarz(&gram) {
            return damaged(format!(
                "the product of columns {column} and {row} is larger than their sums of squares \
                 allow"
            ));
        }
        Ok(Statistics {
            columns: portable.columns,
            targets: portable.targets,
            rows: portable.rows,
            weight: portable.weight,
            log_weight: portable.log_weight,
            means: portable.means,
            gram,
        })
    }
}

/// Two columns with |G_ij| > √(G_ii G_jj), which no data have.
fn beyond_cauchy_schwarz(gram: &Mat<f64>) -> Option<(usize, usize)> {
    // Rounding of sums over many rows, and roots of squares that have vanished.
    const SLACK: f64 = 1.0 + 1e-8;
    const VANISHED: f64 = 1e-150;
    let norms: Vec<f64> = (0..gram.nrows()).map(|i| gram[(i, i)].sqrt().max(VANISHED)).collect();
    (0..gram.nrows())
        .flat_map(|row| (0..row).map(move |column| (row, column)))
        .find(|&(row, column)| gram[(row, column)].abs() > norms[row] * norms[column] * SLACK)
}
