//! From text files to a corpus on disk.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::corpus::{
    Corpus, CorpusWriter, FORMAT, SIDECAR_FILE, Sidecar, TOKENIZER_FILE, token_width,
};
use super::error::TextError;
use super::place::{Aside, Occupant, occupant};
use super::progress::{Progress, Stage};
use super::source::{Documents, Piece, Source, SourceFormat};
use super::tokenizer::{Encoder, TokenizerSpec, WordCounts};
use crate::FileError;
use crate::counted::counted;

/// Tokens in a shard: 2 to 4 GiB, within what every file system and every program can hold.
const SHARD_TOKENS: u64 = 1 << 30;

/// Text that is in memory at a time: many pieces for every core.
const BATCH_BYTES: usize = 1 << 22;

/// Options of [`prepare`].
///
/// | field | default | meaning |
/// |---|---|---|
/// | `separator` | none | cuts plain-text files into documents; it belongs to none of them |
/// | `force` | no | prepare again, and replace a corpus made of other inputs |
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrepareOptions {
    /// The text between the documents of a plain-text file.
    pub separator: Option<String>,
    /// Prepare even if the output directory holds a corpus already.
    pub force: bool,
}

/// Makes a corpus of text or JSONL files (plain, gzip or zstd) in the directory `out`.
///
/// A text file is one document, unless a separator is given; each line of a JSONL file is one (its
/// `text`). Documents keep the order of the inputs, and each ends with the end-of-document token. A
/// `bpe:N` vocabulary is learned from all documents. The same inputs give the same bytes on every
/// machine.
///
/// The corpus is written aside and renamed: a kill at any moment leaves either no corpus or a whole
/// one. If `out` already holds the corpus of the same inputs (by hash), tokenizer and separator,
/// with the tokens that were written, it is returned as it is.
///
/// ```
/// use wd_data::text::{Corpus, PrepareOptions, TokenizerSpec, prepare};
/// # let folder = tempfile::tempdir()?;
/// let input = folder.path().join("greeting.txt");
/// let out = folder.path().join("corpus");
/// std::fs::write(&input, "Hello")?;
///
/// let options = PrepareOptions::default();
/// let sidecar = prepare(&[input], &TokenizerSpec::Bytes, &out, &options, &mut |_| {})?;
/// assert_eq!((sidecar.vocabulary, sidecar.tokens, sidecar.documents), (257, 6, 1));
///
/// let corpus = Corpus::open(&out)?;
/// assert_eq!(corpus.document(0)?, [72, 101, 108, 108, 111, 256]);
/// assert_eq!(corpus.decoder()?.decode(&[72, 105]), "Hi");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Inputs that cannot be read, are not UTF-8, hold no text or a bad JSON line, each with its place;
/// an output directory that holds anything but a corpus, or (unless forced) another corpus.
pub fn prepare(
    inputs: &[PathBuf],
    tokenizer: &TokenizerSpec,
    out: &Path,
    options: &PrepareOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<Sidecar, TextError> {
    if inputs.is_empty() {
        return Err(TextError::NoInput);
    }
    if options.separator.as_deref() == Some("") {
        return Err(TextError::EmptySeparator);
    }
    refuse_twice(inputs)?;
    let preparation = Preparation {
        inputs,
        sources: inspect(inputs, progress)?,
        tokenizer: *tokenizer,
        separator: options.separator.as_deref(),
    };
    if let Some(finished) = preparation.finished(out, options.force)? {
        return Ok(finished);
    }
    let aside = Aside::new(out)?;
    let sidecar = preparation.write(aside.path(), SHARD_TOKENS, progress)?;
    if !aside.put_in_place()? {
        // Another process may have made the same corpus meanwhile: one of the two is enough.
        if let Some(finished) = preparation.finished(out, options.force)? {
            return Ok(finished);
        }
        aside.replace()?;
    }
    Ok(sidecar)
}

struct Preparation<'a> {
    inputs: &'a [PathBuf],
    sources: Vec<Source>,
    tokenizer: TokenizerSpec,
    separator: Option<&'a str>,
}

