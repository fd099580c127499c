//! Every reader of foreign or stored bytes, given files that were changed at random: each ends in a
//! value or in an error of its own, without a panic, within three seconds and in bounded memory.
//!
//! `WD_MUTATIONS=1000000 cargo test --release -p wd --test mutations` tries so many files a reader
//! (300 where it is not set, which takes seconds), and `WD_MUTATIONS_SEED` begins elsewhere. A file
//! that a reader fails on is kept in the temporary folder that the failure names.

mod support;

use std::cell::RefCell;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use support::{prepare_corpus, succeed, wd, write_config};
use wd_data::images::ImageSet;
use wd_data::table::{
    DateUse, DecimalMark, Design, DesignOptions, Reading, TargetUse, TextEncoding, Unseen,
};
use wd_data::text::{Corpus, PrepareOptions, TokenizerSpec, prepare};
use wd_evidence::fit::{Model, PredictionOptions, Request, fit};
use wd_lab::Study;
use wd_store::{RunDirectory, read_safetensors};
use wd_train::{ConfigSource, Declaration};

/// The longest that one file may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// Bytes that the process may have held at most.
const MEMORY: u64 = 1 << 30;

/// Numbers from a seed: xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { (self.next() % bound as u64) as usize }
    }
}

/// What parsers stumble over.
const PIECES: [&[u8]; 40] = [
    b"\0",
    b"\"",
    b"\n",
    b"\r\n",
    b",",
    b";",
    b"\t",
    b"{",
    b"}",
    b"[",
    b"]",
    b"null",
    b"true",
    b"NaN",
    b"inf",
    b"-inf",
    b"1e308",
    b"-1e308",
    b"1e-320",
    b"1e999",
    b"-0.0",
    b"0",
    b"-1",
    b"4294967295",
    b"4294967296",
    b"9223372036854775807",
    b"9223372036854775808",
    b"18446744073709551615",
    b"1000000000",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xc3\x28",
    b"\xe2\x80\xae",
    b"\"\"",
    b"[[[[[[[[",
    b"\\u0000",
    b"\\ud800",
    b"../",
    b"\x1b[31m",
    b"=1+1",
];

/// A file with a few changes: bits, bytes, words of extreme value, pieces taken out, doubled,
/// brought from elsewhere, and its end cut off.
fn mutated(random: &mut Random, original: &[u8]) -> Vec<u8> {
    let mut bytes = original.to_vec();
    let most = if random.below(4) == 0 { 12 } else { 3 };
    for _ in 0..=random.below(most) {
        let length = bytes.len();
        if length < 9 {
            bytes.extend_from_slice(PIECES[random.below(PIECES.len())]);
            continue;
        }
        let at = random.below(length);
        let most_of_it = if random.below(3) == 0 { 4096 } else { 16 };
        let end = (at + 1 + random.below(most_of_it)).min(length);
        let piece = PIECES[random.below(PIECES.len())];
        match random.below(9) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.next() as u8,
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..end)),
            4 => {
                let part = bytes[at..end].to_vec();
                let to = random.below(length);
                bytes.splice(to..to, part);
            }
            5 => drop(bytes.splice(at..at, piece.iter().copied())),
            6 => drop(bytes.splice(at..(at + piece.len()).min(length), piece.iter().copied())),
            7 => {
                let word = [0, u64::MAX, i64::MAX as u64, 1 << 31, 1 << 32, random.next()];
                let word = word[random.below(word.len())].to_le_bytes();
                let width = [1, 2, 4, 8][random.below(4)];
                let at = random.below(length - 8);
                bytes[at..at + width].copy_from_slice(&word[..width]);
            }
            // Headers stand at the beginning.
            _ => bytes[random.below(length.min(64))] = random.next() as u8,
        }
    }
    bytes.truncate(4 << 20);
    bytes
}

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Puts mutations of `originals` at `place` and reads them.
fn survive(name: &str, originals: &[Vec<u8>], place: &Path, read: impl Fn()) {
    let count = from_environment("WD_MUTATIONS", 300);
    let seed = from_environment("WD_MUTATIONS_SEED", 1);
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let kept = std::env::temp_dir().join(format!("wd-mutation-{name}"));
    for number in 0..count {
        let bytes = match originals.get(number as usize) {
            Some(original) => original.clone(),
            None => {
                let original = random.below(originals.len());
                mutated(&mut random, &originals[original])
            }
        };
        fs::write(place, &bytes).expect("a writable folder");
        let begin = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(&read));
        if outcome.is_err() || begin.elapsed() > PATIENCE {
            fs::write(&kept, &bytes).expect("a writable folder");
            panic!("file {number} took {:?}; it is kept as {}", begin.elapsed(), kept.display());
        }
    }
    if let Some(held) = most_held() {
        assert!(held < MEMORY, "{held} bytes were held");
    }
}

