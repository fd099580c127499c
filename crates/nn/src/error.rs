//! What can be wrong with what the engine is given.

use thiserror::Error;

/// Everything the engine refuses.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum NnError {
    /// A number in the model's configuration is out of range.
    #[error("model.{field} = {value} is not possible: {requirement}")]
    Configuration {
        /// Name of the field in [`GptConfig`](crate::GptConfig) or
        /// [`VisionConfig`](crate::VisionConfig).
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
    /// A label lies outside the classes.
    #[error(
        "{what}[{index}] is class {label}, but the model has {classes} classes (numbered from 0)"
    )]
    Label {
        /// `targets.first` or `targets.second`.
        what: &'static str,
        /// Position in that slice: the image's place in the batch.
        index: usize,
        /// The offending label.
        label: u32,
        /// Number of classes.
        classes: usize,
    },
    /// The weight of an image's first label is no share.
    #[error("targets.share[{index}] = {share} is not possible: it has to lie between 0 and 1")]
    Share {
        /// The image's place in the batch.
        index: usize,
        /// The offending share.
        share: f32,
    },
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
