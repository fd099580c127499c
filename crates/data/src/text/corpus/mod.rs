//! A prepared corpus: tokens on disk, mapped into memory.
//!
//! ```text
//! CORPUS/
//!   corpus.json      what it is and what it was made of          → [`Sidecar`]
//!   tokenizer.json   the tokenizer, for this and other programs
//!   tokens-000.bin   tokens, u16 or u32, little-endian; further shards follow
//!   documents.bin    where each document ends, in tokens, u64, little-endian
//! ```
//!
//! What is checked when: opening compares the lengths of all files and walks the document index; a
//! token is compared with the vocabulary when it is read, in the pass that copies it;
//! [`Corpus::verify`] hashes everything.

mod sidecar;
mod writer;

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memmap2::Mmap;

use crate::FileError;
use crate::LoaderError;
use crate::text::error::TextError;
use crate::text::tokenizer::Decoder;
pub use sidecar::Sidecar;
pub(crate) use sidecar::{
    DOCUMENTS_FILE, FORMAT, SIDECAR_FILE, TOKENIZER_FILE, shard_file, token_width,
};
pub(crate) use writer::CorpusWriter;

/// A prepared corpus, open for reading. Clones share one memory map.
#[derive(Debug, Clone)]
pub struct Corpus {
    opened: Arc<Opened>,
}

#[derive(Debug)]
struct Opened {
    folder: PathBuf,
    sidecar: Sidecar,
    shards: Vec<Mmap>,
    /// Where each document ends.
    ends: Vec<u64>,
}

impl Corpus {
    /// Opens a corpus made by [`prepare`](crate::text::prepare). The cost does not grow with its
    /// tokens.
    ///
    /// # Errors
    /// A folder without `corpus.json`, or in another format; files that are missing, or whose
    /// lengths or counts contradict each other.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, TextError> {
        let folder = folder.as_ref();
        let sidecar = Sidecar::read(folder)?;
        let ends = read_index(&folder.join(DOCUMENTS_FILE), &sidecar)?;
        let mut shards = Vec::new();
        let mut left = sidecar.tokens;
        while left > 0 {
            let tokens = left.min(sidecar.shard_tokens);
            let path = folder.join(shard_file(shards.len() as u64));
            shards.push(map_shard(&path, tokens, sidecar.token_width)?);
            left -= tokens;
        }
        Ok(Corpus { opened: Arc::new(Opened { folder: folder.to_owned(), sidecar, shards, ends }) })
    }

    /// What the corpus is and what it was made of.
    pub fn sidecar(&self) -> &Sidecar {
        &self.opened.sidecar
    }

    /// Where the tokens of a document stand, its end included.
    ///
    /// # Errors
    /// [`LoaderError::OutOfRange`].
    pub fn document_range(&self, document: u64) -> Result<Range<u64>, TextError> {
        let ends = &self.opened.ends;
        let index = usize::try_from(document).unwrap_or(usize::MAX);
        let Some(&end) = ends.get(index) else {
            let count = ends.len() as u64;
            return Err(LoaderError::OutOfRange { what: "document", index: document, count }.into());
        };
        let start = index.checked_sub(1).map_or(0, |before| ends[before]);
        Ok(start..end)
    }

    /// The tokens of a document, its end included.
    ///
    /// # Errors
    /// [`LoaderError::OutOfRange`]; [`TextError::TokenOutOfRange`] in a damaged corpus.
    pub fn document(&self, document: u64) -> Result<Vec<u32>, TextError> {
        self.tokens(self.document_range(document)?)
    }

    /// The tokens of a range.
    ///
    /// # Errors
    /// [`LoaderError::OutOfRange`]; [`TextError::TokenOutOfRange`] in a damaged corpus.
    pub fn tokens(&self, range: Range<u64>) -> Result<Vec<u32>, TextError> {
        let length = range.end.saturating_sub(range.start);
        self.check_range(range.start, length)?;
        let mut tokens = vec![0; length as usize];
        self.copy(range.start, &mut tokens)?;
        Ok(tokens)
    }

    /// Copies the tokens from `start` on, as many as `out` holds. Allocates nothing.
    ///
    /// # Errors
    /// [`LoaderError::OutOfRange`]; [`TextError::TokenOutOfRange`] in a damaged corpus.
    pub fn copy(&self, start: u64, out: &mut [u32]) -> Result<(), TextError> {
        self.check_range(start, out.len() as u64)?;
        let sidecar = &self.opened.sidecar;
        let (mut position, mut out) = (start, out);
        while !out.is_empty() {
            // The range lies within the tokens, and `open` mapped a shard of the right length for
            // each of them.
            let shard = &self.opened.shards[(position / sidecar.shard_tokens) as usize];
            let first = (position % sidecar.shard_tokens) as usize;
            let width = usize::from(sidecar.token_width);
            let count = out.len().min(shard.len() / width - first);
            let bytes = &shard[first * width..(first + count) * width];
            let (now, later) = out.split_at_mut(count);
            let greatest = if width == 2 {
                widen(bytemuck::cast_slice::<u8, u16>(bytes), now, |token| {
                    u32::from(u16::from_le(token))
                })
            } else {
                widen(bytemuck::cast_slice::<u8, u32>(bytes), now, u32::from_le)
            };
            if greatest as usize >= sidecar.vocabulary {
                let within = now.iter().take_while(|&&token| token != greatest).count();
                return Err(TextError::TokenOutOfRange {
                    token: greatest,
                    position: position + within as u64,
                    vocabulary: sidecar.vocabulary,
                });
            }
            position += count as u64;
            out = later;
        }
        Ok(())
    }

    /// Hashes all tokens and the document index, and compares with what was written when the corpus
    /// was made: damage, or another's tokens, would otherwise be trained on in silence.
    ///
    /// # Errors
    /// [`TextError::Damaged`] when they differ.
    pub fn verify(&self) -> Result<(), TextError> {
        let mut hasher = blake3::Hasher::new();
        for shard in &self.opened.shards {
            hasher.update_rayon(shard);
        }
        for end in &self.opened.ends {
            hasher.update(&end.to_le_bytes());
        }
        if hasher.finalize().to_hex().as_str() != self.opened.sidecar.hash {
            return Err(TextError::damaged(
                &self.opened.folder,
                "the tokens are not those that were written (their hash differs)",
            ));
        }
        Ok(())
    }

    /// What turns tokens of this corpus into text.
    ///
    /// # Errors
    /// [`TextError::Damaged`] when `tokenizer.json` is not the one that was written.
    pub fn decoder(&self) -> Result<Decoder, TextError> {
        let sidecar = &self.opened.sidecar;
        let path = self.opened.folder.join(TOKENIZER_FILE);
        let json = std::fs::read(&path).map_err(FileError::io("read", &path))?;
        if blake3::hash(&json).to_hex().as_str() != sidecar.tokenizer_hash {
            return Err(TextError::damaged(
                &path,
                "it is not the tokenizer that was written (its hash differs)",
            ));
        }
        Decoder::new(&path, &json, sidecar.vocabulary)
    }

    fn check_range(&self, start: u64, length: u64) -> Result<(), TextError> {
        let count = self.opened.sidecar.tokens;
        if start > count || length > count - start {
            let index = start.saturating_add(length).saturating_sub(1);
            return Err(LoaderError::OutOfRange { what: "token", index, count }.into());
        }
        Ok(())
    }
}

