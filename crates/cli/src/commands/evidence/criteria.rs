//! What `--compare` and `--groups` ask for.

use std::path::PathBuf;

use globset::Glob;
use wd_data::table::Design;

use super::Family;
use crate::diagnostics::CommandError;

/// Criteria beside the evidence.
#[derive(Debug, Default)]
pub(super) struct Criteria {
    pub(super) leave_one_out: bool,
    pub(super) generalized: bool,
    /// Folds of cross-validation; 0 for none.
    pub(super) folds: usize,
    pub(super) hold_out: Option<PathBuf>,
}

/// More folds than these are leave-one-out at a higher price.
const MOST_FOLDS: usize = 100;

impl Criteria {
    pub(super) fn parse(words: &[String], family: Family) -> Result<Criteria, CommandError> {
        let mut criteria = Criteria {
            generalized: words.is_empty() && family == Family::Gaussian,
            ..Criteria::default()
        };
        for word in words {
            match word.split_once(':').unwrap_or((word, "")) {
                ("gcv", "") if family != Family::Gaussian => {
                    return Err(CommandError::usage(
                        "--compare gcv is a criterion of squared errors: it needs --family gaussian",
                        "compare with loo, cv:10 or holdout:FILE",
                    ));
                }
                ("loo", "") => criteria.leave_one_out = true,
                ("gcv", "") => criteria.generalized = true,
                ("cv", folds) => {
                    criteria.folds = match if folds.is_empty() { Ok(10) } else { folds.parse() } {
                        Ok(folds) if (2..=MOST_FOLDS).contains(&folds) => folds,
                        _ => {
                            return Err(CommandError::usage(
                                format!("--compare {word}: `{folds}` is no number of folds"),
                                format!(
                                    "give 2 to {MOST_FOLDS}, such as cv:10; loo leaves out every row in turn"
                                ),
                            ));
                        }
                    };
                }
                ("holdout", file) if !file.is_empty() => {
                    criteria.hold_out = Some(PathBuf::from(file));
                }
                _ => {
                    return Err(CommandError::usage(
                        format!("--compare {word}: there is no such criterion"),
                        "choose among loo, gcv, cv:FOLDS and holdout:FILE, separated by commas",
                    ));
                }
            }
        }
        Ok(criteria)
    }
}

/// Which columns share a prior precision.
#[derive(Debug)]
pub(super) enum Groups {
    /// All of them.
    One,
    /// Each column of the matrix has its own.
    Each,
    /// Each column of the table has its own.
    Column,
    /// As the patterns say; the rest together.
    Named(Vec<(String, Vec<String>)>),
}

/// The groups of a design.
pub(super) struct Grouping {
    pub(super) names: Vec<String>,
    /// The group of each column of the matrix.
    pub(super) group_of: Vec<usize>,
}

impl Groups {
    pub(super) fn parse(words: &[String], family: Family) -> Result<Groups, CommandError> {
        if words.is_empty() {
            return Ok(Groups::One);
        }
        if family != Family::Gaussian {
            return Err(CommandError::usage(
                "--groups works in the gaussian family",
                "leave it out, or use --family gaussian",
            ));
        }
        match words {
            [word] if word == "each" => return Ok(Groups::Each),
            [word] if word == "column" => return Ok(Groups::Column),
            _ => {}
        }
        let mut named = Vec::new();
        for word in words {
            match word.split_once('=') {
                Some((name, patterns)) if !name.is_empty() && !patterns.is_empty() => {
                    named.push((name.to_owned(), patterns.split(',').map(str::to_owned).collect()));
                }
                _ => {
                    return Err(CommandError::usage(
                        format!("--groups {word} names no group"),
                        "give `each`, `column`, or NAME=PATTERN,PATTERN such as engine=hp,cyl*",
                    ));
                }
            }
        }
        Ok(Groups::Named(named))
    }

    /// The groups of a design; nothing where all columns share one.
    pub(super) fn resolve(&self, design: &Design) -> Result<Option<Grouping>, CommandError> {
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

fn by_pattern(
    named: &[(String, Vec<String>)],
    columns: &[String],
) -> Result<Grouping, CommandError> {
    let mut group_of: Vec<Option<usize>> = vec![None; columns.len()];
    let mut names = Vec::new();
    for (group, (name, patterns)) in named.iter().enumerate() {
        names.push(name.clone());
        for pattern in patterns {
            let glob = Glob::new(pattern)
                .map_err(|error| {
                    CommandError::usage(format!("--groups {name}: {error}"), "mend the pattern")
                })?
                .compile_matcher();
            let mut matched = false;
            for (column, group_of) in columns.iter().zip(&mut group_of) {
                // `street` stands for all indicators of the column street.
                let source = column.split('=').next().unwrap_or(column);
                if glob.is_match(column) || glob.is_match(source) {
                    matched = true;
                    if group_of.is_some_and(|before| before != group) {
                        return Err(CommandError::usage(
                            format!("--groups puts `{column}` into two groups"),
                            "let each column match the patterns of one group",
                        ));
                    }
                    *group_of = Some(group);
                }
            }
            if !matched {
                return Err(CommandError::usage(
                    format!("--groups {name}: `{pattern}` matches no column"),
                    format!("columns are {}", columns[..columns.len().min(12)].join(", ")),
                ));
            }
        }
    }
    if group_of.contains(&None) {
        names.push("the rest".to_owned());
    }
    let rest = names.len() - 1;
    Ok(Grouping {
        names,
        group_of: group_of.into_iter().map(|group| group.unwrap_or(rest)).collect(),
    })
}
