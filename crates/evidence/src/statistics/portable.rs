//! Statistics as written to a file: half of the symmetric matrix, checked when read back.

use faer::Mat;
use serde::{Deserialize, Serialize};

use super::Statistics;
use crate::EvidenceError;

/// The written form; `gram` is the lower half of G, column after column.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Portable {
    columns: usize,
    targets: usize,
    rows: usize,
    weight: f64,
    log_weight: f64,
    means: Vec<f64>,
    gram: Vec<f64>,
}

impl From<Statistics> for Portable {
    fn from(statistics: Statistics) -> Portable {
        let width = statistics.means.len();
        let gram = (0..width)
            .flat_map(|column| statistics.gram.col_as_slice(column)[column..].to_vec())
            .collect();
        Portable {
            columns: statistics.columns,
            targets: statistics.targets,
            rows: statistics.rows,
            weight: statistics.weight,
            log_weight: statistics.log_weight,
            means: statistics.means,
            gram,
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
        // `means` is in memory, so that the square of its length cannot overflow.
        let half = width * (width + 1) / 2;
        if portable.gram.len() != half {
            return damaged(format!(
                "{} products where {half} are expected",
                portable.gram.len()
            ));
        }
        let finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
        if !finite(&portable.means) || !finite(&portable.gram) || !portable.log_weight.is_finite() {
            return damaged("a mean, a product or the log weight is not finite".to_owned());
        }
        let counted = portable.weight.is_finite() && (portable.weight > 0.0) == (portable.rows > 0);
        if !counted || portable.weight < 0.0 {
            return damaged(format!(
                "a weight of {} for {} rows",
                portable.weight, portable.rows
            ));
        }
        let mut gram = Mat::zeros(width, width);
        let mut rest = portable.gram.as_slice();
        for column in 0..width {
            let (values, after) = rest.split_at(width - column);
            gram.col_as_slice_mut(column)[column..].copy_from_slice(values);
            if values[0] < 0.0 {
                return damaged(format!(
                    "the sum of squares of column {column} is {}",
                    values[0]
                ));
            }
            rest = after;
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
