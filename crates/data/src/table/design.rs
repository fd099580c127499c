//! Which column of a table becomes what in the design matrix.

use std::collections::HashSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::TableError;
use super::format::TableFormat;
use super::raw::Kind;
use super::reader::RawReader;

/// What a user wants of a table.
///
/// | field | default | meaning |
/// |---|---|---|
/// | `targets` | – | columns to be explained; one at least |
/// | `classes` | false | the target holds classes, in whatever form, rather than numbers |
/// | `weights` | none | a column of weights of rows: a row of weight 2 counts like two rows |
/// | `drop` | none | columns to be left out |
/// | `categorical` | none | columns of numbers that are labels |
/// | `impute_mean` | false | fill empty cells of features with the mean of their encoded column |
#[derive(Debug, Clone, Default)]
pub struct DesignOptions {
    /// Names of the columns to be explained.
    pub targets: Vec<String>,
    /// Whether the target holds classes.
    pub classes: bool,
    /// Name of the column of weights.
    pub weights: Option<String>,
    /// Names of columns to be left out.
    pub drop: Vec<String>,
    /// Names of columns of numbers to be read as categories.
    pub categorical: Vec<String>,
    /// Whether empty cells are filled.
    pub impute_mean: bool,
    /// How a CSV file is written.
    pub format: TableFormat,
}

/// How a table becomes a matrix.
///
/// Columns of the matrix are [`Design::columns`]; the intercept is not among them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Design {
    /// Columns that explain, in the order of the file.
    pub features: Vec<Feature>,
    /// Columns to be explained.
    pub targets: Vec<Target>,
    /// The column of weights.
    pub weights: Option<String>,
    /// Columns that were left out, with the reason.
    pub dropped: Vec<Dropped>,
}

/// A column that explains.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// Its name in the file.
    pub name: String,
    /// What it becomes.
    #[serde(flatten)]
    pub encoding: Encoding,
}

/// What a column becomes in the matrix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "encoding")]
pub enum Encoding {
    /// One column, as it is.
    Number {
        /// What stands for an empty cell.
        imputed: Option<f64>,
    },
    /// An indicator column `NAME=LEVEL` for each level but the first, which is the baseline.
    Category {
        /// All levels: numbers in their order, texts in that of their bytes.
        levels: Vec<String>,
        /// Share of each level, which stands for an empty cell.
        imputed: Option<Vec<f64>>,
    },
}

/// A column to be explained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Its name in the file.
    pub name: String,
    /// What it holds.
    #[serde(flatten)]
    pub kind: TargetKind,
}

/// What a target holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
pub enum TargetKind {
    /// Numbers.
    Number,
    /// Classes; a row's target is the index of its class.
    Classes {
        /// Numbers in their order, texts in that of their bytes.
        levels: Vec<String>,
    },
}

/// A column that was left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dropped {
    /// Its name in the file.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// Whether targets are read along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetUse {
    /// The file must have them, and the weights if the design has any.
    Required,
    /// They are not looked for, nor are weights.
    Ignored,
}

impl Design {
    /// Names of the columns of the matrix.
    pub fn columns(&self) -> Vec<String> {
        let mut names = Vec::with_capacity(self.width());
        for Feature { name, encoding } in &self.features {
            match encoding {
                Encoding::Number { .. } => names.push(name.clone()),
                Encoding::Category { levels, .. } => {
                    names.extend(levels.iter().skip(1).map(|level| format!("{name}={level}")));
                }
            }
        }
        names
    }

    /// Number of columns of the matrix.
    pub fn width(&self) -> usize {
        self.features.iter().map(|feature| feature.encoding.width()).sum()
    }

