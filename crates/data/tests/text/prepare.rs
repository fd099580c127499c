//! `prepare`: what it writes, when it does nothing, what it refuses, and what a kill leaves behind.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use wd_data::text::{
    Corpus, PrepareOptions, Progress, Sidecar, SourceFormat, Stage, TextError, TokenizerSpec,
    prepare,
};

const BYTES: TokenizerSpec = TokenizerSpec::Bytes;

/// A folder with an input `a.txt` of some lines.
fn folder() -> (TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("a.txt");
    fs::write(&input, "first line\nsecond line\nthird").unwrap();
    let out = folder.path().join("corpus");
    (folder, input, out)
}

fn run(
    input: &Path,
    tokenizer: TokenizerSpec,
    out: &Path,
    options: &PrepareOptions,
) -> Result<(Sidecar, Vec<Progress>), TextError> {
    let mut seen = Vec::new();
    let sidecar = prepare(&[input.to_owned()], &tokenizer, out, options, &mut |progress| {
        seen.push(progress)
    })?;
    Ok((sidecar, seen))
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_corpus_says_what_it_is_and_what_it_was_made_of() {
    let (folder, text, out) = folder();
    let lines = folder.path().join("b.jsonl.gz");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, b"{\"text\": \"one\"}\n{\"text\": \"two\"}\n").unwrap();
    fs::write(&lines, encoder.finish().unwrap()).unwrap();
    let options = PrepareOptions { separator: Some("\n".to_owned()), force: false };
    let copy = folder.path().join("copy.txt");
    fs::copy(&text, &copy).unwrap();
    let sidecar = prepare(&[text, lines, copy], &BYTES, &out, &options, &mut |_| {}).unwrap();
    assert_eq!(names(&out), ["corpus.json", "documents.bin", "tokenizer.json", "tokens-000.bin"]);
    assert_eq!((sidecar.documents, sidecar.text_bytes, sidecar.tokens), (8, 26 + 6 + 26, 66));
    assert_eq!((sidecar.vocabulary, sidecar.end_of_document, sidecar.token_width), (257, 256, 2));
    let formats: Vec<SourceFormat> = sidecar.sources.iter().map(|source| source.format).collect();
    assert_eq!(formats, [SourceFormat::Text, SourceFormat::Jsonl, SourceFormat::Text]);

    let corpus = Corpus::open(&out).unwrap();
    assert_eq!(corpus.sidecar(), &sidecar);
    corpus.verify().unwrap();
    let decoder = corpus.decoder().unwrap();
    let documents: Vec<String> =
        (0..8).map(|document| decoder.decode(&corpus.document(document).unwrap())).collect();
    let texts =
        ["first line", "second line", "third", "one", "two", "first line", "second line", "third"];
    assert_eq!(documents, texts.map(|text| format!("{text}<|endoftext|>")));
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let (folder, input, out) = folder();
    let other = folder.path().join("other");
    for tokenizer in [BYTES, TokenizerSpec::Bpe { vocabulary: 270 }] {
        let force = PrepareOptions { force: true, ..PrepareOptions::default() };
        run(&input, tokenizer, &out, &force).unwrap();
        run(&input, tokenizer, &other, &force).unwrap();
        assert_eq!(files(&out), files(&other));
    }
}

#[test]
fn running_again_does_nothing_unless_forced() {
    let (_folder, input, out) = folder();
    let (first, progress) = run(&input, BYTES, &out, &PrepareOptions::default()).unwrap();
    assert!(progress.iter().any(|progress| progress.stage == Stage::Encoding));
    let written = fs::metadata(out.join("corpus.json")).unwrap().modified().unwrap();
    let (again, progress) = run(&input, BYTES, &out, &PrepareOptions::default()).unwrap();
    assert_eq!(again, first);
    assert!(progress.iter().all(|progress| progress.stage == Stage::Reading));
    assert_eq!(fs::metadata(out.join("corpus.json")).unwrap().modified().unwrap(), written);
    let force = PrepareOptions { force: true, ..PrepareOptions::default() };
    let (forced, progress) = run(&input, BYTES, &out, &force).unwrap();
    assert_eq!(forced, first);
    assert!(progress.iter().any(|progress| progress.stage == Stage::Encoding));
}