/// Copies tokens and gives the greatest of them, in one pass that the compiler vectorises.
fn widen<T: Copy>(tokens: &[T], out: &mut [u32], token: impl Fn(T) -> u32) -> u32 {
    let mut greatest = 0;
    for (out, &stored) in out.iter_mut().zip(tokens) {
        *out = token(stored);
        greatest = greatest.max(*out);
    }
    greatest
}

fn read_index(path: &Path, sidecar: &Sidecar) -> Result<Vec<u64>, TextError> {
    let bytes = std::fs::read(path).map_err(FileError::io("read", path))?;
    if Some(bytes.len() as u64) != sidecar.documents.checked_mul(8) {
        return Err(TextError::damaged(
            path,
            format!("its {} bytes do not index {} documents", bytes.len(), sidecar.documents),
        ));
    }
    let (words, _) = bytes.as_chunks::<8>();
    let ends: Vec<u64> = words.iter().map(|&word| u64::from_le_bytes(word)).collect();
    let rises = ends.first() != Some(&0) && ends.windows(2).all(|pair| pair[0] < pair[1]);
    if !rises || ends.last() != Some(&sidecar.tokens) {
        return Err(TextError::damaged(
            path,
            format!("its ends do not rise to the {} tokens of the corpus", sidecar.tokens),
        ));
    }
    Ok(ends)
}

fn map_shard(path: &Path, tokens: u64, token_width: u8) -> Result<Mmap, TextError> {
    let file = File::open(path).map_err(FileError::io("open", path))?;
    let length = file.metadata().map_err(FileError::io("read", path))?.len();
    if Some(length) != tokens.checked_mul(u64::from(token_width)) {
        return Err(TextError::damaged(
            path,
            format!("its {length} bytes do not hold {tokens} tokens of {token_width} bytes"),
        ));
    }
    // SAFETY: the file is one of a finished corpus, which this program never writes to again: a
    // corpus that is replaced is moved aside whole and this map keeps the old file. A map starts at
    // a page and is thus aligned for u32, and any bytes are valid tokens as far as memory is
    // concerned. What remains is another program that shortens the file while it is read, which no
    // reader of memory-mapped files can exclude.
    let map = unsafe { Mmap::map(&file) };
    Ok(map.map_err(FileError::io("map", path))?)
}
