//! The shipped table of numbers, which the binary carries along.

use wd_evidence::Mat;

use super::simulation::Table;

use crate::StudyError;

const DIABETES: &str = include_str!("../../../../corpora/tables/diabetes.csv");

/// The column by whose top third rows are shifted.
const SHIFTED_BY: &str = "bmi";

/// A table of numbers, and where its rows are cut.
pub(super) struct Shipped {
    pub(super) table: Table,
    /// The names of its columns.
    pub(super) columns: Vec<String>,
    /// The number of [`SHIFTED_BY`].
    pub(super) shifted_by: usize,
}

/// 442 patients: ten columns, and the target last.
pub(super) fn diabetes() -> Result<Shipped, StudyError> {
    let broken =
        |problem: String| StudyError::Shipped { file: "corpora/tables/diabetes.csv", problem };
    let mut reader = csv::Reader::from_reader(DIABETES.as_bytes());
    let header = reader.headers().map_err(|error| broken(error.to_string()))?;
    let shifted_by = header
        .iter()
        .position(|name| name == SHIFTED_BY)
        .ok_or_else(|| broken(format!("no column {SHIFTED_BY}")))?;
    let columns = header.len() - 1;
    let names = header.iter().take(columns).map(str::to_owned).collect();
    let rows = reader
        .deserialize()
        .collect::<Result<Vec<Vec<f64>>, _>>()
        .map_err(|error| broken(error.to_string()))?;
    Ok(Shipped {
        table: Table {
            x: Mat::from_fn(rows.len(), columns, |i, j| rows[i][j]),
            y: Mat::from_fn(rows.len(), 1, |i, _| rows[i][columns]),
        },
        columns: names,
        shifted_by,
    })
}
