//! The corpus in the tree is whole, and what its README says it is.

use std::path::Path;

use wd_data::text::{Corpus, PrepareOptions, Sidecar, TokenizerSpec, prepare};

fn prepared(tokenizer: TokenizerSpec, out: &Path) -> Sidecar {
    let input =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpora/state-of-the-union.jsonl.zst");
    prepare(&[input], &tokenizer, out, &PrepareOptions::default(), &mut |_| {}).unwrap()
}

/// Written down once: a study trains on the same tokens, whichever version of whichever library
/// prepares them.
#[test]
fn the_tokens_are_the_same_for_ever() {
    for (tokenizer, hash, tokenizer_hash) in [
        (
            TokenizerSpec::Bpe { vocabulary: 1024 },
            "252f1c274e621b1c8e6bea022223722008a1de581553e856bc4ec0087ed73fc5",
            "95becfa92944cd21b9b047eac92ad662e89f3acf21dbda8d7671a01c058eaa4c",
        ),
        (
            TokenizerSpec::Gpt2,
            "5d35341d4491f6983b6aacf3405dceb148838f61efdd00820cf0422c6cf00178",
            "4a02a7aa2b9634001b965167f943d0fb34dcd1c552c9f91d86d13ccd2292ca0d",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let sidecar = prepared(tokenizer, &folder.path().join("corpus"));
        let found = (sidecar.hash.as_str(), sidecar.tokenizer_hash.as_str());
        assert_eq!(found, (hash, tokenizer_hash), "{tokenizer}");
    }
}

#[test]
fn the_state_of_the_union_addresses_are_whole() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("corpus");
    let sidecar = prepared(TokenizerSpec::Bytes, &out);
    assert_eq!((sidecar.documents, sidecar.text_bytes), (249, 12_185_751));

    let corpus = Corpus::open(&out).unwrap();
    let decoder = corpus.decoder().unwrap();
    let first = decoder.decode(&corpus.tokens(0..40).unwrap());
    assert_eq!(first, "Fellow-Citizens of the Senate and House ");
    // The texts joined by blank lines, as one file.
    let texts: Vec<Vec<u8>> = (0..249)
        .map(|document| {
            let tokens = corpus.document(document).unwrap();
            tokens[..tokens.len() - 1].iter().map(|&token| token as u8).collect()
        })
        .collect();
    let joined = texts.join(&b"\n\n"[..]);
    assert_eq!(joined.len(), 12_186_247);
    assert_eq!(
        blake3::hash(&joined).to_hex().as_str(),
        "f76511f622c4daf6ec8b214822f81a2de815942b273f132bcddd4c1167922bc5"
    );
}
