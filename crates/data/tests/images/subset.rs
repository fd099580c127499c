//! Balanced parts of a training set.

use std::collections::HashSet;

use proptest::prelude::*;

use super::support::sample;

#[test]
fn seeds_differ_and_repeat() {
    let labels: Vec<u32> = (0..200).map(|image| image % 4).collect();
    let set = sample(&labels, (1, 1));
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
    let set = sample(&labels, (1, 1));
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
        let set = sample(&labels, (1, 1));
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
