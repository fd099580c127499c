//! Batches of images, made ahead of the step that needs them.

mod batch;
mod worker;

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::augmentation::Augmentation;
use super::error::ImageError;
use super::normalisation::{Normalisation, check_indices};
use super::set::ImageSet;
use crate::loading::{Epochs, LoaderError, Position};
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
/// In each epoch the images come in an order that follows from (seed, epoch) alone and does not
/// depend on the size of a batch; what is done to an image follows from (seed, epoch, its index).
///
/// A thread of its own makes the next batch while the present one is used. Batches are the same
/// whatever its timing; [`ImageLoader::waited`] says how long it was waited for.
#[derive(Debug)]
pub struct ImageLoader {
    epochs: Epochs,
    position: Position,
    worker: Worker,
    waited: Duration,
}

impl ImageLoader {
    /// A loader at the start of its first epoch, over the images `indices` of a set.
    ///
    /// # Errors
    /// A setting out of range; an image that the set does not have; fewer images than one batch,
    /// unless short batches are kept; a thread that the system refuses.
    pub fn new(
        set: Arc<ImageSet>,
        indices: Vec<u32>,
        normalisation: Normalisation,
        augmentation: Augmentation,
        config: ImageLoaderConfig,
    ) -> Result<Self, ImageError> {
        check_indices(&set, &indices)?;
        augmentation.check(&set)?;
        LoaderError::check("batch", config.batch as u64, 1 << 20)?;
        LoaderError::check("epochs", config.epochs, 1 << 32)?;
        let (_, _, channels) = set.shape();
        let table = normalisation.table(channels)?;
        let images = indices.len() as u64;
        let batch = config.batch.min(indices.len());
        if batch < config.batch && !config.keep_short_batch {
            let problem = format!(
                "is larger than the {images} images that are trained on; use a smaller batch or \
                 more images"
            );
            return Err(ImageError::setting("batch", config.batch, problem));
        }
        let maker = Maker::new(set, indices, table, augmentation, config.seed);
        Self::over(maker, images, batch, config)
    }

    fn over(
        maker: Maker,
        images: u64,
        batch: usize,
        config: ImageLoaderConfig,
    ) -> Result<Self, ImageError> {
        let epochs = Epochs {
            unit: "image",
            items: images,
            batch: config.batch as u64,
            count: config.epochs,
            keep_short_batch: config.keep_short_batch,
        };
        let position = Position { epoch: 0, cursor: 0 };
        let mut worker = Worker::start(maker, batch)?;
        worker.order(position, epochs.length(position) as usize);
        Ok(ImageLoader { epochs, position, worker, waited: Duration::ZERO })
    }

    /// Steps in all epochs together: more cannot be asked for.
    pub fn steps_available(&self) -> u64 {
        self.epochs.steps()
    }

    /// Steps in one epoch.
    pub fn steps_in_epoch(&self) -> u64 {
        self.epochs.steps_in_epoch()
    }

    /// The next batch, valid until the next call. Allocates nothing once it is under way.
    ///
    /// # Errors
    /// [`LoaderError::Exhausted`] after the last epoch; [`ImageError::LoaderThread`] if the thread
    /// has ended.
    #[expect(clippy::should_implement_trait, reason = "an iterator cannot lend its items")]
    pub fn next(&mut self) -> Result<ImageBatch<'_>, ImageError> {
        let position = self.position;
        self.epochs.check_left(position)?;
        let next = self.epochs.after(position);
        let started = Instant::now();
        self.worker.take(position, self.epochs.length(position) as usize)?;
        self.waited += started.elapsed();
        self.position = next;
        // After the end nothing is made ahead.
        if next.epoch < self.epochs.count {
            self.worker.order(next, self.epochs.length(next) as usize);
        }
        Ok(self.worker.present())
    }

    /// How far batches have been read.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Goes to a position: the next batches are those that a loader which had read up to there
    /// would give.
    ///
    /// # Errors
    /// [`LoaderError::Position`] for a position outside the epochs and images of this loader.
    pub fn seek(&mut self, position: Position) -> Result<(), ImageError> {
        self.position = self.epochs.seek(position)?;
        Ok(())
    }

    /// How long [`ImageLoader::next`] has waited for the thread, in all.
    pub fn waited(&self) -> Duration {
        self.waited
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_in_the_thread_reaches_the_caller() {
        const IMAGES: &[u8] = &[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 7, 9];
        const LABELS: &[u8] = &[0, 0, 8, 1, 0, 0, 0, 2, 0, 1];
        let set = Arc::new(ImageSet::from_idx("sample", IMAGES, LABELS).unwrap());
        let table = Normalisation::of(&set, &[0, 1]).unwrap().table(1).unwrap();
        // An image that is not there, past the check of `ImageLoader::new`.
        let maker = Maker::new(set, vec![1, 77], table, Augmentation::default(), 0);
        let config = ImageLoaderConfig { batch: 2, seed: 5, epochs: 1, keep_short_batch: false };
        let mut loader = ImageLoader::over(maker, 2, 2, config).unwrap();
        let error = loader.next().unwrap_err();
        assert!(
            matches!(&error, ImageError::LoaderThread { problem } if problem.contains("out of")),
            "{error}"
        );
        assert!(matches!(loader.next(), Err(ImageError::LoaderThread { .. })));
        assert_eq!(loader.position().cursor, 0);
    }
}
