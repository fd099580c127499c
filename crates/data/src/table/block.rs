//! From a table to dense blocks of the design matrix.

use std::collections::HashSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::derive::Term;
use super::design::{Design, Encoding, TargetKind, TargetUse};
use super::encode::{Absent, FeatureReader, Gaps, Rows};
use super::error::{TableError, TableOption};
use super::findings::{Findings, LeftOut, Watch, conclude};
use super::infer::odd_cells;
use super::kinds::check_kinds;
use super::names::Names;
use super::raw::{Column, Kind, RawBlock, RawColumn};
use super::reader::RawReader;
use super::reading::Reading;
use super::sparse::{Sparse, keep};
use super::targets::{NumberReader, TargetReader};
use crate::counted::counted;

/// Numbers in a block: 2 MiB, within a core's share of the cache on the machines of the day.
const BLOCK_NUMBERS: usize = 1 << 18;
/// Rows of a block at least, so that wide tables are not read row by row, and at most.
const BLOCK_ROWS: (usize, usize) = (64, 8192);

/// Columns of the matrix for each of the table above which it counts as mostly zeros.
const SPARSE: usize = 8;

/// Some rows of the design matrix.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    /// Number of rows.
    pub rows: usize,
    /// `rows × Design::width()` numbers, row by row.
    pub values: &'a [f64],
    /// The same, where most of it is 0.
    pub sparse: Option<SparseBlock<'a>>,
    /// `rows × targets` numbers, row by row: values, or indices of classes. Empty where targets are
    /// ignored.
    pub targets: &'a [f64],
    /// A weight for each row; absent where the design has none or targets are ignored.
    pub weights: Option<&'a [f64]>,
    /// The logarithm of each row's exposure, where the design has exposures.
    pub offset: Option<&'a [f64]>,
    /// Rows of this block with an unknown level that counts as the baseline, each with the columns
    /// of its category.
    pub baselines: &'a [(usize, Range<usize>)],
    /// The number of each row in its file, from 1: rows that are left out have one, blank ones none.
    pub numbers: &'a [u64],
    /// A text for each row, where [`Blocks::label_by`] asked for one, rows that are left out among
    /// them.
    pub labels: &'a [String],
    /// Whether no cell was empty so far; where one was, NaN stands for it, and [`Blocks::finish`]
    /// is an error.
    pub is_complete: bool,
}

/// Compressed sparse rows: row i has `values[starts[i]..starts[i + 1]]` in the `columns` of the
/// same range, which ascend. A column of numbers has a value in every row.
#[derive(Debug, Clone, Copy)]
pub struct SparseBlock<'a> {
    /// `rows + 1` numbers.
    pub starts: &'a [usize],
    /// The column of each value.
    pub columns: &'a [u32],
    /// The values.
    pub values: &'a [f64],
}

/// The rows of a table, block by block.
pub struct Blocks<'a> {
    design: &'a Design,
    path: PathBuf,
    target_use: TargetUse,
    reader: RawReader,
    raw: RawBlock,
    rows: usize,
    reading: Reading,
    kinds: Vec<Option<Kind>>,
    names: Vec<String>,
    /// The column that names rows.
    label: Option<usize>,
    labels: Vec<String>,
    features: Vec<FeatureReader<'a>>,
    targets: Vec<TargetReader<'a>>,
    weights: Option<NumberReader<'a>>,
    offset: Option<(NumberReader<'a>, &'a Term)>,
    watches: Vec<Watch>,
    target_watches: Vec<Watch>,
    /// Rows of each class of each target.
    class_counts: Vec<Vec<u64>>,
    /// Numbers that begin with needless zeros, by the place of their feature.
    padded: Vec<(usize, String)>,
    /// The number of the last row that is used, and whether a word of it says that it is a total.
    last: (u64, bool),
    /// Rows used so far, of the files before this one too.
    used: u64,
    left_out: LeftOut,
    gaps: Vec<Gaps>,
    numbers: Vec<u64>,
    baselines: Vec<(usize, Range<usize>)>,
    values: Vec<f64>,
    sparse: Sparse,
    target_values: Vec<f64>,
    weight_values: Vec<f64>,
    offset_values: Vec<f64>,
}

