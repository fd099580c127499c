//! Tokenizers: text to token numbers and back.
//!
//! | name | vocabulary | end of document |
//! |---|---|---|
//! | `bytes` | the 256 bytes, each its own number | 256 |
//! | `bpe:N` | N: the end of document, the 256 bytes, N − 257 pairs learned from the text | 0 |
//! | `gpt2` | GPT-2's 50,257 | 50,256 |
//!
//! All three are byte-level: every text can be encoded and decoded without loss. A text that happens to contain
//! `<|endoftext|>` is text: only the end of a document gives that token.

mod bpe;
mod byte_level;
mod decoder;
mod gpt2;
mod words;

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{AddedToken, Model, Tokenizer};

use crate::DataError;
use crate::source::Piece;
pub use decoder::Decoder;
pub(crate) use words::WordCounts;

/// How the end of a document is written, GPT-2's way.
pub(crate) const END_OF_DOCUMENT: &str = "<|endoftext|>";

/// Greatest vocabulary that may be trained; several times the largest in use.
const VOCABULARY_LIMIT: usize = 1 << 20;

/// Which tokenizer a corpus is made with.
///
/// ```
/// use wd_data::TokenizerSpec;
///
/// let tokenizer: TokenizerSpec = "bpe:1024".parse()?;
/// assert_eq!(tokenizer, TokenizerSpec::Bpe { vocabulary: 1024 });
/// assert_eq!(tokenizer.to_string(), "bpe:1024");
/// assert!("bpe:256".parse::<TokenizerSpec>().is_err());
/// # Ok::<(), wd_data::DataError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum TokenizerSpec {
    /// Every byte is a token: a vocabulary of 257 with the end of a document.
    Bytes,
    /// Byte-level byte-pair encoding, trained on all input documents with GPT-2's pre-tokenizer.
    ///
    /// Only pairs that occur at least twice are learned: a short text gives a smaller vocabulary than asked for.
    Bpe {
        /// Size of the vocabulary, from 257 to 1,048,576.
        vocabulary: usize,
    },
    /// GPT-2's own vocabulary of 50,257.
    Gpt2,
}

impl FromStr for TokenizerSpec {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        let unknown = || DataError::UnknownTokenizer { given: text.to_owned() };
        match text {
            "bytes" => Ok(TokenizerSpec::Bytes),
            "gpt2" => Ok(TokenizerSpec::Gpt2),
            _ => {
                let number = text.strip_prefix("bpe:").ok_or_else(unknown)?;
                let requested = number.parse().map_err(|_| unknown())?;
                if !(257..=VOCABULARY_LIMIT).contains(&requested) {
                    let limit = VOCABULARY_LIMIT;
                    return Err(DataError::Vocabulary { requested, limit });
                }
                Ok(TokenizerSpec::Bpe { vocabulary: requested })
            }
        }
    }
}

impl fmt::Display for TokenizerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TokenizerSpec::Bytes => f.write_str("bytes"),
            TokenizerSpec::Bpe { vocabulary } => write!(f, "bpe:{vocabulary}"),
            TokenizerSpec::Gpt2 => f.write_str("gpt2"),
        }
    }
}

impl From<TokenizerSpec> for String {
    fn from(spec: TokenizerSpec) -> String {
        spec.to_string()
    }
}

impl TryFrom<String> for TokenizerSpec {
    type Error = DataError;

    fn try_from(text: String) -> Result<Self, DataError> {
        text.parse()
    }
}

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
    pub(crate) fn bytes() -> Result<Self, DataError> {
        let vocabulary: Vocab = (0..=255)
            .map(|byte| (byte_level::character(byte).to_string(), u32::from(byte)))
            .chain([(END_OF_DOCUMENT.to_owned(), 256)])
            .collect();
        let model = BPE::builder()
            .vocab_and_merges(vocabulary, Vec::new())
            .build()
            .map_err(DataError::tokenizer)?;
        Encoder::new(model, true)
    }

    /// A byte-pair encoding learned from the words of a text.
    pub(crate) fn trained(vocabulary: usize, words: WordCounts) -> Result<Self, DataError> {
        Encoder::new(bpe::train(vocabulary, words)?, false)
    }

    /// GPT-2's.
    pub(crate) fn gpt2() -> Result<Self, DataError> {
        Encoder::new(gpt2::model()?, false)
    }

    fn new(model: BPE, is_bytes: bool) -> Result<Self, DataError> {
        let end_of_document = model
            .token_to_id(END_OF_DOCUMENT)
            .ok_or_else(|| DataError::tokenizer("no end of document in the vocabulary"))?;
        Ok(Encoder { model, is_bytes, end_of_document, known: HashMap::new() })
    }

    pub(crate) fn vocabulary(&self) -> usize {
        self.model.get_vocab_size()
    }

    pub(crate) fn end_of_document(&self) -> u32 {
        self.end_of_document
    }

    /// The tokens of each piece, the last of a document with its end.
    pub(crate) fn encode(&mut self, pieces: &[Piece]) -> Result<Vec<Vec<u32>>, DataError> {
        let mut encoded: Vec<Vec<u32>> = if self.is_bytes {
            pieces.iter().map(|piece| piece.text.bytes().map(u32::from).collect()).collect()
        } else {
            // The pattern match takes nearly all the time: it runs on every core. What follows is one look-up a word.
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
                .collect::<Result<_, DataError>>()?
        };
        for (piece, tokens) in pieces.iter().zip(&mut encoded) {
            if piece.ends {
                tokens.push(self.end_of_document);
            }
        }
        Ok(encoded)
    }

    fn encode_word(&mut self, word: &str, tokens: &mut Vec<u32>) -> Result<(), DataError> {
        if let Some(known) = self.known.get(word) {
            tokens.extend_from_slice(known);
            return Ok(());
        }
        let found = self.model.tokenize(word).map_err(DataError::tokenizer)?;
        let found: Box<[u32]> = found.into_iter().map(|token| token.id).collect();
        tokens.extend_from_slice(&found);
        if self.known.len() == REMEMBERED_WORDS {
            self.known.clear();
        }
        self.known.insert(word.into(), found);
        Ok(())
    }

    /// The tokenizer in the format of the `tokenizers` libraries (`tokenizer.json`).
    pub(crate) fn to_json(&self) -> Result<String, DataError> {
        let byte_level = ByteLevel::new(false, true, !self.is_bytes);
        let mut tokenizer = Tokenizer::new(self.model.clone());
        tokenizer.with_pre_tokenizer(Some(byte_level)).with_decoder(Some(byte_level));
        tokenizer.add_special_tokens(&[AddedToken::from(END_OF_DOCUMENT, true)]);
        tokenizer.to_string(false).map_err(DataError::tokenizer)
    }
}
