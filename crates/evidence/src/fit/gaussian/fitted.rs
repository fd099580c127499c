//! The model of a table, from its sums or its rows.

use crate::fit::criteria::Criteria;
use crate::fit::error::FitError;
use crate::fit::relations::Relations;
use crate::fit::request::Request;
use crate::fit::source::{Content, Source};
use crate::fit::table::TableSummary;
use crate::{EvidenceError, Gaussian, MatRef, Options};

/// The model of a table with what it was made of.
pub(super) struct Fitted<'a> {
    pub(super) source: &'a Source<'a>,
    pub(super) request: &'a Request,
    pub(super) criteria: Criteria,
    pub(super) options: Options,
    pub(super) content: Content,
    pub(super) table: TableSummary,
    pub(super) model: Gaussian,
}

impl<'a> Fitted<'a> {
    pub(super) fn of(source: &'a Source<'a>, request: &'a Request) -> Result<Self, FitError> {
        let criteria = request.criteria();
        let (content, findings) = source.load(criteria.folds, request.seed)?;
        let options = request.options(findings.rows, source.design.width());
        let model = match &content {
            Content::Sums { whole, .. } => Gaussian::from_statistics(whole, options),
            Content::Rows(rows) => Gaussian::from_rows(rows.x(), rows.y(), rows.weights(), options),
        };
        let model = model.map_err(|error| named(source, error))?;
        let mut table = source.summary(findings);
        if let Content::Sums { whole, .. } = &content {
            table.relations = Relations::of(whole, model.rank());
        }
        Ok(Fitted { source, request, criteria, options, content, table, model })
    }

    /// Names the column or target that an error of the mathematics counts from 0.
    pub(super) fn named<T>(&self, result: Result<T, EvidenceError>) -> Result<T, FitError> {
        result.map_err(|error| named(self.source, error))
    }

    /// The rows of the table, from memory or read again.
    pub(super) fn for_each_row_block(
        &self,
        mut use_rows: impl FnMut(
            MatRef<'_, f64>,
            MatRef<'_, f64>,
            Option<&[f64]>,
        ) -> Result<(), FitError>,
    ) -> Result<(), FitError> {
        if let Content::Rows(rows) = &self.content {
            return use_rows(rows.x(), rows.y(), rows.weights());
        }
        let (p, k) = (self.source.design.width(), self.source.design.targets.len());
        self.source.for_each_block(|block| {
            let x = MatRef::from_row_major_slice(block.values, block.rows, p);
            let y = MatRef::from_row_major_slice(block.targets, block.rows, k);
            use_rows(x, y, block.weights)
        })?;
        Ok(())
    }
}

fn named(source: &Source<'_>, error: EvidenceError) -> FitError {
    let design = source.design;
    let target = |index: usize| design.targets.get(index).map(|target| target.name.clone());
    let (column, problem) = match &error {
        EvidenceError::ConstantTarget { target: index } => (
            target(*index),
            "the target is the same in every row: there is nothing to explain, and no λ to find",
        ),
        EvidenceError::Scale { what, column, .. } => (
            match *what {
                "target" => target(*column),
                _ => design.columns().get(*column).cloned(),
            },
            "its squares overflow or vanish: give it in another unit, or drop it",
        ),
        _ => (None, ""),
    };
    match column {
        Some(column) => {
            FitError::Column { files: source.name(), column, problem: problem.to_owned() }
        }
        None => error.into(),
    }
}
