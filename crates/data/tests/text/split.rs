//! Which documents train and which validate.

use proptest::prelude::*;
use wd_data::text::{Split, TextError};

use super::support::sample;

#[test]
fn a_split_is_the_same_for_ever() {
    let (corpus, _folder) = sample(&[10; 20], 64);
    let split = Split::new(&corpus, 0.2, 7).unwrap();
    assert_eq!(split.validation, [6, 9, 11, 18]);
    assert_eq!(split, Split::new(&corpus, 0.2, 7).unwrap());
    assert_ne!(split, Split::new(&corpus, 0.2, 8).unwrap());
}

#[test]
fn documents_that_are_added_do_not_move_the_others() {
    let (few, _folder) = sample(&[10; 40], 64);
    let (more, _folder) = sample(&[10; 44], 64);
    let few = Split::new(&few, 0.5, 3).unwrap();
    let more = Split::new(&more, 0.5, 3).unwrap();
    let moved =
        few.validation.iter().filter(|document| !more.validation.contains(document)).count();
    assert!(moved <= 4, "{moved}");
}

#[test]
fn what_cannot_be_split_is_an_error() {
    let (one, _folder) = sample(&[10], 64);
    assert!(matches!(Split::new(&one, 0.1, 0), Err(TextError::SingleDocument)));
    assert_eq!(Split::new(&one, 0.0, 0).unwrap().training, [0]);
    for fraction in [-0.1, 1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(Split::new(&one, fraction, 0), Err(TextError::Fraction { .. })));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn parts_are_disjoint_complete_and_near_the_fraction(
        lengths in prop::collection::vec(1u64..60, 2..40), fraction in 0.0f64..0.99, seed: u64,
    ) {
        let (corpus, _folder) = sample(&lengths, 1 << 20);
        let split = Split::new(&corpus, fraction, seed).unwrap();
        let mut all = [split.training.clone(), split.validation.clone()].concat();
        all.sort_unstable();
        prop_assert_eq!(all, (0..lengths.len() as u32).collect::<Vec<_>>());
        prop_assert!(!split.training.is_empty());
        prop_assert_eq!(split.validation.is_empty(), fraction == 0.0);
        let held_out: u64 = split.validation.iter().map(|&document| lengths[document as usize]).sum();
        let total: u64 = lengths.iter().sum();
        let longest = *lengths.iter().max().unwrap() as f64;
        let miss = (held_out as f64 - fraction * total as f64).abs();
        prop_assert!(miss <= longest, "{miss} > {longest}");
    }
}
