//! The pass before the pass: levels of categories, means for imputation, cells that do not fit.

use std::path::Path;

use super::dates::year_and_month;
use super::dictionary::MISSING;
use super::error::TableError;
use super::odd::Odd;
use super::raw::{Kind, RawBlock, RawColumn};
use super::reader::RawReader;
use super::reading::Reading;

/// Rows read at a time.
const ROWS: usize = 4096;

/// What is known of a column after a pass.
#[derive(Debug, Clone)]
pub(super) enum Survey {
    /// Nothing: it was not looked at.
    None,
    Number {
        mean: f64,
        /// Cells that hold a value.
        present: u64,
        /// Of dates: how often each month occurs, and the mean of the years.
        months: [u64; 12],
        year: f64,
        /// Cells that are no numbers, or no dates.
        odd: Box<Odd>,
    },
    Category {
        /// In order: as numbers where all are, by bytes otherwise.
        levels: Vec<String>,
        /// Rows of each level.
        counts: Vec<u64>,
    },
}

impl Survey {
    /// Joins what another file shows of the same column.
    pub(super) fn merge(&mut self, other: Survey) {
        match (self, other) {
            (
                Survey::Number { mean, present, months, year, .. },
                Survey::Number {
                    mean: other_mean,
                    present: others @ 1..,
                    months: also,
                    year: other_year,
                    ..
                },
            ) => {
                *present += others;
                months.iter_mut().zip(also).for_each(|(count, also)| *count += also);
                let weight = others as f64 / *present as f64;
                *mean = *mean * (1.0 - weight) + other_mean * weight;
                *year = *year * (1.0 - weight) + other_year * weight;
            }
            (survey @ Survey::Category { .. }, Survey::Category { levels, counts }) => {
                let Survey::Category { levels: known, counts: known_counts } = &mut *survey else {
                    return;
                };
                for (level, count) in levels.into_iter().zip(counts) {
                    match known.iter().position(|known| *known == level) {
                        Some(place) => known_counts[place] += count,
                        None => {
                            known.push(level);
                            known_counts.push(count);
                        }
                    }
                }
                *survey = ordered(known, known_counts);
            }
            _ => {}
        }
    }
}

/// A running account of one column.
#[derive(Default)]
struct Account {
    mean: f64,
    present: u64,
    months: [u64; 12],
    year: f64,
    counts: Vec<u64>,
}

impl Account {
    fn see(&mut self, column: &RawColumn, kind: Option<Kind>) {
        match column {
            RawColumn::Skipped | RawColumn::Texts(_) => {}
            RawColumn::Numbers(values) => {
                for value in values.iter().filter(|value| !value.is_nan()) {
                    self.present += 1;
                    // A running mean: sums of large numbers would overflow where their mean does
                    // not.
                    let weight = 1.0 / self.present as f64;
                    self.mean = self.mean * (1.0 - weight) + value * weight;
                    if let Some(Kind::Date(_)) = kind {
                        let (year, month) = year_and_month(*value);
                        self.months[usize::from(month) - 1] += 1;
                        self.year = self.year * (1.0 - weight) + year * weight;
                    }
                }
            }
            RawColumn::Codes(codes) => {
                for code in codes.iter().filter(|code| **code != MISSING) {
                    let code = *code as usize;
                    if self.counts.len() <= code {
                        self.counts.resize(code + 1, 0);
                    }
                    self.counts[code] += 1;
                }
            }
        }
    }
}

/// Reads the columns that have a kind; reads nothing when none has.
pub(super) fn survey(
    path: &Path,
    reading: &Reading,
    kinds: &[Option<Kind>],
) -> Result<Vec<Survey>, TableError> {
    if kinds.iter().all(Option::is_none) {
        return Ok(vec![Survey::None; kinds.len()]);
    }
    let mut reader = RawReader::open(path, reading, kinds)?;
    let mut block = RawBlock::new(kinds);
    let mut accounts: Vec<Account> = kinds.iter().map(|_| Account::default()).collect();
    while reader.next(&mut block, ROWS)? {
        for ((account, column), kind) in accounts.iter_mut().zip(&block.columns).zip(kinds) {
            account.see(column, *kind);
        }
    }
    let surveys = kinds.iter().zip(accounts).enumerate().map(|(index, (kind, account))| {
        let Account { mean, present, months, year, counts } = account;
        match kind {
            None | Some(Kind::Text) => Survey::None,
            Some(Kind::Number | Kind::Date(_)) => {
                let odd = Box::new(reader.odd(index).clone());
                Survey::Number { mean, present, months, year, odd }
            }
            Some(Kind::Category) => ordered(reader.dictionary(index).texts(), &counts),
        }
    });
    Ok(surveys.collect())
}

/// Levels in order, with their counts.
fn ordered(texts: &[String], counts: &[u64]) -> Survey {
    let mut levels: Vec<(String, u64)> =
        texts.iter().cloned().zip(counts.iter().copied()).collect();
    let number = |text: &str| text.parse::<f64>().ok().filter(|value| !value.is_nan());
    if levels.iter().all(|(text, _)| number(text).is_some()) {
        levels.sort_by(|(a, _), (b, _)| {
            let (x, y) = (number(a).unwrap_or(0.0), number(b).unwrap_or(0.0));
            x.total_cmp(&y).then_with(|| a.cmp(b))
        });
    } else {
        levels.sort();
    }
    let (levels, counts) = levels.into_iter().unzip();
    Survey::Category { levels, counts }
}
