//! What can be wrong with a setting as it was written.

use wd_decay::DecayError;

/// Errors of this crate: each says what was written, and how to mend it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "a variant's message says what its fields are")]
pub enum ConventionError {
    /// A decay or schedule that cannot be.
    #[error(transparent)]
    Decay(#[from] DecayError),
    /// A text that is no number with a magnitude and a unit.
    #[error("`{given}` is not a quantity: {reason}; write for example 124M, 65536tok, 5ep or 1e-3")]
    InvalidQuantity { given: String, reason: String },
    /// A number with a unit that is not known.
    #[error(
        "`{given}` has the unknown unit `{unit}`{}; units: {known}; magnitudes: k, M, B, T, %",
        in_capitals(given, unit)
    )]
    UnknownUnit { given: String, unit: String, known: String },
    /// A library or optimizer that the table does not hold.
    #[error("unknown library entry `{given}`; nearest: {nearest}")]
    UnknownLibrary { given: String, nearest: String },
    /// A library without one of its optimizers.
    #[error("`{given}` is a library: name one of its entries: {entries}")]
    LibraryAlone { given: String, entries: String },
    /// A key that neither the library nor the description of a run has.
    #[error("{entry} has no `{given}`; nearest: {nearest}")]
    UnknownKey { entry: String, given: String, nearest: String },
    /// A value that its key cannot have.
    #[error("{key} = {given}: {reason}")]
    InvalidSetting { key: String, given: String, reason: String },
    /// A word without a key.
    #[error("`{given}` has no key: every word behind the library is key=value, such as {example}")]
    NoPair { given: String, example: String },
    /// A number that is needed and was not given.
    #[error("{needed_for} needs {missing}")]
    Missing { needed_for: String, missing: String },
    /// Numbers that contradict each other.
    #[error(
        "{stated}, but {computed}: they differ by {percent:.1} %; leave one of them out or mend it"
    )]
    Inconsistent { stated: String, computed: String, percent: f64 },
    /// A decay that is no Gaussian prior on the weights.
    #[error("{name} is no Gaussian prior: {reason}")]
    NotAPrior { name: String, reason: String },
}

/// Magnitudes are written with a capital: `m` is a metre.
fn in_capitals(given: &str, unit: &str) -> String {
    match unit {
        "m" | "b" | "t" => format!(" (did you mean {}?)", given.to_ascii_uppercase()),
        _ => String::new(),
    }
}
