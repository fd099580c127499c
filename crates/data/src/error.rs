//! What can go wrong between a file and a batch.

use std::io;
use std::path::{Path, PathBuf};

use crate::counted::counted;

/// Every failure of this crate: what, where, and how to mend it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The operating system refused to read, write or rename.
    #[error("cannot {action} {}: {source}{}", path.display(), remedy(source))]
    Io {
        /// What was attempted.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The reason given by the system, or by the decompressor.
        source: io::Error,
    },

    /// No input file was named.
    #[error("no input: name at least one text or JSONL file")]
    NoInput,

    /// An input holds no document.
    #[error("{} holds no text: every document in it is empty or white space", path.display())]
    EmptyInput {
        /// The file.
        path: PathBuf,
    },

    /// An input is not UTF-8.
    #[error(
        "{} is not UTF-8 at byte {offset} (of the decompressed text): convert it first, for example with `iconv -t UTF-8`",
        path.display()
    )]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Offset of the first byte that is not UTF-8, counted in the decompressed text.
        offset: u64,
    },

    /// A line of a JSONL file is not an object with a `text`.
    #[error("{}, line {line}: {problem}; each line of a JSONL file must be an object with a string `text`", path.display())]
    JsonLine {
        /// The file.
        path: PathBuf,
        /// Line number, from 1.
        line: u64,
        /// What is wrong with the line.
        problem: String,
    },

    /// The text between documents is empty.
    #[error(
        "the separator between documents is empty: give the text that stands between them, or none at all"
    )]
    EmptySeparator,

    /// A tokenizer that does not exist.
    #[error(
        "there is no tokenizer `{given}`: use `bytes`, `bpe:VOCABULARY` (for example `bpe:1024`) or `gpt2`"
    )]
    UnknownTokenizer {
        /// What was given.
        given: String,
    },

    /// A byte-pair vocabulary that cannot be trained.
    #[error(
        "a byte-pair vocabulary of {requested} is out of range: it holds the 256 bytes, the end of a document and the pairs, from 257 to {limit} in all"
    )]
    Vocabulary {
        /// The size asked for.
        requested: usize,
        /// The greatest size accepted.
        limit: usize,
    },

    /// The tokenizer library refused.
    #[error("the tokenizer failed: {problem}")]
    Tokenizer {
        /// Its message.
        problem: String,
    },

    /// The output path holds something that is not a corpus.
    #[error("{} is in the way: {problem}; name another output directory or remove it yourself", path.display())]
    InTheWay {
        /// The output path.
        path: PathBuf,
        /// What was found there.
        problem: String,
    },

    /// The output directory holds the corpus of other inputs, or of another tokenizer.
    #[error("{} holds another corpus ({difference}); name another output directory, or force its replacement", path.display())]
    OtherCorpus {
        /// The output directory.
        path: PathBuf,
        /// The first difference found.
        difference: String,
    },

    /// A directory is no corpus of this program.
    #[error("{} is no corpus: {problem}; make one with `wd data prepare`", path.display())]
    NotACorpus {
        /// The directory.
        path: PathBuf,
        /// What is missing or unreadable.
        problem: String,
    },

    /// A file of a corpus contradicts another.
    #[error("{} is damaged: {problem}; prepare the corpus again with --force", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        problem: String,
    },

    /// A token beyond the vocabulary.
    #[error(
        "token {token} at position {position} of the corpus is outside its vocabulary of {vocabulary}: the corpus is damaged, prepare it again"
    )]
    TokenOutOfRange {
        /// The token.
        token: u32,
        /// Where it stands, in tokens from the start of the corpus.
        position: u64,
        /// Size of the vocabulary.
        vocabulary: usize,
    },

    /// Tokens or documents that the corpus does not have.
    #[error("{what} {index} does not exist: there are {count}")]
    OutOfRange {
        /// `document`, `token` or `window`.
        what: &'static str,
        /// The index asked for.
        index: u64,
        /// How many there are.
        count: u64,
    },

    /// A validation fraction outside [0, 1).
    #[error("a validation fraction of {fraction} is not in 0 ≤ fraction < 1")]
    Fraction {
        /// The fraction.
        fraction: f64,
    },

    /// One document cannot be split.
    #[error(
        "the corpus is a single document and cannot be split into training and validation: prepare it with `--separator TEXT` to cut it into documents, or set the validation fraction to 0"
    )]
    SingleDocument,

    /// A context, batch or number of epochs of zero, or beyond what can be addressed.
    #[error("{name} = {value} is out of range: it must be from 1 to {limit}")]
    Setting {
        /// Name of the setting.
        name: &'static str,
        /// Its value.
        value: u64,
        /// The greatest value accepted.
        limit: u64,
    },

    /// The training documents do not fill one batch.
    #[error(
        "{} hold {} of {}, fewer than the {sequences} of one batch: use a smaller context or batch, or more text",
        counted(tokens, "training token"),
        counted(windows, "window"),
        counted(context, "token")
    )]
    TooFewTrainingTokens {
        /// Tokens in the training documents.
        tokens: u64,
        /// Windows they hold.
        windows: u64,
        /// Tokens a window.
        context: usize,
        /// Windows a batch.
        sequences: usize,
    },

    /// The validation documents do not fill one window.
    #[error(
        "the {} do not fill one window of {}: use a larger validation fraction, a smaller context, or fraction 0",
        counted(tokens, "validation token"),
        counted(context, "token")
    )]
    TooFewValidationTokens {
        /// Tokens in the validation documents.
        tokens: u64,
        /// Tokens a window.
        context: usize,
    },

    /// Every epoch has been read.
    #[error(
        "the data are used up: {} of {}; ask for fewer steps or more epochs",
        counted(epochs, "epoch"),
        counted(steps, "step")
    )]
    Exhausted {
        /// Epochs allowed.
        epochs: u64,
        /// Steps in an epoch.
        steps: u64,
    },

    /// A slice of the wrong length was handed in.
    #[error(
        "inputs and targets hold {inputs} and {targets} tokens, but {expected} are due to each"
    )]
    BufferLength {
        /// Length of the inputs.
        inputs: usize,
        /// Length of the targets.
        targets: usize,
        /// Length expected.
        expected: usize,
    },

    /// A position that this loader cannot have reached.
    #[error(
        "epoch {epoch}, {unit} {cursor} is no position in {} of {}: it comes from other data, or from another split, subset, context or batch",
        counted(epochs, "epoch"),
        counted(count, unit)
    )]
    Position {
        /// What is counted: `window` or `image`.
        unit: &'static str,
        /// Epoch of the position.
        epoch: u64,
        /// Windows or images read in that epoch.
        cursor: u64,
        /// Epochs allowed.
        epochs: u64,
        /// Windows or images in an epoch.
        count: u64,
    },

    /// A file cannot be read as a table.
    #[error("{} is no usable table: {problem}", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },

    /// A cell of a table is not what its column holds.
    #[error("{}, {place}, column `{column}`: {problem}", path.display())]
    TableCell {
        /// The file.
        path: PathBuf,
        /// The line or row.
        place: String,
        /// The column.
        column: String,
        /// What is wrong with the cell.
        problem: String,
    },

    /// A column that a table does not have.
    #[error("{} has no column `{name}`: {hint}", path.display())]
    UnknownColumn {
        /// The file.
        path: PathBuf,
        /// The name asked for.
        name: String,
        /// The nearest name, or the names there are.
        hint: String,
    },

    /// A column cannot be what it is asked to be.
    #[error("column `{column}` of {}: {problem}", path.display())]
    TableColumn {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// What is wrong with it.
        problem: String,
    },

    /// A file or folder cannot be read as a set of images.
    #[error("{} is no usable image set: {problem}", path.display())]
    ImageSet {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it, and how to mend it.
        problem: String,
    },

    /// One image, or its label, cannot be used.
    #[error("{}, {place}: {problem}", path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// Which image it is in the file, counted from 0, and where it stands.
        place: String,
        /// What is wrong with it, and how to mend it.
        problem: String,
    },

    /// A subset that a set of images does not have.
    #[error("a subset of {size} images cannot be taken from the {images} of {}: {problem}", path.display())]
    ImageSubset {
        /// Where the set was read.
        path: PathBuf,
        /// Images asked for.
        size: usize,
        /// Images in the set.
        images: usize,
        /// Why not.
        problem: String,
    },

    /// A setting of the image loader, of augmentation, normalisation or corruption out of range.
    #[error("{name} = {value} {problem}")]
    ImageSetting {
        /// Name of the setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// The range, and what can be done.
        problem: String,
    },

    /// The thread that prepares batches has ended.
    #[error(
        "the thread that prepares batches of images ended: {problem}; this is a fault of the program, report it"
    )]
    LoaderThread {
        /// Its last words.
        problem: String,
    },

    /// The system refused a thread.
    #[error(
        "cannot start the thread that prepares batches of images: {source}; are there too many processes?"
    )]
    Thread {
        /// The reason given by the system.
        source: io::Error,
    },

    /// Cells are empty.
    #[error(
        "{} lacks values: {columns}; {remedy}",
        path.display()
    )]
    MissingValues {
        /// The file.
        path: PathBuf,
        /// Each column with the number of empty cells and the place of the first.
        columns: String,
        /// What can be done about these.
        remedy: &'static str,
    },
}

