//! Every reader of recorded runs, given files that were changed at random: each ends in runs or in an
//! error, without a panic, within three seconds, and holds at most twice the bytes of the file
//! beyond what any file takes.
//!
//! `WD_MUTATIONS=1000000 cargo test --release -p wd-import --test mutations` tries so many files a
//! reader (1,000 where it is not set), and `WD_MUTATIONS_SEED` begins elsewhere. A file that a reader
//! fails on is kept in the temporary folder that the failure names.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use wd_import::{Format, ReadOptions, RoleOptions, import, read};

/// The longest that one file may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// What any file takes: buffers, expressions, the names of folders.
const ALWAYS: usize = 4 << 20;

/// Counts what a thread holds.
struct Counting;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static MOST: Cell<usize> = const { Cell::new(0) };
}

fn count(change: impl Fn(usize) -> usize) {
    // A thread that is ending has no cells any more.
    let _ = HELD.try_with(|held| {
        held.set(change(held.get()));
        let _ = MOST.try_with(|most| most.set(most.get().max(held.get())));
    });
}

// SAFETY: every call goes to the system's allocator unchanged; the counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(|held| held.saturating_add(layout.size()));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(|held| held.saturating_sub(layout.size()));
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

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
const PIECES: [&[u8]; 26] = [
    b"\0",
    b"\"",
    b"\n",
    b",",
    b"\t",
    b"{",
    b"}",
    b"[[[[[[[[",
    b"null",
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"-1",
    b"9223372036854775807",
    b"18446744073709551615",
    b"1e-320",
    b"\xff\xfe",
    b"\xc3\x28",
    b"\\ud800",
    b": &a [*a, *a]",
    b"!!python/object:os.system ",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"../",
    b"\x1b[31m",
    b"=",
    b"0",
];

/// A file with a few changes.
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
        let far = if random.below(3) == 0 { 4096 } else { 16 };
        let end = (at + 1 + random.below(far)).min(length);
        let piece = PIECES[random.below(PIECES.len())];
        match random.below(8) {
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
            6 => {
                let word = [0, u64::MAX, i64::MAX as u64, 1 << 31, 1 << 32, random.next()];
                let word = word[random.below(word.len())].to_le_bytes();
                let width = [1, 2, 4, 8][random.below(4)];
                let at = random.below(length - 8);
                bytes[at..at + width].copy_from_slice(&word[..width]);
            }
            _ => bytes[random.below(length.min(64))] = random.next() as u8,
        }
    }
    bytes
}

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn data(path: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    fs::read(folder.join(path)).unwrap()
}

/// Puts mutations of a file at a place, changes what lies in it by `mend` (checksums, that the
/// change may reach what lies behind them), and reads the folder.
fn survive(name: &str, format: Format, place: &str, original: &[u8], mend: impl Fn(&mut [u8])) {
    let folder = tempfile::tempdir().unwrap();
    survive_in(folder.path(), name, format, place, original, mend);
}

fn survive_in(
    folder: &Path,
    name: &str,
    format: Format,
    place: &str,
    original: &[u8],
    mend: impl Fn(&mut [u8]),
) {
    let path = folder.join(place);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let count = from_environment("WD_MUTATIONS", 1_000);
    let seed = from_environment("WD_MUTATIONS_SEED", 1);
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let kept = std::env::temp_dir().join(format!("wd-import-mutation-{name}"));
    let options = ReadOptions { format: Some(format), ..ReadOptions::default() };
    let paths: [PathBuf; 1] = [folder.to_owned()];
    let mut has_read = 0;
    for number in 0..count {
        let mut bytes = match number {
            0 => original.to_vec(),
            _ => mutated(&mut random, original),
        };
        if number % 2 == 1 {
            mend(&mut bytes);
        }
        fs::write(&path, &bytes).unwrap();
        let begin = Instant::now();
        let before = HELD.get();
        MOST.set(before);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let found = read(&paths, &options).is_ok();
            let held = MOST.get() - before;
            if number % 8 == 0 {
                let import = import(&paths, &options, &RoleOptions::default());
                let _ = import.map(|import| import.analyse(&wd_lab::AnalysisOptions::default()));
            }
            (found, held)
        }));
        let (found, held) = outcome.unwrap_or((false, usize::MAX));
        has_read += usize::from(found);
        let is_too_much = held > ALWAYS + 2 * bytes.len();
        if is_too_much || begin.elapsed() > PATIENCE {
            fs::write(&kept, &bytes).unwrap();
            let (took, place) = (begin.elapsed(), kept.display());
            panic!("file {number} took {took:?} and {held} bytes of memory; it is kept as {place}");
        }
    }
    // A test in which nothing is read tests little.
    assert!(has_read > 0, "{name}: nothing was read");
}

