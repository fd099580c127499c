//! The corpus in the tree is whole, and what its README says it is.

use std::path::Path;

use wd_data::{Corpus, PrepareOptions, TokenizerSpec, prepare};

#[test]
fn the_state_of_the_union_addresses_are_whole() {
    let input =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpora/state-of-the-union.jsonl.zst");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("corpus");
    let options = PrepareOptions::default();
    let sidecar = prepare(&[input], &TokenizerSpec::Bytes, &out, &options, &mut |_| {}).unwrap();
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