/// The most bytes that the process has held, where the system says.
fn most_held() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kibibytes| kibibytes << 10)
}

fn golden(path: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/tests/golden");
    fs::read(folder.join(path)).expect("a golden file")
}

const TABLE: &str = "x,c,w,y\n1,b,1,1\n2,a,2,4\n3,\"b\",1,9\n4,a,1.5,16\n5,b,1,25\n6,a,2,36.5\n";

/// Reads a table in several ways.
fn read_table(path: &Path) {
    let without_names = Reading { header: false, ..Reading::default() };
    let told = Reading {
        decimal: DecimalMark::Comma,
        thousands: Some('.'),
        strip: vec!["€".to_owned(), "%".to_owned()],
        missing: vec!["4".to_owned()],
        comment: Some(b'#'),
        encoding: TextEncoding::Latin1,
        drop_missing_rows: true,
        unseen: Some(Unseen::Missing),
        ..Reading::default()
    };
    let of = |target: &str| DesignOptions {
        targets: vec![target.to_owned()],
        impute_mean: true,
        ..DesignOptions::default()
    };
    let weighted = DesignOptions { weights: Some("w".to_owned()), ..of("y") };
    let nameless = DesignOptions { reading: without_names, ..of("column1") };
    let made = DesignOptions {
        reading: told,
        dates: DateUse::YearMonth,
        with: vec!["x:c".to_owned(), "square(x)".to_owned()],
        offset: Some("w".to_owned()),
        impute_mean: false,
        ..of("sqrt(y)")
    };
    for options in [weighted, nameless, made, DesignOptions { classes: true, ..of("y") }] {
        let Ok(design) = Design::infer(path, &options) else { continue };
        let Ok(mut blocks) = design.read(path, &options.reading, TargetUse::Required) else {
            continue;
        };
        while let Ok(Some(block)) = blocks.next_block() {
            assert!(!block.is_complete || block.values.iter().all(|value| value.is_finite()));
        }
    }
}

#[test]
fn tables() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = folder.path().join("table");
    let csv = TABLE.as_bytes().to_vec();
    let semicolons = TABLE.replace(',', ";").replace('.', ",").into_bytes();
    let parquet = ["damaged/guarded-panic-printed.parquet", "damaged/endless-page-header.parquet"];
    let originals: Vec<Vec<u8>> =
        [csv, semicolons].into_iter().chain(parquet.map(golden)).collect();
    survive("tables", &originals, &place, || read_table(&place));
}

#[test]
fn texts() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in [
        ("a.txt", "one two\n\nthree, four.\n\nfünf ✓\n".repeat(5)),
        ("a.jsonl", "{\"text\": \"one \\u00fc\", \"id\": 3}\n{\"text\": \"two\"}\n".repeat(5)),
    ] {
        let place = folder.path().join(name);
        let out = folder.path().join("corpus");
        let options = PrepareOptions { separator: Some("\n\n".to_owned()), force: true };
        survive(name, &[text.into_bytes()], &place, || {
            let inputs = [place.clone()];
            for tokenizer in [TokenizerSpec::Bytes, TokenizerSpec::Bpe { vocabulary: 260 }] {
                let _ = prepare(&inputs, &tokenizer, &out, &options, &mut |_| {});
            }
            let _ = fs::remove_dir_all(&out);
        });
    }
}

