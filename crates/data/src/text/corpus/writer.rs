//! Writing the shards and the index of documents.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::sidecar::{DOCUMENTS_FILE, shard_file, token_width};
use crate::FileError;
use crate::text::error::TextError;

/// Appends tokens, document by document, to the shards of a new corpus.
pub(crate) struct CorpusWriter {
    folder: PathBuf,
    token_width: u8,
    shard_tokens: u64,
    shard: Option<(PathBuf, BufWriter<File>)>,
    tokens: u64,
    ends: Vec<u64>,
    hasher: blake3::Hasher,
    bytes: Vec<u8>,
}

/// What was written.
pub(crate) struct Written {
    pub(crate) tokens: u64,
    pub(crate) documents: u64,
    pub(crate) hash: String,
}

impl CorpusWriter {
    pub(crate) fn new(folder: &Path, vocabulary: usize, shard_tokens: u64) -> Self {
        CorpusWriter {
            folder: folder.to_owned(),
            token_width: token_width(vocabulary),
            shard_tokens,
            shard: None,
            tokens: 0,
            ends: Vec::new(),
            hasher: blake3::Hasher::new(),
            bytes: Vec::new(),
        }
    }

    /// Appends tokens to the document under way.
    pub(crate) fn push(&mut self, mut tokens: &[u32]) -> Result<(), TextError> {
        while !tokens.is_empty() {
            let filled = self.tokens % self.shard_tokens;
            if filled == 0 {
                self.next_shard()?;
            }
            let room = self.shard_tokens - filled;
            let (now, later) =
                tokens.split_at(tokens.len().min(usize::try_from(room).unwrap_or(usize::MAX)));
            self.bytes.clear();
            for token in now {
                // The vocabulary fits the width, so that the bytes left out are 0.
                self.bytes.extend_from_slice(&token.to_le_bytes()[..usize::from(self.token_width)]);
            }
            self.hasher.update(&self.bytes);
            if let Some((path, writer)) = &mut self.shard {
                writer.write_all(&self.bytes).map_err(FileError::io("write", path))?;
            }
            self.tokens += now.len() as u64;
            tokens = later;
        }
        Ok(())
    }

    /// Ends the document under way.
    pub(crate) fn end_document(&mut self) {
        self.ends.push(self.tokens);
    }

    pub(crate) fn finish(mut self) -> Result<Written, TextError> {
        self.close_shard()?;
        let ends: Vec<u8> = self.ends.iter().flat_map(|end| end.to_le_bytes()).collect();
        self.hasher.update(&ends);
        let path = self.folder.join(DOCUMENTS_FILE);
        std::fs::write(&path, &ends).map_err(FileError::io("write", &path))?;
        Ok(Written {
            tokens: self.tokens,
            documents: self.ends.len() as u64,
            hash: self.hasher.finalize().to_hex().to_string(),
        })
    }

    fn next_shard(&mut self) -> Result<(), TextError> {
        self.close_shard()?;
        let path = self.folder.join(shard_file(self.tokens / self.shard_tokens));
        let file = File::create(&path).map_err(FileError::io("create", &path))?;
        self.shard = Some((path, BufWriter::with_capacity(1 << 18, file)));
        Ok(())
    }

    fn close_shard(&mut self) -> Result<(), TextError> {
        let Some((path, writer)) = self.shard.take() else {
            return Ok(());
        };
        writer.into_inner().map_err(|error| FileError::io("write", &path)(error.into_error()))?;
        Ok(())
    }
}
