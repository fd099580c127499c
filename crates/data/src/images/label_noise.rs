//! Wrong labels, on purpose: to see what a model makes of noise in its data.

use super::error::ImageError;
use super::normalisation::check_indices;
use super::set::ImageSet;
use crate::random::RandomStream;

impl ImageSet {
    /// Gives a share of some images a label that is wrong, each of the other classes with the same
    /// probability, and returns which images these are, ascending.
    ///
    /// As many are changed as come nearest to the share of `indices`. With the same seed a larger
    /// share holds the wrong labels of a smaller one.
    ///
    /// | argument | range |
    /// |---|---|
    /// | `indices` | images of the set, none twice |
    /// | `share` | 0 ≤ share ≤ 1 |
    /// | `seed` | any; not the seed of a run, so that all runs of a study have the same wrong labels |
    ///
    /// # Errors
    /// A share out of range; an image that the set does not have; a set of a single class, which
    /// has no wrong label.
    pub fn with_wrong_labels(
        mut self,
        indices: &[u32],
        share: f64,
        seed: u64,
    ) -> Result<(Self, Vec<u32>), ImageError> {
        if !(0.0..=1.0).contains(&share) {
            let problem = "has to lie between 0 and 1".to_owned();
            return Err(ImageError::setting("label_noise", share, problem));
        }
        check_indices(&self, indices)?;
        let classes = self.classes() as u64;
        if classes < 2 {
            let problem = "needs a second class: with one there is no wrong label".to_owned();
            return Err(ImageError::setting("label_noise", share, problem));
        }
        let mut order = indices.to_vec();
        RandomStream::new("label noise", seed, 0).shuffle(&mut order);
        order.truncate((share * indices.len() as f64).round() as usize);
        for &index in &order {
            let mut random = RandomStream::indexed("wrong label", seed, 0, u64::from(index));
            let label = &mut self.labels[index as usize];
            // One of the others: those from the right one on move up by one.
            let other = random.below(classes - 1) as u32;
            *label = other + u32::from(other >= *label);
        }
        order.sort_unstable();
        self.rehash();
        Ok((self, order))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::raw::RawSet;
    use std::path::Path;

    fn set(images: usize, classes: u32) -> ImageSet {
        let raw = RawSet {
            height: 1,
            width: 1,
            channels: 1,
            pixels: vec![0; images],
            labels: (0..images as u32).map(|index| index % classes).collect(),
            class_names: None,
        };
        ImageSet::new(Path::new("images"), raw).expect("a set")
    }

    #[test]
    fn as_many_labels_as_asked_for_are_wrong_and_no_other() {
        let right = set(1000, 10);
        let indices: Vec<u32> = (0..800).collect();
        let (noisy, wrong) = right.clone().with_wrong_labels(&indices, 0.4, 3).expect("labels");
        assert_eq!(wrong.len(), 320);
        for index in 0..1000 {
            let is_wrong = noisy.label(index) != right.label(index);
            assert_eq!(is_wrong, wrong.contains(&(index as u32)), "{index}");
        }
        // Every class of the ten is met among the wrong ones, about as often as any.
        let mut counts = [0; 10];
        wrong.iter().for_each(|index| counts[noisy.label(*index as usize) as usize] += 1);
        assert!(counts.iter().all(|count| (15..=50).contains(count)), "{counts:?}");
        assert_ne!(noisy.hash(), right.hash());
    }

    #[test]
    fn a_larger_share_holds_a_smaller_one_and_the_seed_chooses() {
        let indices: Vec<u32> = (0..500).collect();
        let noisy = |share, seed| set(500, 10).with_wrong_labels(&indices, share, seed).unwrap();
        let (few, wrong_few) = noisy(0.2, 1);
        let (many, wrong_many) = noisy(0.6, 1);
        for index in wrong_few {
            assert!(wrong_many.contains(&index));
            assert_eq!(few.label(index as usize), many.label(index as usize));
        }
        assert_ne!(noisy(0.2, 2).1, noisy(0.2, 1).1);
        let none = noisy(0.0, 1);
        assert_eq!((none.1.len(), none.0.hash()), (0, set(500, 10).hash()));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let refused = |set: ImageSet, indices: &[u32], share| {
            set.with_wrong_labels(indices, share, 0).unwrap_err().to_string()
        };
        assert!(refused(set(10, 2), &[0], 1.5).contains("between 0 and 1"));
        assert!(refused(set(10, 2), &[0], f64::NAN).contains("between 0 and 1"));
        assert!(refused(set(10, 1), &[0], 0.5).contains("second class"));
        assert!(set(10, 2).with_wrong_labels(&[10], 0.5, 0).is_err());
    }
}