impl Preparation<'_> {
    /// The corpus in `out` if it is the one asked for; an error if `out` holds what must not be
    /// replaced.
    fn finished(&self, out: &Path, force: bool) -> Result<Option<Sidecar>, TextError> {
        match occupant(out)? {
            Occupant::Nothing => Ok(None),
            Occupant::Corpus if force => Ok(None),
            Occupant::Corpus => {
                let found = Sidecar::read(out);
                let difference = match &found {
                    Ok(sidecar) => self.difference(sidecar),
                    Err(error) => Some(error.to_string()),
                };
                if let Some(difference) = difference {
                    let path = out.to_owned();
                    return Err(TextError::OtherCorpus { path, difference });
                }
                // The right one, but damaged since: nothing is lost by making it again.
                let is_whole = || Corpus::open(out).and_then(|corpus| corpus.verify()).is_ok();
                Ok(found.ok().filter(|_| is_whole()))
            }
        }
    }

    /// Why a corpus is not the one that these inputs would give.
    fn difference(&self, found: &Sidecar) -> Option<String> {
        if found.tokenizer != self.tokenizer {
            return Some(format!("its tokenizer is {}, not {}", found.tokenizer, self.tokenizer));
        }
        if found.sources.len() != self.sources.len() {
            return Some(format!(
                "it was made of {}, not {}",
                counted(found.sources.len(), "file"),
                self.sources.len()
            ));
        }
        for (found, given) in found.sources.iter().zip(&self.sources) {
            if found.hash != given.hash || found.format != given.format {
                return Some(format!("{} is not the {} it was made of", given.path, found.path));
            }
        }
        let has_text = self.sources.iter().any(|source| source.format == SourceFormat::Text);
        if has_text && found.separator.as_deref() != self.separator {
            return Some("the separator between its documents is another".to_owned());
        }
        None
    }

    /// Writes all files of the corpus into an empty folder.
    fn write(
        &self,
        folder: &Path,
        shard_tokens: u64,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Sidecar, TextError> {
        let mut encoder = match self.tokenizer {
            TokenizerSpec::Bytes => Encoder::bytes()?,
            TokenizerSpec::Gpt2 => Encoder::gpt2()?,
            TokenizerSpec::Bpe { vocabulary } => {
                let mut words = WordCounts::default();
                self.batches(Stage::Learning, progress, |pieces| words.add(pieces))?;
                Encoder::trained(vocabulary, words)?
            }
        };
        let vocabulary = encoder.vocabulary();
        let mut writer = CorpusWriter::new(folder, vocabulary, shard_tokens);
        let mut text_bytes = 0;
        self.batches(Stage::Encoding, progress, |pieces| {
            for (piece, tokens) in pieces.iter().zip(encoder.encode(pieces)?) {
                text_bytes += piece.text.len() as u64;
                writer.push(&tokens)?;
                if piece.ends {
                    writer.end_document();
                }
            }
            Ok(())
        })?;
        let written = writer.finish()?;
        let json = encoder.to_json()?;
        let path = folder.join(TOKENIZER_FILE);
        std::fs::write(&path, &json).map_err(FileError::io("write", &path))?;
        let sidecar = Sidecar {
            format: FORMAT,
            tokenizer: self.tokenizer,
            vocabulary,
            end_of_document: encoder.end_of_document(),
            tokens: written.tokens,
            documents: written.documents,
            text_bytes,
            token_width: token_width(vocabulary),
            shard_tokens,
            hash: written.hash,
            tokenizer_hash: blake3::hash(json.as_bytes()).to_hex().to_string(),
            separator: self.separator.map(str::to_owned),
            sources: self.sources.clone(),
        };
        let path = folder.join(SIDECAR_FILE);
        let mut json = serde_json::to_vec_pretty(&sidecar)
            .map_err(|error| FileError::io("write", &path)(error.into()))?;
        json.push(b'\n');
        std::fs::write(&path, &json).map_err(FileError::io("write", &path))?;
        Ok(sidecar)
    }

    /// Hands all pieces of all inputs, in order and some at a time, to `work`.
    fn batches(
        &self,
        stage: Stage,
        progress: &mut dyn FnMut(Progress),
        mut work: impl FnMut(&[Piece]) -> Result<(), TextError>,
    ) -> Result<(), TextError> {
        let total = self.sources.iter().map(|source| source.bytes).sum();
        let mut before = 0;
        let (mut pieces, mut bytes) = (Vec::new(), 0);
        for (path, source) in self.inputs.iter().zip(&self.sources) {
            let mut documents = Documents::open(path, source.format, self.separator)?;
            while let Some(piece) = documents.next_piece()? {
                bytes += piece.text.len();
                pieces.push(piece);
                if bytes >= BATCH_BYTES {
                    work(&pieces)?;
                    pieces.clear();
                    bytes = 0;
                    let done = before + documents.bytes_read();
                    progress(Progress { stage, done, total });
                }
            }
            before += source.bytes;
        }
        work(&pieces)?;
        progress(Progress { stage, done: total, total });
        Ok(())
    }
}

/// Refuses a file whose documents would count twice.
fn refuse_twice(inputs: &[PathBuf]) -> Result<(), TextError> {
    let mut seen = HashSet::new();
    for path in inputs {
        let place = path.canonicalize().unwrap_or_else(|_| path.clone());
        if !seen.insert(place) {
            return Err(TextError::Twice { path: path.clone() });
        }
    }
    Ok(())
}

fn inspect(
    inputs: &[PathBuf],
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Source>, TextError> {
    let mut total = 0;
    for path in inputs {
        let metadata = path.metadata().map_err(FileError::io("open", path))?;
        total += metadata.len();
    }
    let mut done = 0;
    inputs
        .iter()
        .map(|path| {
            Source::inspect(path, |bytes| {
                done += bytes;
                progress(Progress { stage: Stage::Reading, done, total });
            })
        })
        .collect()
}
