//! Tokenizers: text to token numbers and back.
//!
//! | name | vocabulary | end of document |
//! |---|---|---|
//! | `bytes` | the 256 bytes, each its own number | 256 |
//! | `bpe:N` | N: the end of document, the 256 bytes, N − 257 pairs learned from the text | 0 |
//! | `gpt2` | GPT-2's 50,257 | 50,256 |
//!
//! All three are byte-level: every text can be encoded and decoded without loss. A text that
//! happens to contain `<|endoftext|>` is text: only the end of a document gives that token.

mod bpe;
mod byte_level;
mod decoder;
mod encoder;
mod gpt2;
mod spec;
mod words;

pub use decoder::Decoder;
pub(crate) use encoder::Encoder;
pub use spec::TokenizerSpec;
pub(crate) use words::WordCounts;