#[test]
fn another_corpus_is_not_replaced_unless_forced() {
    let (folder, input, out) = folder();
    run(&input, BYTES, &out, &PrepareOptions::default()).unwrap();
    let before = files(&out);
    let other = folder.path().join("other.txt");
    fs::write(&other, "something else").unwrap();
    let separator = PrepareOptions { separator: Some("\n".to_owned()), force: false };
    for (input, tokenizer, options, word) in [
        (&other, BYTES, PrepareOptions::default(), "other.txt"),
        (&input, TokenizerSpec::Gpt2, PrepareOptions::default(), "tokenizer"),
        (&input, BYTES, separator, "separator"),
    ] {
        let error = run(input, tokenizer, &out, &options).unwrap_err();
        assert!(
            matches!(error, TextError::OtherCorpus { .. }) && error.to_string().contains(word),
            "{error}"
        );
        assert_eq!(files(&out), before);
    }
    // A reader keeps the corpus it has opened.
    let open = Corpus::open(&out).unwrap();
    let force = PrepareOptions { force: true, ..PrepareOptions::default() };
    run(&other, BYTES, &out, &force).unwrap();
    open.verify().unwrap();
    assert_eq!(Corpus::open(&out).unwrap().sidecar().tokens, 15);
    assert_eq!(names(folder.path()), ["a.txt", "corpus", "other.txt"]);
}

#[test]
fn a_folder_of_other_files_is_never_touched() {
    let (_folder, input, out) = folder();
    fs::create_dir(&out).unwrap();
    fs::write(out.join("thesis.txt"), "years of work").unwrap();
    for force in [false, true] {
        let options = PrepareOptions { force, ..PrepareOptions::default() };
        let error = run(&input, BYTES, &out, &options).unwrap_err();
        assert!(
            matches!(error, TextError::InTheWay { .. }) && error.to_string().contains("thesis.txt"),
            "{error}"
        );
        assert_eq!(names(&out), ["thesis.txt"]);
        // The input itself is no folder.
        assert!(matches!(run(&input, BYTES, &input, &options), Err(TextError::File(_))));
    }
}

#[test]
fn an_empty_folder_is_taken() {
    let (folder, input, _) = folder();
    let out = folder.path().join("deep/down/corpus");
    fs::create_dir_all(&out).unwrap();
    run(&input, BYTES, &out, &PrepareOptions::default()).unwrap();
    Corpus::open(&out).unwrap();
}

#[test]
fn a_damaged_corpus_of_the_same_inputs_is_made_again() {
    let (_folder, input, out) = folder();
    run(&input, BYTES, &out, &PrepareOptions::default()).unwrap();
    let good = files(&out);
    fs::write(out.join("tokens-000.bin"), "cut").unwrap();
    fs::remove_file(out.join("documents.bin")).unwrap();
    run(&input, BYTES, &out, &PrepareOptions::default()).unwrap();
    assert_eq!(files(&out), good);
}

/// A kill leaves the folder aside: it is no corpus, and the next preparation of the same place
/// sweeps it away, but not one that is being written.
#[test]
fn what_a_kill_leaves_is_swept_and_work_under_way_is_not() {
    let (folder, input, out) = folder();
    for name in [
        ".corpus.partial-1-0",
        ".corpus.replaced-1-1",
        ".corpus.partial-2-0",
        ".corpus2.partial-1-0",
    ] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join(".lock"), "").unwrap();
        fs::write(folder.path().join(name).join("tokens-000.bin"), "half").unwrap();
    }
    let lock = fs::File::open(folder.path().join(".corpus.partial-2-0/.lock")).unwrap();
    lock.lock().unwrap();
    run(&input, BYTES, &out, &PrepareOptions::default()).unwrap();
    assert_eq!(
        names(folder.path()),
        [".corpus.partial-2-0", ".corpus2.partial-1-0", "a.txt", "corpus"]
    );
}

