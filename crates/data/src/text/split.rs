//! Which documents train and which validate.

use super::corpus::Corpus;
use super::error::TextError;
use crate::LoaderError;
use crate::random::RandomStream;

/// The documents of a corpus in two parts. A document is never in both, so that validation text is
/// new text and not the rest of something half read.
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
    /// Documents are put in a random order that depends on `split_seed` alone (not on the seed of a
    /// run, so that all runs of a study are validated on the same text). From its start as many are
    /// held out as come nearest to the fraction, but at least one, and all but one at most. With
    /// fraction 0 all documents train.
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
    ) -> Result<Self, TextError> {
        let fraction = validation_fraction;
        if !(0.0..1.0).contains(&fraction) {
            return Err(TextError::Fraction { fraction });
        }
        let sidecar = corpus.sidecar();
        let documents = u32::try_from(sidecar.documents).map_err(|_| LoaderError::Setting {
            name: "the number of documents",
            value: sidecar.documents,
            limit: u64::from(u32::MAX),
        })?;
        if fraction == 0.0 {
            return Ok(Split { training: (0..documents).collect(), validation: Vec::new() });
        }
        if documents == 1 {
            return Err(TextError::SingleDocument);
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
