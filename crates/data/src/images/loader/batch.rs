//! One batch: how it is made, and what is handed out.

use std::fmt;
use std::sync::Arc;

use crate::Position;
use crate::images::augmentation::Augmentation;
use crate::images::set::ImageSet;
use crate::random::RandomStream;

/// A batch of training images, normalised and augmented.
///
/// With mixup an image i is `share[i]` of one of class `first[i]` and `1 − share[i]` of one of
/// class `second[i]`; so should its loss be. Without, `share` is 1 and `second` equals `first`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ImageBatch<'a> {
    /// `[image][row][column][channel]`.
    pub images: &'a [f32],
    /// The class of each image.
    pub first: &'a [u32],
    /// The class of the image mixed in.
    pub second: &'a [u32],
    /// The share of the first, 0 to 1.
    pub share: &'a [f32],
}

/// The memory of a batch. It goes to and fro between the threads.
#[derive(Debug)]
pub(super) struct Buffer {
    /// Which batch it is, or is to be: its position and how many images.
    pub(super) position: Position,
    pub(super) length: usize,
    image_size: usize,
    images: Vec<f32>,
    first: Vec<u32>,
    second: Vec<u32>,
    share: Vec<f32>,
}

impl Buffer {
    pub(super) fn new(most: usize, image_size: usize) -> Self {
        Buffer {
            position: Position { epoch: 0, cursor: 0 },
            length: 0,
            image_size,
            images: vec![0.0; most * image_size],
            first: vec![0; most],
            second: vec![0; most],
            share: vec![0.0; most],
        }
    }

    pub(super) fn batch(&self) -> ImageBatch<'_> {
        ImageBatch {
            images: &self.images[..self.length * self.image_size],
            first: &self.first[..self.length],
            second: &self.second[..self.length],
            share: &self.share[..self.length],
        }
    }
}

/// Makes the batch of any position.
pub(super) struct Maker {
    set: Arc<ImageSet>,
    /// The images in the order in which they were given.
    indices: Vec<u32>,
    /// The same in the order of the epoch `ordered`.
    order: Vec<u32>,
    ordered: Option<u64>,
    table: Vec<[f32; 256]>,
    augmentation: Augmentation,
    seed: u64,
    partner: Vec<f32>,
}

impl Maker {
    pub(super) fn new(
        set: Arc<ImageSet>,
        mut indices: Vec<u32>,
        table: Vec<[f32; 256]>,
        augmentation: Augmentation,
        seed: u64,
    ) -> Self {
        // The same images make the same batches, however they were listed.
        indices.sort_unstable();
        Maker {
            order: indices.clone(),
            ordered: None,
            partner: vec![0.0; set.image_size()],
            set,
            indices,
            table,
            augmentation,
            seed,
        }
    }

    pub(super) fn image_size(&self) -> usize {
        self.set.image_size()
    }

    /// Fills a buffer with the batch that it asks for. Allocates nothing.
    pub(super) fn fill(&mut self, buffer: &mut Buffer) {
        let Position { epoch, cursor } = buffer.position;
        if self.ordered != Some(epoch) {
            self.order.copy_from_slice(&self.indices);
            RandomStream::new("images", self.seed, epoch).shuffle(&mut self.order);
            self.ordered = Some(epoch);
        }
        let size = buffer.image_size;
        let visited = cursor as usize..cursor as usize + buffer.length;
        for (slot, visit) in visited.enumerate() {
            let index = self.order[visit];
            let out = &mut buffer.images[slot * size..][..size];
            let mut random = self.paint(epoch, index, out);
            let label = self.set.label(index as usize);
            (buffer.first[slot], buffer.second[slot], buffer.share[slot]) = (label, label, 1.0);
            if let Some(random) = &mut random
                && self.augmentation.mixup > 0.0
            {
                let partner = random.below(self.indices.len() as u64) as usize;
                let partner = self.indices[partner];
                let share = random.symmetric_beta(self.augmentation.mixup) as f32;
                let mut pixels = std::mem::take(&mut self.partner);
                self.paint(epoch, partner, &mut pixels);
                for (out, other) in out.iter_mut().zip(&pixels) {
                    *out = share * *out + (1.0 - share) * other;
                }
                self.partner = pixels;
                buffer.second[slot] = self.set.label(partner as usize);
                buffer.share[slot] = share;
            }
        }
    }

    /// One image as it looks in an epoch, and the rest of its random numbers.
    fn paint(&self, epoch: u64, index: u32, out: &mut [f32]) -> Option<RandomStream> {
        let shape = self.set.shape();
        let pixels = self.set.pixels(index as usize);
        let draws = (self.augmentation != Augmentation::default()).then(|| {
            let (height, width, _) = shape;
            self.augmentation.draw((height, width), (self.seed, epoch, index))
        });
        let (draw, random) = draws.unzip();
        let draw = draw.unwrap_or_default();
        self.augmentation.paint(&draw, shape, &self.table, pixels, out);
        random
    }
}

impl fmt::Debug for Maker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Maker")
            .field("images", &self.indices.len())
            .field("augmentation", &self.augmentation)
            .finish_non_exhaustive()
    }
}
