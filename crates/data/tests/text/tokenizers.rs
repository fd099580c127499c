//! The tokenizers against an independent implementation (`golden/tokenizers.py`), and against
//! themselves.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;
use wd_data::text::{Corpus, PrepareOptions, TokenizerSpec, prepare};

fn golden() -> Value {
    serde_json::from_str(include_str!("../golden/tokenizers.json")).unwrap()
}

fn strings(value: &Value) -> Vec<String> {
    serde_json::from_value(value.clone()).unwrap()
}

fn jsonl(folder: &Path, texts: &[String]) -> PathBuf {
    let lines: String =
        texts.iter().map(|text| format!("{}\n", serde_json::json!({ "text": text }))).collect();
    let path = folder.join("texts.jsonl");
    std::fs::write(&path, lines).unwrap();
    path
}

/// A corpus of one document for each text.
fn corpus(texts: &[String], tokenizer: &str) -> (Corpus, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let input = jsonl(folder.path(), texts);
    let out = folder.path().join("corpus");
    let tokenizer: TokenizerSpec = tokenizer.parse().unwrap();
    prepare(&[input], &tokenizer, &out, &PrepareOptions::default(), &mut |_| {}).unwrap();
    (Corpus::open(out).unwrap(), folder)
}

fn documents(corpus: &Corpus) -> Vec<Vec<u32>> {
    let count = corpus.sidecar().documents;
    (0..count).map(|document| corpus.document(document).unwrap()).collect()
}

#[test]
fn gpt2_gives_the_tokens_of_gpt2() {
    let golden = golden();
    let (corpus, _folder) = corpus(&strings(&golden["texts"]), "gpt2");
    assert_eq!(corpus.sidecar().vocabulary, 50_257);
    assert_eq!(corpus.sidecar().end_of_document, 50_256);
    let expected: Vec<Vec<u32>> = serde_json::from_value(golden["gpt2"].clone()).unwrap();
    for (mut expected, found) in expected.into_iter().zip(documents(&corpus)) {
        expected.push(50_256);
        assert_eq!(found, expected);
    }
}

#[test]
fn learned_pairs_are_those_of_the_definition() {
    let golden = golden();
    let speech = strings(&golden["texts"]).pop().unwrap();
    let (corpus, folder) = corpus(&[speech], "bpe:512");
    let json = std::fs::read_to_string(folder.path().join("corpus/tokenizer.json")).unwrap();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["model"]["merges"], golden["learned_merges"]);
    let mut expected: Vec<u32> = serde_json::from_value(golden["learned_tokens"].clone()).unwrap();
    expected.push(0);
    assert_eq!(corpus.document(0).unwrap(), expected);
    assert_eq!(corpus.sidecar().vocabulary, 512);
}

/// The library keeps words and pairs in hash maps that are seeded anew each time, and counts on
/// every core.
#[test]
fn learning_is_the_same_whatever_the_threads_and_hash_seeds() {
    // Few letters and long runs: many pairs of equal count, and one token reached by several
    // merges.
    let mut state = 1u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state >> 33
    };
    let texts: Vec<String> = (0..60)
        .map(|_| {
            let letter = |random: u64| if random.is_multiple_of(12) { 'b' } else { 'a' };
            let word = |length| (0..length).map(|_| letter(random())).collect::<String>();
            [3, 17, 40, 9, 25].map(word).join(" ")
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let input = jsonl(folder.path(), &[texts, strings(&golden()["texts"])].concat());
    let mut results = std::collections::BTreeSet::new();
    for (run, threads) in [1, 2, 4, 7, 1, 2, 4, 7].into_iter().enumerate() {
        let out = folder.path().join(run.to_string());
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let sidecar = pool.install(|| {
            let tokenizer = TokenizerSpec::Bpe { vocabulary: 900 };
            prepare(
                std::slice::from_ref(&input),
                &tokenizer,
                &out,
                &PrepareOptions::default(),
                &mut |_| {},
            )
        });
        let sidecar = sidecar.unwrap();
        results.insert((sidecar.tokenizer_hash, sidecar.hash));
    }
    assert_eq!(results.len(), 1);
}

#[test]
fn every_tokenizer_decodes_what_it_encodes() {
    let texts = strings(&golden()["texts"]);
    for tokenizer in ["bytes", "bpe:257", "bpe:300", "gpt2"] {
        let (corpus, _folder) = corpus(&texts, tokenizer);
        let decoder = corpus.decoder().unwrap();
        for (text, tokens) in texts.iter().zip(documents(&corpus)) {
            assert_eq!(decoder.decode(&tokens), format!("{text}<|endoftext|>"), "{tokenizer}");
        }
        assert_eq!(decoder.decode(&[u32::MAX]), "\u{fffd}");
    }
}

/// `tokenizer.json` is for other programs, too: the library must read it and give the same tokens.
#[test]
fn the_tokenizer_file_gives_the_same_tokens_in_the_library() {
    let mut texts = strings(&golden()["texts"]);
    // There, a text that spells out the special token means it.
    texts.retain(|text| !text.contains("<|endoftext|>"));
    // Longer than the pieces in which documents are cut.
    let speech = texts.last().unwrap().repeat(30);
    texts.push(speech);
    for tokenizer in ["bytes", "bpe:300", "gpt2"] {
        let (corpus, folder) = corpus(&texts, tokenizer);
        let file = folder.path().join("corpus/tokenizer.json");
        let library = tokenizers::Tokenizer::from_file(file).unwrap();
        assert_eq!(library.get_vocab_size(true), corpus.sidecar().vocabulary);
        let end = library.token_to_id("<|endoftext|>").unwrap();
        assert_eq!(end, corpus.sidecar().end_of_document);
        for (text, tokens) in texts.iter().zip(documents(&corpus)) {
            let encoding = library.encode(text.as_str(), false).unwrap();
            assert_eq!([encoding.get_ids(), &[end]].concat(), tokens, "{tokenizer}");
            assert_eq!(library.decode(encoding.get_ids(), false).unwrap(), *text);
        }
    }
}

#[test]
fn a_short_text_gives_a_smaller_vocabulary() {
    let (corpus, _folder) = corpus(&["abc abc".to_owned()], "bpe:1024");
    // The 256 bytes, the end of a document, `ab`, `abc`; ` abc` occurs once.
    assert_eq!(corpus.sidecar().vocabulary, 259);
}

#[test]
fn names_of_tokenizers_are_checked() {
    for name in ["bytes", "bpe:257", "bpe:1048576", "gpt2"] {
        assert_eq!(name.parse::<TokenizerSpec>().unwrap().to_string(), name);
    }
    for name in [
        "",
        "byte",
        "bpe",
        "bpe:",
        "bpe:-1",
        "bpe:256",
        "bpe:1048577",
        "bpe:99999999999999999999",
        "GPT2",
    ] {
        assert!(name.parse::<TokenizerSpec>().is_err(), "{name}");
    }
}