/// The levels that a single row has.
fn once(name: &str, levels: &[String], counts: &[u64]) -> Vec<(String, String)> {
    let single = levels.iter().zip(counts).filter(|(_, count)| **count == 1);
    single.map(|(level, _)| (name.to_owned(), level.clone())).collect()
}

/// Features that are numbers as they are, of columns whose numbers begin with needless zeros.
fn padded(
    design: &Design,
    columns: &[Column],
    source: &dyn Fn(&str) -> Result<usize, TableError>,
) -> Result<Vec<(usize, String)>, TableError> {
    let mut padded = Vec::new();
    for (place, feature) in design.features.iter().enumerate() {
        if let Encoding::Number { .. } = feature.encoding
            && let Some(example) = &columns[source(&feature.name)?].padded
        {
            padded.push((place, example.clone()));
        }
    }
    Ok(padded)
}

impl Design {
    /// Reads a table of this design: the one it was inferred from, or another with columns of the
    /// same names.
    ///
    /// # Errors
    /// A file that is no table, or that lacks a column of the design.
    pub fn read(
        &self,
        path: &Path,
        reading: &Reading,
        targets: TargetUse,
    ) -> Result<Blocks<'_>, TableError> {
        Blocks::open(self, path, reading, targets)
    }
}

impl<'a> Blocks<'a> {
    fn open(
        design: &'a Design,
        path: &Path,
        reading: &Reading,
        target_use: TargetUse,
    ) -> Result<Self, TableError> {
        design.check(path)?;
        let columns = RawReader::columns(path, reading)?;
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        let known = Names::new(path, &names)?;
        let kinds = design.kinds(path, &known, columns.len(), target_use)?;
        check_kinds(path, &columns, &kinds)?;
        let source = |name: &str| known.find(name);
        let mut features = Vec::with_capacity(design.features.len());
        let mut width = 0;
        for feature in &design.features {
            features.push(FeatureReader::new(feature, &source, width)?);
            width += feature.encoding.width();
        }
        let (mut targets, mut weights, mut offset) = (Vec::new(), None, None);
        if target_use == TargetUse::Required {
            for target in &design.targets {
                targets.push(TargetReader::new(target, source(target.column())?));
            }
            if let Some(name) = &design.weights {
                weights = Some(NumberReader::new(name, source(name)?));
            }
        }
        if let Some(term) = &design.offset {
            offset = Some((NumberReader::new(&term.column, source(&term.column)?), term));
        }
        let padded = padded(design, &columns, &source)?;
        Ok(Blocks {
            design,
            path: path.to_owned(),
            target_use,
            reader: RawReader::open(path, reading, &kinds)?,
            raw: RawBlock::new(&kinds),
            rows: (BLOCK_NUMBERS / width.max(1)).clamp(BLOCK_ROWS.0, BLOCK_ROWS.1),
            reading: reading.clone(),
            kinds,
            names,
            label: None,
            labels: Vec::new(),
            features,
            watches: vec![Watch::new(); width],
            target_watches: vec![Watch::new(); targets.len()],
            class_counts: targets.iter().map(TargetReader::no_rows).collect(),
            padded,
            last: (0, false),
            targets,
            weights,
            offset,
            used: 0,
            left_out: LeftOut::default(),
            gaps: Vec::new(),
            numbers: Vec::new(),
            baselines: Vec::new(),
            values: Vec::new(),
            sparse: Sparse::default(),
            target_values: Vec::new(),
            weight_values: Vec::new(),
            offset_values: Vec::new(),
        })
    }

