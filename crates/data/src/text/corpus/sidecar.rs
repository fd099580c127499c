//! `corpus.json`: what a corpus is and what it was made of.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::FileError;
use crate::text::error::TextError;
use crate::text::source::Source;
use crate::text::tokenizer::TokenizerSpec;

/// Version of the format on disk.
pub(crate) const FORMAT: u32 = 1;

/// Name of the file that holds a [`Sidecar`].
pub(crate) const SIDECAR_FILE: &str = "corpus.json";
/// Name of the tokenizer, in the format of the `tokenizers` libraries.
pub(crate) const TOKENIZER_FILE: &str = "tokenizer.json";
/// Name of the index: for each document where its tokens end, u64, little-endian.
pub(crate) const DOCUMENTS_FILE: &str = "documents.bin";

/// Name of a shard: its tokens one after the other, u16 or u32, little-endian.
pub(crate) fn shard_file(shard: u64) -> String {
    format!("tokens-{shard:03}.bin")
}

/// What a corpus is and what it was made of; the content of `corpus.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sidecar {
    /// Version of the format on disk.
    pub format: u32,
    /// The tokenizer asked for.
    pub tokenizer: TokenizerSpec,
    /// Size of the vocabulary: every token is below it.
    pub vocabulary: usize,
    /// The token that ends every document.
    pub end_of_document: u32,
    /// Number of tokens, the ends of documents included.
    pub tokens: u64,
    /// Number of documents.
    pub documents: u64,
    /// Bytes of text encoded: with `tokens`, converts a loss per token into one per byte.
    pub text_bytes: u64,
    /// Bytes a token takes: 2 for a vocabulary up to 65,536, otherwise 4.
    pub token_width: u8,
    /// Tokens in every shard but the last.
    pub shard_tokens: u64,
    /// BLAKE3, in hexadecimal, of the tokens of all shards followed by the document index.
    pub hash: String,
    /// BLAKE3 of `tokenizer.json`.
    pub tokenizer_hash: String,
    /// The text that stood between the documents of a text file.
    pub separator: Option<String>,
    /// The files it was made of, in order.
    pub sources: Vec<Source>,
}

impl Sidecar {
    /// Reads `corpus.json` and checks what can be checked without the other files.
    pub(crate) fn read(folder: &Path) -> Result<Self, TextError> {
        let not_a_corpus =
            |problem: String| TextError::NotACorpus { path: folder.to_owned(), problem };
        let path = folder.join(SIDECAR_FILE);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(not_a_corpus(format!("there is no {SIDECAR_FILE}")));
            }
            Err(error) => return Err(FileError::io("read", &path)(error).into()),
        };
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let unreadable = |error| not_a_corpus(format!("{SIDECAR_FILE} cannot be read: {error}"));
        // The version first: what else stands in a later format is unknown.
        let Version { format } = serde_json::from_slice(&text).map_err(unreadable)?;
        if format != FORMAT {
            return Err(not_a_corpus(format!(
                "its format {format} is not the {FORMAT} that this program reads"
            )));
        }
        let sidecar: Sidecar = serde_json::from_slice(&text).map_err(unreadable)?;
        sidecar.check().map_err(|problem| TextError::damaged(&path, problem))?;
        Ok(sidecar)
    }

    fn check(&self) -> Result<(), String> {
        let limit = u32::MAX as usize;
        if !(1..=limit).contains(&self.vocabulary) {
            return Err(format!("a vocabulary of {} is out of range", self.vocabulary));
        }
        if self.token_width != token_width(self.vocabulary) {
            return Err(format!(
                "a vocabulary of {} is not stored in {} bytes a token",
                self.vocabulary, self.token_width
            ));
        }
        if self.end_of_document as usize >= self.vocabulary {
            return Err(format!(
                "the end of document, {}, is not in the vocabulary of {}",
                self.end_of_document, self.vocabulary
            ));
        }
        if self.documents == 0 || self.tokens < self.documents {
            return Err(format!(
                "{} tokens in {} documents cannot be",
                self.tokens, self.documents
            ));
        }
        if self.shard_tokens == 0 {
            return Err("shards of 0 tokens cannot be".to_owned());
        }
        Ok(())
    }
}

/// Bytes a token of a vocabulary takes.
pub(crate) fn token_width(vocabulary: usize) -> u8 {
    if vocabulary <= 1 << 16 { 2 } else { 4 }
}
