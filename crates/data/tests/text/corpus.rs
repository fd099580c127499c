//! Reading what was written, and refusing what was damaged since.

use proptest::prelude::*;
use wd_data::LoaderError;
use wd_data::text::{Corpus, TextError};

use super::support::sample;

#[test]
fn tokens_come_back_across_shards_and_widths() {
    for (documents, shard_tokens) in [(10, 1000), (10, 7), (70, 4096)] {
        // 70 documents of 1,000: a vocabulary of 70,000, thus four bytes a token.
        let length = if documents == 70 { 1000 } else { 9 };
        let (corpus, _folder) = sample(&vec![length; documents], shard_tokens);
        let total = corpus.sidecar().tokens;
        assert_eq!(corpus.sidecar().token_width, if documents == 70 { 4 } else { 2 });
        assert_eq!(corpus.tokens(0..total).unwrap(), (0..total as u32).collect::<Vec<_>>());
        assert_eq!(corpus.tokens(5..8).unwrap(), [5, 6, 7]);
        assert_eq!(corpus.tokens(total..total).unwrap(), [0; 0]);
        assert_eq!(corpus.document(3).unwrap()[0], 3 * length as u32);
        assert_eq!(corpus.document_range(9).unwrap(), 9 * length..10 * length);
        corpus.verify().unwrap();
    }
}

#[test]
fn ranges_outside_the_corpus_are_errors() {
    let (corpus, _folder) = sample(&[5, 5], 64);
    for range in [0..11, 11..12, u64::MAX - 1..u64::MAX, 10..11] {
        assert!(matches!(
            corpus.tokens(range),
            Err(TextError::Loader(LoaderError::OutOfRange { what: "token", .. }))
        ));
    }
    for document in [2, u64::MAX] {
        assert!(matches!(
            corpus.document(document),
            Err(TextError::Loader(LoaderError::OutOfRange { what: "document", .. }))
        ));
    }
}

#[test]
fn a_token_outside_the_vocabulary_is_found_when_it_is_read() {
    let (corpus, folder) = sample(&[5, 5], 64);
    drop(corpus);
    let path = folder.path().join("tokens-000.bin");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[2 * 6] = 200;
    std::fs::write(&path, &bytes).unwrap();
    let corpus = Corpus::open(folder.path()).unwrap();
    assert!(corpus.document(0).is_ok());
    let error = corpus.document(1).unwrap_err();
    assert!(
        matches!(error, TextError::TokenOutOfRange { token: 200, position: 6, vocabulary: 10 }),
        "{error}"
    );
    assert!(matches!(corpus.verify(), Err(TextError::Damaged { .. })));
}

#[test]
fn what_is_no_corpus_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let error = Corpus::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("there is no corpus.json"), "{error}");
    let sidecar = folder.path().join("corpus.json");
    std::fs::write(&sidecar, "{\"format\": 99, \"new\": 1}").unwrap();
    let error = Corpus::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("format 99"), "{error}");
}

/// A number of the sidecar that contradicts the files, or the others, is refused on opening.
#[test]
fn wrong_counts_are_refused() {
    let (corpus, folder) = sample(&[5, 6, 7], 8);
    let good = serde_json::to_value(corpus.sidecar()).unwrap();
    for (field, values) in [
        ("tokens", vec![0u64, 2, 17, 19, u64::MAX]),
        ("documents", vec![0, 2, 4, 19, 1 << 61, u64::MAX]),
        ("vocabulary", vec![0, 1 << 20, u64::MAX]),
        ("token_width", vec![0, 1, 3, 4]),
        ("shard_tokens", vec![0, 1, 7, 9, u64::MAX]),
        ("end_of_document", vec![18, 1 << 31]),
    ] {
        for value in values {
            let mut bad = good.clone();
            bad[field] = value.into();
            std::fs::write(folder.path().join("corpus.json"), bad.to_string()).unwrap();
            let error = Corpus::open(folder.path()).expect_err(&format!("{field} = {value}"));
            assert!(
                matches!(
                    error,
                    TextError::Damaged { .. } | TextError::NotACorpus { .. } | TextError::File(_)
                ),
                "{field} = {value}: {error}"
            );
        }
    }
}

#[test]
fn files_that_are_cut_or_missing_are_refused() {
    for name in ["tokens-000.bin", "tokens-001.bin", "documents.bin"] {
        let (corpus, folder) = sample(&[5, 6, 7], 9);
        drop(corpus);
        let path = folder.path().join(name);
        let bytes = std::fs::read(&path).unwrap();
        for length in [0, 1, bytes.len() - 1, bytes.len() - 2] {
            std::fs::write(&path, &bytes[..length]).unwrap();
            let error = Corpus::open(folder.path()).unwrap_err();
            assert!(
                matches!(error, TextError::Damaged { .. }) && error.to_string().contains(name),
                "{error}"
            );
        }
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(Corpus::open(folder.path()), Err(TextError::File(_))));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever byte of whatever file is changed, cut or added: opening and reading everything ends
    /// in tokens within the vocabulary or in an error, and a change of the tokens or the index does
    /// not pass `verify`.
    #[test]
    fn damaged_files_never_panic(
        file in 0usize..4, at in any::<prop::sample::Index>(), byte: u8, kind in 0u8..3,
    ) {
        let (corpus, folder) = sample(&[5, 6, 7], 9);
        drop(corpus);
        let name = ["corpus.json", "tokens-000.bin", "tokens-001.bin", "documents.bin"][file];
        let path = folder.path().join(name);
        let original = std::fs::read(&path).unwrap();
        let mut bytes = original.clone();
        match kind {
            0 => bytes[at.index(original.len())] = byte,
            1 => bytes.truncate(at.index(original.len())),
            _ => bytes.insert(at.index(original.len() + 1), byte),
        }
        std::fs::write(&path, &bytes).unwrap();
        let Ok(corpus) = Corpus::open(folder.path()) else { return Ok(()) };
        let vocabulary = corpus.sidecar().vocabulary;
        for document in 0..corpus.sidecar().documents {
            if let Ok(tokens) = corpus.document(document) {
                prop_assert!(tokens.iter().all(|&token| (token as usize) < vocabulary));
            }
        }
        if file > 0 && bytes != original {
            prop_assert!(corpus.verify().is_err());
        }
    }
}
