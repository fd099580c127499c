//! A table that is in memory: numbers alone, with names.

use wd_data::table::{Block, Design, Encoding, Feature, Findings, Target, TargetKind, Term};

use super::error::FitError;
use crate::{EvidenceError, MatRef};

/// Numbers of a block of rows: 2 MiB, as of a file.
const BLOCK_NUMBERS: usize = 1 << 18;

/// Rows in memory, as views: nothing of them is copied as a whole by the Gaussian family, which
/// takes them block by block. The other families hold rows, and make a copy.
#[derive(Debug, Clone, Copy)]
pub struct Arrays<'a> {
    /// n × p numbers, row-major or column-major.
    pub x: MatRef<'a, f64>,
    /// A name for each column.
    pub columns: &'a [String],
    /// n × k numbers: values, or indices of classes.
    pub y: MatRef<'a, f64>,
    /// A name for each target.
    pub targets: &'a [String],
    /// The names of the classes; empty where the target is a number.
    pub classes: &'a [String],
    /// A weight for each row.
    pub weights: Option<&'a [f64]>,
    /// The logarithm of each row's exposure.
    pub offset: Option<&'a [f64]>,
}

impl Arrays<'_> {
    /// Refuses sizes that do not fit.
    pub(super) fn check(&self) -> Result<(), FitError> {
        let lengths = [
            ("names of columns", self.columns.len(), self.x.ncols()),
            ("rows of y", self.y.nrows(), self.x.nrows()),
            ("names of targets", self.targets.len(), self.y.ncols()),
            ("weights", self.weights.map_or(self.x.nrows(), <[f64]>::len), self.x.nrows()),
            ("offsets", self.offset.map_or(self.x.nrows(), <[f64]>::len), self.x.nrows()),
        ];
        for (what, given, expected) in lengths {
            if given != expected {
                return Err(EvidenceError::Shape { what, given, expected }.into());
            }
        }
        Ok(())
    }

    /// What the columns are.
    pub(super) fn design(&self) -> Design {
        let feature = |name: &String| Feature {
            name: name.clone(),
            encoding: Encoding::Number { imputed: None },
        };
        let kind = || match self.classes {
            [] => TargetKind::Number,
            levels => TargetKind::Classes { levels: levels.to_vec() },
        };
        let target = |name: &String| Target { name: name.clone(), kind: kind(), term: None };
        Design {
            features: self.columns.iter().map(feature).collect(),
            targets: self.targets.iter().map(target).collect(),
            weights: self.weights.map(|_| "weights".to_owned()),
            dropped: Vec::new(),
            offset: self.offset.map(|_| Term { column: "exposure".to_owned(), function: None }),
        }
    }

    /// Hands over every block of rows, and says what the whole shows.
    pub(super) fn for_each_block(
        &self,
        mut use_block: impl FnMut(&Block<'_>) -> Result<(), FitError>,
    ) -> Result<Findings, FitError> {
        let (n, p) = (self.x.nrows(), self.x.ncols());
        let rows = (BLOCK_NUMBERS / p.max(1)).clamp(64, 8192);
        let (mut values, mut targets) = (Vec::new(), Vec::new());
        for start in (0..n).step_by(rows) {
            let end = n.min(start + rows);
            row_major(self.x.subrows(start, end - start), &mut values);
            row_major(self.y.subrows(start, end - start), &mut targets);
            use_block(&Block {
                rows: end - start,
                values: &values,
                sparse: None,
                targets: &targets,
                weights: self.weights.map(|weights| &weights[start..end]),
                offset: self.offset.map(|offset| &offset[start..end]),
                baselines: &[],
                numbers: &[],
                labels: &[],
                is_complete: true,
            })?;
        }
        let weightless = self.weights.into_iter().flatten().filter(|weight| **weight == 0.0);
        let mut findings = Findings { rows: n as u64, ..Findings::default() };
        findings.left_out.weightless = weightless.count() as u64;
        let is_constant = |column: &usize| {
            let column = self.x.col(*column);
            n > 0 && column.iter().all(|value| *value == column[0])
        };
        let constant = (0..p).filter(is_constant).map(|column| (column, self.x[(0, column)]));
        findings.constant = constant.collect();
        Ok(findings)
    }
}

/// Writes a matrix row by row.
fn row_major(matrix: MatRef<'_, f64>, into: &mut Vec<f64>) {
    into.clear();
    for row in 0..matrix.nrows() {
        into.extend(matrix.row(row).iter());
    }
}
