//! From the raw rows of a column to its columns of the design matrix.

use std::ops::Range;
use std::path::Path;

use super::dates::year_and_month;
use super::derive::Function;
use super::design::{Encoding, Feature};
use super::dictionary::{Dictionary, MISSING};
use super::error::{TableError, TableOption};
use super::names::listed;
use super::raw::{Place, RawBlock, RawColumn};
use super::reading::Unseen;

/// Cells of a column that are empty, or hold what the design does not know.
#[derive(Default)]
pub(super) struct Absent {
    pub(super) count: u64,
    pub(super) first: Option<Place>,
    /// Empty cells that were filled.
    pub(super) filled: u64,
    /// Cells with a level that the design does not know, and the first such level.
    pub(super) unseen: u64,
    pub(super) unseen_level: Option<String>,
}

/// What of a row cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Gaps {
    /// A cell is empty that nothing fills.
    pub(super) is_missing: bool,
    /// A cell has an unknown level.
    pub(super) is_unseen: bool,
}

impl Absent {
    /// Counts an empty cell; what stands for it is no number.
    pub(super) fn add(&mut self, place: Place, gaps: &mut Gaps) -> f64 {
        self.count += 1;
        self.first.get_or_insert(place);
        gaps.is_missing = true;
        f64::NAN
    }

    /// Counts an unknown level.
    pub(super) fn add_unseen(&mut self, level: &str, gaps: &mut Gaps) -> f64 {
        self.unseen += 1;
        self.unseen_level.get_or_insert_with(|| level.to_owned());
        gaps.is_unseen = true;
        f64::NAN
    }
}

/// Level of each code of the file's dictionary, extended as the dictionary grows.
#[derive(Default)]
pub(super) struct LevelIndex(Vec<usize>);

impl LevelIndex {
    /// The level of a code; the text itself when the design has no such level.
    pub(super) fn of<'t>(
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

pub(super) fn unknown(
    path: &Path,
    place: Place,
    column: &str,
    text: &str,
    levels: &[String],
) -> TableError {
    let problem = format!(
        "`{text}` is a level that the fit has not seen; it knows {}; say with `unseen` what \
         becomes of such rows",
        listed(levels)
    );
    TableError::cell(path, place, column, problem).mended_by(&[TableOption::Unseen])
}

/// Some rows of a file, and what their codes stand for.
#[derive(Clone, Copy)]
pub(super) struct Rows<'r> {
    pub(super) path: &'r Path,
    pub(super) raw: &'r RawBlock,
    /// The dictionary of each column.
    pub(super) dictionaries: &'r dyn Fn(usize) -> &'r Dictionary,
    pub(super) unseen: Unseen,
}

/// Where a feature comes from and goes to.
pub(super) struct FeatureReader<'d> {
    pub(super) feature: &'d Feature,
    /// Of a product: none.
    source: usize,
    /// Its first column of the matrix.
    pub(super) offset: usize,
    levels: LevelIndex,
    /// Of a category: the indicators of each row of the block that are not 0.
    present: Vec<Range<usize>>,
    pub(super) absent: Absent,
    /// Rows of the block with an unknown level that counts as the baseline.
    pub(super) baselines: Vec<usize>,
    /// Of a product: its factors, each with a matrix of its own.
    factors: Vec<(FeatureReader<'d>, Vec<f64>)>,
}

impl<'d> FeatureReader<'d> {
    /// `source` finds the column of the file that has a name.
    pub(super) fn new(
        feature: &'d Feature,
        source: &dyn Fn(&str) -> Result<usize, TableError>,
        offset: usize,
    ) -> Result<Self, TableError> {
        let factors = match &feature.encoding {
            Encoding::Product { factors } => factors.as_slice(),
            _ => &[],
        };
        let factors = factors
            .iter()
            .map(|factor| Ok((FeatureReader::new(factor, source, 0)?, Vec::new())))
            .collect::<Result<Vec<_>, TableError>>()?;
        let name = match &feature.encoding {
            Encoding::Function { column, .. } => column,
            _ => &feature.name,
        };
        Ok(FeatureReader {
            feature,
            source: if factors.is_empty() { source(name)? } else { 0 },
            offset,
            levels: LevelIndex::default(),
            present: Vec::new(),
            absent: Absent::default(),
            baselines: Vec::new(),
            factors,
        })
    }

