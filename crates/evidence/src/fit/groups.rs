//! Which columns share a prior precision.

use globset::Glob;
use wd_data::table::Design;

use super::error::FitError;

/// Which columns share a prior precision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Groups {
    /// All of them.
    #[default]
    One,
    /// Each column of the matrix has its own.
    Each,
    /// Each column of the table has its own.
    Column,
    /// As the patterns say, of names and patterns; the columns that are left share one.
    Named(Vec<(String, Vec<String>)>),
}

/// The groups of a design.
pub(super) struct Grouping {
    pub(super) names: Vec<String>,
    /// The group of each column of the matrix.
    pub(super) group_of: Vec<usize>,
}

impl Groups {
    /// Reads `each`, `column`, or any number of `NAME=PATTERN,PATTERN` such as `engine=hp,cyl*`.
    ///
    /// # Errors
    /// [`FitError::Option`] names a word that is none of these.
    pub fn read<S: AsRef<str>>(words: &[S]) -> Result<Groups, FitError> {
        let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
        match words[..] {
            [] => return Ok(Groups::One),
            ["each"] => return Ok(Groups::Each),
            ["column"] => return Ok(Groups::Column),
            _ => {}
        }
        let named = words.iter().map(|word| match word.split_once('=') {
            Some((name, patterns)) if !name.is_empty() && !patterns.is_empty() => {
                Ok((name.to_owned(), patterns.split(',').map(str::to_owned).collect()))
            }
            _ => Err(FitError::option(
                "groups",
                *word,
                "it names no group",
                "give `each`, `column`, or NAME=PATTERN,PATTERN such as engine=hp,cyl*",
            )),
        });
        Ok(Groups::Named(named.collect::<Result<_, _>>()?))
    }

    /// The first word that [`Groups::read`] makes these of.
    pub(super) fn word(&self) -> &str {
        match self {
            Groups::One => "",
            Groups::Each => "each",
            Groups::Column => "column",
            Groups::Named(named) => named.first().map_or("", |(name, _)| name),
        }
    }

    /// The groups of a design; nothing where all columns share one.
    pub(super) fn resolve(&self, design: &Design) -> Result<Option<Grouping>, FitError> {
        let columns = design.columns();
        Ok(match self {
            Groups::One => None,
            Groups::Each => {
                Some(Grouping { group_of: (0..columns.len()).collect(), names: columns })
            }
            Groups::Column => {
                let features = design.features.iter().enumerate();
                let group_of = features
                    .flat_map(|(group, feature)| {
                        std::iter::repeat_n(group, feature.encoding.width())
                    })
                    .collect();
                let names = design.features.iter().map(|feature| feature.name.clone());
                Some(Grouping { names: names.collect(), group_of })
            }
            Groups::Named(named) => Some(by_pattern(named, &columns)?),
        })
    }
}

fn by_pattern(named: &[(String, Vec<String>)], columns: &[String]) -> Result<Grouping, FitError> {
    let mut group_of: Vec<Option<usize>> = vec![None; columns.len()];
    let mut names = Vec::new();
    for (group, (name, patterns)) in named.iter().enumerate() {
        names.push(name.clone());
        for pattern in patterns {
            let refused = |problem: String, fix: String| {
                FitError::option("groups", format!("{name}={pattern}"), problem, fix)
            };
            let glob = Glob::new(pattern)
                .map_err(|error| refused(error.to_string(), "mend the pattern".to_owned()))?
                .compile_matcher();
            let mut matched = false;
            for (column, group_of) in columns.iter().zip(&mut group_of) {
                // `street` stands for all indicators of the column street.
                let source = column.split('=').next().unwrap_or(column);
                if glob.is_match(column) || glob.is_match(source) {
                    matched = true;
                    if group_of.is_some_and(|before| before != group) {
                        return Err(refused(
                            format!("it puts `{column}` into a second group"),
                            "let each column match the patterns of one group".to_owned(),
                        ));
                    }
                    *group_of = Some(group);
                }
            }
            if !matched {
                let some = columns[..columns.len().min(12)].join(", ");
                return Err(refused(
                    format!("`{pattern}` matches no column"),
                    format!("columns are {some}"),
                ));
            }
        }
    }
    if group_of.contains(&None) {
        names.push("the rest".to_owned());
    }
    let rest = names.len() - 1;
    let group_of = group_of.into_iter().map(|group| group.unwrap_or(rest)).collect();
    Ok(Grouping { names, group_of })
}
