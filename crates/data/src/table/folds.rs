//! Dealing rows out to folds.

use crate::random::RandomStream;

/// The fold of each row, one after the other: an endless iterator.
///
/// Every run of K rows has one row in each fold, in a random order of its own, so that folds are of
/// equal size while the rows pass by, and no order of the table, sorted or cyclic, falls in with
/// them.
///
/// ```
/// let folds: Vec<usize> = wd_data::table::Folds::new(3, 0).take(6).collect();
/// for run in folds.chunks(3) {
///     assert!([0, 1, 2].iter().all(|fold| run.contains(fold)));
/// }
/// ```
pub struct Folds {
    order: Vec<u32>,
    place: usize,
    random: RandomStream,
}

impl Folds {
    /// `count` folds; the same seed deals the same way.
    pub fn new(count: usize, seed: u64) -> Self {
        Folds::of_stratum(count, seed, 0)
    }

    /// The same for the rows of one stratum, such as a class, each of which is dealt out for itself.
    pub fn of_stratum(count: usize, seed: u64, stratum: usize) -> Self {
        let count = u32::try_from(count.max(1)).unwrap_or(u32::MAX);
        Folds {
            order: (0..count).collect(),
            place: count as usize,
            random: RandomStream::new("folds", seed, stratum as u64),
        }
    }
}

impl Iterator for Folds {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.place == self.order.len() {
            self.random.shuffle(&mut self.order);
            self.place = 0;
        }
        self.place += 1;
        Some(self.order[self.place - 1] as usize)
    }
}
