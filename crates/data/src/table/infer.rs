//! Finding out what the columns of a table become.

use std::path::Path;

use super::design::{Design, DesignOptions, Dropped, Encoding, Feature, Target, TargetKind};
use super::error::{TableError, TableOption};
use super::names::Names;
use super::raw::{Column, Kind};
use super::reader::RawReader;
use super::survey::{Survey, survey};

impl Design {
    /// Finds out what the columns of a table become. Categories, classes and imputation need one
    /// pass over the file.
    ///
    /// # Errors
    /// A file that is no table, a column that it does not have, a target of texts where numbers are
    /// wanted, a column that cannot be read.
    pub fn infer(path: &Path, options: &DesignOptions) -> Result<Design, TableError> {
        Design::infer_parts(path, &[], options)
    }

    /// Finds out what the columns of a table in several files become: one design, as of one file in
    /// which they follow each other. Columns are matched by name ([`Design::check_part`] says
    /// whether they are the same); whether they hold numbers or texts is seen in the first file.
    ///
    /// # Errors
    /// As [`Design::infer`].
    pub fn infer_parts(
        path: &Path,
        others: &[&Path],
        options: &DesignOptions,
    ) -> Result<Design, TableError> {
        let mut columns = RawReader::columns(path, &options.format)?;
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        let known = Names::new(path, &names)?;
        let assigned = Assigned::of(path, &known, options, columns.len())?;
        for name in &options.categorical {
            let column = &mut columns[known.find(name)?];
            column.kind = Kind::Category;
            column.decimal_commas = false;
        }
        check_columns(path, &columns, &assigned, options)?;
        let surveyed: Vec<Option<Kind>> = columns
            .iter()
            .zip(&assigned.roles)
            .map(|(column, role)| match (role, column.kind) {
                (Role::Target, _) if options.classes => Some(Kind::Category),
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
        assigned.design(path, &names, surveys, options.impute_mean)
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

/// The role of each column.
struct Assigned {
    roles: Vec<Role>,
    /// The targets in the order in which they were named.
    targets: Vec<usize>,
    weights: Option<usize>,
}

impl Assigned {
    fn of(
        path: &Path,
        known: &Names<'_>,
        options: &DesignOptions,
        columns: usize,
    ) -> Result<Self, TableError> {
        let mut roles = vec![Role::Feature; columns];
        let mut assign = |name: &String, role: Role| -> Result<usize, TableError> {
            let index = known.find(name)?;
            if roles[index] != Role::Feature && roles[index] != role {
                let problem =
                    format!("it cannot be {} and {} at once", roles[index].name(), role.name());
                return Err(TableError::column(path, name, problem));
            }
            roles[index] = role;
            Ok(index)
        };
        if options.targets.is_empty() {
            return Err(TableError::table(path, "no target was named"));
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
        Ok(Assigned { roles, targets, weights })
    }

    /// The design of columns that were surveyed.
    fn design(
        &self,
        path: &Path,
        names: &[String],
        surveys: Vec<Survey>,
        impute_mean: bool,
    ) -> Result<Design, TableError> {
        let target = |&index: &usize| Target {
            name: names[index].clone(),
            kind: match &surveys[index] {
                Survey::Category { levels, .. } => TargetKind::Classes { levels: levels.clone() },
                _ => TargetKind::Number,
            },
        };
        let mut design = Design {
            features: Vec::new(),
            targets: self.targets.iter().map(target).collect(),
            weights: self.weights.map(|index| names[index].clone()),
            dropped: Vec::new(),
        };
        for ((survey, role), name) in surveys.into_iter().zip(&self.roles).zip(names) {
            let name = name.clone();
            match role {
                Role::Target | Role::Weights => {}
                Role::Dropped => {
                    design.dropped.push(Dropped { name, reason: "as asked".to_owned() });
                }
                Role::Feature => match encoding(survey, impute_mean) {
                    Ok(encoding) => design.features.push(Feature { name, encoding }),
                    Err(reason) => design.dropped.push(Dropped { name, reason }),
                },
            }
        }
        if design.features.is_empty() {
            return Err(TableError::table(path, "no column is left to explain the target"));
        }
        Ok(design)
    }
}

/// Refuses columns that cannot be what they are asked to be.
fn check_columns(
    path: &Path,
    columns: &[Column],
    assigned: &Assigned,
    options: &DesignOptions,
) -> Result<(), TableError> {
    let used = || columns.iter().zip(&assigned.roles).filter(|(_, role)| **role != Role::Dropped);
    if let Some((column, _)) = used().find(|(column, _)| column.decimal_commas) {
        let problem = format!(
            "it holds numbers with decimal commas, such as `{}`; write them with points, or say \
             with `categorical` that they are categories",
            column.example
        );
        let error = TableError::column(path, &column.name, problem);
        return Err(error.mended_by(TableOption::Categorical));
    }
    let targets = assigned.targets.iter().filter(|_| !options.classes);
    for &index in targets.chain(&assigned.weights) {
        require_numbers(path, &columns[index], assigned.roles[index])?;
    }
    for (column, _) in used() {
        if let Some(problem) = &column.unreadable {
            let problem = format!("{problem}; leave it out with `drop`");
            let error = TableError::column(path, &column.name, problem);
            return Err(error.mended_by(TableOption::Drop));
        }
    }
    Ok(())
}

fn require_numbers(path: &Path, column: &Column, role: Role) -> Result<(), TableError> {
    if column.kind == Kind::Number {
        return Ok(());
    }
    let example = match column.example.as_str() {
        "" => String::new(),
        example => format!(" such as `{example}`"),
    };
    let refuse = |mend: &str| {
        TableError::column(path, &column.name, format!("it holds texts{example}; {mend}"))
    };
    Err(match role {
        Role::Target => refuse("numbers are wanted here, unless it holds `classes`")
            .mended_by(TableOption::Classes),
        _ => refuse("weights are numbers"),
    })
}

/// What a surveyed column becomes, or why nothing can be made of it.
fn encoding(survey: Survey, impute: bool) -> Result<Encoding, String> {
    match survey {
        Survey::None => Ok(Encoding::Number { imputed: None }),
        Survey::Number { mean, present: 1.. } => Ok(Encoding::Number { imputed: Some(mean) }),
        Survey::Number { present: 0, .. } => Err("empty".to_owned()),
        Survey::Category { levels, counts } => {
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