/// A set of images in IDX: 12 of 4 × 4 pixels.
fn idx() -> (Vec<u8>, Vec<u8>) {
    let mut images = vec![0, 0, 8, 3, 0, 0, 0, 12, 0, 0, 0, 4, 0, 0, 0, 4];
    images.extend((0..12 * 16).map(|pixel| (pixel * 7 % 251) as u8));
    let mut labels = vec![0, 0, 8, 1, 0, 0, 0, 12];
    labels.extend((0..12).map(|label| label % 3));
    (images, labels)
}

#[test]
fn images() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (images, labels) = idx();
    let idx = folder.path().join("idx");
    fs::create_dir(&idx).expect("a writable folder");
    for part in ["train", "t10k"] {
        fs::write(idx.join(format!("{part}-images-idx3-ubyte")), &images).expect("a file");
        fs::write(idx.join(format!("{part}-labels-idx1-ubyte")), &labels).expect("a file");
    }
    let open = |path: &Path| drop(ImageSet::open(path));
    let place = idx.join("train-images-idx3-ubyte");
    survive("idx-images", std::slice::from_ref(&images), &place, || open(&idx));
    fs::write(&place, &images).expect("a file");
    let place = idx.join("train-labels-idx1-ubyte");
    survive("idx-labels", std::slice::from_ref(&labels), &place, || open(&idx));

    let parquet = folder.path().join("parquet");
    fs::create_dir(&parquet).expect("a writable folder");
    let whole = golden("images/train-00000-of-00001.parquet");
    fs::write(parquet.join("test.parquet"), &whole).expect("a file");
    let damaged = golden("damaged/image-dictionary-panic.parquet");
    let place = parquet.join("train.parquet");
    survive("image-parquet", &[whole, damaged], &place, || open(&parquet));

    let cifar = folder.path().join("cifar");
    fs::create_dir(&cifar).expect("a writable folder");
    let mut records = Vec::new();
    for record in 0..3u8 {
        records.push(record);
        records.extend((0..3072).map(|pixel: u32| (pixel * 31 % 253) as u8 ^ record));
    }
    for number in 1..=5 {
        fs::write(cifar.join(format!("data_batch_{number}.bin")), &records).expect("a file");
    }
    fs::write(cifar.join("test_batch.bin"), &records).expect("a file");
    let place = cifar.join("data_batch_1.bin");
    survive("cifar", &[records], &place, || open(&cifar));

    let classes = folder.path().join("classes");
    for part in ["train", "test"] {
        for class in ["a", "b"] {
            let folder = classes.join(part).join(class);
            fs::create_dir_all(&folder).expect("a writable folder");
            fs::write(folder.join("1.png"), golden("images/colour.png")).expect("a file");
        }
    }
    let names = ["colour.png", "deep.png", "palette.png", "bilevel.png", "alpha.png", "grey.png"];
    let files: Vec<Vec<u8>> = names.iter().map(|name| golden(&format!("images/{name}"))).collect();
    let place = classes.join("train/a/1.png");
    survive("png", &files, &place, || open(&classes));
    let files =
        ["colour.jpg", "grey.jpg", "progressive.jpg"].map(|name| golden(&format!("images/{name}")));
    fs::remove_file(&place).expect("a file");
    let place = classes.join("train/a/1.jpg");
    survive("jpeg", &files, &place, || open(&classes));
}

/// Reads the file at `path` of a folder that is whole otherwise, changed, and puts it back.
fn within(name: &str, path: &Path, read: impl Fn()) {
    let whole = fs::read(path).expect("a file");
    survive(name, std::slice::from_ref(&whole), path, read);
    fs::write(path, whole).expect("a writable file");
}

#[test]
fn corpora() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = prepare_corpus(folder.path());
    let whole = Corpus::open(&corpus).expect("a corpus");
    let tokens = whole.tokens(0..whole.sidecar().tokens).expect("tokens");
    let hash = whole.sidecar().hash.clone();
    drop(whole);
    for file in ["corpus.json", "documents.bin", "tokens-000.bin", "tokenizer.json"] {
        within(file, &corpus.join(file), || {
            let Ok(found) = Corpus::open(&corpus) else { return };
            let _ = found.decoder().map(|decoder| decoder.decode(&[1, 2, 3]));
            if found.verify().is_ok() && found.sidecar().hash == hash {
                // What passes for the same holds the same.
                let found = found.tokens(0..found.sidecar().tokens);
                assert!(found.is_err() || found.is_ok_and(|found| found == tokens));
            }
        });
    }
}

