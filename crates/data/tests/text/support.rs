//! Small corpora whose tokens are their own positions, so that a window tells where it came from.

use tempfile::TempDir;
use wd_data::text::{Corpus, Sidecar, TokenizerSpec};

/// Writes a corpus of documents of these lengths, as the format is described: the token at position
/// p is p, in shards of `shard_tokens`.
pub(crate) fn sample(lengths: &[u64], shard_tokens: u64) -> (Corpus, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let tokens: u64 = lengths.iter().sum();
    let token_width = if tokens <= 1 << 16 { 2 } else { 4 };
    let mut hasher = blake3::Hasher::new();
    for (shard, start) in (0..tokens).step_by(shard_tokens as usize).enumerate() {
        let positions = start..tokens.min(start + shard_tokens);
        let bytes: Vec<u8> = positions
            .flat_map(|position| position.to_le_bytes()[..usize::from(token_width)].to_vec())
            .collect();
        hasher.update(&bytes);
        std::fs::write(folder.path().join(format!("tokens-{shard:03}.bin")), bytes).unwrap();
    }
    let ends = lengths.iter().scan(0, |end, length| {
        *end += length;
        Some(*end)
    });
    let ends: Vec<u8> = ends.flat_map(u64::to_le_bytes).collect();
    hasher.update(&ends);
    std::fs::write(folder.path().join("documents.bin"), ends).unwrap();
    let sidecar = Sidecar {
        format: 1,
        tokenizer: TokenizerSpec::Bytes,
        vocabulary: tokens as usize,
        end_of_document: 0,
        tokens,
        documents: lengths.len() as u64,
        text_bytes: tokens,
        token_width,
        shard_tokens,
        hash: hasher.finalize().to_hex().to_string(),
        tokenizer_hash: String::new(),
        separator: None,
        sources: Vec::new(),
    };
    let json = serde_json::to_vec(&sidecar).unwrap();
    std::fs::write(folder.path().join("corpus.json"), json).unwrap();
    (Corpus::open(folder.path()).unwrap(), folder)
}
