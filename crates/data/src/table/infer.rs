//! Finding out what the columns of a table become.

use std::path::Path;

use super::dates::{DateUse, Orders};
use super::derive::Term;
use super::design::{Design, DesignOptions, Dropped, Encoding, Feature, Target, TargetKind};
use super::error::{TableError, TableOption};
use super::field::{Cells, Field};
use super::names::Names;
use super::odd::Odd;
use super::raw::{Column, Kind};
use super::reader::RawReader;
use super::reading::Reading;
use super::roles::{Assigned, Role};
use super::survey::{Survey, survey};

/// A column with this many different numbers beside few texts holds numbers, whatever is most
/// frequent …
const MANY_NUMBERS: usize = 10;
/// … if there are no more different texts than these.
const FEW_TEXTS: usize = 3;

impl Design {
    /// Finds out what the columns of a table become. Categories, classes, dates and imputation need
    /// one pass over the file, and so does a column in which something is odd.
    ///
    /// # Errors
    /// A file that is no table, a column that it does not have, a target of texts where numbers are
    /// wanted, a column that cannot be read, cells that do not fit their column.
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
        let reading = &options.reading;
        let mut columns = RawReader::columns(path, reading)?;
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        let known = Names::new(path, &names)?;
        let assigned = Assigned::of(path, &known, options, columns.len())?;
        for name in &options.categorical {
            let column = &mut columns[known.find(name)?];
            (column.kind, column.dates) = (Kind::Category, None);
            (column.is_doubtful, column.is_empty) = (false, false);
        }
        let kinds = kinds(path, &columns, &assigned, options)?;
        let surveyed: Vec<Option<Kind>> = columns
            .iter()
            .zip(&kinds)
            .zip(&assigned.roles)
            .map(|((column, kind), role)| match kind {
                Some(Kind::Number) => {
                    let is_filled = options.impute_mean && *role == Role::Feature;
                    (is_filled || column.is_doubtful).then_some(Kind::Number)
                }
                other => *other,
            })
            .collect();
        let mut surveys = survey(path, reading, &surveyed)?;
        check_odd(path, &names, &surveys, &kinds)?;
        for other in others {
            join(other, reading, &known, &surveyed, &mut surveys)?;
        }
        for (index, role) in assigned.roles.iter().enumerate() {
            let is_told = options.categorical.contains(&names[index]);
            if *role == Role::Feature && !is_told {
                check_levels(path, &names[index], &surveys[index], &Cells::new(reading))?;
            }
        }
        let encodings: Vec<_> = surveys
            .iter()
            .zip(&kinds)
            .zip(&columns)
            .map(|((survey, kind), column)| encoding(survey, *kind, column, options))
            .collect();
        let targets = assigned.targets.iter().map(|(index, term)| Target {
            name: term.name(),
            kind: match &surveys[*index] {
                Survey::Category { levels, .. } => TargetKind::Classes { levels: levels.clone() },
                _ => TargetKind::Number,
            },
            term: term.function.is_some().then(|| term.clone()),
        });
        design(path, &names, &assigned, targets.collect(), &encodings)
    }
}

/// Surveys another file of the same table.
fn join(
    path: &Path,
    reading: &Reading,
    known: &Names<'_>,
    surveyed: &[Option<Kind>],
    surveys: &mut [Survey],
) -> Result<(), TableError> {
    let columns = RawReader::columns(path, reading)?;
    let places: Vec<Option<usize>> =
        columns.iter().map(|column| known.find(&column.name).ok()).collect();
    let kinds: Vec<Option<Kind>> =
        places.iter().map(|place| place.and_then(|place| surveyed[place])).collect();
    let found = survey(path, reading, &kinds)?;
    let names: Vec<String> = columns.into_iter().map(|column| column.name).collect();
    check_odd(path, &names, &found, &kinds)?;
    for (found, place) in found.into_iter().zip(places) {
        if let Some(place) = place {
            surveys[place].merge(found);
        }
    }
    Ok(())
}

