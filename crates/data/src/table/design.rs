//! Which column of a table becomes what in the design matrix.

use std::collections::HashSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::dates::{DateOrder, DateUse};
use super::derive::{Function, Term};
use super::error::TableError;
use super::raw::Kind;
use super::reader::RawReader;
use super::reading::Reading;

/// Columns of the matrix that a product of columns may have.
const MOST_PRODUCTS: usize = 1 << 20;

/// What a user wants of a table.
///
/// | field | default | meaning |
/// |---|---|---|
/// | `targets` | – | columns to be explained, or functions of them such as `log(price)`; one at least |
/// | `classes` | false | the target holds classes, in whatever form, rather than numbers |
/// | `weights` | none | a column of weights of rows |
/// | `offset` | none | a column of exposures, positive: its logarithm is added to the linear predictor |
/// | `drop` | none | columns to be left out |
/// | `categorical` | none | columns of numbers or dates that are labels |
/// | `with` | none | columns made of others: `log(area)`, `area:street` |
/// | `dates` | refused | what becomes of columns of dates |
/// | `impute_mean` | false | fill empty cells of features with the mean of their encoded column |
#[derive(Debug, Clone, Default)]
pub struct DesignOptions {
    /// Names of the columns to be explained.
    pub targets: Vec<String>,
    /// Whether the target holds classes.
    pub classes: bool,
    /// Name of the column of weights.
    pub weights: Option<String>,
    /// The column of exposures, or a function of one such as `exp(log_years)`.
    pub offset: Option<String>,
    /// Names of columns to be left out.
    pub drop: Vec<String>,
    /// Names of columns of numbers to be read as categories.
    pub categorical: Vec<String>,
    /// Columns made of others: a function of a column, or a product of columns parted by colons.
    pub with: Vec<String>,
    /// What becomes of columns of dates.
    pub dates: DateUse,
    /// Whether empty cells are filled.
    pub impute_mean: bool,
    /// How the table is read.
    pub reading: Reading,
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
    /// The exposures whose logarithm is added to the linear predictor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<Term>,
}

/// A column that explains.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// Its name in the file, or what it is made of: `log(area)`, `area:street`.
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
    /// Days since 1970-01-01 of a date.
    Days {
        /// How dates are written.
        order: DateOrder,
        /// What stands for an empty cell.
        imputed: Option<f64>,
    },
    /// A column `NAME.year`, and an indicator `NAME.month=M` for each month but the first.
    #[serde(rename = "year-month")]
    YearMonth {
        /// How dates are written.
        order: DateOrder,
        /// The months that occur, ascending from 1 to 12.
        months: Vec<u8>,
        /// The mean year and the share of each month but the first, which stand for an empty cell.
        imputed: Option<Vec<f64>>,
    },
    /// A function of the numbers of a column.
    Function {
        /// The function.
        function: Function,
        /// The column of the file.
        column: String,
        /// What of the column stands for an empty cell.
        imputed: Option<f64>,
    },
    /// The products of the columns of two features or more.
    Product {
        /// The features, none of them a product.
        factors: Vec<Feature>,
    },
}

