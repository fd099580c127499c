//! Which documents train and which validate.

use crate::random::RandomStream;
use crate::{Corpus, DataError};

/// The documents of a corpus in two parts. A document is never in both, so that validation text is new text and not
/// the rest of something half read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Documents to train on, ascending.
    pub training: Vec<u32>,
    /// Documents held out, ascending.
    pub validation: Vec<u32>,
}

impl Split {
    /// Holds out documents with about `validation_fraction` of the tokens.
    ///
    /// Documents are put in a random order that depends on `split_seed` alone (not on the seed of a run, so that
    /// all runs of a study are validated on the same text). From its start as many are held out as come nearest to
    /// the fraction, but at least one, and all but one at most. With fraction 0 all documents train.
    ///
    /// | argument | range |
    /// |---|---|
    /// | `validation_fraction` | 0 ≤ fraction < 1 |
    /// | `split_seed` | any |
    ///
    /// # Errors
    /// A fraction out of range; a fraction above 0 of a corpus that is one document.
    pub fn new(
        corpus: &Corpus,
        validation_fraction: f64,
        split_seed: u64,
    ) -> Result<Self, DataError> {
        let fraction = validation_fraction;
        if !(0.0..1.0).contains(&fraction) {
            return Err(DataError::Fraction { fraction });
        }
        let sidecar = corpus.sidecar();
        let documents = u32::try_from(sidecar.documents).map_err(|_| DataError::Setting {
            name: "the number of documents",
            value: sidecar.documents,
            limit: u64::from(u32::MAX),
        })?;
        if fraction == 0.0 {
            return Ok(Split { training: (0..documents).collect(), validation: Vec::new() });
        }
        if documents == 1 {
            return Err(DataError::SingleDocument);
        }
        let mut random = RandomStream::new("split", split_seed, 0);
        let mut drawn: Vec<(u64, u32)> =
            (0..documents).map(|document| (random.next_u64(), document)).collect();
        drawn.sort_unstable();

        let target = fraction * sidecar.tokens as f64;
        let (mut held_out, mut count) = (0, 0);
        for &(_, document) in &drawn[..drawn.len() - 1] {
            let range = corpus.document_range(u64::from(document))?;
            let more = held_out + (range.end - range.start);
            if count > 0 && more as f64 - target > target - held_out as f64 {
                break;
            }
            (held_out, count) = (more, count + 1);
        }
        let sorted = |part: &[(u64, u32)]| {
            let mut documents: Vec<u32> = part.iter().map(|&(_, document)| document).collect();
            documents.sort_unstable();
            documents
        };
        Ok(Split { training: sorted(&drawn[count..]), validation: sorted(&drawn[..count]) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::corpus::sample::sample;

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
        assert!(matches!(Split::new(&one, 0.1, 0), Err(DataError::SingleDocument)));
        assert_eq!(Split::new(&one, 0.0, 0).unwrap().training, [0]);
        for fraction in [-0.1, 1.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(Split::new(&one, fraction, 0), Err(DataError::Fraction { .. })));
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
}