    /// Reads a column along that names the rows; before the first block.
    ///
    /// # Errors
    /// A column that the file does not have, or that is read as something else.
    pub fn label_by(&mut self, column: &str) -> Result<(), TableError> {
        let index = Names::new(&self.path, &self.names)?.find(column)?;
        if self.kinds[index].is_none() {
            self.kinds[index] = Some(Kind::Text);
            self.reader = RawReader::open(&self.path, &self.reading, &self.kinds)?;
            self.raw = RawBlock::new(&self.kinds);
        }
        self.label = Some(index);
        Ok(())
    }

    /// Rows of this file so far, those that are left out among them; blank ones are not.
    pub fn rows_read(&self) -> u64 {
        self.raw.first + self.raw.rows as u64
    }

    /// Rows that were left out so far, by the reason.
    pub fn left_out(&self) -> LeftOut {
        let mut left_out = self.left_out.clone();
        left_out.blank += self.reader.blank_lines();
        left_out.comments += self.reader.comments();
        for (name, absent) in self.absent() {
            if absent.count > 0 {
                left_out.missing_in.push((name.to_owned(), absent.count));
            }
            if absent.filled > 0 {
                left_out.filled_in.push((name.to_owned(), absent.filled));
            }
            if let Some(level) = &absent.unseen_level {
                left_out.unseen_in.push((name.to_owned(), absent.unseen, level.clone()));
            }
        }
        left_out
    }

