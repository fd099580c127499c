//! From raw rows to dense blocks of the design matrix.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::design::{Design, Encoding, TargetKind, TargetUse};
use super::dictionary::MISSING;
use super::findings::{Findings, Watch, conclude};
use super::format::TableFormat;
use super::names::Names;
use super::raw::{Kind, Place, RawBlock, RawColumn, RawReader};
use crate::DataError;
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
    /// `rows × targets` numbers, row by row: values, or indices of classes. Empty where targets are ignored.
    pub targets: &'a [f64],
    /// A weight for each row; absent where the design has none or targets are ignored.
    pub weights: Option<&'a [f64]>,
    /// Whether no cell was empty so far; where one was, NaN stands for it, and [`Blocks::finish`] is an error.
    pub is_complete: bool,
}

/// Compressed sparse rows: row i has `values[starts[i]..starts[i + 1]]` in the `columns` of the same range, which ascend. A column of
/// numbers has a value in every row.
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
    /// Rows of the files before this one.
    before: u64,
    features: Vec<FeatureReader>,
    targets: Vec<TargetReader>,
    weights: Option<(usize, Absent)>,
    watches: Vec<Watch>,
    values: Vec<f64>,
    sparse: Sparse,
    target_values: Vec<f64>,
    weight_values: Vec<f64>,
}

/// What of a block's values is not 0.
#[derive(Default)]
struct Sparse {
    starts: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f64>,
}

/// Where a feature comes from and goes to.
struct FeatureReader {
    source: usize,
    offset: usize,
    levels: LevelIndex,
    /// Of a category: the indicators of each row of the block that are not 0.
    present: Vec<Range<usize>>,
    absent: Absent,
}

struct TargetReader {
    source: usize,
    levels: LevelIndex,
    absent: Absent,
}

/// Level of each code of the file's dictionary, extended as the dictionary grows.
#[derive(Default)]
struct LevelIndex(Vec<usize>);

/// Empty cells of a column.
#[derive(Default)]
struct Absent {
    count: u64,
    first: Option<Place>,
}

impl Absent {
    fn add(&mut self, place: Place) {
        self.count += 1;
        self.first.get_or_insert(place);
    }
}

impl<'a> Blocks<'a> {
    pub(super) fn open(
        design: &'a Design,
        path: &Path,
        format: &TableFormat,
        targets: TargetUse,
    ) -> Result<Self, DataError> {
        design.check(path)?;
        let columns = RawReader::columns(path, format)?;
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        let known = Names::new(path, &names)?;
        let mut kinds: Vec<Option<Kind>> = vec![None; columns.len()];
        let mut features = Vec::with_capacity(design.features.len());
        let mut offset = 0;
        for feature in &design.features {
            let source = known.find(&feature.name)?;
            kinds[source] = Some(match feature.encoding {
                Encoding::Number { .. } => Kind::Number,
                Encoding::Category { .. } => Kind::Category,
            });
            features.push(FeatureReader {
                source,
                offset,
                levels: LevelIndex::default(),
                present: Vec::new(),
                absent: Absent::default(),
            });
            offset += feature.encoding.width();
        }
        let mut target_readers = Vec::new();
        let mut weights = None;
        if targets == TargetUse::Required {
            for target in &design.targets {
                let source = known.find(&target.name)?;
                kinds[source] = Some(match target.kind {
                    TargetKind::Number => Kind::Number,
                    TargetKind::Classes { .. } => Kind::Category,
                });
                target_readers.push(TargetReader {
                    source,
                    levels: LevelIndex::default(),
                    absent: Absent::default(),
                });
            }
            if let Some(name) = &design.weights {
                let source = known.find(name)?;
                kinds[source] = Some(Kind::Number);
                weights = Some((source, Absent::default()));
            }
        }
        for (column, kind) in columns.iter().zip(&kinds) {
            let is_texts = column.kind == Kind::Category && *kind == Some(Kind::Number);
            if is_texts || (column.unreadable.is_some() && kind.is_some()) {
                let problem = match column.example.as_str() {
                    "" => "it holds texts where the design has numbers".to_owned(),
                    example => {
                        format!("it holds texts such as `{example}` where the design has numbers")
                    }
                };
                return Err(DataError::TableColumn {
                    path: path.to_owned(),
                    column: column.name.clone(),
                    problem,
                });
            }
        }
        let width = offset;
        Ok(Blocks {
            design,
            path: path.to_owned(),
            target_use: targets,
            reader: RawReader::open(path, format, &kinds)?,
            raw: RawBlock::new(&kinds),
            rows: (BLOCK_NUMBERS / width.max(1)).clamp(BLOCK_ROWS.0, BLOCK_ROWS.1),
            before: 0,
            features,
            targets: target_readers,
            weights,
            watches: vec![Watch::new(); width],
            values: Vec::new(),
            sparse: Sparse::default(),
            target_values: Vec::new(),
            weight_values: Vec::new(),
        })
    }

