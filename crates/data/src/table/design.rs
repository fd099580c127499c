//! Which column of a table becomes what in the design matrix.

use std::collections::HashSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::block::Blocks;
use super::dictionary::MOST_LEVELS;
use super::format::TableFormat;
use super::names::Names;
use super::raw::{Column, Kind, RawReader};
use super::survey::{Survey, survey};
use crate::DataError;

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
    /// Finds out what the columns of a table become. Categories, classes and imputation need one pass over the file.
    ///
    /// # Errors
    /// A file that is no table, a column that it does not have, a target of texts where numbers are wanted, a column
    /// that cannot be read.
    pub fn infer(path: &Path, options: &DesignOptions) -> Result<Design, DataError> {
        Design::infer_parts(path, &[], options)
    }

    /// Finds out what the columns of a table in several files become: one design, as of one file in which they follow each
    /// other. Columns are matched by name ([`Design::check_part`] says whether they are the same); whether they hold numbers or
    /// texts is seen in the first file.
    ///
    /// # Errors
    /// As [`Design::infer`].
    pub fn infer_parts(
        path: &Path,
        others: &[&Path],
        options: &DesignOptions,
    ) -> Result<Design, DataError> {
        let mut columns = RawReader::columns(path, &options.format)?;
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        let known = Names::new(path, &names)?;
        let mut roles = vec![Role::Feature; columns.len()];
        let mut assign = |name: &String, role: Role| -> Result<usize, DataError> {
            let index = known.find(name)?;
            if roles[index] != Role::Feature && roles[index] != role {
                return Err(DataError::TableColumn {
                    path: path.to_owned(),
                    column: name.clone(),
                    problem: format!(
                        "it cannot be {} and {} at once",
                        roles[index].name(),
                        role.name()
                    ),
                });
            }
            roles[index] = role;
            Ok(index)
        };
        if options.targets.is_empty() {
            return Err(DataError::table(path, "no target was named"));
        }
        let mut targets = Vec::new();
        for name in &options.targets {
            targets.push(assign(name, Role::Target)?);
        }
        let weights = options.weights.as_ref();
        let weights = weights.map(|name| assign(name, Role::Weights)).transpose()?;
        for name in &options.drop {
            assign(name, Role::Dropped)?;
        }
        for name in &options.categorical {
            let column = &mut columns[known.find(name)?];
            column.kind = Kind::Category;
            column.decimal_commas = false;
        }
        for (column, role) in columns.iter().zip(&roles) {
            if column.decimal_commas && *role != Role::Dropped {
                return Err(DataError::TableColumn {
                    path: path.to_owned(),
                    column: column.name.clone(),
                    problem: format!(
                        "it holds numbers with decimal commas, such as `{}`; write them with points, or say with --categorical that they are categories",
                        column.example
                    ),
                });
            }
        }
        let numbers_wanted = targets.iter().filter(|_| !options.classes).chain(&weights);
        for &index in numbers_wanted {
            require_numbers(path, &columns[index], roles[index])?;
        }
        for (index, column) in columns.iter_mut().enumerate() {
            if roles[index] == Role::Target && options.classes {
                column.kind = Kind::Category;
            }
            if let (Some(problem), true) = (&column.unreadable, roles[index] != Role::Dropped) {
                return Err(DataError::TableColumn {
                    path: path.to_owned(),
                    column: column.name.clone(),
                    problem: format!("{problem}; leave it out with --drop"),
                });
            }
        }
        let surveyed: Vec<Option<Kind>> = columns
            .iter()
            .zip(&roles)
            .map(|(column, role)| match (role, column.kind) {
                (Role::Feature | Role::Target, Kind::Category) => Some(Kind::Category),
                (Role::Feature, Kind::Number) if options.impute_mean => Some(Kind::Number),
                _ => None,
            })
            .collect();
        let mut surveys = survey(path, &options.format, &surveyed)?;
        for other in others {
            let found = RawReader::columns(other, &options.format)?;
            let places: Vec<Option<usize>> =
                found.iter().map(|column| known.find(&column.name).ok()).collect();
            let kinds: Vec<Option<Kind>> =
                places.iter().map(|place| place.and_then(|place| surveyed[place])).collect();
            let found = survey(other, &options.format, &kinds)?;
            for (found, place) in found.into_iter().zip(places) {
                if let Some(place) = place {
                    surveys[place].merge(found);
                }
            }
        }
        let mut design = Design {
            features: Vec::new(),
            targets: Vec::new(),
            weights: weights.map(|index| names[index].clone()),
            dropped: Vec::new(),
        };
        for &index in &targets {
            design.targets.push(Target {
                name: names[index].clone(),
                kind: match &surveys[index] {
                    Survey::Category { levels, .. } => {
                        TargetKind::Classes { levels: levels.clone() }
                    }
                    _ => TargetKind::Number,
                },
            });
        }
        for (index, survey) in surveys.into_iter().enumerate() {
            let name = names[index].clone();
            match roles[index] {
                Role::Target | Role::Weights => {}
                Role::Dropped => {
                    design.dropped.push(Dropped { name, reason: "as asked".to_owned() })
                }
                Role::Feature => match encoding(survey, options.impute_mean) {
                    Ok(encoding) => design.features.push(Feature { name, encoding }),
                    Err(reason) => design.dropped.push(Dropped { name, reason }),
                },
            }
        }
        if design.features.is_empty() {
            return Err(DataError::table(path, "no column is left to explain the target"));
        }
        Ok(design)
    }

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

    /// Refuses a file with a column that this design does not know: it is no part of the same table.
    ///
    /// # Errors
    /// [`DataError::TableColumn`] names it. What the file lacks, [`Design::read`] finds.
    pub fn check_part(&self, path: &Path, format: &TableFormat) -> Result<(), DataError> {
        let known: HashSet<&str> = self
            .features
            .iter()
            .map(|feature| feature.name.as_str())
            .chain(self.targets.iter().map(|target| target.name.as_str()))
            .chain(self.dropped.iter().map(|dropped| dropped.name.as_str()))
            .chain(self.weights.as_deref())
            .collect();
        let columns = RawReader::columns(path, format)?;
        match columns
            .into_iter()
            .find(|column| !known.contains(column.name.as_str()))
        {
            None => Ok(()),
            Some(strange) => Err(DataError::TableColumn {
                path: path.to_owned(),
                column: strange.name,
                problem: "the files before it have no such column, and all are to be parts of one table; take it out of this one".to_owned(),
            }),
        }
    }

    /// Refuses what [`Design::infer`] never makes, but a file may hold.
    ///
    /// # Errors
    /// [`DataError::TableColumn`]: a category without two levels, or whose shares are not as many as its levels.
    pub fn check(&self, path: &Path) -> Result<(), DataError> {
        self.features.iter().try_for_each(|feature| feature.check(path))
    }

    /// Reads a table of this design: the one it was inferred from, or another with columns of the same names.
    ///
    /// # Errors
    /// A file that is no table, or that lacks a column of the design.
    pub fn read(
        &self,
        path: &Path,
        format: &TableFormat,
        targets: TargetUse,
    ) -> Result<Blocks<'_>, DataError> {
        Blocks::open(self, path, format, targets)
    }
}

