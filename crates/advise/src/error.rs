//! What can be wrong with a planned run.

/// Errors of this crate: each says which number, and how to mend it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AdviseError {
    /// Neither tokens nor images, nor anything they follow from.
    #[error(
        "how much is trained on is not known: give tokens, or images and epochs, or steps and batch"
    )]
    NoLength,
    /// A batch that holds more than the whole run.
    #[error("a batch of {batch} is more than the whole run of {total}: not one step would be made")]
    BatchTooLarge {
        /// Data points a step.
        batch: f64,
        /// Data points in the run.
        total: f64,
    },
    /// A number that must be finite and positive.
    #[error("{name} = {value}; it must be finite and more than 0")]
    NotPositive {
        /// Which number.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// A rate at which an optimizer whose updates are about 1 moves every weight by 1 or more.
    #[error(
        "a peak learning rate of {rate}: {optimizer} would move every weight by about that much in \
         a step; is a power of ten missing, as in 6e-4?"
    )]
    LearningRateTooLarge {
        /// The rate.
        rate: f64,
        /// The optimizer, as it is written in prose.
        optimizer: &'static str,
    },
}
