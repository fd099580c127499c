//! What each column is to the user: a feature, a target, weights, an offset, or left out.

use std::path::Path;

use super::derive::Term;
use super::design::DesignOptions;
use super::error::TableError;
use super::names::Names;

/// What a column is to the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Feature,
    Target,
    Weights,
    Offset,
    Dropped,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Role::Feature => "a feature",
            Role::Target => "a target",
            Role::Weights => "the weights",
            Role::Offset => "the offset",
            Role::Dropped => "left out",
        }
    }
}

/// The role of each column.
pub(super) struct Assigned {
    pub(super) roles: Vec<Role>,
    /// The targets in the order in which they were named, with their columns.
    pub(super) targets: Vec<(usize, Term)>,
    pub(super) weights: Option<usize>,
    pub(super) offset: Option<(usize, Term)>,
    /// The factors of each feature that is made of columns.
    pub(super) with: Vec<Vec<(usize, Term)>>,
}

impl Assigned {
    pub(super) fn of(
        path: &Path,
        known: &Names<'_>,
        options: &DesignOptions,
        columns: usize,
    ) -> Result<Self, TableError> {
        let mut roles = vec![Role::Feature; columns];
        let mut assign = |name: &str, role: Role| -> Result<usize, TableError> {
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
        let term = |word: &str| Term::read(path, word, &|name| known.find(name).is_ok());
        let mut targets = Vec::new();
        for word in &options.targets {
            let term = term(word)?;
            targets.push((assign(&term.column, Role::Target)?, term));
        }
        if options.classes
            && let Some((_, term)) = targets.iter().find(|(_, term)| term.function.is_some())
        {
            let problem = format!("`{}` is a number, and classes are wanted", term.name());
            return Err(TableError::column(path, &term.column, problem));
        }
        let weights = options.weights.as_ref();
        let weights = weights.map(|name| assign(name, Role::Weights)).transpose()?;
        let offset = match &options.offset {
            None => None,
            Some(word) => {
                let term = term(word)?;
                Some((assign(&term.column, Role::Offset)?, term))
            }
        };
        for name in &options.drop {
            assign(name, Role::Dropped)?;
        }
        let with = options.with.iter().map(|word| factors(path, known, word, &roles));
        let with = with.collect::<Result<_, _>>()?;
        Ok(Assigned { roles, targets, weights, offset, with })
    }

    /// Whether a feature is made of a column.
    pub(super) fn is_within(&self, column: usize) -> bool {
        self.with.iter().flatten().any(|(index, _)| *index == column)
    }
}

/// The columns of `a:b` or `log(a)`.
fn factors(
    path: &Path,
    known: &Names<'_>,
    word: &str,
    roles: &[Role],
) -> Result<Vec<(usize, Term)>, TableError> {
    if known.find(word).is_ok() {
        let problem = "it is a column already; give a function such as log(x), or a product a:b";
        return Err(TableError::column(path, word, problem));
    }
    let mut factors = Vec::new();
    for part in word.split(':') {
        let term = Term::read(path, part, &|name| known.find(name).is_ok())?;
        let index = known.find(&term.column)?;
        if matches!(roles[index], Role::Target) {
            let problem = format!("`{word}` would explain the target by itself");
            return Err(TableError::column(path, &term.column, problem));
        }
        factors.push((index, term));
    }
    if let [(_, Term { function: None, column })] = &factors[..] {
        let problem = "it is a column already; give a function such as log(x), or a product a:b";
        return Err(TableError::column(path, column, problem));
    }
    Ok(factors)
}