impl Feature {
    /// Refuses levels that [`Design::infer`] never makes.
    fn check(&self, path: &Path) -> Result<(), DataError> {
        let problem = match &self.encoding {
            Encoding::Category { levels, .. } if levels.len() < 2 => "has fewer than two levels",
            Encoding::Category { levels, imputed: Some(shares) }
                if shares.len() != levels.len() =>
            {
                "has not as many shares as levels"
            }
            _ => return Ok(()),
        };
        Err(DataError::TableColumn {
            path: path.to_owned(),
            column: self.name.clone(),
            problem: format!("the design it is read by is damaged: it {problem}"),
        })
    }
}

impl Encoding {
    /// Number of columns that it takes.
    pub fn width(&self) -> usize {
        match self {
            Encoding::Number { .. } => 1,
            Encoding::Category { levels, .. } => levels.len().saturating_sub(1),
        }
    }
}

/// What a column is to the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Feature,
    Target,
    Weights,
    Dropped,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Role::Feature => "a feature",
            Role::Target => "a target",
            Role::Weights => "the weights",
            Role::Dropped => "left out",
        }
    }
}

fn require_numbers(path: &Path, column: &Column, role: Role) -> Result<(), DataError> {
    if column.kind == Kind::Number {
        return Ok(());
    }
    let example = match column.example.as_str() {
        "" => String::new(),
        example => format!(" such as `{example}`"),
    };
    let fix = match role {
        Role::Target => "; numbers are wanted here, classes need --family logistic or softmax",
        _ => "; weights are numbers",
    };
    Err(DataError::TableColumn {
        path: path.to_owned(),
        column: column.name.clone(),
        problem: format!("it holds texts{example}{fix}"),
    })
}

/// What a surveyed column becomes, or why nothing can be made of it.
fn encoding(survey: Survey, impute: bool) -> Result<Encoding, String> {
    match survey {
        Survey::None => Ok(Encoding::Number { imputed: None }),
        Survey::Number { mean, present: 1.. } => Ok(Encoding::Number { imputed: Some(mean) }),
        Survey::Number { present: 0, .. } => Err("empty".to_owned()),
        Survey::Category { levels, counts } => {
            debug_assert!(levels.len() <= MOST_LEVELS);
            let total: u64 = counts.iter().sum();
            match levels.as_slice() {
                [] => Err("empty".to_owned()),
                [only] => Err(format!("constant: `{only}` in every row")),
                _ => Ok(Encoding::Category {
                    imputed: impute
                        .then(|| counts.iter().map(|count| *count as f64 / total as f64).collect()),
                    levels,
                }),
            }
        }
    }
}
