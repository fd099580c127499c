//! A balanced part of a training set.

use super::error::ImageError;
use super::set::ImageSet;
use crate::random::RandomStream;

/// Images of a set, by index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subset {
    /// Which images; the order has no meaning for training, which shuffles.
    pub indices: Vec<u32>,
    /// How many of each class.
    pub counts: Vec<usize>,
}

impl ImageSet {
    /// Draws `size` images, as many of each class as of any other.
    ///
    /// The images of each class are put in a random order. Round after round one image of every
    /// class follows, the classes of a round in random order; the first `size` are the subset.
    /// Hence
    ///
    /// - counts of classes differ by at most 1; where a class is used up, by at most 1 among the
    ///   others;
    /// - a smaller subset with the same seed is the start of a larger one;
    /// - `size` = [`ImageSet::len`] is the whole set.
    ///
    /// | argument | range |
    /// |---|---|
    /// | `size` | number of classes ≤ size ≤ number of images |
    /// | `seed` | any; not the seed of a run, so that all runs of a study train on the same images |
    ///
    /// # Errors
    /// A size out of range; a set of a single class, from which nothing can be learned.
    pub fn subset(&self, size: usize, seed: u64) -> Result<Subset, ImageError> {
        let refuse = |problem: String| {
            Err(ImageError::Subset {
                path: self.path().to_owned(),
                size,
                images: self.len(),
                problem,
            })
        };
        let mut classes = vec![Vec::new(); self.classes()];
        for index in 0..self.len() {
            classes[self.label(index) as usize].push(index as u32);
        }
        let filled = classes.iter().filter(|class| !class.is_empty()).count();
        if filled < 2 {
            return refuse(
                "they are all of one class; a second one is needed to tell classes apart"
                    .to_owned(),
            );
        }
        if size > self.len() {
            return refuse("it is larger than the set; use a smaller size".to_owned());
        }
        if size < filled {
            return refuse(format!("there are {filled} classes; use at least one image of each"));
        }
        for (class, images) in (0..).zip(&mut classes) {
            RandomStream::indexed("subset", seed, 0, class).shuffle(images);
        }
        let mut indices = Vec::with_capacity(size);
        let mut counts = vec![0; self.classes()];
        let mut order: Vec<u32> = (0..self.classes() as u32).collect();
        let mut round = 0;
        while indices.len() < size {
            order.sort_unstable();
            RandomStream::new("subset rounds", seed, round as u64).shuffle(&mut order);
            for &class in &order {
                if let Some(&index) = classes[class as usize].get(round)
                    && indices.len() < size
                {
                    indices.push(index);
                    counts[class as usize] += 1;
                }
            }
            round += 1;
        }
        Ok(Subset { indices, counts })
    }
}