#[test]
fn runs() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = prepare_corpus(folder.path());
    let config = write_config(folder.path(), &corpus, 9, "");
    let path = folder.path().join("run");
    succeed(
        wd().arg("train").arg(&config).arg("--run-dir").arg(&path).args(["--progress", "none"]),
    );
    let run = RunDirectory::open(&path).expect("a run");
    let checkpoint = path.join("checkpoints/step-9");
    let step = || {
        let latest = run.checkpoints().latest().expect("a directory that can be listed");
        latest.checkpoint.map(|checkpoint| checkpoint.step)
    };
    // Not one damaged file passes for the checkpoint, and the one before it stays.
    let good = fs::read(checkpoint.join("model.safetensors")).expect("weights");
    within("model.safetensors", &checkpoint.join("model.safetensors"), || {
        let now = fs::read(checkpoint.join("model.safetensors")).expect("weights");
        assert_eq!(step(), Some(if now == good { 9 } else { 7 }));
        let _ = read_safetensors(checkpoint.join("model.safetensors"));
    });
    within("state.json", &checkpoint.join("state.json"), || {
        // A version that is to come is no damage.
        let _ = run.checkpoints().latest();
    });
    within("metrics.bin", &run.metrics_path(), || {
        let Ok(metrics) = run.metrics() else { return };
        let names: Vec<String> =
            metrics.columns().iter().map(|column| column.name.clone()).collect();
        for name in names {
            let _ = metrics.column(&name);
        }
    });
    within("plan.json", &run.plan_path(), || drop(run.read_plan()));
    within("events.jsonl", &run.events_path(), || {
        let _ = run.events();
        let _ = run.status();
    });
}

#[test]
fn models_and_sums() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("a.csv");
    fs::write(&data, TABLE).expect("a writable folder");
    let (model, sums) = (folder.path().join("model.json"), folder.path().join("sums.json"));
    let evidence = |option: &str, path: &PathBuf| {
        succeed(wd().arg("evidence").arg(&data).args(["--target", "y", option]).arg(path));
    };
    evidence("--save", &model);
    evidence("--sums", &sums);
    let options = PredictionOptions { level: 0.9, ..PredictionOptions::default() };
    within("model.json", &model, || {
        let Ok(model) = Model::read(&model) else { return };
        let Ok(mut predictions) = model.predict(&data, &options) else { return };
        while let Ok(Some(_)) = predictions.next_block() {}
    });
    let good = fs::read_to_string(&sums).expect("sums");
    let accepted = RefCell::new(0);
    within("sums.json", &sums, || {
        let now = fs::read(&sums).expect("sums");
        let is_accepted = fit(&[&sums], &Request::new("y")).is_ok();
        if is_accepted && now != good.as_bytes() {
            *accepted.borrow_mut() += 1;
        }
    });
    // White space, a key that stands twice and a checksum that is gone change nothing that counts.
    let count = from_environment("WD_MUTATIONS", 300);
    assert!(*accepted.borrow() <= count / 20 + 1, "{} of {count}", accepted.borrow());
}

#[test]
fn configurations_and_studies() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let studies = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../studies");
    let mut originals = Vec::new();
    for entry in fs::read_dir(studies).expect("the shipped studies") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            originals.push(fs::read(path).expect("a study"));
        }
    }
    let place = folder.path().join("run.toml");
    survive("toml", &originals, &place, || {
        let Ok(text) = fs::read_to_string(&place) else { return };
        if let Ok(source) = ConfigSource::parse("run.toml", text) {
            let _ = Declaration::new(&source);
        }
    });

    let corpus = prepare_corpus(folder.path());
    let config = write_config(folder.path(), &corpus, 9, "");
    let base = fs::read_to_string(config).expect("a configuration");
    let root = folder.path().join("study");
    let grid = wd_lab::Grid::parse(&["decay.lambda=0,0.1", "run.seed=0..1"]).expect("a grid");
    let study = Study::extend(&root, "a study", &base, |study| study.add(&grid));
    study.expect("a writable folder");
    within("study.json", &root.join("study.json"), || drop(Study::open(&root)));
}