/// A column to be explained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Its name in the file, or what it is made of: `log(price)`.
    pub name: String,
    /// What it holds.
    #[serde(flatten)]
    pub kind: TargetKind,
    /// The column that it is made of, where it is not one itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<Term>,
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
        self.features.iter().flat_map(Feature::columns).collect()
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
    pub fn check_part(&self, path: &Path, reading: &Reading) -> Result<(), TableError> {
        let known: HashSet<&str> = self
            .features
            .iter()
            .flat_map(Feature::sources)
            .map(|(name, _)| name)
            .chain(self.targets.iter().map(Target::column))
            .chain(self.offset.iter().map(|term| term.column.as_str()))
            .chain(self.dropped.iter().map(|dropped| dropped.name.as_str()))
            .chain(self.weights.as_deref())
            .collect();
        let columns = RawReader::columns(path, reading)?;
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
    /// The column of the file that it is, or is made of.
    pub fn column(&self) -> &str {
        self.term.as_ref().map_or(&self.name, |term| &term.column)
    }

    /// The function of the column that it is.
    pub fn function(&self) -> Option<Function> {
        self.term.as_ref().and_then(|term| term.function)
    }

    /// Whether it is a number as it stands in the file.
    pub(super) fn is_plain_number(&self) -> bool {
        self.kind == TargetKind::Number && self.term.is_none()
    }

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
    /// Names of its columns of the matrix.
    fn columns(&self) -> Vec<String> {
        let name = &self.name;
        match &self.encoding {
            Encoding::Number { .. } | Encoding::Days { .. } | Encoding::Function { .. } => {
                vec![name.clone()]
            }
            Encoding::Category { levels, .. } => {
                levels.iter().skip(1).map(|level| format!("{name}={level}")).collect()
            }
            Encoding::YearMonth { months, .. } => {
                let months = months.iter().skip(1).map(|month| format!("{name}.month={month}"));
                [format!("{name}.year")].into_iter().chain(months).collect()
            }
            Encoding::Product { factors } => {
                let mut names: Vec<String> = Vec::new();
                for factor in factors {
                    let own = factor.columns();
                    names = match names.is_empty() {
                        true => own,
                        false => names
                            .iter()
                            .flat_map(|left| own.iter().map(move |right| format!("{left}:{right}")))
                            .collect(),
                    };
                }
                names
            }
        }
    }

    /// The columns of the file that it is made of, with how they are read.
    pub(super) fn sources(&self) -> Vec<(&str, Kind)> {
        match &self.encoding {
            Encoding::Number { .. } => vec![(&self.name, Kind::Number)],
            Encoding::Category { .. } => vec![(&self.name, Kind::Category)],
            Encoding::Days { order, .. } | Encoding::YearMonth { order, .. } => {
                vec![(&self.name, Kind::Date(*order))]
            }
            Encoding::Function { column, .. } => vec![(column, Kind::Number)],
            Encoding::Product { factors } => factors
                .iter()
                // A damaged file may hold products of products.
                .filter(|factor| !matches!(factor.encoding, Encoding::Product { .. }))
                .flat_map(Feature::sources)
                .collect(),
        }
    }

    /// Refuses levels that [`Design::infer`] never makes.
    fn check(&self, path: &Path) -> Result<(), TableError> {
        if let Encoding::Product { factors } = &self.encoding {
            let is_nested =
                factors.iter().any(|factor| matches!(factor.encoding, Encoding::Product { .. }));
            if is_nested || factors.len() < 2 {
                return Err(damaged(path, &self.name, "it is no product of two columns or more"));
            }
            if self.encoding.width() > MOST_PRODUCTS {
                return Err(damaged(path, &self.name, "its products are too many"));
            }
            return factors.iter().try_for_each(|factor| factor.check(path));
        }
        let problem = match &self.encoding {
            Encoding::YearMonth { months, imputed: Some(values), .. }
                if values.len() != months.len()
                    || !values.iter().all(|value| value.is_finite()) =>
            {
                "what stands for its empty cells is no date"
            }
            Encoding::YearMonth { months, .. }
                if months.is_empty()
                    || !months.is_sorted_by(|a, b| a < b)
                    || !months.iter().all(|month| (1..=12).contains(month)) =>
            {
                "its months are none"
            }
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
            Encoding::Number { imputed: Some(value) }
            | Encoding::Days { imputed: Some(value), .. }
            | Encoding::Function { imputed: Some(value), .. }
                if !value.is_finite() =>
            {
                "what stands for its empty cells is no number"
            }
            _ => return Ok(()),
        };
        Err(damaged(path, &self.name, problem))
    }
}

impl Encoding {
    /// Number of columns that it takes.
    pub fn width(&self) -> usize {
        match self {
            Encoding::Number { .. } | Encoding::Days { .. } | Encoding::Function { .. } => 1,
            Encoding::Category { levels, .. } => levels.len().saturating_sub(1),
            // The year, and a column for each month but one.
            Encoding::YearMonth { months, .. } => months.len().max(1),
            Encoding::Product { factors } => factors
                .iter()
                .map(|factor| match factor.encoding {
                    Encoding::Product { .. } => 0,
                    _ => factor.encoding.width(),
                })
                .fold(1, usize::saturating_mul),
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
