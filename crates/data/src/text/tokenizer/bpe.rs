//! Byte-pair encoding, learned by the `tokenizers` library.

use tokenizers::AddedToken;
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;

use super::byte_level::END_OF_DOCUMENT;
use super::words::WordCounts;
use crate::text::error::TextError;

/// A pair must occur this often to be learned, as in the library's own byte-level recipe.
const LEAST_COUNT: u64 = 2;

/// Learns `vocabulary` − 257 pairs from the words of a text.
///
/// The result depends on the words and their counts alone, although the library keeps them in hash
/// maps of random order and merges on many threads: counts are sums of integers, and the next pair
/// is the one of the greatest count, among equals the one of the lowest numbers. (A pair whose
/// occurrences arose on two occasions is queued twice and these two entries tie. A search over 10⁵
/// small texts made to provoke such ties, each learned five times under different hash seeds, found
/// no difference.) The tests hold it over threads and repetitions.
pub(crate) fn train(vocabulary: usize, words: WordCounts) -> Result<BPE, TextError> {
    let words = words.into_inner();
    // The library sums pair counts in 32 bits: those of a text of several gigabytes are scaled down
    // to fit.
    let pairs: u64 = words.iter().map(|(word, count)| word.len() as u64 * count).sum();
    let scale = pairs / i32::MAX as u64 + 1;
    let counts =
        words.into_iter().map(|(word, count)| (word.into(), count.div_ceil(scale))).collect();
    let trainer = BpeTrainer::builder()
        .vocab_size(vocabulary)
        .min_frequency(LEAST_COUNT)
        .show_progress(false)
        .special_tokens(vec![AddedToken::from(END_OF_DOCUMENT, true)])
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .build();
    let mut model = BPE::default();
    trainer.do_train(&counts, &mut model).map_err(TextError::tokenizer)?;
    Ok(model)
}
