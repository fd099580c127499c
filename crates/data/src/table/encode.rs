//! From the raw rows of a column to its columns of the design matrix.

use std::ops::Range;
use std::path::Path;

use super::design::{Encoding, Feature, Target, TargetKind};
use super::dictionary::{Dictionary, MISSING};
use super::error::TableError;
use super::names::listed;
use super::raw::{Place, RawBlock, RawColumn};

/// Empty cells of a column.
#[derive(Default)]
pub(super) struct Absent {
    pub(super) count: u64,
    pub(super) first: Option<Place>,
}

impl Absent {
    /// Counts a cell; what stands for it is no number.
    fn add(&mut self, place: Place) -> f64 {
        self.count += 1;
        self.first.get_or_insert(place);
        f64::NAN
    }
}

/// Level of each code of the file's dictionary, extended as the dictionary grows.
#[derive(Default)]
struct LevelIndex(Vec<usize>);

impl LevelIndex {
    /// The level of a code; the text itself when the design has no such level.
    fn of<'t>(
        &mut self,
        code: u32,
        texts: &'t [String],
        levels: &[String],
    ) -> Result<usize, &'t str> {
        const UNKNOWN: usize = usize::MAX;
        let code = code as usize;
        while self.0.len() <= code {
            let text = &texts[self.0.len()];
            let level = levels.iter().position(|level| level == text);
            self.0.push(level.unwrap_or(UNKNOWN));
        }
        match self.0[code] {
            UNKNOWN => Err(&texts[code]),
            level => Ok(level),
        }
    }
}

fn unknown(path: &Path, place: Place, column: &str, text: &str, levels: &[String]) -> TableError {
    let problem =
        format!("`{text}` is a level that the fit has not seen; it knows {}", listed(levels));
    TableError::cell(path, place, column, problem)
}

/// Some rows of a file, and what their codes stand for.
#[derive(Clone, Copy)]
pub(super) struct Rows<'r> {
    pub(super) path: &'r Path,
    pub(super) raw: &'r RawBlock,
    /// The dictionary of the column that is read.
    pub(super) dictionary: &'r Dictionary,
}

/// Where a feature comes from and goes to.
pub(super) struct FeatureReader<'d> {
    pub(super) feature: &'d Feature,
    pub(super) source: usize,
    /// Its first column of the matrix.
    pub(super) offset: usize,
    levels: LevelIndex,
    /// Of a category: the indicators of each row of the block that are not 0.
    present: Vec<Range<usize>>,
    pub(super) absent: Absent,
}

impl<'d> FeatureReader<'d> {
    pub(super) fn new(feature: &'d Feature, source: usize, offset: usize) -> Self {
        FeatureReader {
            feature,
            source,
            offset,
            levels: LevelIndex::default(),
            present: Vec::new(),
            absent: Absent::default(),
        }
    }

    /// Writes its columns of `values`, which are `rows × width` zeros.
    pub(super) fn encode(
        &mut self,
        rows: Rows<'_>,
        width: usize,
        values: &mut [f64],
    ) -> Result<(), TableError> {
        match (&rows.raw.columns[self.source], &self.feature.encoding) {
            (RawColumn::Numbers(numbers), Encoding::Number { imputed }) => {
                for (row, &number) in numbers.iter().enumerate() {
                    values[row * width + self.offset] = if number.is_nan() {
                        imputed.unwrap_or_else(|| self.absent.add(rows.raw.place(row)))
                    } else {
                        number
                    };
                }
                Ok(())
            }
            (RawColumn::Codes(codes), Encoding::Category { levels, imputed }) => {
                self.present.clear();
                for (row, &code) in codes.iter().enumerate() {
                    let start = row * width + self.offset;
                    let indicators = &mut values[start..start + levels.len() - 1];
                    if code != MISSING {
                        self.indicate(rows, row, code, levels, indicators)?;
                        continue;
                    }
                    self.present.push(0..indicators.len());
                    match imputed {
                        Some(shares) => indicators.copy_from_slice(&shares[1..]),
                        None => indicators.fill(self.absent.add(rows.raw.place(row))),
                    }
                }
                Ok(())
            }
            _ => unreachable!("columns are read as their encoding needs them"),
        }
    }

    /// Sets the indicator of a level. The first level, the baseline, has none.
    fn indicate(
        &mut self,
        rows: Rows<'_>,
        row: usize,
        code: u32,
        levels: &[String],
        indicators: &mut [f64],
    ) -> Result<(), TableError> {
        let level = self.levels.of(code, rows.dictionary.texts(), levels).map_err(|text| {
            unknown(rows.path, rows.raw.place(row), &self.feature.name, text, levels)
        })?;
        self.present.push(level.saturating_sub(1)..level);
        if let Some(indicator) = level.checked_sub(1) {
            indicators[indicator] = 1.0;
        }
        Ok(())
    }

    /// Its columns of the matrix that are not 0 in a row.
    pub(super) fn present(&self, row: usize) -> Range<usize> {
        // A number is a single column.
        let present = self.present.get(row).cloned().unwrap_or(0..1);
        self.offset + present.start..self.offset + present.end
    }
}

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

    /// The value, or the index of the class, of each row.
    pub(super) fn encode<'v>(
        &mut self,
        rows: Rows<'_>,
        values: impl Iterator<Item = &'v mut f64>,
    ) -> Result<(), TableError> {
        match (&rows.raw.columns[self.source], &self.target.kind) {
            (RawColumn::Codes(codes), TargetKind::Classes { levels }) => {
                for (row, (value, &code)) in values.zip(codes).enumerate() {
                    *value = if code == MISSING {
                        self.absent.add(rows.raw.place(row))
                    } else {
                        let level = self.levels.of(code, rows.dictionary.texts(), levels);
                        level.map_err(|text| {
                            let place = rows.raw.place(row);
                            unknown(rows.path, place, &self.target.name, text, levels)
                        })? as f64
                    };
                }
                Ok(())
            }
            (RawColumn::Numbers(numbers), _) => {
                for (row, (value, &number)) in values.zip(numbers).enumerate() {
                    *value =
                        if number.is_nan() { self.absent.add(rows.raw.place(row)) } else { number };
                }
                Ok(())
            }
            _ => unreachable!("columns are read as their target needs them"),
        }
    }
}

/// Where the weights of the rows come from.
pub(super) struct WeightReader<'d> {
    pub(super) name: &'d str,
    pub(super) source: usize,
    pub(super) absent: Absent,
}

impl WeightReader<'_> {
    /// The weight of each row.
    pub(super) fn encode(
        &mut self,
        path: &Path,
        raw: &RawBlock,
        weights: &mut Vec<f64>,
    ) -> Result<(), TableError> {
        weights.clear();
        let RawColumn::Numbers(numbers) = &raw.columns[self.source] else {
            unreachable!("weights are read as numbers")
        };
        for (row, &weight) in numbers.iter().enumerate() {
            if weight < 0.0 {
                let problem = format!("a weight of {weight} is negative");
                return Err(TableError::cell(path, raw.place(row), self.name, problem));
            }
            weights.push(if weight.is_nan() { self.absent.add(raw.place(row)) } else { weight });
        }
        Ok(())
    }
}
