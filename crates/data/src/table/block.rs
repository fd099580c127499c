//! From a table to dense blocks of the design matrix.

use std::path::{Path, PathBuf};

use super::design::{Design, TargetUse};
use super::encode::{Absent, FeatureReader, Rows, TargetReader, WeightReader};
use super::error::{TableError, TableOption};
use super::findings::{Findings, Watch, conclude};
use super::format::TableFormat;
use super::names::Names;
use super::raw::{Column, Kind, RawBlock};
use super::reader::RawReader;
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
    /// Rows of the files before this one.
    before: u64,
    features: Vec<FeatureReader<'a>>,
    targets: Vec<TargetReader<'a>>,
    weights: Option<WeightReader<'a>>,
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

impl Design {
    /// Reads a table of this design: the one it was inferred from, or another with columns of the
    /// same names.
    ///
    /// # Errors
    /// A file that is no table, or that lacks a column of the design.
    pub fn read(
        &self,
        path: &Path,
        format: &TableFormat,
        targets: TargetUse,
    ) -> Result<Blocks<'_>, TableError> {
        Blocks::open(self, path, format, targets)
    }
}

impl<'a> Blocks<'a> {
    fn open(
        design: &'a Design,
        path: &Path,
        format: &TableFormat,
        target_use: TargetUse,
    ) -> Result<Self, TableError> {
        design.check(path)?;
        let columns = RawReader::columns(path, format)?;
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        let known = Names::new(path, &names)?;
        let mut kinds: Vec<Option<Kind>> = vec![None; columns.len()];
        let mut source = |name: &str, kind: Kind| -> Result<usize, TableError> {
            let source = known.find(name)?;
            kinds[source] = Some(kind);
            Ok(source)
        };
        let mut features = Vec::with_capacity(design.features.len());
        let mut width = 0;
        for feature in &design.features {
            let source = source(&feature.name, feature.encoding.kind())?;
            features.push(FeatureReader::new(feature, source, width));
            width += feature.encoding.width();
        }
        let (mut targets, mut weights) = (Vec::new(), None);
        if target_use == TargetUse::Required {
            for target in &design.targets {
                let source = source(&target.name, target.kind.kind())?;
                targets.push(TargetReader::new(target, source));
            }
            if let Some(name) = &design.weights {
                let source = source(name, Kind::Number)?;
                weights = Some(WeightReader { name, source, absent: Absent::default() });
            }
        }
        check_kinds(path, &columns, &kinds)?;
        Ok(Blocks {
            design,
            path: path.to_owned(),
            target_use,
            reader: RawReader::open(path, format, &kinds)?,
            raw: RawBlock::new(&kinds),
            rows: (BLOCK_NUMBERS / width.max(1)).clamp(BLOCK_ROWS.0, BLOCK_ROWS.1),
            before: 0,
            features,
            targets,
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
    /// A cell that is not what its column holds, a level that the design does not know, a damaged
    /// file.
    pub fn next_block(&mut self) -> Result<Option<Block<'_>>, TableError> {
        if !self.reader.next(&mut self.raw, self.rows)? {
            return Ok(None);
        }
        self.encode()?;
        let is_sparse = self.features.len() * SPARSE <= self.watches.len();
        if is_sparse {
            self.sparse.list(&self.features, self.watches.len(), &self.values);
        }
        let width = self.watches.len();
        for (row, values) in self.values.chunks_exact(width.max(1)).enumerate() {
            let row = self.before + self.raw.first + row as u64;
            for (watch, value) in self.watches.iter_mut().zip(values) {
                watch.see(row, *value);
            }
        }
        Ok(Some(Block {
            is_complete: self.absent().all(|(_, absent)| absent.count == 0),
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
    pub fn continue_with(mut self, path: &Path, format: &TableFormat) -> Result<Self, TableError> {
        self.check_whole()?;
        let mut next = Blocks::open(self.design, path, format, self.target_use)?;
        next.before = self.before + self.raw.first;
        next.watches = self.watches;
        Ok(next)
    }

    /// What the whole table showed.
    ///
    /// # Errors
    /// [`TableError::MissingValues`] when cells were empty that nothing fills; no row at all.
    pub fn finish(mut self) -> Result<Findings, TableError> {
        self.check_whole()?;
        Ok(conclude(self.before + self.raw.first, &self.watches))
    }

    /// The empty cells of each column that is read, with its name.
    fn absent(&self) -> impl Iterator<Item = (&str, &Absent)> {
        let features =
            self.features.iter().map(|reader| (reader.feature.name.as_str(), &reader.absent));
        let targets =
            self.targets.iter().map(|reader| (reader.target.name.as_str(), &reader.absent));
        let weights = self.weights.iter().map(|reader| (reader.name, &reader.absent));
        features.chain(targets).chain(weights)
    }

    /// Reads what is left of the file, and refuses it where cells were empty or rows are wanting.
    fn check_whole(&mut self) -> Result<(), TableError> {
        while self.next_block()?.is_some() {}
        let found: Vec<String> = self
            .absent()
            .filter_map(|(name, absent)| {
                let first = absent.first?;
                Some(format!("`{name}` in {} (first: {first})", counted(absent.count, "row")))
            })
            .collect();
        if !found.is_empty() {
            return Err(self.missing_values(&found));
        }
        if self.raw.first == 0 {
            return Err(TableError::table(&self.path, "it has no rows"));
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
        let lacks_features = self.features.iter().any(|reader| reader.absent.first.is_some());
        let (remedy, options): (_, &[TableOption]) = if !lacks_features {
            let remedy = "targets and weights cannot be filled: take these rows out of the file, \
                          or mend it";
            (remedy, &[])
        } else if self.targets.is_empty() {
            // Targets are ignored where a finished design predicts.
            let remedy = "mend the file, or fit the model again with `impute_mean`, which fills \
                          them from the means of its own rows";
            (remedy, &[TableOption::ImputeMean])
        } else {
            let remedy = "leave the columns out with `drop`, fill features with the means of their \
                          columns with `impute_mean`, or mend the file";
            (remedy, &[TableOption::Drop, TableOption::ImputeMean])
        };
        TableError::MissingValues { path: self.path.clone(), columns, remedy, options }
    }

    /// Encodes the rows that were read.
    fn encode(&mut self) -> Result<(), TableError> {
        let (path, raw, reader) = (&self.path, &self.raw, &self.reader);
        let rows = |source: usize| Rows { path, raw, dictionary: reader.dictionary(source) };
        let width = self.watches.len();
        self.values.clear();
        self.values.resize(raw.rows * width, 0.0);
        for feature in &mut self.features {
            feature.encode(rows(feature.source), width, &mut self.values)?;
        }
        let count = self.targets.len();
        self.target_values.clear();
        self.target_values.resize(raw.rows * count, 0.0);
        for (index, target) in self.targets.iter_mut().enumerate() {
            let values = self.target_values.iter_mut().skip(index).step_by(count);
            target.encode(rows(target.source), values)?;
        }
        if let Some(weights) = &mut self.weights {
            weights.encode(path, raw, &mut self.weight_values)?;
        }
        Ok(())
    }
}

impl Sparse {
    /// Lists what of each row is not 0.
    fn list(&mut self, features: &[FeatureReader<'_>], width: usize, values: &[f64]) {
        self.starts.clear();
        self.columns.clear();
        self.values.clear();
        self.starts.push(0);
        for (row, values) in values.chunks_exact(width).enumerate() {
            for feature in features {
                let range = feature.present(row);
                self.values.extend_from_slice(&values[range.clone()]);
                self.columns.extend(range.map(|column| column as u32));
            }
            self.starts.push(self.values.len());
        }
    }
}

/// Refuses columns of texts where a design has numbers.
fn check_kinds(path: &Path, columns: &[Column], kinds: &[Option<Kind>]) -> Result<(), TableError> {
    for (column, kind) in columns.iter().zip(kinds) {
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
