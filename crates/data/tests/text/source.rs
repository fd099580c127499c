//! Files of every kind, and what is wrong with some.

use wd_data::text::{Corpus, PrepareOptions, TextError, TokenizerSpec, prepare};

/// Every document of a file, its tokens joined again.
fn documents(name: &str, bytes: &[u8], separator: Option<&str>) -> Result<Vec<String>, TextError> {
    let folder = tempfile::tempdir().unwrap();
    let (path, out) = (folder.path().join(name), folder.path().join("out"));
    std::fs::write(&path, bytes).unwrap();
    let options = PrepareOptions { separator: separator.map(str::to_owned), force: false };
    let mut read = 0;
    let sidecar = prepare(&[path], &TokenizerSpec::Bytes, &out, &options, &mut |progress| {
        read = progress.done;
    })?;
    assert_eq!((sidecar.sources[0].bytes, read), (bytes.len() as u64, bytes.len() as u64));
    let corpus = Corpus::open(&out)?;
    let text = |document| {
        let mut tokens = corpus.document(document).unwrap();
        assert_eq!(tokens.pop(), Some(256));
        String::from_utf8(tokens.iter().map(|&token| token as u8).collect()).unwrap()
    };
    Ok((0..sidecar.documents).map(text).collect())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_text_file_is_one_document_unless_a_separator_is_given() {
    let text = "\u{feff}one\n\ntwo\n\n \n\nthree\n";
    assert_eq!(documents("a.txt", text.as_bytes(), None).unwrap(), [&text[3..]]);
    let parts = documents("a.txt", text.as_bytes(), Some("\n\n")).unwrap();
    assert_eq!(parts, ["one", "two", "three\n"]);
}

#[test]
fn compression_is_told_by_content_and_not_by_name() {
    let text = "two words".as_bytes();
    let zstd = zstd::encode_all(text, 3).unwrap();
    for bytes in [text.to_vec(), gzip(text), zstd, [gzip(b"two "), gzip(b"words")].concat()] {
        for name in ["a", "a.txt", "a.txt.gz", "a.zst"] {
            assert_eq!(documents(name, &bytes, None).unwrap(), ["two words"], "{name}");
        }
    }
}

#[test]
fn a_truncated_archive_is_an_error_that_names_the_file() {
    let text: String = (0..5000).map(|i| format!("{i} ")).collect();
    for bytes in [gzip(text.as_bytes()), zstd::encode_all(text.as_bytes(), 3).unwrap()] {
        let error = documents("cut.txt", &bytes[..bytes.len() / 2], None).unwrap_err();
        assert!(
            matches!(error, TextError::File(_)) && error.to_string().contains("cut.txt"),
            "{error}"
        );
    }
}

#[test]
fn json_lines_are_documents() {
    let lines = "{\"text\": \"a\\nb\", \"id\": 1}\n\n{\"id\": {}, \"text\": \"caf\\u00e9\"}\r\n{\"text\": \" \"}\n{\"text\": \"end\"}";
    for name in ["a.jsonl", "a.jsonl.gz", "corpus"] {
        assert_eq!(documents(name, lines.as_bytes(), None).unwrap(), ["a\nb", "café", "end"]);
    }
    assert_eq!(documents("a.txt", lines.as_bytes(), None).unwrap(), [lines]);
}

#[test]
fn a_bad_json_line_is_named() {
    for (bad, problem) in [
        ("{\"id\": 2}", "no `text`"),
        ("{\"text\": null}", "no `text`"),
        ("{\"text\": 5}", "expected a string"),
        ("[\"a\"]", "not a JSON object"),
        ("{\"text\": \"\\ud800\"}", "hex escape"),
        ("{\"text\": \"a\"", "EOF"),
    ] {
        let lines = format!("{{\"text\": \"good\"}}\n\n{bad}\n");
        let error = documents("a.jsonl", lines.as_bytes(), None).unwrap_err();
        assert!(matches!(error, TextError::JsonLine { line: 3, .. }), "{error}");
        assert!(error.to_string().contains(problem), "{error}");
    }
}

#[test]
fn bytes_that_are_not_utf8_are_named_by_their_offset() {
    for (name, bytes, expected) in [
        ("a.txt", b"caf\xe9 noir".to_vec(), 3),
        ("a.txt", b"\xef\xbb\xbfab\xff".to_vec(), 5),
        ("a.txt", b"cut short \xe2\x82".to_vec(), 10),
        ("a.jsonl", b"{\"text\": \"a\"}\n{\"text\": \"\xff\"}\n".to_vec(), 24),
        ("a.txt", [vec![b'a'; 300_000], vec![0xc0]].concat(), 300_000),
    ] {
        for bytes in [gzip(&bytes), bytes] {
            match documents(name, &bytes, None).unwrap_err() {
                TextError::NotUtf8 { offset, .. } => assert_eq!(offset, expected),
                other => panic!("{other}"),
            }
        }
    }
}

#[test]
fn an_input_without_text_is_an_error() {
    for (name, bytes) in
        [("a.txt", ""), ("a.txt", " \n\t "), ("a.jsonl", ""), ("a.jsonl", "{\"text\": \"\"}\n")]
    {
        let error = documents(name, bytes.as_bytes(), None).unwrap_err();
        assert!(matches!(error, TextError::EmptyInput { .. }), "{error}");
    }
    assert!(matches!(
        documents("a.txt", b"--", Some("-")).unwrap_err(),
        TextError::EmptyInput { .. }
    ));
}

#[test]
fn long_documents_pass_through_unchanged() {
    let words: String =
        (0..200_000).map(|i| format!("{i}{}", if i % 7 == 0 { "\n\n" } else { " " })).collect();
    let one_word = "é".repeat(400_000);
    let blank = format!("{}end", " ".repeat(700_000));
    for text in [&words, &one_word, &blank] {
        assert_eq!(documents("a.txt", text.as_bytes(), None).unwrap(), [text.as_str()]);
        assert_eq!(documents("a.txt", text.as_bytes(), Some("<|end|>")).unwrap(), [text.as_str()]);
        let line = serde_json::json!({ "text": text }).to_string();
        assert_eq!(documents("a.jsonl", line.as_bytes(), None).unwrap(), [text.as_str()]);
    }
    let joined = [words.as_str(), &one_word, "short", &words].join("<|end|>");
    assert_eq!(
        documents("a.txt", joined.as_bytes(), Some("<|end|>")).unwrap(),
        [words.as_str(), &one_word, "short", &words]
    );
}
