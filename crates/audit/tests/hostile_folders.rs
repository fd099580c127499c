//! Damaged folders: every one is audited whole, with the files that others point to cut, changed,
//! taken away or replaced. No panic, no hang, and nothing outside the folder is read.
//!
//! `WD_MUTATIONS=n` tries so many damages a folder (200 where it is not set), and
//! `WD_MUTATIONS_SEED` begins elsewhere.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use wd_audit::{Audit, Request};

/// Folders whose parts point to each other.
const FOLDERS: [&str; 12] = [
    "tests/files/shards/zero-1",
    "tests/files/shards/zero-2",
    "tests/files/shards/zero-3",
    "tests/files/shards/universal",
    "tests/files/shards/megatron",
    "tests/files/shards/torch-dist",
    "tests/files/torch-2.15/dcp_flat",
    "tests/files/torch-2.15/dcp_nested",
    "tests/files/configs",
    "tests/fixtures/clean/hugging-face-trainer",
    "tests/fixtures/clean/olmo-core",
    "tests/fixtures/clean/litgpt",
];

/// What a reader may take for a damaged folder of some kilobytes.
const PATIENCE: Duration = Duration::from_secs(5);

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a whole number"))
}

/// Files of a folder and of those in it, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![folder.to_owned()];
    while let Some(folder) = left.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { left.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(&file, target).unwrap();
    }
}

/// Reads a folder as the command does, page and JSON included.
fn audit(folder: &Path) -> Result<String, String> {
    let request = Request { paths: vec![folder.to_owned()], ..Request::default() };
    let audit = Audit::of(&request).map_err(|error| error.to_string())?;
    audit.page(&wd_page::Context::default()).html();
    serde_json::to_string(&audit).map_err(|error| error.to_string())
}

struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % end.max(1)
    }
}

/// Damages a file in one of six ways, and says how.
fn damage(path: &Path, whole: &[u8], others: &[PathBuf], random: &mut Random) -> &'static str {
    let mut bytes = whole.to_vec();
    let way = match random.below(8) {
        0 => {
            std::fs::remove_file(path).unwrap();
            return "taken away";
        }
        1 => {
            bytes.truncate(random.below(whole.len()));
            "cut"
        }
        2 => {
            bytes = std::fs::read(&others[random.below(others.len())]).unwrap();
            "replaced by another"
        }
        3 if !bytes.is_empty() => {
            let from = random.below(bytes.len());
            let to = (from + 1 + random.below(64)).min(bytes.len());
            let again = bytes[from..to].to_vec();
            bytes.splice(from..from, again);
            "a part doubled"
        }
        _ => {
            for _ in 0..1 + random.below(4) {
                let at = random.below(bytes.len());
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = random.below(256) as u8;
                }
            }
            "bytes changed"
        }
    };
    std::fs::write(path, bytes).unwrap();
    way
}

#[test]
fn damaged_folders_end_with_a_page_or_a_reason() {
    let count = from_environment("WD_MUTATIONS", 200);
    let mut random = Random(from_environment("WD_MUTATIONS_SEED", 1));
    for name in FOLDERS {
        let folder = tempfile::tempdir().unwrap();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join(name), folder.path());
        assert!(audit(folder.path()).is_ok(), "{name}");
        let parts = files(folder.path());
        let wholes: Vec<Vec<u8>> = parts.iter().map(|part| std::fs::read(part).unwrap()).collect();
        let mut refused = 0;
        for _ in 0..count {
            let at = random.below(parts.len());
            let way = damage(&parts[at], &wholes[at], &parts, &mut random);
            let start = Instant::now();
            refused += u64::from(audit(folder.path()).is_err());
            let took = start.elapsed();
            assert!(took < PATIENCE, "{}: {way}: {took:?}", parts[at].display());
            std::fs::write(&parts[at], &wholes[at]).unwrap();
        }
        println!("{name}: {count} damages, {refused} refused");
    }
}

/// A distributed checkpoint names its files: a name that leaves the folder is refused.
#[test]
#[cfg(unix)]
fn links_and_names_that_leave_the_folder_are_refused() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files/torch-2.15/dcp_flat");
    let outside = tempfile::tempdir().unwrap();
    let data = outside.path().join("__0_0.distcp");
    std::fs::copy(source.join("__0_0.distcp"), &data).unwrap();

    let linked = tempfile::tempdir().unwrap();
    copy(&source, linked.path());
    std::fs::remove_file(linked.path().join("__0_0.distcp")).unwrap();
    std::os::unix::fs::symlink(&data, linked.path().join("__0_0.distcp")).unwrap();
    let refusal = audit(linked.path()).unwrap_err();
    assert!(refusal.contains("__0_0.distcp"), "{refusal}");

    // Of the same length, so that the pickle stays whole.
    let named = tempfile::tempdir().unwrap();
    copy(&source, named.path());
    let metadata = std::fs::read(source.join(".metadata")).unwrap();
    let (name, other) = (b"__0_0.distcp", b"../../passwd");
    let at: Vec<usize> =
        (0..metadata.len() - name.len()).filter(|&at| metadata[at..].starts_with(name)).collect();
    assert!(!at.is_empty());
    let mut changed = metadata;
    for at in at {
        changed[at..at + name.len()].copy_from_slice(other);
    }
    std::fs::write(named.path().join(".metadata"), changed).unwrap();
    let refusal = audit(named.path()).unwrap_err();
    assert!(refusal.contains("passwd"), "{refusal}");
}
