//! Text to tokens.

use std::collections::HashMap;

use rayon::prelude::*;
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{AddedToken, Model, Tokenizer};

use super::byte_level::{self, END_OF_DOCUMENT};
use super::words::{self, WordCounts};
use super::{bpe, gpt2};
use crate::text::error::TextError;
use crate::text::source::Piece;

/// Words whose tokens are remembered; a larger store would only grow with rare words.
const REMEMBERED_WORDS: usize = 1 << 19;

/// Text to tokens.
pub(crate) struct Encoder {
    model: BPE,
    is_bytes: bool,
    end_of_document: u32,
    known: HashMap<Box<str>, Box<[u32]>>,
}

impl Encoder {
    /// The tokenizer whose tokens are bytes.
    pub(crate) fn bytes() -> Result<Self, TextError> {
        let vocabulary: Vocab = (0..=255)
            .map(|byte| (byte_level::character(byte).to_string(), u32::from(byte)))
            .chain([(END_OF_DOCUMENT.to_owned(), 256)])
            .collect();
        let model = BPE::builder()
            .vocab_and_merges(vocabulary, Vec::new())
            .build()
            .map_err(TextError::tokenizer)?;
        Encoder::new(model, true)
    }

    /// A byte-pair encoding learned from the words of a text.
    pub(crate) fn trained(vocabulary: usize, words: WordCounts) -> Result<Self, TextError> {
        Encoder::new(bpe::train(vocabulary, words)?, false)
    }

    /// GPT-2's.
    pub(crate) fn gpt2() -> Result<Self, TextError> {
        Encoder::new(gpt2::model()?, false)
    }

    fn new(model: BPE, is_bytes: bool) -> Result<Self, TextError> {
        let end_of_document = model
            .token_to_id(END_OF_DOCUMENT)
            .ok_or_else(|| TextError::tokenizer("no end of document in the vocabulary"))?;
        Ok(Encoder { model, is_bytes, end_of_document, known: HashMap::new() })
    }

    pub(crate) fn vocabulary(&self) -> usize {
        self.model.get_vocab_size()
    }

    pub(crate) fn end_of_document(&self) -> u32 {
        self.end_of_document
    }

    /// The tokens of each piece, the last of a document with its end.
    pub(crate) fn encode(&mut self, pieces: &[Piece]) -> Result<Vec<Vec<u32>>, TextError> {
        let mut encoded: Vec<Vec<u32>> = if self.is_bytes {
            pieces.iter().map(|piece| piece.text.bytes().map(u32::from).collect()).collect()
        } else {
            // The pattern match takes nearly all the time: it runs on every core. What follows is
            // one look-up a word.
            let split: Vec<_> = pieces.par_iter().map(|piece| words::split(&piece.text)).collect();
            split
                .into_iter()
                .map(|words| {
                    let words = words?;
                    let mut tokens = Vec::with_capacity(words.len() * 2);
                    for word in words.iter() {
                        self.encode_word(word, &mut tokens)?;
                    }
                    Ok(tokens)
                })
                .collect::<Result<_, TextError>>()?
        };
        for (piece, tokens) in pieces.iter().zip(&mut encoded) {
            if piece.ends {
                tokens.push(self.end_of_document);
            }
        }
        Ok(encoded)
    }

    fn encode_word(&mut self, word: &str, tokens: &mut Vec<u32>) -> Result<(), TextError> {
        if let Some(known) = self.known.get(word) {
            tokens.extend_from_slice(known);
            return Ok(());
        }
        let found = self.model.tokenize(word).map_err(TextError::tokenizer)?;
        let found: Box<[u32]> = found.into_iter().map(|token| token.id).collect();
        tokens.extend_from_slice(&found);
        if self.known.len() == REMEMBERED_WORDS {
            self.known.clear();
        }
        self.known.insert(word.into(), found);
        Ok(())
    }

    /// The tokenizer in the format of the `tokenizers` libraries (`tokenizer.json`).
    pub(crate) fn to_json(&self) -> Result<String, TextError> {
        let byte_level = ByteLevel::new(false, true, !self.is_bytes);
        let mut tokenizer = Tokenizer::new(self.model.clone());
        tokenizer.with_pre_tokenizer(Some(byte_level)).with_decoder(Some(byte_level));
        tokenizer.add_special_tokens(&[AddedToken::from(END_OF_DOCUMENT, true)]);
        tokenizer.to_string(false).map_err(TextError::tokenizer)
    }
}