    /// Writes its columns of `values`, which are `rows × width` zeros.
    pub(super) fn encode(
        &mut self,
        rows: Rows<'_>,
        width: usize,
        values: &mut [f64],
        gaps: &mut [Gaps],
    ) -> Result<(), TableError> {
        self.present.clear();
        self.baselines.clear();
        if !self.factors.is_empty() {
            return self.multiply(rows, width, values, gaps);
        }
        match (&rows.raw.columns[self.source], &self.feature.encoding) {
            (RawColumn::Codes(codes), Encoding::Category { levels, imputed }) => {
                for (row, &code) in codes.iter().enumerate() {
                    let start = row * width + self.offset;
                    let indicators = &mut values[start..start + levels.len() - 1];
                    if code != MISSING {
                        self.indicate(rows, row, code, levels, indicators, &mut gaps[row])?;
                        continue;
                    }
                    self.present.push(0..indicators.len());
                    match imputed {
                        Some(shares) => {
                            self.absent.filled += 1;
                            indicators.copy_from_slice(&shares[1..]);
                        }
                        None => {
                            indicators.fill(self.absent.add(rows.raw.place(row), &mut gaps[row]));
                        }
                    }
                }
                Ok(())
            }
            (RawColumn::Numbers(numbers), _) => {
                let width_of_own = self.feature.encoding.width();
                for (row, &number) in numbers.iter().enumerate() {
                    let start = row * width + self.offset;
                    let own = &mut values[start..start + width_of_own];
                    self.number(rows, row, number, own, &mut gaps[row])?;
                }
                Ok(())
            }
            _ => unreachable!("columns are read as their encoding needs them"),
        }
    }

    /// The columns of a number, or of the days of a date.
    #[inline]
    fn number(
        &mut self,
        rows: Rows<'_>,
        row: usize,
        number: f64,
        own: &mut [f64],
        gaps: &mut Gaps,
    ) -> Result<(), TableError> {
        let encoding = &self.feature.encoding;
        let number = match encoding {
            _ if !number.is_nan() => number,
            Encoding::YearMonth { imputed: Some(imputed), .. } => {
                self.absent.filled += 1;
                own.copy_from_slice(imputed);
                return Ok(());
            }
            Encoding::Number { imputed: Some(imputed) }
            | Encoding::Days { imputed: Some(imputed), .. }
            | Encoding::Function { imputed: Some(imputed), .. } => {
                self.absent.filled += 1;
                *imputed
            }
            _ => self.absent.add(rows.raw.place(row), gaps),
        };
        match encoding {
            Encoding::Function { function, .. } => {
                own[0] = self.function(rows, row, *function, number)?;
            }
            Encoding::YearMonth { months, .. } => {
                self.year_and_month(rows, row, number, months, own, gaps)?;
            }
            _ => own[0] = number,
        }
        Ok(())
    }

    fn function(
        &self,
        rows: Rows<'_>,
        row: usize,
        function: Function,
        number: f64,
    ) -> Result<f64, TableError> {
        function.of_cell(number).map_err(|problem| {
            TableError::cell(rows.path, rows.raw.place(row), &self.feature.name, problem)
        })
    }