    /// The next rows; nothing at the end of the file.
    ///
    /// # Errors
    /// A cell that is not what its column holds, a level that the design does not know, a damaged file.
    pub fn next_block(&mut self) -> Result<Option<Block<'_>>, DataError> {
        if !self.reader.next(&mut self.raw, self.rows)? {
            return Ok(None);
        }
        self.encode_features()?;
        let is_sparse = self.features.len() * SPARSE <= self.watches.len();
        if is_sparse {
            self.list_present();
        }
        self.encode_targets()?;
        self.encode_weights()?;
        let width = self.watches.len();
        for (row, values) in self.values.chunks_exact(width.max(1)).enumerate() {
            let row = self.before + self.raw.first + row as u64;
            for (watch, value) in self.watches.iter_mut().zip(values) {
                watch.see(row, *value);
            }
        }
        let features = self.features.iter().map(|reader| &reader.absent);
        let targets = self.targets.iter().map(|reader| &reader.absent);
        let weights = self.weights.iter().map(|(_, absent)| absent);
        let is_complete = features.chain(targets).chain(weights).all(|absent| absent.count == 0);
        Ok(Some(Block {
            is_complete,
            rows: self.raw.rows,
            values: &self.values,
            sparse: is_sparse.then_some(SparseBlock {
                starts: &self.sparse.starts,
                columns: &self.sparse.columns,
                values: &self.sparse.values,
            }),
            targets: &self.target_values,
            weights: self.weights.is_some().then_some(&self.weight_values[..]),
        }))
    }

    /// Goes on with another file of the same design, as if its rows followed those of this one.
    ///
    /// # Errors
    /// As [`Blocks::finish`] of this file, and [`Design::read`] of the other.
    pub fn continue_with(mut self, path: &Path, format: &TableFormat) -> Result<Self, DataError> {
        self.check_whole()?;
        let mut next = Blocks::open(self.design, path, format, self.target_use)?;
        next.before = self.before + self.raw.first;
        next.watches = self.watches;
        Ok(next)
    }

    /// What the whole table showed.
    ///
    /// # Errors
    /// [`DataError::MissingValues`] when cells were empty that nothing fills; no row at all.
    pub fn finish(mut self) -> Result<Findings, DataError> {
        self.check_whole()?;
        Ok(conclude(self.before + self.raw.first, &self.watches))
    }

    /// Reads what is left of the file, and refuses it where cells were empty or rows are wanting.
    fn check_whole(&mut self) -> Result<(), DataError> {
        while self.next_block()?.is_some() {}
        let names = self.design.features.iter().map(|feature| &feature.name);
        let absent = names
            .zip(self.features.iter().map(|reader| &reader.absent))
            .chain(
                self.design
                    .targets
                    .iter()
                    .map(|target| &target.name)
                    .zip(self.targets.iter().map(|reader| &reader.absent)),
            )
            .chain(self.design.weights.iter().zip(self.weights.iter().map(|(_, absent)| absent)));
        let found: Vec<String> = absent
            .filter_map(|(name, absent)| {
                let first = absent.first?;
                Some(format!("`{name}` in {} (first: {first})", counted(absent.count, "row")))
            })
            .collect();
        if !found.is_empty() {
            const SHOWN: usize = 8;
            let more = found.len().saturating_sub(SHOWN);
            let mut columns = found[..found.len() - more].join(", ");
            if more > 0 {
                columns.push_str(&format!(" and {}", counted(more, "more column")));
            }
            let lacks_features = self.features.iter().any(|reader| reader.absent.first.is_some());
            let remedy = if !lacks_features {
                "targets and weights cannot be filled: take these rows out of the file, or mend it"
            } else if self.targets.is_empty() {
                // Targets are ignored where a finished design predicts.
                "mend the file, or fit the model again with --impute mean, which fills them from the means of its own rows"
            } else {
                "leave the columns out with --drop, fill features with the means of their columns with --impute mean, or mend the file"
            };
            return Err(DataError::MissingValues { path: self.path.clone(), columns, remedy });
        }
        if self.raw.first == 0 {
            return Err(DataError::table(&self.path, "it has no rows"));
        }
        Ok(())
    }

    fn encode_features(&mut self) -> Result<(), DataError> {
        let width = self.watches.len();
        self.values.clear();
        self.values.resize(self.raw.rows * width, 0.0);
        for (reader, feature) in self.features.iter_mut().zip(&self.design.features) {
            let offset = reader.offset;
            match (&self.raw.columns[reader.source], &feature.encoding) {
                (RawColumn::Numbers(numbers), Encoding::Number { imputed }) => {
                    for (row, &number) in numbers.iter().enumerate() {
                        self.values[row * width + offset] = if number.is_nan() {
                            imputed.unwrap_or_else(|| {
                                reader.absent.add(self.raw.place(row));
                                f64::NAN
                            })
                        } else {
                            number
                        };
                    }
                }
                (RawColumn::Codes(codes), Encoding::Category { levels, imputed }) => {
                    let texts = self.reader.dictionary(reader.source).texts();
                    reader.present.clear();
                    for (row, &code) in codes.iter().enumerate() {
                        let place = self.raw.place(row);
                        let start = row * width + offset;
                        let indicators = &mut self.values[start..start + levels.len() - 1];
                        if code == MISSING {
                            reader.present.push(0..indicators.len());
                            match imputed {
                                Some(shares) => indicators.copy_from_slice(&shares[1..]),
                                None => {
                                    reader.absent.add(place);
                                    indicators.fill(f64::NAN);
                                }
                            }
                            continue;
                        }
                        let level = reader.levels.of(code, texts, levels);
                        let level = level.map_err(|text| {
                            unknown(&self.path, place, &feature.name, text, levels)
                        })?;
                        // The first level, the baseline, has no indicator.
                        reader.present.push(level.saturating_sub(1)..level);
                        if let Some(indicator) = level.checked_sub(1) {
                            indicators[indicator] = 1.0;
                        }
                    }
                }
                _ => unreachable!("columns are read as their encoding needs them"),
            }
        }
        Ok(())
    }

    /// Lists what of each row is not 0.
    fn list_present(&mut self) {
        let width = self.watches.len();
        let sparse = &mut self.sparse;
        sparse.starts.clear();
        sparse.columns.clear();
        sparse.values.clear();
        sparse.starts.push(0);
        for (row, values) in self.values.chunks_exact(width).enumerate() {
            for reader in &self.features {
                // A number is a single column.
                let present = reader.present.get(row).cloned().unwrap_or(0..1);
                let range = reader.offset + present.start..reader.offset + present.end;
                sparse.values.extend_from_slice(&values[range.clone()]);
                sparse.columns.extend(range.map(|column| column as u32));
            }
            sparse.starts.push(sparse.values.len());
        }
    }

    fn encode_targets(&mut self) -> Result<(), DataError> {
        let count = self.targets.len();
        self.target_values.clear();
        self.target_values.resize(self.raw.rows * count, 0.0);
        for (index, (reader, target)) in
            self.targets.iter_mut().zip(&self.design.targets).enumerate()
        {
            match (&self.raw.columns[reader.source], &target.kind) {
                (RawColumn::Codes(codes), TargetKind::Classes { levels }) => {
                    let texts = self.reader.dictionary(reader.source).texts();
                    for (row, &code) in codes.iter().enumerate() {
                        let place = self.raw.place(row);
                        self.target_values[row * count + index] = if code == MISSING {
                            reader.absent.add(place);
                            f64::NAN
                        } else {
                            let level = reader.levels.of(code, texts, levels);
                            level.map_err(|text| {
                                unknown(&self.path, place, &target.name, text, levels)
                            })? as f64
                        };
                    }
                }
                (RawColumn::Numbers(numbers), _) => {
                    for (row, &number) in numbers.iter().enumerate() {
                        if number.is_nan() {
                            reader.absent.add(self.raw.place(row));
                        }
                        self.target_values[row * count + index] = number;
                    }
                }
                _ => unreachable!("columns are read as their target needs them"),
            }
        }
        Ok(())
    }

    fn encode_weights(&mut self) -> Result<(), DataError> {
        let Some((source, absent)) = &mut self.weights else {
            return Ok(());
        };
        self.weight_values.clear();
        if let RawColumn::Numbers(numbers) = &self.raw.columns[*source] {
            for (row, &weight) in numbers.iter().enumerate() {
                if weight.is_nan() {
                    absent.add(self.raw.place(row));
                } else if weight < 0.0 {
                    return Err(DataError::TableCell {
                        path: self.path.clone(),
                        place: self.raw.place(row).to_string(),
                        column: self.design.weights.clone().unwrap_or_default(),
                        problem: format!("a weight of {weight} is negative"),
                    });
                }
                self.weight_values.push(weight);
            }
        }
        Ok(())
    }
}

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

fn unknown(path: &Path, place: Place, column: &str, text: &str, levels: &[String]) -> DataError {
    DataError::TableCell {
        path: path.to_owned(),
        place: place.to_string(),
        column: column.to_owned(),
        problem: format!(
            "`{text}` is a level that the fit has not seen; it knows {}",
            super::names::listed(levels)
        ),
    }
}
