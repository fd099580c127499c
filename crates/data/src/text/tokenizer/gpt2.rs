//! GPT-2's vocabulary, carried in the program.

use tokenizers::models::bpe::{BPE, Vocab};

use crate::text::error::TextError;

/// Token → number, as JSON. Origin and licence: `assets/gpt2/README.md`.
const VOCABULARY: &[u8] = include_bytes!("../../../assets/gpt2/encoder.json.zst");
/// The pairs in the order in which they were learned, one a line below a line with the version.
const MERGES: &[u8] = include_bytes!("../../../assets/gpt2/vocab.bpe.zst");

/// GPT-2's byte-pair encoding.
pub(crate) fn model() -> Result<BPE, TextError> {
    let vocabulary = zstd::decode_all(VOCABULARY).map_err(TextError::tokenizer)?;
    let vocabulary: Vocab = serde_json::from_slice(&vocabulary).map_err(TextError::tokenizer)?;
    let merges = zstd::decode_all(MERGES).map_err(TextError::tokenizer)?;
    let merges = String::from_utf8(merges).map_err(TextError::tokenizer)?;
    let merges = merges
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(' '))
        .map(|(left, right)| (left.to_owned(), right.to_owned()))
        .collect();
    BPE::builder().vocab_and_merges(vocabulary, merges).build().map_err(TextError::tokenizer)
}
