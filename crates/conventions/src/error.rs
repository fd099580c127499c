//! What can be wrong with a setting as it was written.

use wd_decay::DecayError;

/// Errors of this crate: each says what was written, and how to mend it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ConventionError {
    /// A decay or schedule that cannot be.
    #[error(transparent)]
    Decay(#[from] DecayError),
    /// A text that is no number with a magnitude and a unit.
    #[error("`{given}` is not a quantity: {reason}; write for example 124M, 65536tok, 5ep or 1e-3")]
    InvalidQuantity {
        /// The text as given.
        given: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A number with a unit that is not known.
    #[error("`{given}` has the unknown unit `{unit}`; units: {known}; magnitudes: k, M, B, T, %")]
    UnknownUnit {
        /// The text as given.
        given: String,
        /// What stands where the unit should.
        unit: String,
        /// The units that exist.
        known: String,
    },
    /// A library or optimizer that the table does not hold.
    #[error("unknown library entry `{given}`; nearest: {nearest}")]
    UnknownLibrary {
        /// The name as given.
        given: String,
        /// The most similar names, nearest first.
        nearest: String,
    },
    /// A key that neither the library nor the description of a run has.
    #[error("{entry} has no `{given}`; nearest: {nearest}")]
    UnknownKey {
        /// The library entry.
        entry: String,
        /// The key as given.
        given: String,
        /// The most similar keys, nearest first.
        nearest: String,
    },
    /// A value that its key cannot have.
    #[error("{key} = {given}: {reason}")]
    InvalidSetting {
        /// The key.
        key: String,
        /// The value as given.
        given: String,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// A number that is needed and was not given.
    #[error("{needed_for} needs {missing}")]
    Missing {
        /// What cannot be computed.
        needed_for: String,
        /// The keys to add, with an example.
        missing: String,
    },
    /// Numbers that contradict each other.
    #[error(
        "{stated}, but {computed}: they differ by {percent:.1} %; leave one of them out or mend it"
    )]
    Inconsistent {
        /// The number as given.
        stated: String,
        /// The same number from the others.
        computed: String,
        /// How far the given number is from the computed one, in percent of the latter.
        percent: f64,
    },
    /// A decay that is no Gaussian prior on the weights.
    #[error("{name} is no Gaussian prior: {reason}")]
    NotAPrior {
        /// The optimizer or estimator.
        name: String,
        /// Why not.
        reason: String,
    },
}
