//! Small corpora for tests: every token is its own position, so that a window tells where it came from.

use tempfile::TempDir;

use super::{Corpus, CorpusWriter, FORMAT, SIDECAR_FILE, Sidecar, token_width};
use crate::TokenizerSpec;

/// A corpus of documents of these lengths, whose token at position p is p, in shards of `shard_tokens`.
pub(crate) fn sample(lengths: &[u64], shard_tokens: u64) -> (Corpus, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let total: u64 = lengths.iter().sum();
    let vocabulary = total as usize;
    let mut writer = CorpusWriter::new(folder.path(), vocabulary, shard_tokens);
    let mut start = 0;
    for length in lengths {
        let tokens: Vec<u32> = (start..start + length).map(|token| token as u32).collect();
        writer.push(&tokens).unwrap();
        writer.end_document();
        start += length;
    }
    let written = writer.finish().unwrap();
    let sidecar = Sidecar {
        format: FORMAT,
        tokenizer: TokenizerSpec::Bytes,
        vocabulary,
        end_of_document: 0,
        tokens: written.tokens,
        documents: written.documents,
        text_bytes: total,
        token_width: token_width(vocabulary),
        shard_tokens,
        hash: written.hash,
        tokenizer_hash: String::new(),
        separator: None,
        sources: Vec::new(),
    };
    let json = serde_json::to_vec(&sidecar).unwrap();
    std::fs::write(folder.path().join(SIDECAR_FILE), json).unwrap();
    (Corpus::open(folder.path()).unwrap(), folder)
}
