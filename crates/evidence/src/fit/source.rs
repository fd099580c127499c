//! The table as what a fit needs of it: sums, sums of folds, or the rows.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use wd_data::table::{Block, Design, Findings, Reading, TargetUse};

use super::arrays::Arrays;
use super::error::FitError;
use super::fold_sums::FoldSums;
use super::relations::Relations;
use super::rows::Rows;
use super::sums::Sums;
use super::table::{TableSummary, named_together};
use crate::Statistics;

/// A table and how it is read: files that follow each other, and sums of others.
pub(super) struct Source<'a> {
    pub(super) design: &'a Design,
    /// Everything that was named.
    pub(super) files: &'a [PathBuf],
    pub(super) tables: &'a [PathBuf],
    pub(super) sums: Option<&'a Sums>,
    /// What is in memory instead of files.
    pub(super) arrays: Option<&'a Arrays<'a>>,
    pub(super) reading: &'a Reading,
}

/// What is kept of a table: sums where there are more rows than columns, the rows themselves where
/// not. Either takes no more than p² numbers.
pub(super) enum Content {
    Sums {
        whole: Statistics,
        /// The sums of each fold; none where no folds are wanted.
        folds: Vec<Statistics>,
    },
    Rows(Rows),
}

impl Content {
    /// The sums of all rows, even where these take more room than the rows.
    pub(super) fn statistics(&self) -> Result<Cow<'_, Statistics>, FitError> {
        Ok(match self {
            Content::Sums { whole, .. } => Cow::Borrowed(whole),
            Content::Rows(rows) => Cow::Owned(rows.statistics()?),
        })
    }
}

impl<'a> Source<'a> {
    /// The files, for messages.
    pub(super) fn name(&self) -> String {
        named_together(self.files)
    }

    /// What is said of the table besides a fit.
    pub(super) fn summary(&self, findings: Findings) -> TableSummary {
        TableSummary {
            files: self.files.to_vec(),
            design: self.design.clone(),
            findings,
            relations: Relations::default(),
        }
    }

    /// Another table of the same design.
    pub(super) fn at(&self, table: &'a PathBuf) -> Source<'a> {
        let files = std::slice::from_ref(table);
        let Source { design, reading, .. } = *self;
        Source { design, files, tables: files, sums: None, arrays: None, reading }
    }

    /// Reads the table into sums of `folds` folds (0: one sum of all), or into rows while they are
    /// fewer than columns. To sums that are given the rest is added.
    pub(super) fn load(&self, folds: usize, seed: u64) -> Result<(Content, Findings), FitError> {
        let mut rows = Rows::new(self.design);
        let mut sums: Option<FoldSums> = None;
        if let Some(given) = self.sums {
            let mut started = FoldSums::new(self.design, 0, seed)?;
            started.statistics[0].merge(&given.statistics)?;
            sums = Some(started);
        }
        let mut findings = self.for_each_block(|block| {
            if let Some(sums) = &mut sums {
                return sums.add(block);
            }
            rows.add(block, 0..block.rows);
            if rows.count > rows.columns {
                let mut started = FoldSums::new(self.design, folds, seed)?;
                started.add(&rows.block())?;
                rows = Rows::new(self.design);
                sums = Some(started);
            }
            Ok(())
        })?;
        let Some(sums) = sums else {
            return Ok((Content::Rows(rows), findings));
        };
        let mut folds = sums.finish()?;
        let whole = match folds.len() {
            1 => folds.remove(0),
            _ => merged(&folds)?,
        };
        if let Some(given) = self.sums {
            let left_out = findings.left_out;
            findings = of_sums(&whole, findings.rows + given.table.findings.rows);
            findings.left_out = left_out;
        }
        Ok((Content::Sums { whole, folds }, findings))
    }

    /// Reads the table into memory.
    pub(super) fn rows(&self) -> Result<(Rows, Findings), FitError> {
        let mut rows = Rows::new(self.design);
        let findings = self.for_each_block(|block| {
            rows.add(block, 0..block.rows);
            Ok(())
        })?;
        Ok((rows, findings))
    }

    /// Hands over every block, until a cell is empty: then the rest is only counted, and what is
    /// missing is the error.
    pub(super) fn for_each_block(
        &self,
        mut use_block: impl FnMut(&Block<'_>) -> Result<(), FitError>,
    ) -> Result<Findings, FitError> {
        if let Some(arrays) = self.arrays {
            return arrays.for_each_block(use_block);
        }
        let Some((first, others)) = self.tables.split_first() else {
            return Ok(Findings::default());
        };
        let mut others = others.iter();
        let mut blocks = self.design.read(first, self.reading, TargetUse::Required)?;
        loop {
            while let Some(block) = blocks.next_block()? {
                if block.is_complete && block.rows > 0 {
                    use_block(&block)?;
                }
            }
            blocks = match others.next() {
                Some(other) => blocks.continue_with(Path::new(other), self.reading)?,
                None => return Ok(blocks.finish()?),
            };
        }
    }
}

/// The sums of all folds.
fn merged(folds: &[Statistics]) -> Result<Statistics, FitError> {
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
