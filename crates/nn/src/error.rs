//! What can be wrong with what the engine is given.

use thiserror::Error;

/// Everything the engine refuses.
#[derive(Debug, Clone, PartialEq, Error)]
#[expect(missing_docs, reason = "a variant's message says what its fields are")]
pub enum NnError {
    /// A number in the model's configuration is out of range.
    #[error("model.{field} = {value} is not possible: {requirement}")]
    Configuration { field: &'static str, value: String, requirement: String },
    /// A slice does not have the length that the model needs.
    #[error("{what} holds {given} numbers, but this model needs {expected}")]
    Length { what: &'static str, given: usize, expected: String },
    /// A token id lies outside the vocabulary.
    #[error(
        "{what}[{index}] is token {token}, but the vocabulary has {vocabulary} tokens (ids from 0)"
    )]
    Token { what: &'static str, index: usize, token: u32, vocabulary: usize },
    /// A label lies outside the classes.
    #[error(
        "{what}[{index}] is class {label}, but the model has {classes} classes (numbered from 0)"
    )]
    Label { what: &'static str, index: usize, label: u32, classes: usize },
    /// The weight of an image's first label is no share.
    #[error("targets.share[{index}] = {share} is not possible: it has to lie between 0 and 1")]
    Share { index: usize, share: f32 },
    /// A batch norm would see one number a channel, whose variance is 0.
    #[error(
        "batch norm needs more than one value a channel to train, but the batch is one image and a \
         layer of it one pixel: use a larger batch, a larger image, or group norm"
    )]
    BatchOfOne,
}

impl NnError {
    pub(crate) fn configuration(
        field: &'static str,
        value: impl ToString,
        requirement: impl Into<String>,
    ) -> Self {
        Self::Configuration { field, value: value.to_string(), requirement: requirement.into() }
    }
}

pub(crate) fn check_length(
    what: &'static str,
    given: usize,
    expected: usize,
) -> Result<(), NnError> {
    if given == expected {
        Ok(())
    } else {
        Err(NnError::Length { what, given, expected: expected.to_string() })
    }
}
