//! A balanced part of a training set.

use super::set::ImageSet;
use crate::DataError;
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
    /// The images of each class are put in a random order. Round after round one image of every class follows, the
    /// classes of a round in random order; the first `size` are the subset. Hence
    ///
    /// - counts of classes differ by at most 1; where a class is used up, by at most 1 among the others;
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
    pub fn subset(&self, size: usize, seed: u64) -> Result<Subset, DataError> {
        let refuse = |problem: String| {
            Err(DataError::ImageSubset {
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::super::sample::sample;

    #[test]
    fn seeds_differ_and_repeat() {
        let labels: Vec<u32> = (0..200).map(|image| image % 4).collect();
        let set = sample(&labels, (1, 1, 1));
        assert_eq!(set.subset(40, 7).unwrap(), set.subset(40, 7).unwrap());
        let first: HashSet<u32> = set.subset(40, 7).unwrap().indices.into_iter().collect();
        let second: HashSet<u32> = set.subset(40, 8).unwrap().indices.into_iter().collect();
        // 8 expected in common, with a standard deviation of 2.3.
        assert!(first.intersection(&second).count() < 20);
    }

    /// Which images, and which classes have one more, is no accident of their numbers.
    #[test]
    fn every_image_and_class_has_the_same_chance() {
        let labels: Vec<u32> = (0..12).map(|image| image % 3).collect();
        let set = sample(&labels, (1, 1, 1));
        let mut counts = [0.0f64; 12];
        for seed in 0..3000 {
            for index in set.subset(5, seed).unwrap().indices {
                counts[index as usize] += 1.0;
            }
        }
        let expected = 3000.0 * 5.0 / 12.0;
        for count in counts {
            // Binomial: a standard deviation of 27.
            assert!((count - expected).abs() < 4.5 * 27.0, "{counts:?}");
        }
    }

    proptest! {
        #[test]
        fn subsets_are_balanced_nested_and_without_repetition(
            mut labels in prop::collection::vec(0u32..5, 0..80), seed: u64, sizes in any::<[prop::sample::Index; 2]>(),
        ) {
            labels.extend(0..5);
            let set = sample(&labels, (1, 1, 1));
            let available = |class| labels.iter().filter(|&&label| label == class).count();
            let sizes = sizes.map(|size| 5 + size.index(labels.len() - 4));
            let [small, large] = [sizes[0].min(sizes[1]), sizes[0].max(sizes[1])];
            let subset = set.subset(large, seed).unwrap();
            prop_assert_eq!(&set.subset(small, seed).unwrap().indices[..], &subset.indices[..small]);
            let different: HashSet<u32> = subset.indices.iter().copied().collect();
            prop_assert_eq!(different.len(), large);
            let most = *subset.counts.iter().max().unwrap();
            for class in 0..5 {
                let of_class = subset.indices.iter().filter(|&&index| set.label(index as usize) == class);
                let count = of_class.count();
                prop_assert_eq!(subset.counts[class as usize], count);
                prop_assert!(count + 1 >= most || count == available(class));
            }
        }
    }
}