/// One thread, so that the counts are those of the reader.
fn alone(test: impl FnOnce() + Send) {
    rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(test);
}

fn nothing(_: &mut [u8]) {}

/// Writes the checksums of event records anew, as far as their lengths lead.
fn mend_events(bytes: &mut [u8]) {
    let masked = |bytes: &[u8]| {
        crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
    };
    let mut at = 0;
    while let Some(head) = bytes.get(at..at + 8) {
        let length = u64::from_le_bytes(head.try_into().unwrap());
        let Ok(length) = usize::try_from(length) else { return };
        let Some(end) = length.checked_add(at + 12).filter(|end| end + 4 <= bytes.len()) else {
            return;
        };
        let (head, data) = (masked(head), masked(&bytes[at + 12..end]));
        bytes[at + 8..at + 12].copy_from_slice(&head);
        bytes[end..end + 4].copy_from_slice(&data);
        at = end + 4;
    }
}

/// The same of W&B's chunks.
fn mend_chunks(bytes: &mut [u8]) {
    let mut at = 7;
    while at + 7 <= bytes.len() {
        let left = 32 * 1024 - at % (32 * 1024);
        if left < 7 {
            at += left;
            continue;
        }
        let length = usize::from(u16::from_le_bytes([bytes[at + 4], bytes[at + 5]]));
        let Some(data) = bytes.get(at + 6..at + 7 + length) else { return };
        let checksum = crc32fast::hash(data).to_le_bytes();
        bytes[at..at + 4].copy_from_slice(&checksum);
        at += 7 + length;
    }
}

#[test]
fn event_files() {
    let name = "events.out.tfevents.1796027630.vm.10446.0";
    let original = data(&format!("digits-sweep/tensorboard/wd0-s0/{name}"));
    alone(|| survive("events", Format::Tensorboard, name, &original, mend_events));
    let folder = "digits-sweep/tensorboard/wd0-s0/1796027634.8607504";
    let settings = data(&format!("{folder}/events.out.tfevents.1796027634.vm.10446.1"));
    let place = "1796027634.8/events.out.tfevents.1796027634.vm.10446.1";
    let around = tempfile::tempdir().unwrap();
    fs::write(around.path().join(name), &original).unwrap();
    alone(|| {
        survive_in(around.path(), "hparams", Format::Tensorboard, place, &settings, mend_events);
    });
}

#[test]
fn wandb() {
    let path =
        "digits-sweep/wandb-offline/wandb/offline-run-20261130_083353-a0000xq/run-a0000xq.wandb";
    let original = data(path);
    alone(|| survive("wandb", Format::Wandb, "run-a.wandb", &original, mend_chunks));
}

#[test]
fn databases() {
    for (name, format, path) in [
        ("mlflow", Format::Mlflow, "digits-sweep/mlflow/mlflow.db"),
        ("trackio", Format::Trackio, "digits-sweep/trackio/digits.db"),
        ("optuna", Format::Optuna, "digits-sweep/optuna/study.db"),
    ] {
        let original = data(path);
        alone(|| survive(name, format, "runs.db", &original, nothing));
    }
}

#[test]
fn journals() {
    let original = data("digits-sweep/optuna/journal.log");
    alone(|| survive("journal", Format::OptunaJournal, "journal.log", &original[..8000], nothing));
}

#[test]
fn lightning() {
    let table = data("digits-sweep/lightning/digits/version_0/metrics.csv");
    let settings = data("digits-sweep/lightning/digits/version_0/hparams.yaml");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("hparams.yaml"), &settings).unwrap();
    let format = Format::Lightning;
    alone(|| survive_in(folder.path(), "lightning", format, "metrics.csv", &table, nothing));
    fs::write(folder.path().join("metrics.csv"), &table).unwrap();
    alone(|| survive_in(folder.path(), "hparams.yaml", format, "hparams.yaml", &settings, nothing));
}

#[test]
fn hugging_face() {
    let original = data("hf-trainer/wd0-s0/trainer_state.json");
    let place = "trainer_state.json";
    alone(|| survive("trainer-state", Format::HuggingFace, place, &original, nothing));
}

