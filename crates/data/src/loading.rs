//! What the loaders of text and of images share: positions, the arithmetic of epochs, refusals.

use serde::{Deserialize, Serialize};

use crate::counted::counted;

/// How far a loader of text or of images has read. With data, split and configuration it says all
/// there is to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Epochs completed.
    pub epoch: u64,
    /// Windows, or images, read in the present epoch.
    pub cursor: u64,
}

/// What a loader refuses.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "a variant's message says what its fields are")]
pub enum LoaderError {
    /// A setting of zero, or beyond what can be addressed.
    #[error("{name} = {value} is out of range: it must be from 1 to {limit}")]
    Setting { name: &'static str, value: u64, limit: u64 },

    /// Something that the data do not have.
    #[error("{what} {index} does not exist: there are {count}")]
    OutOfRange { what: &'static str, index: u64, count: u64 },

    /// Every epoch has been read.
    #[error(
        "the data are used up: {} of {}; ask for fewer steps or more epochs",
        counted(epochs, "epoch"),
        counted(steps, "step")
    )]
    Exhausted { epochs: u64, steps: u64 },

    /// A position that this loader cannot have reached.
    #[error(
        "epoch {epoch}, {unit} {cursor} is no position in {} of {}: it comes from other data, or \
         from another split, subset, context or batch",
        counted(epochs, "epoch"),
        counted(count, unit)
    )]
    Position { unit: &'static str, epoch: u64, cursor: u64, epochs: u64, count: u64 },
}

impl LoaderError {
    /// Refuses a setting outside 1 … limit.
    pub(crate) fn check(name: &'static str, value: u64, limit: u64) -> Result<(), LoaderError> {
        match (1..=limit).contains(&value) {
            true => Ok(()),
            false => Err(LoaderError::Setting { name, value, limit }),
        }
    }
}

/// The items of each epoch, and how batches are taken of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Epochs {
    /// What an item is called: `window` or `image`.
    pub(crate) unit: &'static str,
    /// Items in an epoch.
    pub(crate) items: u64,
    /// Items in a batch.
    pub(crate) batch: u64,
    /// Epochs allowed.
    pub(crate) count: u64,
    /// Whether the items left at the end of an epoch, fewer than a batch, are handed out as one.
    pub(crate) keep_short_batch: bool,
}

impl Epochs {
    /// Steps in one epoch.
    pub(crate) fn steps_in_epoch(&self) -> u64 {
        match self.keep_short_batch {
            true => self.items.div_ceil(self.batch),
            false => self.items / self.batch,
        }
    }

    /// Steps in all epochs together.
    pub(crate) fn steps(&self) -> u64 {
        self.count.saturating_mul(self.steps_in_epoch())
    }

    /// Items in the batch at a position.
    pub(crate) fn length(&self, position: Position) -> u64 {
        (self.items - position.cursor).min(self.batch)
    }

    /// Refuses a position after the last epoch.
    pub(crate) fn check_left(&self, position: Position) -> Result<(), LoaderError> {
        match position.epoch < self.count {
            true => Ok(()),
            false => {
                Err(LoaderError::Exhausted { epochs: self.count, steps: self.steps_in_epoch() })
            }
        }
    }

    /// The position after the batch at this one.
    pub(crate) fn after(&self, position: Position) -> Position {
        self.normal(Position { cursor: position.cursor + self.length(position), ..position })
    }

    /// Where a loader goes that is sent to a position; a position outside its epochs is refused.
    pub(crate) fn seek(&self, position: Position) -> Result<Position, LoaderError> {
        let Position { epoch, cursor } = position;
        let is_end = epoch == self.count && cursor == 0;
        if !is_end && (epoch >= self.count || cursor > self.items) {
            return Err(LoaderError::Position {
                unit: self.unit,
                epoch,
                cursor,
                epochs: self.count,
                count: self.items,
            });
        }
        Ok(self.normal(position))
    }

    /// A position at which no batch is left is the start of the next epoch.
    fn normal(&self, position: Position) -> Position {
        let needed = if self.keep_short_batch { 1 } else { self.batch };
        if position.cursor + needed > self.items {
            Position { epoch: position.epoch + 1, cursor: 0 }
        } else {
            position
        }
    }
}