/// How each column that is used is read.
fn kinds(
    path: &Path,
    columns: &[Column],
    assigned: &Assigned,
    options: &DesignOptions,
) -> Result<Vec<Option<Kind>>, TableError> {
    let mut kinds = Vec::with_capacity(columns.len());
    for (index, (column, role)) in columns.iter().zip(&assigned.roles).enumerate() {
        if *role == Role::Dropped && !assigned.is_within(index) {
            kinds.push(None);
            continue;
        }
        if let Some(problem) = &column.unreadable {
            let problem = format!("{problem}; leave it out with `drop`");
            let error = TableError::column(path, &column.name, problem);
            return Err(error.mended_by(&[TableOption::Drop]));
        }
        kinds.push(Some(match role {
            Role::Target if options.classes => Kind::Category,
            Role::Target | Role::Weights | Role::Offset => {
                require_numbers(path, column, *role)?;
                Kind::Number
            }
            Role::Feature | Role::Dropped => match column.dates {
                Some(_) => of_dates(path, column, options.dates)?,
                None => column.kind,
            },
        }));
    }
    Ok(kinds)
}

/// How a column of dates is read, where it is told what they become.
fn of_dates(path: &Path, column: &Column, dates: DateUse) -> Result<Kind, TableError> {
    let refused = |problem: String| {
        let error = TableError::column(path, &column.name, problem);
        let options = &[TableOption::Dates, TableOption::Categorical, TableOption::Drop];
        Err(error.mended_by(options))
    };
    let example = &column.example;
    if dates == DateUse::Refuse {
        return refused(format!(
            "it holds dates such as `{example}`, which as labels would have an indicator each; say \
             with `dates` whether they become days or a year and months, with `categorical` that \
             they are labels, or leave the column out with `drop`"
        ));
    }
    match column.dates.and_then(Orders::only) {
        Some(order) => Ok(Kind::Date(order)),
        None => refused(format!(
            "it holds dates such as `{example}`, and no row shows whether the day or the month \
             comes first; write them as 2023-01-31, say with `categorical` that they are labels, \
             or leave the column out with `drop`"
        )),
    }
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
        Role::Target if column.has_classes => {
            refuse("numbers are wanted here, unless it holds `classes`")
                .mended_by(&[TableOption::Classes])
        }
        Role::Target => refuse("numbers are wanted here"),
        Role::Offset => refuse("exposures are numbers"),
        _ => refuse("weights are numbers"),
    })
}

/// Refuses cells that are no numbers in columns of numbers, and no dates in columns of dates.
fn check_odd(
    path: &Path,
    names: &[String],
    surveys: &[Survey],
    kinds: &[Option<Kind>],
) -> Result<(), TableError> {
    for ((name, survey), kind) in names.iter().zip(surveys).zip(kinds) {
        if let Survey::Number { odd, present, .. } = survey
            && odd.count > 0
        {
            return Err(odd_cells(path, name, odd, odd.count + present, *kind));
        }
    }
    Ok(())
}

/// The refusal of a column of `cells` that are not empty, for those that do not fit.
pub(super) fn odd_cells(
    path: &Path,
    name: &str,
    odd: &Odd,
    cells: u64,
    kind: Option<Kind>,
) -> TableError {
    let what = if matches!(kind, Some(Kind::Date(_))) { "dates" } else { "numbers" };
    let (problem, options) = odd.problem(cells, what);
    TableError::column(path, name, problem).mended_by(options)
}

/// Refuses levels that are numbers but for a few: they would become a hundred indicators in
/// silence.
fn check_levels(path: &Path, name: &str, survey: &Survey, cells: &Cells) -> Result<(), TableError> {
    let Survey::Category { levels, counts } = survey else { return Ok(()) };
    let mut odd = Odd::default();
    let (mut numbers, mut different) = (0, 0);
    for (level, count) in levels.iter().zip(counts) {
        match cells.read(level.as_bytes()) {
            Field::Text(text) => odd.add(text, *count, None),
            _ => (numbers, different) = (numbers + count, different + 1),
        }
    }
    let is_numeric =
        numbers > odd.count || (different >= MANY_NUMBERS && levels.len() - different <= FEW_TEXTS);
    if !is_numeric || odd.count == 0 {
        return Ok(());
    }
    Err(odd_cells(path, name, &odd, numbers + odd.count, Some(Kind::Number)))
}

