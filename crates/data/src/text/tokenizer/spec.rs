//! Names of tokenizers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::text::error::TextError;

/// Greatest vocabulary that may be trained; several times the largest in use.
const VOCABULARY_LIMIT: usize = 1 << 20;

/// Which tokenizer a corpus is made with.
///
/// ```
/// use wd_data::text::TokenizerSpec;
///
/// let tokenizer: TokenizerSpec = "bpe:1024".parse()?;
/// assert_eq!(tokenizer, TokenizerSpec::Bpe { vocabulary: 1024 });
/// assert_eq!(tokenizer.to_string(), "bpe:1024");
/// assert!("bpe:256".parse::<TokenizerSpec>().is_err());
/// # Ok::<(), wd_data::text::TextError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum TokenizerSpec {
    /// Every byte is a token: a vocabulary of 257 with the end of a document.
    Bytes,
    /// Byte-level byte-pair encoding, trained on all input documents with GPT-2's pre-tokenizer.
    ///
    /// Only pairs that occur at least twice are learned: a short text gives a smaller vocabulary
    /// than asked for.
    Bpe {
        /// Size of the vocabulary, from 257 to 1,048,576.
        vocabulary: usize,
    },
    /// GPT-2's own vocabulary of 50,257.
    Gpt2,
}

impl FromStr for TokenizerSpec {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let unknown = || TextError::UnknownTokenizer { given: text.to_owned() };
        match text {
            "bytes" => Ok(TokenizerSpec::Bytes),
            "gpt2" => Ok(TokenizerSpec::Gpt2),
            _ => {
                let number = text.strip_prefix("bpe:").ok_or_else(unknown)?;
                let requested = number.parse().map_err(|_| unknown())?;
                if !(257..=VOCABULARY_LIMIT).contains(&requested) {
                    let limit = VOCABULARY_LIMIT;
                    return Err(TextError::Vocabulary { requested, limit });
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
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        text.parse()
    }
}
