//! The entries of `library.toml`, and which one a name means.

use std::sync::OnceLock;

use serde::Deserialize;
use wd_decay::names;

use super::entry::LibraryEntry;
use crate::ConventionError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    entry: Vec<LibraryEntry>,
}

fn table() -> &'static [LibraryEntry] {
    static TABLE: OnceLock<Vec<LibraryEntry>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let read = toml::from_str::<Table>(include_str!("../../library.toml"));
        read.unwrap_or_else(|error| panic!("library.toml, which is a part of this crate: {error}"))
            .entry
    })
}

/// Every entry, one family of libraries after the other.
pub fn entries() -> impl Iterator<Item = &'static LibraryEntry> {
    table().iter()
}

/// The entries of one library: `torch`; where there is no such library, the entry of that name.
///
/// # Errors
/// What [`find`] refuses.
pub fn of_library(name: &str) -> Result<Vec<&'static LibraryEntry>, ConventionError> {
    let of_library: Vec<_> = entries().filter(|entry| entry.library() == name).collect();
    if of_library.is_empty() { Ok(vec![find(name)?]) } else { Ok(of_library) }
}

/// The entry that a person means by `name`.
///
/// Case does not count, and neither do the modules between a library and its class:
/// `torch.optim.AdamW` is `torch.AdamW`.
///
/// # Errors
/// [`ConventionError::UnknownLibrary`] with the nearest names; a bare class name that several
/// libraries have lists them. [`ConventionError::LibraryAlone`] with the entries of a library.
///
/// # Example
/// ```
/// use wd_conventions::library;
///
/// assert_eq!(library::find("torch.optim.AdamW")?.name, "torch.AdamW");
/// assert!(library::find("torch.AdanW").is_err());
/// # Ok::<(), wd_conventions::ConventionError>(())
/// ```
pub fn find(name: &str) -> Result<&'static LibraryEntry, ConventionError> {
    let typed = name.trim().to_lowercase();
    let matches = |known: &str| {
        let known = known.to_lowercase();
        if known == typed {
            return true;
        }
        // `torch.optim.AdamW`: the same first and last part.
        match (typed.split_once('.'), known.split_once('.')) {
            (Some((library, path)), Some((known_library, class))) => {
                library == known_library && path.rsplit('.').next() == Some(class)
            }
            _ => false,
        }
    };
    if let Some(entry) = entries()
        .find(|entry| matches(&entry.name) || entry.aliases.iter().any(|alias| matches(alias)))
    {
        return Ok(entry);
    }
    let of_library = entries().filter(|entry| entry.library().to_lowercase() == typed);
    let of_library: Vec<String> = of_library.map(|entry| format!("`{}`", entry.name)).collect();
    if !of_library.is_empty() {
        let entries = of_library.join(", ");
        return Err(ConventionError::LibraryAlone { given: name.to_owned(), entries });
    }
    // `optax.adam` is one letter off; `torch.Lion` has the class of other libraries.
    let class = typed.rsplit('.').next().unwrap_or(&typed);
    let slip = |entry: &&LibraryEntry| {
        strsim::damerau_levenshtein(&entry.name.to_lowercase(), &typed) <= 1
    };
    let same_class: Vec<String> = entries()
        .filter(slip)
        .chain(entries().filter(|entry| !slip(entry) && entry.class().to_lowercase() == class))
        .map(|entry| format!("`{}`", entry.name))
        .collect();
    Err(ConventionError::UnknownLibrary {
        given: name.to_owned(),
        nearest: if same_class.is_empty() {
            names::nearest(name, entries().map(|entry| entry.name.as_str()))
        } else {
            same_class.join(", ")
        },
    })
}
