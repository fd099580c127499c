//! Words: the stretches of text, cut by GPT-2's pattern, within which pairs are merged.

use std::collections::HashMap;

use rayon::prelude::*;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::tokenizer::pre_tokenizer::OffsetType;
use tokenizers::{OffsetReferential, PreTokenizedString, PreTokenizer};

use crate::text::error::TextError;
use crate::text::source::Piece;

/// The words of a text, written in the byte-level alphabet.
pub(crate) struct Words {
    characters: String,
    ends: Vec<usize>,
}

impl Words {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.characters[start..end])
    }
}

/// Cuts a text into words.
pub(crate) fn split(text: &str) -> Result<Words, TextError> {
    let mut parts = PreTokenizedString::from(text);
    ByteLevel::new(false, true, true).pre_tokenize(&mut parts).map_err(TextError::tokenizer)?;
    let mut words = Words {
        characters: String::with_capacity(text.len() * 5 / 4),
        ends: Vec::with_capacity(text.len() / 5),
    };
    for (word, _, _) in parts.get_splits(OffsetReferential::Original, OffsetType::Byte) {
        words.characters.push_str(word);
        words.ends.push(words.characters.len());
    }
    Ok(words)
}

/// Longer words (an unbroken run of letters: DNA, base64) are cut before they are counted: the
/// library learns from a word in time quadratic in its length.
const LONGEST_COUNTED_WORD: usize = 256;

/// How often each word occurs.
#[derive(Default)]
pub(crate) struct WordCounts(HashMap<String, u64>);

impl WordCounts {
    /// Counts the words of more pieces.
    pub(crate) fn add(&mut self, pieces: &[Piece]) -> Result<(), TextError> {
        let split: Vec<_> = pieces.par_iter().map(|piece| split(&piece.text)).collect();
        for words in split {
            for mut word in words?.iter() {
                while word.len() > LONGEST_COUNTED_WORD {
                    let (part, rest) =
                        word.split_at(word.floor_char_boundary(LONGEST_COUNTED_WORD));
                    self.count(part);
                    word = rest;
                }
                self.count(word);
            }
        }
        Ok(())
    }

    fn count(&mut self, word: &str) {
        match self.0.get_mut(word) {
            Some(count) => *count += 1,
            None => {
                self.0.insert(word.to_owned(), 1);
            }
        }
    }

    pub(crate) fn into_inner(self) -> HashMap<String, u64> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::source::last_boundary;

    fn words(text: &str) -> Vec<String> {
        split(text).unwrap().iter().map(str::to_owned).collect()
    }

    #[test]
    fn words_are_those_of_gpt2() {
        assert_eq!(
            words("Don't  stop, it's 1790!\n\nGo"),
            ["Don", "'t", "Ġ", "Ġstop", ",", "Ġit", "'s", "Ġ1790", "!", "Ċ", "Ċ", "Go"]
        );
    }

    /// Whatever stands before the white space at which a document is cut, the words on both sides
    /// stay the same.
    #[test]
    fn no_word_crosses_a_cut() {
        let characters = (0..0x3000).chain(0xe000..0xfffe).chain([0x1_0348, 0x1_f600, 0xe_0001]);
        for space in [" ", "\n", "\t", "\r\n", "  "] {
            let text: String = characters
                .clone()
                .filter_map(char::from_u32)
                .flat_map(|character| [character.to_string(), space.to_owned()])
                .collect();
            let whole = words(&text);
            let (mut rest, mut parts) = (text.as_str(), Vec::new());
            while !rest.is_empty() {
                let cut = last_boundary(&rest[..rest.floor_char_boundary(60)])
                    .filter(|_| rest.len() > 60);
                let (part, after) = rest.split_at(cut.unwrap_or(rest.len()));
                parts.extend(words(part));
                rest = after;
            }
            assert_eq!(parts, whole, "{space:?}");
        }
    }
}