    /// The year, and the indicators of all months but the first.
    fn year_and_month(
        &mut self,
        rows: Rows<'_>,
        row: usize,
        days: f64,
        months: &[u8],
        values: &mut [f64],
        gaps: &mut Gaps,
    ) -> Result<(), TableError> {
        if days.is_nan() {
            values.fill(f64::NAN);
            return Ok(());
        }
        let (year, month) = year_and_month(days);
        values[0] = year;
        match (months.iter().position(|known| *known == month), rows.unseen) {
            (Some(0), _) | (None, Unseen::Baseline) => {}
            (Some(place), _) => values[place] = 1.0,
            (None, Unseen::Missing) => {
                self.absent.add_unseen(&month.to_string(), gaps);
            }
            (None, Unseen::Refuse) => {
                let known: Vec<String> = months.iter().map(ToString::to_string).collect();
                let (place, month) = (rows.raw.place(row), month.to_string());
                return Err(unknown(rows.path, place, &self.feature.name, &month, &known));
            }
        }
        Ok(())
    }

    /// Sets the indicator of a level. The first level, the baseline, has none.
    fn indicate(
        &mut self,
        rows: Rows<'_>,
        row: usize,
        code: u32,
        levels: &[String],
        indicators: &mut [f64],
        gaps: &mut Gaps,
    ) -> Result<(), TableError> {
        let texts = (rows.dictionaries)(self.source).texts();
        let level = match (self.levels.of(code, texts, levels), rows.unseen) {
            (Ok(level), _) => level,
            (Err(_), Unseen::Baseline) => {
                self.baselines.push(row);
                0
            }
            (Err(text), Unseen::Missing) => {
                indicators.fill(self.absent.add_unseen(text, gaps));
                0
            }
            (Err(text), Unseen::Refuse) => {
                let place = rows.raw.place(row);
                return Err(unknown(rows.path, place, &self.feature.name, text, levels));
            }
        };
        self.present.push(level.saturating_sub(1)..level);
        if let Some(indicator) = level.checked_sub(1) {
            indicators[indicator] = 1.0;
        }
        Ok(())
    }

    /// The products of the columns of its factors, those of the last changing first.
    fn multiply(
        &mut self,
        rows: Rows<'_>,
        width: usize,
        values: &mut [f64],
        gaps: &mut [Gaps],
    ) -> Result<(), TableError> {
        for (factor, own) in &mut self.factors {
            let own_width = factor.feature.encoding.width();
            own.clear();
            own.resize(rows.raw.rows * own_width, 0.0);
            factor.encode(rows, own_width, own, gaps)?;
        }
        let mut product = Vec::new();
        for row in 0..rows.raw.rows {
            product.clear();
            product.push(1.0);
            for (factor, own) in &self.factors {
                let own_width = factor.feature.encoding.width();
                let own = &own[row * own_width..(row + 1) * own_width];
                product = product
                    .iter()
                    .flat_map(|left| own.iter().map(move |right| left * right))
                    .collect();
            }
            if product.iter().any(|value| value.is_infinite()) {
                let (place, name) = (rows.raw.place(row), &self.feature.name);
                let problem = "the product of its columns is too large for a number; give them in \
                               other units";
                return Err(TableError::cell(rows.path, place, name, problem));
            }
            let start = row * width + self.offset;
            values[start..start + product.len()].copy_from_slice(&product);
        }
        Ok(())
    }

    /// The column of the file that its levels come from.
    pub(super) fn category(&self) -> Option<usize> {
        matches!(self.feature.encoding, Encoding::Category { .. }).then_some(self.source)
    }

    /// Its columns of the matrix that may be other than 0 in a row.
    pub(super) fn present(&self, row: usize) -> Range<usize> {
        let all = || 0..self.feature.encoding.width();
        let present = self.present.get(row).cloned().unwrap_or_else(all);
        self.offset + present.start..self.offset + present.end
    }

    /// What was absent of the columns that it is made of, with their names.
    pub(super) fn absent(&self) -> Vec<(&str, &Absent)> {
        let own = match &self.feature.encoding {
            Encoding::Function { column, .. } => column,
            _ => &self.feature.name,
        };
        match self.factors.as_slice() {
            [] => vec![(own, &self.absent)],
            factors => factors.iter().flat_map(|(factor, _)| factor.absent()).collect(),
        }
    }
}
