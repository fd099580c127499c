//! From the raw rows of a column to targets, weights and offsets.

use super::derive::Term;
use super::design::{Target, TargetKind};
use super::dictionary::MISSING;
use super::encode::{Absent, Gaps, LevelIndex, Rows, unknown};
use super::error::TableError;
use super::raw::RawColumn;
use super::reading::Unseen;

/// Where a target comes from.
pub(super) struct TargetReader<'d> {
    pub(super) target: &'d Target,
    pub(super) source: usize,
    levels: LevelIndex,
    pub(super) absent: Absent,
}

impl<'d> TargetReader<'d> {
    pub(super) fn new(target: &'d Target, source: usize) -> Self {
        TargetReader { target, source, levels: LevelIndex::default(), absent: Absent::default() }
    }

    /// A count of 0 for each class.
    pub(super) fn no_rows(&self) -> Vec<u64> {
        match &self.target.kind {
            TargetKind::Number => Vec::new(),
            TargetKind::Classes { levels } => vec![0; levels.len()],
        }
    }

    /// The value, or the index of the class, of each row.
    pub(super) fn encode<'v>(
        &mut self,
        rows: Rows<'_>,
        values: impl Iterator<Item = &'v mut f64>,
        gaps: &mut [Gaps],
    ) -> Result<(), TableError> {
        match (&rows.raw.columns[self.source], &self.target.kind) {
            (RawColumn::Codes(codes), TargetKind::Classes { levels }) => {
                let texts = (rows.dictionaries)(self.source).texts();
                for (row, (value, &code)) in values.zip(codes).enumerate() {
                    let place = rows.raw.place(row);
                    if code == MISSING {
                        *value = self.absent.add(place, &mut gaps[row]);
                        continue;
                    }
                    *value = match (self.levels.of(code, texts, levels), rows.unseen) {
                        (Ok(level), _) => level as f64,
                        (Err(text), Unseen::Missing) => {
                            self.absent.add_unseen(text, &mut gaps[row])
                        }
                        // A class has no baseline.
                        (Err(text), Unseen::Refuse | Unseen::Baseline) => {
                            let name = &self.target.name;
                            return Err(unknown(rows.path, place, name, text, levels));
                        }
                    };
                }
                Ok(())
            }
            (RawColumn::Numbers(numbers), _) => {
                let function = self.target.function();
                for (row, (value, &number)) in values.zip(numbers).enumerate() {
                    let place = rows.raw.place(row);
                    *value = match (number.is_nan(), function) {
                        (true, _) => self.absent.add(place, &mut gaps[row]),
                        (false, None) => number,
                        (false, Some(function)) => function.of_cell(number).map_err(|problem| {
                            TableError::cell(rows.path, place, &self.target.name, problem)
                        })?,
                    };
                }
                Ok(())
            }
            _ => unreachable!("columns are read as their target needs them"),
        }
    }
}

/// Where the weights of the rows come from, or their exposures.
pub(super) struct NumberReader<'d> {
    pub(super) name: &'d str,
    pub(super) source: usize,
    pub(super) absent: Absent,
}

impl<'d> NumberReader<'d> {
    pub(super) fn new(name: &'d str, source: usize) -> Self {
        NumberReader { name, source, absent: Absent::default() }
    }

    /// What `value` makes of each row's number, or its refusal.
    fn encode(
        &mut self,
        rows: Rows<'_>,
        values: &mut Vec<f64>,
        gaps: &mut [Gaps],
        value: impl Fn(f64) -> Result<f64, String>,
    ) -> Result<(), TableError> {
        values.clear();
        let RawColumn::Numbers(numbers) = &rows.raw.columns[self.source] else {
            unreachable!("weights and offsets are read as numbers")
        };
        for (row, &number) in numbers.iter().enumerate() {
            let place = rows.raw.place(row);
            values.push(match number.is_nan() {
                true => self.absent.add(place, &mut gaps[row]),
                false => value(number)
                    .map_err(|problem| TableError::cell(rows.path, place, self.name, problem))?,
            });
        }
        Ok(())
    }

    /// The weight of each row.
    pub(super) fn weights(
        &mut self,
        rows: Rows<'_>,
        values: &mut Vec<f64>,
        gaps: &mut [Gaps],
    ) -> Result<(), TableError> {
        self.encode(rows, values, gaps, |weight| match weight < 0.0 {
            true => Err(format!("a weight of {weight} is negative")),
            false => Ok(weight),
        })
    }

    /// The logarithm of each row's exposure.
    pub(super) fn logarithms(
        &mut self,
        rows: Rows<'_>,
        term: &Term,
        values: &mut Vec<f64>,
        gaps: &mut [Gaps],
    ) -> Result<(), TableError> {
        self.encode(rows, values, gaps, |number| {
            let exposure = match term.function {
                Some(function) => function.of_cell(number)?,
                None => number,
            };
            match exposure > 0.0 {
                true => Ok(exposure.ln()),
                false => Err(format!(
                    "an exposure of {exposure} is not positive, and the offset is its logarithm; \
                     if the column holds logarithms, give exp({}) as the offset",
                    term.column
                )),
            }
        })
    }
}
