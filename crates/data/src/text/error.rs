//! What can go wrong between a text file and a batch of tokens.

use std::path::{Path, PathBuf};

use super::source::MOST_HELD_BYTES;
use crate::counted::counted;
use crate::{FileError, LoaderError};

/// Every failure of text: what, where, and how to mend it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "a variant's message says what its fields are")]
pub enum TextError {
    /// A file that cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),

    /// From the loader.
    #[error(transparent)]
    Loader(#[from] LoaderError),

    /// No input file was named.
    #[error("no input: name at least one text or JSONL file")]
    NoInput,

    /// An input that is named twice.
    #[error("{} is given twice, and its documents would count twice: name it once", path.display())]
    Twice {
        /// The file.
        path: PathBuf,
    },

    /// An input holds no document.
    #[error(
        "{} holds no text: every document in it is empty or white space",
        path.display()
    )]
    EmptyInput { path: PathBuf },

    /// An input is not UTF-8.
    #[error(
        "{} is not UTF-8 at byte {offset} (of the decompressed text): convert it first, for \
         example with `iconv -t UTF-8`",
        path.display()
    )]
    NotUtf8 { path: PathBuf, offset: u64 },

    /// More of a document than is held in memory.
    #[error("{}: {what} is longer than {} MiB and {problem}", path.display(), MOST_HELD_BYTES >> 20)]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Which part of it.
        what: String,
        /// What else is to be said of it.
        problem: &'static str,
    },

    /// A line of a JSONL file is not an object with a `text`.
    #[error(
        "{}, line {line}: {problem}; each line of a JSONL file must be an object with a string \
         `text`",
        path.display()
    )]
    JsonLine { path: PathBuf, line: u64, problem: String },

    /// The text between documents is empty.
    #[error(
        "the separator between documents is empty: give the text that stands between them, or \
         none at all"
    )]
    EmptySeparator,

    /// A tokenizer that does not exist.
    #[error(
        "there is no tokenizer `{given}`: use `bytes`, `bpe:VOCABULARY` (for example `bpe:1024`) \
         or `gpt2`"
    )]
    UnknownTokenizer { given: String },

    /// A byte-pair vocabulary that cannot be trained.
    #[error(
        "a byte-pair vocabulary of {requested} is out of range: it holds the 256 bytes, the end \
         of a document and the pairs, from 257 to {limit} in all"
    )]
    Vocabulary { requested: usize, limit: usize },

    /// The tokenizer library refused.
    #[error("the tokenizer failed: {problem}")]
    Tokenizer { problem: String },

    /// The output path holds something that is not a corpus.
    #[error(
        "{} is in the way: {problem}; name another output directory or remove it yourself",
        path.display()
    )]
    InTheWay { path: PathBuf, problem: String },

    /// The output directory holds the corpus of other inputs, or of another tokenizer.
    #[error(
        "{} holds another corpus ({difference}); name another output directory, or replace it \
         with `force`",
        path.display()
    )]
    OtherCorpus { path: PathBuf, difference: String },

    /// A directory is no corpus of this program.
    #[error("{} is no corpus: {problem}; prepare one from text first", path.display())]
    NotACorpus { path: PathBuf, problem: String },

    /// A file of a corpus contradicts another.
    #[error("{} is damaged: {problem}; prepare the corpus again with `force`", path.display())]
    Damaged { path: PathBuf, problem: String },

    /// A token beyond the vocabulary.
    #[error(
        "token {token} at position {position} of the corpus is outside its vocabulary of \
         {vocabulary}: the corpus is damaged, prepare it again"
    )]
    TokenOutOfRange { token: u32, position: u64, vocabulary: usize },

    /// A validation fraction outside [0, 1).
    #[error("a validation fraction of {fraction} is not in 0 ≤ fraction < 1")]
    Fraction { fraction: f64 },

    /// One document cannot be split.
    #[error(
        "the corpus is a single document and cannot be split into training and validation: \
         prepare it with a `separator` that cuts it into documents, or set the validation \
         fraction to 0"
    )]
    SingleDocument,

    /// The training documents do not fill one batch.
    #[error(
        "{} hold {} of {}, fewer than the {sequences} of one batch: use a smaller context or \
         batch, or more text",
        counted(tokens, "training token"),
        counted(windows, "window"),
        counted(context, "token")
    )]
    TooFewTrainingTokens { tokens: u64, windows: u64, context: usize, sequences: usize },

    /// The validation documents do not fill one window.
    #[error(
        "the {} do not fill one window of {}: use a larger validation fraction, a smaller \
         context, or fraction 0",
        counted(tokens, "validation token"),
        counted(context, "token")
    )]
    TooFewValidationTokens { tokens: u64, context: usize },

    /// A slice of the wrong length was handed in.
    #[error(
        "inputs and targets hold {inputs} and {targets} tokens, but {expected} are due to each"
    )]
    BufferLength { inputs: usize, targets: usize, expected: usize },
}

impl TextError {
    /// More of a document than is held in memory.
    pub(crate) fn too_long(path: &Path, what: &str, problem: &'static str) -> TextError {
        TextError::TooLong { path: path.to_owned(), what: what.to_owned(), problem }
    }

    /// For `map_err`: the tokenizer library refused.
    pub(crate) fn tokenizer(problem: impl std::fmt::Display) -> TextError {
        TextError::Tokenizer { problem: problem.to_string() }
    }

    /// A file of a corpus contradicts another.
    pub(crate) fn damaged(path: &Path, problem: impl Into<String>) -> TextError {
        TextError::Damaged { path: path.to_owned(), problem: problem.into() }
    }
}
