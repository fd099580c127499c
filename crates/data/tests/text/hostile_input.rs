//! Inputs made to break things end in a corpus or in an error, never in a panic.

use proptest::prelude::*;
use wd_data::text::{Corpus, PrepareOptions, TextError, TokenizerSpec, prepare};

/// Prepares `bytes` under a name; what comes out, if anything, must be whole.
fn try_prepare(name: &str, bytes: &[u8], tokenizer: &str) -> Result<Corpus, TextError> {
    let folder = tempfile::tempdir().unwrap();
    let (input, out) = (folder.path().join(name), folder.path().join("corpus"));
    std::fs::write(&input, bytes).unwrap();
    let options = PrepareOptions { separator: Some("\n\n".to_owned()), force: false };
    let tokenizer: TokenizerSpec = tokenizer.parse()?;
    prepare(&[input], &tokenizer, &out, &options, &mut |_| {})?;
    let corpus = Corpus::open(&out).unwrap();
    corpus.verify().unwrap();
    for document in 0..corpus.sidecar().documents {
        let tokens = corpus.document(document).unwrap();
        assert_eq!(tokens.last(), Some(&corpus.sidecar().end_of_document));
    }
    Ok(corpus)
}

fn compress(bytes: &[u8], kind: usize) -> Vec<u8> {
    match kind {
        0 => bytes.to_vec(),
        1 => zstd::encode_all(bytes, 1).unwrap(),
        _ => {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut encoder, bytes).unwrap();
            encoder.finish().unwrap()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300), kind in 0usize..3, jsonl: bool) {
        let name = if jsonl { "a.jsonl" } else { "a.txt" };
        let _ = try_prepare(name, &compress(&bytes, kind), "bpe:300");
    }

    #[test]
    fn any_text_comes_back(text in "\\PC{1,80}|[a \\n\\t'\u{a0}é🙂]{1,200}", tokenizer in 0usize..3) {
        let json = serde_json::json!({ "text": text }).to_string();
        let corpus = try_prepare("a.jsonl", json.as_bytes(), ["bytes", "bpe:280", "bpe:257"][tokenizer]);
        if text.trim().is_empty() {
            let is_empty = matches!(corpus, Err(TextError::EmptyInput { .. }));
            prop_assert!(is_empty);
        } else {
            prop_assert_eq!(corpus.unwrap().sidecar().text_bytes, text.len() as u64);
        }
    }

    #[test]
    fn damaged_archives(at in any::<prop::sample::Index>(), byte: u8, kind in 1usize..3) {
        let lines = "{\"text\": \"some words in a line\"}\n".repeat(40);
        let mut bytes = compress(lines.as_bytes(), kind);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = try_prepare("a.jsonl", &bytes, "bytes");
    }
}

#[test]
fn an_unbroken_run_of_letters_is_learned_in_reasonable_time() {
    let text: String = (0..2_000_000u32)
        .map(|i| b"ACGT"[(i.wrapping_mul(2_654_435_761) >> 17) as usize % 4] as char)
        .collect();
    let started = std::time::Instant::now();
    let corpus = try_prepare("dna.txt", text.as_bytes(), "bpe:300").unwrap();
    assert!(corpus.sidecar().tokens < 1_000_000);
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

#[test]
fn a_tokenizer_that_was_changed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (input, out) = (folder.path().join("a.txt"), folder.path().join("corpus"));
    std::fs::write(&input, "some text").unwrap();
    let options = PrepareOptions::default();
    prepare(&[input], &TokenizerSpec::Bytes, &out, &options, &mut |_| {}).unwrap();
    let file = out.join("tokenizer.json");
    let json = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, json.replacen("\"!\":33", "\"!\":99", 1)).unwrap();
    let error = Corpus::open(&out).unwrap().decoder().unwrap_err();
    assert!(
        matches!(error, TextError::Damaged { .. }) && error.to_string().contains("tokenizer.json")
    );
}