#[test]
fn tables_and_text() {
    let mut csv = "run,wd,seed,step,val/loss\n".to_owned();
    let mut lines = String::new();
    for run in 0..4 {
        for step in 0..10 {
            csv +=
                &format!("r{run},{},{},{step},{}\n", run / 2, run % 2, 3.0 - 0.1 * f64::from(step));
            lines += &format!(
                "{{\"run\": {run}, \"wd\": {}, \"step\": {step}, \"loss\": 2.5}}\n",
                run / 2
            );
        }
    }
    alone(|| survive("csv", Format::Csv, "runs.csv", csv.as_bytes(), nothing));
    alone(|| survive("jsonl", Format::JsonLines, "runs.jsonl", lines.as_bytes(), nothing));
    let text = data("modded-nanogpt/478c0427-06ce-4952-bc0a-7e2dfaea29b6.txt");
    alone(|| survive("text", Format::Text, "train.log", &text, nothing));
    let tsv = b"timestamp\tstep\tloss\n1\t0\t2.5\n2\t10\tnan\n3\t20\t1.5\n";
    let place = "plots/metrics/train/loss.tsv";
    alone(|| survive("dvclive", Format::Dvclive, place, tsv, nothing));
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("0/run/metrics")).unwrap();
    let meta = b"run_name: a\nstatus: 3\nlifecycle_stage: active\n";
    fs::write(folder.path().join("0/run/metrics/loss"), "17 2.5 0\n18 1.5 10 set digest\n")
        .unwrap();
    let format = Format::MlflowFiles;
    alone(|| survive_in(folder.path(), "meta", format, "0/run/meta.yaml", meta, nothing));
}

#[test]
fn parquet() {
    let folder = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/digits-sweep/mlflow");
    let found = import(&[source], &ReadOptions::default(), &RoleOptions::default()).unwrap();
    let study = found.save(&folder.path().join("study"), "digits").unwrap();
    let out = folder.path().join("tables");
    wd_import::export(&study, None, wd_import::export::Form::Parquet, &out).unwrap();
    let original = fs::read(out.join("series.parquet")).unwrap();
    alone(|| survive("parquet", Format::Parquet, "series.parquet", &original, nothing));
}

/// Holds at most twice the bytes of a file of many megabytes, in every format that can be that long.
#[test]
fn a_long_file_is_held_at_most_twice() {
    let folder = tempfile::tempdir().unwrap();
    let points = 150_000_u64;
    let mut csv = "run,wd,step,metric,value\n".to_owned();
    let mut lines = String::new();
    let mut text = String::new();
    for step in 0..points {
        let loss = 3.0 / (1.0 + step as f64).sqrt();
        let run = step * 10 / points;
        csv += &format!("run-{run},{},{step},train/loss,{loss}\n", run % 2);
        lines += &format!("{{\"run\": \"a\", \"wd\": 0.1, \"step\": {step}, \"loss\": {loss}}}\n");
        text += &format!("step:{step}/{points} val_loss:{loss:.5} train_time:1.0s\n");
    }
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let paths = [write("a.csv", &csv), write("a.jsonl", &lines), write("a.log", &text)];
    drop((csv, lines, text));
    // The same curve as event files, and as Parquet.
    let found = read_of(&paths[0]);
    let roles = RoleOptions::default();
    let import = import(&[paths[0].clone()], &ReadOptions::default(), &roles).unwrap();
    assert_eq!(
        found.iter().map(|run| run.curves["train/loss"].steps.len()).sum::<usize>(),
        150_000
    );
    let study = import.save(&folder.path().join("study"), "long").unwrap();
    let events = folder.path().join("events");
    wd_import::export(&study, None, wd_import::export::Form::Tensorboard, &events).unwrap();
    drop((found, import));
    for path in paths.iter().chain([&events]) {
        alone(|| {
            let before = HELD.get();
            MOST.set(before);
            let runs = read_of(path);
            let held = MOST.get() - before;
            assert!(!runs.is_empty());
            let size = size_of_all(path);
            assert!(held <= ALWAYS + 2 * size, "{}: {held} of {size}", path.display());
        });
    }
}

fn read_of(path: &Path) -> Vec<wd_import::Run> {
    read(&[path.to_owned()], &ReadOptions::default()).unwrap().1
}

fn size_of_all(path: &Path) -> usize {
    match path.is_dir() {
        true => fs::read_dir(path).unwrap().map(|entry| size_of_all(&entry.unwrap().path())).sum(),
        false => fs::metadata(path).unwrap().len() as usize,
    }
}
