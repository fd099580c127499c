//! The table as what a fit needs of it: sums, sums of folds, or the rows.

use std::path::Path;

use wd_data::table::{Block, Design, Findings, Folds, SparseBlock, TableFormat, TargetUse};
use wd_evidence::{EvidenceError, MatRef, SparseRows, Statistics};

use super::sums::Summed;
use crate::diagnostics::CommandError;

/// Numbers that a fold gathers before they are added to its sums: 2 MiB.
const FOLD_NUMBERS: usize = 1 << 18;

/// Above this many columns their Gram matrix takes more than 512 MiB.
const MOST_SUMMED_COLUMNS: usize = 8192;

/// A table and how it is read: files that follow each other, and sums of others.
pub(super) struct Source<'a> {
    pub(super) design: &'a Design,
    pub(super) tables: Vec<&'a Path>,
    pub(super) sums: Option<&'a Summed<'a>>,
    pub(super) format: TableFormat,
}

/// What is kept of a table.
pub(super) struct Loaded {
    pub(super) findings: Findings,
    pub(super) content: Content,
}

/// Sums where there are more rows than columns, the rows themselves where not: either takes no more than p² numbers.
pub(super) enum Content {
    /// Sums of each fold; a single one where no folds are wanted.
    Sums(Vec<Statistics>),
    Rows(Rows),
}

/// Rows in memory.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) columns: usize,
    pub(super) targets: usize,
    pub(super) count: usize,
    values: Vec<f64>,
    pub(super) target_values: Vec<f64>,
    weights: Option<Vec<f64>>,
}

impl Rows {
    fn new(design: &Design) -> Self {
        Rows { columns: design.width(), targets: design.targets.len(), ..Rows::default() }
    }

    pub(super) fn x(&self) -> MatRef<'_, f64> {
        MatRef::from_row_major_slice(&self.values, self.count, self.columns)
    }

    pub(super) fn y(&self) -> MatRef<'_, f64> {
        MatRef::from_row_major_slice(&self.target_values, self.count, self.targets)
    }

    pub(super) fn weights(&self) -> Option<&[f64]> {
        self.weights.as_deref()
    }

    fn add(&mut self, block: &Block<'_>) {
        self.values.extend_from_slice(block.values);
        self.target_values.extend_from_slice(block.targets);
        if let Some(weights) = block.weights {
            self.weights.get_or_insert_default().extend_from_slice(weights);
        }
        self.count += block.rows;
    }

    fn add_row(&mut self, block: &Block<'_>, row: usize) {
        let (p, k) = (self.columns, self.targets);
        self.values.extend_from_slice(&block.values[row * p..(row + 1) * p]);
        self.target_values.extend_from_slice(&block.targets[row * k..(row + 1) * k]);
        if let Some(weights) = block.weights {
            self.weights.get_or_insert_default().push(weights[row]);
        }
        self.count += 1;
    }

    fn clear(&mut self) {
        self.count = 0;
        self.values.clear();
        self.target_values.clear();
        if let Some(weights) = &mut self.weights {
            weights.clear();
        }
    }

    fn add_to(&self, statistics: &mut Statistics) -> Result<(), CommandError> {
        Ok(statistics.add(self.x(), self.y(), self.weights())?)
    }

    /// Their sums, even where these take more room than the rows.
    pub(super) fn statistics(&self) -> Result<Statistics, CommandError> {
        if self.columns > MOST_SUMMED_COLUMNS {
            return Err(CommandError::usage(
                format!(
                    "--groups and --sums need the {0} × {0} products of the columns",
                    self.columns
                ),
                format!(
                    "leave columns out until there are {MOST_SUMMED_COLUMNS} at most, or fit the rows without groups"
                ),
            ));
        }
        let mut statistics = Statistics::new(self.columns, self.targets)?;
        self.add_to(&mut statistics)?;
        Ok(statistics)
    }
}