/// What a surveyed column becomes, or why nothing can be made of it.
fn encoding(
    survey: &Survey,
    kind: Option<Kind>,
    column: &Column,
    options: &DesignOptions,
) -> Result<Encoding, String> {
    let fill = |mean: f64| options.impute_mean.then_some(mean);
    match survey {
        Survey::None => Ok(Encoding::Number { imputed: None }),
        Survey::Number { present: 0, .. } if column.is_empty || options.impute_mean => {
            Err("empty".to_owned())
        }
        &Survey::Number { mean, months, year, .. } => Ok(match (kind, options.dates) {
            (Some(Kind::Date(order)), DateUse::YearMonth) => {
                let total: u64 = months.iter().sum();
                let occurring = || (1..=12).zip(months).filter(|(_, count)| *count > 0);
                let shares = occurring().skip(1).map(|(_, count)| count as f64 / total as f64);
                Encoding::YearMonth {
                    order,
                    months: occurring().map(|(month, _)| month).collect(),
                    imputed: options
                        .impute_mean
                        .then(|| [year].into_iter().chain(shares).collect()),
                }
            }
            (Some(Kind::Date(order)), _) => Encoding::Days { order, imputed: fill(mean) },
            _ => Encoding::Number { imputed: fill(mean) },
        }),
        Survey::Category { levels, counts } => {
            let total: u64 = counts.iter().sum();
            match levels.as_slice() {
                [] => Err("empty".to_owned()),
                [only] => Err(format!("constant: `{only}` in every row")),
                _ => Ok(Encoding::Category {
                    imputed: options
                        .impute_mean
                        .then(|| counts.iter().map(|count| *count as f64 / total as f64).collect()),
                    levels: levels.clone(),
                }),
            }
        }
    }
}

/// The design of columns with their encodings, or with why they have none.
fn design(
    path: &Path,
    names: &[String],
    assigned: &Assigned,
    targets: Vec<Target>,
    encodings: &[Result<Encoding, String>],
) -> Result<Design, TableError> {
    let mut design = Design {
        features: Vec::new(),
        targets,
        weights: assigned.weights.map(|index| names[index].clone()),
        dropped: Vec::new(),
        offset: assigned.offset.as_ref().map(|(_, term)| term.clone()),
    };
    for (index, term) in &assigned.targets {
        if term.function.is_some() {
            let reason = format!("the target `{}` is made of it", term.name());
            design.dropped.push(Dropped { name: names[*index].clone(), reason });
        }
    }
    for ((encoding, role), name) in encodings.iter().zip(&assigned.roles).zip(names) {
        let name = name.clone();
        match (role, encoding) {
            (Role::Target | Role::Weights | Role::Offset, _) => {}
            (Role::Dropped, _) => {
                design.dropped.push(Dropped { name, reason: "as asked".to_owned() });
            }
            (Role::Feature, Ok(encoding)) => {
                design.features.push(Feature { name, encoding: encoding.clone() });
            }
            (Role::Feature, Err(reason)) => {
                design.dropped.push(Dropped { name, reason: reason.clone() });
            }
        }
    }
    for factors in &assigned.with {
        design.features.push(made(path, factors, encodings)?);
    }
    if design.features.is_empty() {
        return Err(TableError::table(path, "no column is left to explain the target"));
    }
    design.check(path)?;
    Ok(design)
}

/// A feature that is made of columns.
fn made(
    path: &Path,
    factors: &[(usize, Term)],
    encodings: &[Result<Encoding, String>],
) -> Result<Feature, TableError> {
    let mut parts = Vec::new();
    for (index, term) in factors {
        let encoding = match (&encodings[*index], term.function) {
            (Err(reason), _) => {
                let problem = format!("nothing can be made of it: it is {reason}");
                return Err(TableError::column(path, &term.column, problem));
            }
            (Ok(encoding), None) => encoding.clone(),
            (Ok(Encoding::Number { imputed }), Some(function)) => {
                Encoding::Function { function, column: term.column.clone(), imputed: *imputed }
            }
            (Ok(_), Some(function)) => {
                let problem = format!("{} takes numbers, which it does not hold", function.name());
                return Err(TableError::column(path, &term.column, problem));
            }
        };
        parts.push(Feature { name: term.name(), encoding });
    }
    match <[Feature; 1]>::try_from(parts) {
        Ok([only]) => Ok(only),
        Err(factors) => {
            let names: Vec<&str> = factors.iter().map(|factor| factor.name.as_str()).collect();
            Ok(Feature { name: names.join(":"), encoding: Encoding::Product { factors } })
        }
    }
}
