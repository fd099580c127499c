//! A run directory of format 1, from before plans were typed: read, reported and continued.

#[expect(dead_code, reason = "no corpus is needed here")]
mod support;

use std::path::{Path, PathBuf};

use support::{succeed, wd};

/// Copies the kept run directory and its corpus.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("the fixture") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        match path.is_dir() {
            true => copy(&path, &target),
            false => drop(std::fs::copy(&path, &target).expect("a copy")),
        }
    }
}

fn fixture(folder: &Path) -> PathBuf {
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../store/tests/format-1"), folder);
    folder.join("run")
}

#[test]
fn it_is_reported() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = fixture(folder.path());
    succeed(wd().arg("report").arg(&run));
    let report = std::fs::read_to_string(run.join("report.html")).expect("a report");
    assert!(report.contains("<svg") && report.contains("12 steps × 64 tokens"));
}

/// Killed after the sixth step, it goes on as if nothing had changed.
#[test]
fn it_continues() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = fixture(folder.path());
    let column = || {
        let mut command = wd();
        let output =
            succeed(command.arg("metrics").arg(&run).args(["--csv", "--columns", "train_loss"]));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().skip(1).map(|cell| cell.parse().expect("a loss")).collect::<Vec<f64>>()
    };
    let before = column();
    std::fs::remove_dir_all(run.join("checkpoints/step-12")).expect("the last checkpoint");
    let events = std::fs::read_to_string(run.join("events.jsonl")).expect("events");
    let kept: String = events.lines().take(2).map(|line| format!("{line}\n")).collect();
    std::fs::write(run.join("events.jsonl"), kept).expect("events");
    let mut command = wd();
    command.current_dir(folder.path()).args(["train", "run/config.toml", "--run-dir", "run"]);
    succeed(command.args(["--resume", "require", "--threads", "1", "--progress", "none"]));
    let after = column();
    assert_eq!(after.len(), 12);
    for (before, after) in before.iter().zip(&after) {
        assert!((before - after).abs() < 1e-4, "{before} {after}");
    }
}