    /// The next rows; nothing at the end of the file.
    ///
    /// # Errors
    /// A cell that is not what its column holds, a level that the design does not know, a damaged
    /// file.
    pub fn next_block(&mut self) -> Result<Option<Block<'_>>, TableError> {
        if !self.reader.next(&mut self.raw, self.rows)? {
            return Ok(None);
        }
        self.encode()?;
        let width = self.watches.len();
        let is_sparse = self.features.len() * SPARSE <= width;
        let left_out: Vec<bool> = self.gaps.iter().map(|gaps| self.is_left_out(*gaps)).collect();
        if is_sparse {
            self.sparse.list(&self.features, width, &self.values, &left_out);
        }
        self.numbers.clear();
        self.numbers.extend((1..=self.raw.rows as u64).map(|row| self.raw.first + row));
        self.list_baselines(&left_out);
        self.list_labels();
        if left_out.contains(&true) {
            self.leave_out(&left_out);
        }
        for (row, values) in self.values.chunks_exact(width.max(1)).enumerate() {
            let row = self.used + row as u64;
            for (watch, value) in self.watches.iter_mut().zip(values) {
                watch.see(row, *value);
            }
        }
        let targets = self.target_watches.len();
        for (row, values) in self.target_values.chunks_exact(targets.max(1)).enumerate() {
            for (watch, value) in self.target_watches.iter_mut().zip(values) {
                watch.see(self.used + row as u64, *value);
            }
            for (counts, value) in self.class_counts.iter_mut().zip(values) {
                if let Some(count) = counts.get_mut(*value as usize) {
                    *count += 1;
                }
            }
        }
        if let Some(row) = (0..left_out.len()).rfind(|row| !left_out[*row]) {
            self.last = (self.raw.first + row as u64 + 1, self.is_called_total(row));
        }
        self.left_out.weightless +=
            self.weight_values.iter().filter(|weight| **weight == 0.0).count() as u64;
        self.used += self.numbers.len() as u64;
        Ok(Some(Block {
            is_complete: self.is_whole(),
            rows: self.numbers.len(),
            values: &self.values,
            sparse: is_sparse.then_some(SparseBlock {
                starts: &self.sparse.starts,
                columns: &self.sparse.columns,
                values: &self.sparse.values,
            }),
            targets: &self.target_values,
            weights: self.weights.is_some().then_some(&self.weight_values[..]),
            offset: self.offset.is_some().then_some(&self.offset_values[..]),
            baselines: &self.baselines,
            numbers: &self.numbers,
            labels: &self.labels,
        }))
    }

    /// What the column that names rows says of each.
    fn list_labels(&mut self) {
        self.labels.clear();
        let Some(column) = self.label else { return };
        match &self.raw.columns[column] {
            RawColumn::Skipped => {}
            RawColumn::Texts(texts) => self.labels.extend_from_slice(texts),
            // A column that the design uses, too.
            RawColumn::Codes(codes) => {
                let texts = self.reader.dictionary(column).texts();
                let text = |code: &u32| texts.get(*code as usize).cloned().unwrap_or_default();
                self.labels.extend(codes.iter().map(text));
            }
            RawColumn::Numbers(numbers) => self.labels.extend(
                numbers
                    .iter()
                    .map(|number| if number.is_nan() { String::new() } else { number.to_string() }),
            ),
        }
    }

    /// Lists rows with levels that count as the baseline, by their place among the rows that are
    /// kept.
    fn list_baselines(&mut self, left_out: &[bool]) {
        self.baselines.clear();
        for feature in &self.features {
            let columns = feature.offset..feature.offset + feature.feature.encoding.width();
            for &row in feature.baselines.iter().filter(|row| !left_out[**row]) {
                let before = left_out[..row].iter().filter(|is_out| **is_out).count();
                self.baselines.push((row - before, columns.clone()));
            }
        }
    }

    /// Whether nothing so far makes an error of the whole table.
    fn is_whole(&self) -> bool {
        let is_filled =
            self.reading.drop_missing_rows || self.absent().all(|(_, absent)| absent.count == 0);
        is_filled && self.odd().is_none()
    }

    /// The first column with cells that do not fit it.
    fn odd(&self) -> Option<usize> {
        (0..self.kinds.len())
            .find(|&column| self.kinds[column].is_some() && self.reader.odd(column).count > 0)
    }

    /// Whether a row with such gaps is left out.
    fn is_left_out(&self, gaps: Gaps) -> bool {
        gaps.is_unseen || (gaps.is_missing && self.reading.drop_missing_rows)
    }

    /// Takes rows out of everything that was encoded, and counts them.
    fn leave_out(&mut self, left_out: &[bool]) {
        for (gaps, _) in self.gaps.iter().zip(left_out).filter(|(_, is_out)| **is_out) {
            match gaps.is_unseen {
                true => self.left_out.unseen += 1,
                false => self.left_out.missing += 1,
            }
        }
        keep(&mut self.values, self.watches.len(), left_out);
        keep(&mut self.target_values, self.targets.len(), left_out);
        keep(&mut self.weight_values, usize::from(self.weights.is_some()), left_out);
        keep(&mut self.offset_values, usize::from(self.offset.is_some()), left_out);
        keep(&mut self.numbers, 1, left_out);
    }

    /// Goes on with another file of the same design, as if its rows followed those of this one.
    ///
    /// # Errors
    /// As [`Blocks::finish`] of this file, and [`Design::read`] of the other.
    pub fn continue_with(mut self, path: &Path, reading: &Reading) -> Result<Self, TableError> {
        self.check_whole()?;
        let mut next = Blocks::open(self.design, path, reading, self.target_use)?;
        next.used = self.used;
        next.left_out.add(self.left_out());
        next.watches = self.watches;
        next.target_watches = self.target_watches;
        next.class_counts = self.class_counts;
        Ok(next)
    }

    /// What the whole table showed.
    ///
    /// # Errors
    /// [`TableError::MissingValues`] when cells were empty that nothing fills; no row at all.
    pub fn finish(mut self) -> Result<Findings, TableError> {
        self.check_whole()?;
        let mut findings = conclude(self.used, &self.watches, &self.target_watches);
        findings.labels = self.design.labels(self.used);
        findings.single = self.single(&findings.labels);
        findings.total = self.total();
        let is_padded = |column: usize| {
            self.padded.iter().any(|(place, _)| self.features[*place].offset == column)
        };
        findings.sentinels.retain(|sentinel| !is_padded(sentinel.column));
        let name = |place: usize| self.features[place].feature.name.clone();
        findings.padded =
            self.padded.iter().map(|(place, example)| (name(*place), example.clone())).collect();
        findings.left_out.add(self.left_out());
        Ok(findings)
    }

    /// Levels and classes that a single row has, of columns that are no names of rows.
    fn single(&self, names: &[(String, usize)]) -> Vec<(String, String)> {
        let mut single = Vec::new();
        for reader in &self.features {
            let Encoding::Category { levels, imputed: None } = &reader.feature.encoding else {
                continue;
            };
            let name = &reader.feature.name;
            if names.iter().any(|(known, _)| known == name) {
                continue;
            }
            let own = &self.watches[reader.offset..reader.offset + levels.len() - 1];
            let mut counts: Vec<u64> = own.iter().map(Watch::ones).collect();
            counts.insert(0, self.used.saturating_sub(counts.iter().sum()));
            single.extend(once(name, levels, &counts));
        }
        for (reader, counts) in self.targets.iter().zip(&self.class_counts) {
            if let TargetKind::Classes { levels } = &reader.target.kind {
                single.extend(once(&reader.target.name, levels, counts));
            }
        }
        single
    }

    /// The last row, where it is the sum of the rows above in every column of numbers, or in one of
    /// them and a word says so.
    fn total(&self) -> Option<u64> {
        /// In a shorter table a row is a sum by chance.
        const ROWS: u64 = 4;
        let is_number = |reader: &&FeatureReader<'_>| {
            matches!(reader.feature.encoding, Encoding::Number { .. })
        };
        let features = self.features.iter().filter(is_number);
        let features = features.map(|reader| &self.watches[reader.offset]);
        let targets = self.targets.iter().zip(&self.target_watches);
        let targets = targets.filter(|(reader, _)| reader.target.is_plain_number());
        let sums: Vec<bool> = features
            .chain(targets.map(|(_, watch)| watch))
            .filter_map(Watch::ends_in_total)
            .collect();
        let (number, is_called) = self.last;
        let is_total = match is_called {
            true => sums.contains(&true),
            false => sums.len() > 1 && !sums.contains(&false),
        };
        (is_total && self.used >= ROWS).then_some(number)
    }

    /// Whether a category of a row of this block is a word for a total.
    fn is_called_total(&self, row: usize) -> bool {
        /// In lower case.
        const WORDS: [&str; 8] =
            ["total", "totals", "sum", "grand total", "summe", "gesamt", "insgesamt", "all"];
        self.features.iter().filter_map(FeatureReader::category).any(|source| {
            let RawColumn::Codes(codes) = &self.raw.columns[source] else { return false };
            let texts = self.reader.dictionary(source).texts();
            let text = codes.get(row).and_then(|code| texts.get(*code as usize));
            text.is_some_and(|text| WORDS.contains(&text.to_lowercase().as_str()))
        })
    }

    /// The empty cells of each column that is read, with its name; a column of which several
    /// features are made comes once.
    fn absent(&self) -> impl Iterator<Item = (&str, &Absent)> {
        let features = self.features.iter().flat_map(FeatureReader::absent);
        let targets = self.targets.iter().map(|reader| (reader.target.column(), &reader.absent));
        let numbers = self.weights.iter().chain(self.offset.iter().map(|(reader, _)| reader));
        let numbers = numbers.map(|reader| (reader.name, &reader.absent));
        let mut seen = HashSet::new();
        features.chain(targets).chain(numbers).filter(move |(name, _)| seen.insert(*name))
    }

    /// Reads what is left of the file, and refuses it where cells were empty or rows are wanting.
    fn check_whole(&mut self) -> Result<(), TableError> {
        while self.next_block()?.is_some() {}
        if let Some(column) = self.odd() {
            let (odd, name) = (self.reader.odd(column), &self.names[column]);
            let empty = self.absent().find(|(absent, _)| absent == name);
            // What does not fit counts as empty, too, unless something fills it.
            let gaps = empty.map_or(0, |(_, absent)| absent.count).saturating_sub(odd.count);
            let cells = self.raw.first.saturating_sub(gaps);
            return Err(odd_cells(&self.path, name, odd, cells, self.kinds[column]));
        }
        let found: Vec<String> = self
            .absent()
            .filter_map(|(name, absent)| {
                let first = absent.first?;
                Some(format!("`{name}` in {} (first: {first})", counted(absent.count, "row")))
            })
            .collect();
        if !found.is_empty() && !self.reading.drop_missing_rows {
            return Err(self.missing_values(&found));
        }
        if self.raw.first == 0 {
            return Err(TableError::table(&self.path, "it has no rows"));
        }
        if self.used == 0 && self.target_use == TargetUse::Required {
            let problem = format!(
                "all of its {} are left out, for cells that are empty or unknown: {}",
                counted(self.raw.first, "row"),
                found.join(", ")
            );
            return Err(TableError::table(&self.path, problem).mended_by(&[TableOption::Drop]));
        }
        Ok(())
    }

    /// The refusal of a table with empty cells in these columns.
    fn missing_values(&self, found: &[String]) -> TableError {
        const SHOWN: usize = 8;
        let more = found.len().saturating_sub(SHOWN);
        let mut columns = found[..found.len() - more].join(", ");
        if more > 0 {
            columns.push_str(&format!(" and {}", counted(more, "more column")));
        }
        let lacks_features = self
            .features
            .iter()
            .flat_map(FeatureReader::absent)
            .any(|(_, absent)| absent.first.is_some());
        let (remedy, options): (_, &[TableOption]) = if !lacks_features {
            let remedy = "targets, weights and offsets cannot be filled: leave these rows out with \
                          `drop_missing_rows`, or mend the file";
            (remedy, &[TableOption::DropMissingRows])
        } else if self.targets.is_empty() {
            // Targets are ignored where a finished design predicts.
            let remedy = "leave these rows without a prediction, or fit the model again with \
                          `impute_mean`, which fills them from the means of its own rows";
            (remedy, &[TableOption::ImputeMean])
        } else {
            let remedy = "leave these rows out with `drop_missing_rows`, fill features with the \
                          means of their columns with `impute_mean`, or leave the columns out with \
                          `drop`";
            (remedy, &[TableOption::DropMissingRows, TableOption::ImputeMean, TableOption::Drop])
        };
        TableError::MissingValues { path: self.path.clone(), columns, remedy, options }
    }

    /// Encodes the rows that were read.
    fn encode(&mut self) -> Result<(), TableError> {
        let (path, raw, reader) = (&self.path, &self.raw, &self.reader);
        let dictionaries = |source: usize| reader.dictionary(source);
        let unseen = self.reading.unseen();
        let rows = Rows { path, raw, dictionaries: &dictionaries, unseen };
        let gaps = &mut self.gaps;
        gaps.clear();
        gaps.resize(raw.rows, Gaps::default());
        let width = self.watches.len();
        self.values.clear();
        self.values.resize(raw.rows * width, 0.0);
        for feature in &mut self.features {
            feature.encode(rows, width, &mut self.values, gaps)?;
        }
        let count = self.targets.len();
        self.target_values.clear();
        self.target_values.resize(raw.rows * count, 0.0);
        for (index, target) in self.targets.iter_mut().enumerate() {
            let values = self.target_values.iter_mut().skip(index).step_by(count);
            target.encode(rows, values, gaps)?;
        }
        if let Some(weights) = &mut self.weights {
            weights.weights(rows, &mut self.weight_values, gaps)?;
        }
        if let Some((offset, term)) = &mut self.offset {
            offset.logarithms(rows, term, &mut self.offset_values, gaps)?;
        }
        Ok(())
    }
}