/// What can be done about a file whose content ends, or breaks, where more was promised.
fn remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => {
            ": it is cut short or damaged; copy or download it again"
        }
        _ => "",
    }
}

impl DataError {
    /// A file cannot be read as a table.
    pub(crate) fn table(path: &Path, problem: impl Into<String>) -> DataError {
        DataError::Table { path: path.to_owned(), problem: problem.into() }
    }

    /// A file or folder cannot be read as a set of images.
    pub(crate) fn image_set(path: &Path, problem: impl Into<String>) -> DataError {
        DataError::ImageSet { path: path.to_owned(), problem: problem.into() }
    }

    /// One image, or its label, cannot be used.
    pub(crate) fn image(path: &Path, place: String, problem: impl Into<String>) -> DataError {
        DataError::Image { path: path.to_owned(), place, problem: problem.into() }
    }

    /// For `map_err`: the system refused `action` on `path`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DataError {
        move |source| DataError::Io { action, path: path.to_owned(), source }
    }

    /// For `map_err`: the tokenizer library refused.
    pub(crate) fn tokenizer(problem: impl std::fmt::Display) -> DataError {
        DataError::Tokenizer { problem: problem.to_string() }
    }

    /// A file of a corpus contradicts another.
    pub(crate) fn damaged(path: &Path, problem: impl Into<String>) -> DataError {
        DataError::Damaged { path: path.to_owned(), problem: problem.into() }
    }
}
