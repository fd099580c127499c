//! Finding columns by name.

use std::collections::HashMap;
use std::path::Path;

use super::error::{TableError, TableOption};

/// Below this similarity (Jaro–Winkler) two names have nothing to do with each other.
const SIMILAR: f64 = 0.8;

/// The columns of a file by name.
pub(super) struct Names<'a> {
    path: &'a Path,
    names: &'a [String],
    places: HashMap<&'a str, usize>,
}

impl<'a> Names<'a> {
    /// Indexes the names; a name that stands twice is an error.
    pub(super) fn new(path: &'a Path, names: &'a [String]) -> Result<Self, TableError> {
        let mut places = HashMap::with_capacity(names.len());
        for (index, name) in names.iter().enumerate() {
            if let Some(first) = places.insert(name.as_str(), index) {
                return Err(twice(path, names, first, index));
            }
        }
        Ok(Names { path, names, places })
    }

    /// The place of a column.
    pub(super) fn find(&self, name: &str) -> Result<usize, TableError> {
        self.places.get(name).copied().ok_or_else(|| {
            let nearest = self
                .names
                .iter()
                .map(|known| {
                    (strsim::jaro_winkler(&known.to_lowercase(), &name.to_lowercase()), known)
                })
                .filter(|(similarity, _)| *similarity >= SIMILAR)
                .max_by(|a, b| a.0.total_cmp(&b.0));
            let is_comment = self.names.first().is_some_and(|first| first.starts_with(['#', '%']));
            let (hint, options): (_, &[TableOption]) = match nearest {
                Some((_, known)) => (format!("did you mean `{known}`?"), &[]),
                None if is_comment => (
                    format!(
                        "it has {}; if the first line is a comment, say with `comment` how it \
                         begins",
                        listed(self.names)
                    ),
                    &[TableOption::Comment],
                ),
                None if self.names.len() == 1 => (
                    format!(
                        "it has a single one, {}; if the columns are parted by another character, \
                         give it as `delimiter`",
                        listed(self.names)
                    ),
                    &[TableOption::Delimiter],
                ),
                None => (format!("it has {}", listed(self.names)), &[]),
            };
            let (path, name) = (self.path.to_owned(), name.to_owned());
            TableError::UnknownColumn { path, name, hint, options }
        })
    }
}

/// The refusal of two columns of one name. Only numbers among the names say that they may be data.
fn twice(path: &Path, names: &[String], first: usize, second: usize) -> TableError {
    let is_data = names.iter().any(|name| name.parse::<f64>().is_ok());
    let remedy = match is_data {
        true => "if the first line holds data, say so with `header`",
        false => "name them apart in the first line",
    };
    let (name, first, second) = (&names[first], first + 1, second + 1);
    let problem = format!("columns {first} and {second} are both named `{name}`; {remedy}");
    let options: &[TableOption] = if is_data { &[TableOption::Header] } else { &[] };
    TableError::table(path, problem).mended_by(options)
}

/// The first names of a list, and how many more there are.
pub(super) fn listed(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
