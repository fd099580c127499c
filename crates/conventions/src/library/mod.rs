//! The library table: what `weight_decay` means in each library that people use.
//!
//! An entry is one optimizer, regularizer or estimator under the name that users type
//! (`torch.AdamW`). Its [`Variant`]s are the meanings that its switches choose between; the first is
//! the default. [`Checked`] says how the meaning was established: by a trajectory of the library
//! itself that our rule follows, or by reading its source.

mod entry;
mod keras;
mod linear_model;
mod optax;
mod optimi;
mod pytorch_optimizer;
mod rust;
mod speedruns;
mod timm;
mod torch;
mod trainers;

pub use entry::{
    Checked, Convention, Key, KeyDefault, KeyMeaning, LibraryEntry, Likelihood, Method, Optimizer,
    Penalty, Values, Variant,
};

use crate::ConventionError;
use wd_decay::names;

/// Every entry, one family of libraries after the other.
pub fn entries() -> impl Iterator<Item = &'static LibraryEntry> {
    [
        torch::ENTRIES,
        optax::ENTRIES,
        keras::ENTRIES,
        timm::ENTRIES,
        optimi::ENTRIES,
        pytorch_optimizer::ENTRIES,
        trainers::ENTRIES,
        speedruns::ENTRIES,
        rust::ENTRIES,
        linear_model::ENTRIES,
    ]
    .into_iter()
    .flatten()
}

/// The entry that a person means by `name`.
///
/// Case does not count, and neither do the modules between a library and its class:
/// `torch.optim.AdamW` is `torch.AdamW`.
///
/// # Errors
/// [`ConventionError::UnknownLibrary`] with the nearest names; a bare class name that several libraries
/// have lists them.
///
/// # Example
/// ```
/// use wd_conventions::library;
///
/// assert_eq!(library::find("torch.optim.AdamW")?.name, "torch.AdamW");
/// let error = library::find("torch.AdanW").unwrap_err().to_string();
/// assert!(error.contains("`torch.AdamW`"), "{error}");
/// # Ok::<(), wd_decay::ConventionError>(())
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
        .find(|entry| matches(entry.name) || entry.aliases.iter().any(|alias| matches(alias)))
    {
        return Ok(entry);
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
            names::nearest(name, entries().map(|entry| entry.name))
        } else {
            same_class.join(", ")
        },
    })
}
