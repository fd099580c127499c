//! The sums of each fold while rows come in.

use wd_data::table::{Block, Design, Folds, SparseBlock};

use super::error::FitError;
use super::rows::Rows;
use crate::{EvidenceError, Mat, MatRef, SparseRows, Statistics};

/// The sums of each of `folds` folds of rows in memory, dealt out as the rows of a file are.
///
/// # Errors
/// Columns or targets that sums cannot be made of; values that are not finite.
pub fn dealt(
    x: MatRef<'_, f64>,
    y: MatRef<'_, f64>,
    folds: usize,
    seed: u64,
) -> Result<Vec<Statistics>, EvidenceError> {
    let mut rows = vec![Vec::new(); folds.max(1)];
    for (row, fold) in (0..x.nrows()).zip(Folds::new(folds, seed)) {
        rows[fold].push(row);
    }
    let of_rows = |all: MatRef<'_, f64>, rows: &[usize]| {
        Mat::from_fn(rows.len(), all.ncols(), |row, column| all[(rows[row], column)])
    };
    rows.iter()
        .map(|rows| {
            let mut statistics = Statistics::new(x.ncols(), y.ncols())?;
            statistics.add(of_rows(x, rows).as_ref(), of_rows(y, rows).as_ref(), None)?;
            Ok(statistics)
        })
        .collect()
}

/// Numbers that a fold gathers before they are added to its sums: 2 MiB.
const FOLD_NUMBERS: usize = 1 << 18;

/// Numbers of the sums of all folds, at most: 2 GiB.
const MOST_NUMBERS: usize = 1 << 28;

/// The sums of each fold, with the rows that wait to be added. Both kinds may wait: the first rows
/// of a table are held whole until they outnumber its columns, and come without their zeros after.
pub(super) struct FoldSums {
    pub(super) statistics: Vec<Statistics>,
    waiting: Vec<Rows>,
    sparse: Vec<SparseWaiting>,
    fold_of: Folds,
}

impl FoldSums {
    /// Sums of `folds` folds; of all rows together where that is 0.
    pub(super) fn new(design: &Design, folds: usize, seed: u64) -> Result<Self, FitError> {
        let width = design.width().saturating_add(design.targets.len());
        let numbers = width.saturating_mul(width).saturating_mul(folds.max(1));
        if numbers > MOST_NUMBERS {
            return Err(too_many(design, folds));
        }
        let statistics = (0..folds.max(1))
            .map(|_| Statistics::new(design.width(), design.targets.len()))
            .collect::<Result<_, _>>()?;
        Ok(FoldSums {
            statistics,
            waiting: (0..folds.max(1)).map(|_| Rows::new(design)).collect(),
            sparse: (0..folds.max(1)).map(|_| SparseWaiting::default()).collect(),
            fold_of: Folds::new(folds, seed),
        })
    }

    pub(super) fn add(&mut self, block: &Block<'_>) -> Result<(), FitError> {
        let folds = self.statistics.len();
        if let Some(sparse) = &block.sparse {
            for row in 0..block.rows {
                let fold = match folds {
                    1 => 0,
                    _ => self.fold_of.next().unwrap_or_default(),
                };
                let waiting = &mut self.sparse[fold];
                waiting.add_row(block, sparse, row);
                if waiting.values.len() >= FOLD_NUMBERS {
                    waiting.flush(&mut self.statistics[fold])?;
                }
            }
            return Ok(());
        }
        if folds == 1 {
            let (p, k) = (self.waiting[0].columns, self.waiting[0].targets);
            let x = MatRef::from_row_major_slice(block.values, block.rows, p);
            let y = MatRef::from_row_major_slice(block.targets, block.rows, k);
            return Ok(self.statistics[0].add(x, y, block.weights)?);
        }
        for (row, fold) in (0..block.rows).zip(&mut self.fold_of) {
            let waiting = &mut self.waiting[fold];
            waiting.add(block, row..row + 1);
            if waiting.values.len() >= FOLD_NUMBERS {
                waiting.add_to(&mut self.statistics[fold])?;
                waiting.clear();
            }
        }
        Ok(())
    }

    /// The sums, once the last rows are added.
    pub(super) fn finish(mut self) -> Result<Vec<Statistics>, FitError> {
        for (sparse, statistics) in self.sparse.iter_mut().zip(&mut self.statistics) {
            sparse.flush(statistics)?;
        }
        for (waiting, statistics) in self.waiting.iter().zip(&mut self.statistics) {
            waiting.add_to(statistics)?;
        }
        Ok(self.statistics)
    }
}

/// The refusal of sums that would not fit into memory.
fn too_many(design: &Design, folds: usize) -> FitError {
    let columns = design.width() + design.targets.len();
    if folds == 0 {
        return FitError::TooManyColumns { columns, most: MOST_NUMBERS.isqrt() };
    }
    FitError::option(
        "compare",
        format!("cv:{folds}"),
        format!(
            "each fold keeps the {columns} × {columns} products of the columns, and all take \
                 more than {} GiB",
            (MOST_NUMBERS * size_of::<f64>()) >> 30
        ),
        "ask for fewer folds, or for loo, which needs none",
    )
}

/// Rows that are mostly zeros, in memory.
#[derive(Default)]
struct SparseWaiting {
    /// Where each row ends.
    ends: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f64>,
    targets: Vec<f64>,
    weights: Option<Vec<f64>>,
}

impl SparseWaiting {
    fn add_row(&mut self, block: &Block<'_>, sparse: &SparseBlock<'_>, row: usize) {
        let range = sparse.starts[row]..sparse.starts[row + 1];
        self.columns.extend_from_slice(&sparse.columns[range.clone()]);
        self.values.extend_from_slice(&sparse.values[range]);
        self.ends.push(self.values.len());
        let k = block.targets.len() / block.rows;
        self.targets.extend_from_slice(&block.targets[row * k..(row + 1) * k]);
        if let Some(weights) = block.weights {
            self.weights.get_or_insert_default().push(weights[row]);
        }
    }

    /// Adds the rows to sums, and forgets them.
    fn flush(&mut self, statistics: &mut Statistics) -> Result<(), FitError> {
        let rows = self.ends.len();
        self.ends.insert(0, 0);
        let x = SparseRows { starts: &self.ends, columns: &self.columns, values: &self.values };
        let y = MatRef::from_row_major_slice(&self.targets, rows, statistics.targets());
        statistics.add_sparse(x, y, self.weights.as_deref())?;
        self.ends.clear();
        self.columns.clear();
        self.values.clear();
        self.targets.clear();
        if let Some(weights) = &mut self.weights {
            weights.clear();
        }
        Ok(())
    }
}