#[test]
fn a_failure_leaves_nothing_behind() {
    let (folder, _, out) = folder();
    let input = folder.path().join("bad.txt");
    fs::write(&input, b"good text \xff").unwrap();
    for tokenizer in [BYTES, TokenizerSpec::Bpe { vocabulary: 300 }] {
        let error = run(&input, tokenizer, &out, &PrepareOptions::default()).unwrap_err();
        assert!(matches!(error, TextError::NotUtf8 { offset: 10, .. }));
    }
    assert_eq!(names(folder.path()), ["a.txt", "bad.txt"]);
}

#[test]
fn inputs_that_make_no_corpus_are_errors() {
    let (folder, input, out) = folder();
    let options = PrepareOptions::default();
    assert!(matches!(prepare(&[], &BYTES, &out, &options, &mut |_| {}), Err(TextError::NoInput)));
    let empty_separator = PrepareOptions { separator: Some(String::new()), force: false };
    assert!(matches!(run(&input, BYTES, &out, &empty_separator), Err(TextError::EmptySeparator)));
    let missing = folder.path().join("missing.txt");
    let error = run(&missing, BYTES, &out, &options).unwrap_err();
    assert!(error.to_string().contains("missing.txt"), "{error}");
    assert!(run(folder.path(), BYTES, &out, &options).is_err());
    assert!(!out.exists());
}

#[test]
fn progress_rises_to_the_total_in_every_stage() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("long.txt");
    let text: String = (0..1_200_000).map(|number| format!("{} ", number % 997)).collect();
    fs::write(&input, &text).unwrap();
    let tokenizer = TokenizerSpec::Bpe { vocabulary: 260 };
    let (_, progress) =
        run(&input, tokenizer, &folder.path().join("out"), &PrepareOptions::default()).unwrap();
    for stage in [Stage::Reading, Stage::Learning, Stage::Encoding] {
        let done: Vec<u64> = progress
            .iter()
            .filter(|progress| progress.stage == stage)
            .map(|progress| progress.done)
            .collect();
        assert!(done.len() > 1 && done.is_sorted(), "{stage}: {done:?}");
        assert_eq!(done.last(), Some(&(text.len() as u64)));
    }
    assert!(progress.iter().all(|progress| progress.total == text.len() as u64));
}

/// Two processes may be asked for the same corpus at once.
#[test]
fn preparing_the_same_corpus_twice_at_once_is_harmless() {
    let (folder, input, out) = folder();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| run(&input, BYTES, &out, &PrepareOptions::default()).unwrap());
        }
    });
    Corpus::open(&out).unwrap().verify().unwrap();
    assert_eq!(names(folder.path()), ["a.txt", "corpus"]);
}

/// Tokens that are not those that were written are made again, whatever their number.
#[test]
fn a_damaged_corpus_is_not_taken_for_a_finished_one() {
    let (_folder, input, out) = folder();
    run(&input, BYTES, &out, &PrepareOptions::default()).unwrap();
    let shard = out.join("tokens-000.bin");
    let good = fs::read(&shard).unwrap();
    for at in (0..good.len()).step_by(5) {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        fs::write(&shard, &bytes).unwrap();
        assert!(Corpus::open(&out).unwrap().verify().is_err());
        run(&input, BYTES, &out, &PrepareOptions::default()).unwrap();
        assert_eq!(fs::read(&shard).unwrap(), good);
    }
}

#[test]
fn an_input_given_twice_is_refused() {
    let (_folder, input, out) = folder();
    let options = PrepareOptions::default();
    let error = prepare(&[input.clone(), input], &BYTES, &out, &options, &mut |_| {}).unwrap_err();
    assert!(matches!(error, TextError::Twice { .. }), "{error}");
}

/// A document without a place to cut is refused in little memory, in text and in JSONL.
#[test]
fn a_document_without_an_end_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let long = vec![b'x'; 300 << 20];
    for (name, start) in [("long.txt.zst", ""), ("long.jsonl.zst", "{\"text\":\"")] {
        let input = folder.path().join(name);
        let bytes = [start.as_bytes(), &long].concat();
        fs::write(&input, zstd::encode_all(&bytes[..], 1).unwrap()).unwrap();
        let out = folder.path().join("out");
        let error = run(&input, BYTES, &out, &PrepareOptions::default()).unwrap_err();
        assert!(matches!(error, TextError::TooLong { .. }), "{error}");
    }
}
