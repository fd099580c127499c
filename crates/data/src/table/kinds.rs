//! How the columns of a file are read for a design.

use std::path::Path;

use super::design::{Design, Encoding, Feature, TargetUse};
use super::error::TableError;
use super::names::Names;
use super::raw::{Column, Kind};

impl Design {
    /// How each column of a file is read that the design needs.
    pub(super) fn kinds(
        &self,
        path: &Path,
        known: &Names<'_>,
        columns: usize,
        target_use: TargetUse,
    ) -> Result<Vec<Option<Kind>>, TableError> {
        let mut kinds: Vec<Option<Kind>> = vec![None; columns];
        let mut read = |name: &str, kind: Kind| -> Result<(), TableError> {
            let source = known.find(name)?;
            if kinds[source].is_some_and(|other| other != kind) {
                let problem = "the design it is read by is damaged: it is read in two ways";
                return Err(TableError::column(path, name, problem));
            }
            kinds[source] = Some(kind);
            Ok(())
        };
        for (name, kind) in self.features.iter().flat_map(Feature::sources) {
            read(name, kind)?;
        }
        if target_use == TargetUse::Required {
            for target in &self.targets {
                read(target.column(), target.kind.kind())?;
            }
            if let Some(name) = &self.weights {
                read(name, Kind::Number)?;
            }
        }
        if let Some(term) = &self.offset {
            read(&term.column, Kind::Number)?;
        }
        Ok(kinds)
    }

    /// Categories that have a level for every other row or more, of a table of `rows` rows.
    pub(super) fn labels(&self, rows: u64) -> Vec<(String, usize)> {
        /// Fewer levels than these are a category of a small table.
        const MANY: usize = 10;
        let levels = self.features.iter().filter_map(|feature| match &feature.encoding {
            Encoding::Category { levels, .. } => Some((feature.name.clone(), levels.len())),
            _ => None,
        });
        levels.filter(|(_, levels)| *levels >= MANY && *levels as u64 * 2 >= rows).collect()
    }
}

/// Refuses columns of texts where a design has numbers.
pub(super) fn check_kinds(
    path: &Path,
    columns: &[Column],
    kinds: &[Option<Kind>],
) -> Result<(), TableError> {
    for (column, kind) in columns.iter().zip(kinds) {
        // A few texts among numbers are counted as they are read.
        let is_texts = column.kind == Kind::Category && *kind == Some(Kind::Number);
        if is_texts || (column.unreadable.is_some() && kind.is_some()) {
            let example = match column.example.as_str() {
                "" => String::new(),
                example => format!(" such as `{example}`"),
            };
            let problem = format!("it holds texts{example} where the design has numbers");
            return Err(TableError::column(path, &column.name, problem));
        }
    }
    Ok(())
}
