//! The pass before the pass: levels of categories, means for imputation.

use std::path::Path;

use super::dictionary::MISSING;
use super::error::TableError;
use super::format::TableFormat;
use super::raw::{Kind, RawBlock, RawColumn};
use super::reader::RawReader;

/// Rows read at a time.
const ROWS: usize = 4096;

/// What is known of a column after a pass.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Survey {
    /// Nothing: it was not looked at.
    None,
    Number {
        mean: f64,
        /// Cells that hold a value.
        present: u64,
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
                Survey::Number { mean, present },
                Survey::Number { mean: other_mean, present: others @ 1.. },
            ) => {
                *present += others;
                let weight = others as f64 / *present as f64;
                *mean = *mean * (1.0 - weight) + other_mean * weight;
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

/// Reads the columns that have a kind; reads nothing when none has.
pub(super) fn survey(
    path: &Path,
    format: &TableFormat,
    kinds: &[Option<Kind>],
) -> Result<Vec<Survey>, TableError> {
    if kinds.iter().all(Option::is_none) {
        return Ok(vec![Survey::None; kinds.len()]);
    }
    let mut reader = RawReader::open(path, format, kinds)?;
    let mut block = RawBlock::new(kinds);
    let mut means = vec![(0.0, 0u64); kinds.len()];
    let mut counts: Vec<Vec<u64>> = vec![Vec::new(); kinds.len()];
    while reader.next(&mut block, ROWS)? {
        for (index, column) in block.columns.iter().enumerate() {
            match column {
                RawColumn::Skipped => {}
                RawColumn::Numbers(values) => {
                    let (mean, present) = &mut means[index];
                    for value in values.iter().filter(|value| !value.is_nan()) {
                        *present += 1;
                        // A running mean: sums of large numbers would overflow where their mean
                        // does not.
                        let weight = 1.0 / *present as f64;
                        *mean = *mean * (1.0 - weight) + value * weight;
                    }
                }
                RawColumn::Codes(codes) => {
                    let counts = &mut counts[index];
                    for code in codes.iter().filter(|code| **code != MISSING) {
                        let code = *code as usize;
                        if counts.len() <= code {
                            counts.resize(code + 1, 0);
                        }
                        counts[code] += 1;
                    }
                }
            }
        }
    }
    Ok(kinds
        .iter()
        .enumerate()
        .map(|(index, kind)| match kind {
            None => Survey::None,
            Some(Kind::Number) => Survey::Number { mean: means[index].0, present: means[index].1 },
            Some(Kind::Category) => ordered(reader.dictionary(index).texts(), &counts[index]),
        })
        .collect())
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
