//! Batches of images, made ahead of the step that needs them.

mod batch;
mod worker;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::augmentation::Augmentation;
use super::normalisation::{Normalisation, check_indices};
use super::set::ImageSet;
use crate::{DataError, Position};
pub use batch::ImageBatch;
use batch::Maker;
use worker::Worker;

/// What an [`ImageLoader`] hands out.
///
/// | field | range | meaning |
/// |---|---|---|
/// | `batch` | 1 to 2²⁰ | images a batch |
/// | `seed` | any | decides order and augmentation |
/// | `epochs` | 1 to 2³² | passes over the images allowed |
/// | `keep_short_batch` | | whether the images left at the end of an epoch, fewer than a batch, are handed out as one |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageLoaderConfig {
    /// Images a batch.
    pub batch: usize,
    /// Decides order and augmentation.
    pub seed: u64,
    /// Passes over the images allowed.
    pub epochs: u64,
    /// Whether an epoch may end with a batch of fewer images.
    pub keep_short_batch: bool,
}

/// Hands out training batches without replacement, normalised and augmented.
///
/// In each epoch the images come in an order that follows from (seed, epoch) alone and does not depend on the size of
/// a batch; what is done to an image follows from (seed, epoch, its index).
///
/// A thread of its own makes the next batch while the present one is used. Batches are the same whatever its timing;
/// [`ImageLoader::waited`] says how long it was waited for.
#[derive(Debug)]
pub struct ImageLoader {
    config: ImageLoaderConfig,
    images: u64,
    position: Position,
    worker: Worker,
    waited: Duration,
}

impl ImageLoader {
    /// A loader at the start of its first epoch, over the images `indices` of a set.
    ///
    /// # Errors
    /// A setting out of range; an image that the set does not have; fewer images than one batch, unless short batches
    /// are kept; a thread that the system refuses.
    pub fn new(
        set: Arc<ImageSet>,
        indices: Vec<u32>,
        normalisation: Normalisation,
        augmentation: Augmentation,
        config: ImageLoaderConfig,
    ) -> Result<Self, DataError> {
        check_indices(&set, &indices)?;
        augmentation.check(&set)?;
        for (name, value, limit) in
            [("batch", config.batch as u64, 1 << 20), ("epochs", config.epochs, 1 << 32)]
        {
            if !(1..=limit).contains(&value) {
                return Err(DataError::Setting { name, value, limit });
            }
        }
        let (_, _, channels) = set.shape();
        let table = normalisation.table(channels)?;
        let images = indices.len() as u64;
        let batch = config.batch.min(indices.len());
        if batch < config.batch && !config.keep_short_batch {
            return Err(DataError::ImageSetting {
                name: "batch",
                value: config.batch.to_string(),
                problem: format!(
                    "is larger than the {images} images that are trained on; use a smaller batch or more images"
                ),
            });
        }
        let maker = Maker::new(set, indices, table, augmentation, config.seed);
        Self::over(maker, images, batch, config)
    }

    fn over(
        maker: Maker,
        images: u64,
        batch: usize,
        config: ImageLoaderConfig,
    ) -> Result<Self, DataError> {
        let position = Position { epoch: 0, cursor: 0 };
        let mut loader = ImageLoader {
            config,
            images,
            position,
            worker: Worker::start(maker, batch)?,
            waited: Duration::ZERO,
        };
        loader.worker.order(position, loader.length(position));
        Ok(loader)
    }

    /// Steps in all epochs together: more cannot be asked for.
    pub fn steps_available(&self) -> u64 {
        self.config.epochs.saturating_mul(self.steps_in_epoch())
    }

    /// Steps in one epoch.
    pub fn steps_in_epoch(&self) -> u64 {
        let batch = self.config.batch as u64;
        match self.config.keep_short_batch {
            true => self.images.div_ceil(batch),
            false => self.images / batch,
        }
    }

    /// The next batch, valid until the next call. Allocates nothing once it is under way.
    ///
    /// # Errors
    /// [`DataError::Exhausted`] after the last epoch; [`DataError::LoaderThread`] if the thread has ended.
    #[expect(clippy::should_implement_trait, reason = "an iterator cannot lend its items")]
    pub fn next(&mut self) -> Result<ImageBatch<'_>, DataError> {
        let position = self.position;
        if position.epoch >= self.config.epochs {
            return Err(DataError::Exhausted {
                epochs: self.config.epochs,
                steps: self.steps_in_epoch(),
            });
        }
        let length = self.length(position);
        let next = self
            .normal(Position { epoch: position.epoch, cursor: position.cursor + length as u64 });
        let started = Instant::now();
        self.worker.take(position, length)?;
        self.waited += started.elapsed();
        self.position = next;
        // After the end nothing is made ahead.
        if next.epoch < self.config.epochs {
            self.worker.order(next, self.length(next));
        }
        Ok(self.worker.present())
    }

    /// How far batches have been read.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Goes to a position: the next batches are those that a loader which had read up to there would give.
    ///
    /// # Errors
    /// [`DataError::Position`] for a position outside the epochs and images of this loader.
    pub fn seek(&mut self, position: Position) -> Result<(), DataError> {
        let (epochs, images) = (self.config.epochs, self.images);
        let Position { epoch, cursor } = position;
        let is_end = epoch == epochs && cursor == 0;
        if !is_end && (epoch >= epochs || cursor > images) {
            return Err(DataError::Position {
                unit: "image",
                epoch,
                cursor,
                epochs,
                count: images,
            });
        }
        self.position = self.normal(position);
        Ok(())
    }

    /// How long [`ImageLoader::next`] has waited for the thread, in all.
    pub fn waited(&self) -> Duration {
        self.waited
    }

    /// Images in the batch at a position.
    fn length(&self, position: Position) -> usize {
        // At most a batch, which is a `usize`.
        (self.images - position.cursor).min(self.config.batch as u64) as usize
    }

    /// A position at which no batch is left is the start of the next epoch.
    fn normal(&self, position: Position) -> Position {
        let needed = match self.config.keep_short_batch {
            true => 1,
            false => self.config.batch as u64,
        };
        if position.cursor + needed > self.images {
            Position { epoch: position.epoch + 1, cursor: 0 }
        } else {
            position
        }
    }
}
