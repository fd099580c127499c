//! Tokens back to text.

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;

use super::byte_level::{self, END_OF_DOCUMENT};
use crate::text::error::TextError;

/// Turns tokens of one vocabulary into text.
#[derive(Debug, Clone)]
pub struct Decoder {
    /// The bytes of every token, one after the other.
    bytes: Vec<u8>,
    /// Where each token's bytes end.
    ends: Vec<usize>,
}

/// What is needed of a `tokenizer.json`.
#[derive(Deserialize)]
struct TokenizerFile {
    model: ModelSection,
    #[serde(default)]
    added_tokens: Vec<AddedToken>,
}

#[derive(Deserialize)]
struct ModelSection {
    vocab: HashMap<String, u32>,
}

#[derive(Deserialize)]
struct AddedToken {
    content: String,
}

impl Decoder {
    /// Reads the vocabulary of a `tokenizer.json`; `path` serves the error message.
    pub(crate) fn new(path: &Path, json: &[u8], vocabulary: usize) -> Result<Self, TextError> {
        let damaged = |problem: String| TextError::damaged(path, problem);
        let file: TokenizerFile =
            serde_json::from_slice(json).map_err(|error| damaged(error.to_string()))?;
        let tokens = file.model.vocab;
        if tokens.len() != vocabulary {
            return Err(damaged(format!(
                "it holds {} tokens, but corpus.json says {vocabulary}",
                tokens.len()
            )));
        }
        let mut written: Vec<Option<&str>> = vec![None; vocabulary];
        for (text, &number) in &tokens {
            let place = written.get_mut(number as usize);
            let place =
                place.ok_or_else(|| damaged(format!("token number {number} is too large")))?;
            *place = Some(text);
        }
        let mut decoder = Decoder { bytes: Vec::new(), ends: Vec::with_capacity(vocabulary) };
        for (number, text) in written.into_iter().enumerate() {
            let text = text.ok_or_else(|| damaged(format!("token {number} is missing")))?;
            // Special tokens are written plainly.
            if file.added_tokens.iter().any(|token| token.content == text) {
                decoder.bytes.extend_from_slice(text.as_bytes());
            } else {
                for character in text.chars() {
                    let byte = byte_level::byte(character).ok_or_else(|| {
                        damaged(format!("token {number} holds {character:?}, which is no byte"))
                    })?;
                    decoder.bytes.push(byte);
                }
            }
            decoder.ends.push(decoder.bytes.len());
        }
        Ok(decoder)
    }

    /// Tokens that read as `text`: at each place the longest that fits. None where a byte has no
    /// token.
    ///
    /// A tokenizer that merges by rank may cut the same text otherwise; the model then sees a
    /// spelling that is rarer in its training, of the same text.
    pub fn encode(&self, text: &str) -> Option<Vec<u32>> {
        let mut known: HashMap<&[u8], u32> = HashMap::new();
        let mut longest = 0;
        for (token, end) in self.ends.iter().enumerate() {
            let start = token.checked_sub(1).map_or(0, |before| self.ends[before]);
            let bytes = &self.bytes[start..*end];
            if !bytes.is_empty() && bytes != END_OF_DOCUMENT.as_bytes() {
                known.entry(bytes).or_insert(token as u32);
                longest = longest.max(bytes.len());
            }
        }
        let mut rest = text.as_bytes();
        let mut tokens = Vec::new();
        while !rest.is_empty() {
            let lengths = (1..=longest.min(rest.len())).rev();
            let (token, length) =
                lengths.filter_map(|length| Some((*known.get(&rest[..length])?, length))).next()?;
            tokens.push(token);
            rest = &rest[length..];
        }
        Some(tokens)
    }

    /// The text of `tokens`. The end of a document reads `<|endoftext|>`; bytes that are not UTF-8
    /// (a cut within a character) and numbers outside the vocabulary read U+FFFD.
    pub fn decode(&self, tokens: &[u32]) -> String {
        let mut bytes = Vec::with_capacity(tokens.len() * 4);
        for &token in tokens {
            let token = token as usize;
            match self.ends.get(token) {
                Some(&end) => {
                    let start = token.checked_sub(1).map_or(0, |before| self.ends[before]);
                    bytes.extend_from_slice(&self.bytes[start..end]);
                }
                None => bytes.extend_from_slice("\u{fffd}".as_bytes()),
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