    /// Refuses a file with a column that this design does not know: it is no part of the same
    /// table.
    ///
    /// # Errors
    /// [`TableError::Column`] names it. What the file lacks, [`Design::read`] finds.
    pub fn check_part(&self, path: &Path, format: &TableFormat) -> Result<(), TableError> {
        let known: HashSet<&str> = self
            .features
            .iter()
            .map(|feature| feature.name.as_str())
            .chain(self.targets.iter().map(|target| target.name.as_str()))
            .chain(self.dropped.iter().map(|dropped| dropped.name.as_str()))
            .chain(self.weights.as_deref())
            .collect();
        let columns = RawReader::columns(path, format)?;
        match columns.iter().find(|column| !known.contains(column.name.as_str())) {
            None => Ok(()),
            Some(strange) => {
                let problem = "the files before it have no such column, and all are to be parts of \
                               one table; take it out of this one";
                Err(TableError::column(path, &strange.name, problem))
            }
        }
    }

    /// Refuses what [`Design::infer`] never makes, but a file may hold.
    ///
    /// # Errors
    /// [`TableError::Column`]: a column that stands twice, a category without two levels or with
    /// one that stands twice, shares that are not as many as its levels or no shares.
    pub fn check(&self, path: &Path) -> Result<(), TableError> {
        let features = self.features.iter().map(|feature| &feature.name);
        let targets = self.targets.iter().map(|target| &target.name);
        let names = features.chain(targets).chain(&self.weights);
        if let Some(name) = first_twice(names) {
            return Err(damaged(path, name, "it stands there twice"));
        }
        self.features.iter().try_for_each(|feature| feature.check(path))?;
        self.targets.iter().try_for_each(|target| target.check(path))
    }
}

/// The first of these that has come before.
fn first_twice<'a>(mut names: impl Iterator<Item = &'a String>) -> Option<&'a str> {
    let mut seen = HashSet::new();
    names.find(|name| !seen.insert(name.as_str())).map(String::as_str)
}

/// The refusal of a design that no table gives.
fn damaged(path: &Path, column: &str, problem: &str) -> TableError {
    let problem = format!("the design it is read by is damaged: {problem}");
    TableError::column(path, column, problem)
}

impl Target {
    /// Refuses classes that [`Design::infer`] never makes.
    fn check(&self, path: &Path) -> Result<(), TableError> {
        let problem = match &self.kind {
            TargetKind::Classes { levels } if levels.is_empty() => "it has no classes",
            TargetKind::Classes { levels } if first_twice(levels.iter()).is_some() => {
                "one of its classes stands there twice"
            }
            TargetKind::Number | TargetKind::Classes { .. } => return Ok(()),
        };
        Err(damaged(path, &self.name, problem))
    }
}

impl Feature {
    /// Refuses levels that [`Design::infer`] never makes.
    fn check(&self, path: &Path) -> Result<(), TableError> {
        let problem = match &self.encoding {
            Encoding::Category { levels, .. } if levels.len() < 2 => "it has fewer than two levels",
            Encoding::Category { levels, .. } if first_twice(levels.iter()).is_some() => {
                "one of its levels stands there twice"
            }
            Encoding::Category { levels, imputed: Some(shares) }
                if shares.len() != levels.len() =>
            {
                "it has not as many shares as levels"
            }
            Encoding::Category { imputed: Some(shares), .. }
                if !shares.iter().all(|share| (0.0..=1.0).contains(share)) =>
            {
                "one of its shares is no share"
            }
            Encoding::Number { imputed: Some(value) } if !value.is_finite() => {
                "what stands for its empty cells is no number"
            }
            _ => return Ok(()),
        };
        Err(damaged(path, &self.name, problem))
    }
}

impl Encoding {
    /// How its column is read.
    pub(super) fn kind(&self) -> Kind {
        match self {
            Encoding::Number { .. } => Kind::Number,
            Encoding::Category { .. } => Kind::Category,
        }
    }

    /// Number of columns that it takes.
    pub fn width(&self) -> usize {
        match self {
            Encoding::Number { .. } => 1,
            Encoding::Category { levels, .. } => levels.len().saturating_sub(1),
        }
    }
}

impl TargetKind {
    /// How its column is read.
    pub(super) fn kind(&self) -> Kind {
        match self {
            TargetKind::Number => Kind::Number,
            TargetKind::Classes { .. } => Kind::Category,
        }
    }
}
