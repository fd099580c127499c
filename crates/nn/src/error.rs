//! What can be wrong with what the engine is given.

use thiserror::Error;

/// Everything the engine refuses.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum NnError {
    /// A number in the model's configuration is out of range.
    #[error("model.{field} = {value} is not possible: {requirement}")]
    Configuration {
        /// Name of the field in [`GptConfig`](crate::GptConfig).
        field: &'static str,
        /// The value it holds.
        value: String,
        /// What it has to satisfy.
        requirement: String,
    },
    /// A slice does not have the length that the model needs.
    #[error("{what} holds {given} numbers, but this model needs {expected}")]
    Length {
        /// Which argument.
        what: &'static str,
        /// Its length.
        given: usize,
        /// What the length has to be, in words.
        expected: String,
    },
    /// A token id lies outside the vocabulary.
    #[error(
        "{what}[{index}] is token {token}, but the vocabulary has {vocabulary} tokens (ids from 0)"
    )]
    Token {
        /// `inputs` or `targets`.
        what: &'static str,
        /// Position in that slice.
        index: usize,
        /// The offending id.
        token: u32,
        /// Size of the vocabulary.
        vocabulary: usize,
    },
}
