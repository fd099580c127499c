//! What can be wrong with a planned run.

/// Errors of this crate: each says which number, and how to mend it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "a variant's message says what its fields are")]
pub enum AdviseError {
    /// Neither tokens nor images, nor anything they follow from.
    #[error(
        "how much is trained on is not known: give tokens, or images and epochs, or steps and batch"
    )]
    NoLength,
    /// A batch that holds more than the whole run.
    #[error("a batch of {batch} is more than the whole run of {total}: not one step would be made")]
    BatchTooLarge { batch: f64, total: f64 },
    /// A number that must be finite and positive.
    #[error("{name} = {value}; it must be finite and more than 0")]
    NotPositive { name: &'static str, value: f64 },
    /// A rate at which an optimizer whose updates are about 1 moves every weight by 1 or more.
    #[error(
        "a peak learning rate of {rate}: {optimizer} would move every weight by about that much in \
         a step; is a power of ten missing, as in 6e-4?"
    )]
    LearningRateTooLarge { rate: f64, optimizer: &'static str },
}