impl Source<'_> {
    /// The files, for messages.
    pub(super) fn name(&self) -> String {
        let sums = self.sums.iter().flat_map(|sums| sums.paths.iter());
        named_together(&sums.chain(&self.tables).copied().collect::<Vec<_>>())
    }

    /// Whether all rows are at hand, and not only sums of some.
    pub(super) fn has_rows(&self) -> bool {
        self.sums.is_none()
    }

    /// Reads the table into sums of `folds` folds (0: one sum of all), or into rows while they are fewer than columns. To sums
    /// that are given the rest is added.
    pub(super) fn sums(&self, folds: usize, seed: u64) -> Result<Loaded, CommandError> {
        let mut rows = Rows::new(self.design);
        let mut sums: Option<FoldSums> = None;
        if let Some(given) = self.sums {
            let mut started = FoldSums::new(self.design, 0, seed)?;
            started.statistics[0].merge(&given.total.statistics)?;
            sums = Some(started);
        }
        let mut findings = self.for_each_block(|block| {
            if let Some(sums) = &mut sums {
                return sums.add(block);
            }
            rows.add(block);
            if rows.count > rows.columns {
                let mut started = FoldSums::new(self.design, folds, seed)?;
                started.add(&rows.block())?;
                rows = Rows::new(self.design);
                sums = Some(started);
            }
            Ok(())
        })?;
        let content = match sums {
            Some(sums) => Content::Sums(sums.finish()?),
            None => Content::Rows(rows),
        };
        if let (Content::Sums(sums), Some(given)) = (&content, self.sums) {
            findings = of_sums(&sums[0], findings.rows + given.total.rows);
        }
        Ok(Loaded { findings, content })
    }

    /// Reads the table into one sum, whatever its shape.
    pub(super) fn statistics(&self) -> Result<(Statistics, Findings), CommandError> {
        let Loaded { findings, content } = self.sums(0, 0)?;
        let statistics = match content {
            Content::Rows(rows) => rows.statistics()?,
            Content::Sums(sums) => merged(&sums)?,
        };
        Ok((statistics, findings))
    }

    /// Reads the table into memory.
    pub(super) fn rows(&self) -> Result<(Rows, Findings), CommandError> {
        let mut rows = Rows::new(self.design);
        let findings = self.for_each_block(|block| {
            rows.add(block);
            Ok(())
        })?;
        Ok((rows, findings))
    }

    /// Another table of the same design.
    pub(super) fn at<'a>(&'a self, path: &'a Path) -> Source<'a> {
        Source { design: self.design, tables: vec![path], sums: None, format: self.format.clone() }
    }

    /// Hands over every block, until a cell is empty: then the rest is only counted, and what is missing is the error.
    pub(super) fn for_each_block(
        &self,
        mut use_block: impl FnMut(&Block<'_>) -> Result<(), CommandError>,
    ) -> Result<Findings, CommandError> {
        let Some((first, others)) = self.tables.split_first() else {
            return Ok(Findings::default());
        };
        let mut others = others.iter();
        let mut blocks = self.design.read(first, &self.format, TargetUse::Required)?;
        loop {
            while let Some(block) = blocks.next_block()? {
                if block.is_complete {
                    use_block(&block)?;
                }
            }
            blocks = match others.next() {
                Some(other) => blocks.continue_with(other, &self.format)?,
                None => return Ok(blocks.finish()?),
            };
        }
    }
}

/// The sums of all folds.
pub(super) fn merged(folds: &[Statistics]) -> Result<Statistics, EvidenceError> {
    let mut whole = folds[0].clone();
    for fold in &folds[1..] {
        whole.merge(fold)?;
    }
    Ok(whole)
}

/// What sums still show of the columns: which of them never vary.
fn of_sums(statistics: &Statistics, rows: u64) -> Findings {
    let constant = (0..statistics.columns())
        .filter(|&column| statistics.is_constant(column))
        .map(|column| (column, statistics.means()[column]));
    Findings { rows, constant: constant.collect(), ..Findings::default() }
}

/// The first files of a list, and how many more there are.
pub(super) fn named_together(paths: &[&Path]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<String> =
        paths.iter().take(SHOWN).map(|path| path.display().to_string()).collect();
    match paths.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

impl Rows {
    fn block(&self) -> Block<'_> {
        Block {
            rows: self.count,
            values: &self.values,
            sparse: None,
            targets: &self.target_values,
            weights: self.weights(),
            is_complete: true,
        }
    }
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
    fn flush(&mut self, statistics: &mut Statistics) -> Result<(), CommandError> {
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

/// The sums of each fold while rows come in.
struct FoldSums {
    statistics: Vec<Statistics>,
    waiting: Vec<Rows>,
    sparse: Vec<SparseWaiting>,
    fold_of: Folds,
}

impl FoldSums {
    fn new(design: &Design, folds: usize, seed: u64) -> Result<Self, CommandError> {
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

    fn add(&mut self, block: &Block<'_>) -> Result<(), CommandError> {
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
            waiting.add_row(block, row);
            if waiting.values.len() >= FOLD_NUMBERS {
                waiting.add_to(&mut self.statistics[fold])?;
                waiting.clear();
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<Statistics>, CommandError> {
        for (sparse, statistics) in self.sparse.iter_mut().zip(&mut self.statistics) {
            sparse.flush(statistics)?;
        }
        for (waiting, statistics) in self.waiting.iter().zip(&mut self.statistics) {
            waiting.add_to(statistics)?;
        }
        Ok(self.statistics)
    }
}
