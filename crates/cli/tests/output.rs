//! What is printed and written, where the reader is gone or the folder is not there yet.

#[expect(dead_code, reason = "no corpus is needed here")]
mod support;

use std::path::{Path, PathBuf};
use std::process::Stdio;

use support::{succeed, wd};

fn diabetes() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpora/tables/diabetes.csv")
}

/// A pipe without a reader, as `| head -0` leaves it.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let table = diabetes();
    let table = table.to_str().expect("UTF-8");
    let commands: [&[&str]; 8] = [
        &["evidence", table, "--target", "target"],
        &["evidence", table, "--target", "target", "--json"],
        &["convert", "--list"],
        &["convert", "torch.AdamW", "weight_decay=0.1", "lr=1e-3", "--to", "all", "--json"],
        &["explain", "torch.AdamW", "weight_decay=0.1", "lr=1e-3"],
        &[
            "advise",
            "--params",
            "124M",
            "--tokens",
            "10B",
            "--batch",
            "0.5M",
            "--lr",
            "6e-4",
            "--schedule",
            "cosine:0.1",
        ],
        &["completions", "bash"],
        &["evidence", "--help"],
    ];
    for words in commands {
        let output = wd().args(words).stdout(closed()).output().expect("the command starts");
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}:\n{message}");
        assert!(message.is_empty(), "{words:?}:\n{message}");
        // Without a reader of errors either.
        let status = wd()
            .args(words)
            .stdout(closed())
            .stderr(closed())
            .status()
            .expect("the command starts");
        assert!(status.success(), "{words:?}");
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let saved = folder.path().join("model.json");
    let status = wd()
        .args(["evidence", table, "--target", "target", "--save"])
        .arg(&saved)
        .stdout(Stdio::null())
        .stderr(closed())
        .status()
        .expect("the command starts");
    assert!(status.success() && saved.exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_one() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
    let output = wd()
        .arg("evidence")
        .arg(diabetes())
        .args(["--target", "target"])
        .stdout(full.expect("/dev/full"))
        .output()
        .expect("the command starts");
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("cannot write the output"), "{message}");
}

#[test]
fn folders_that_are_missing_are_made() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let inside = |path: &str| folder.path().join(path);
    let evidence = |flag: &str, path: &str| {
        succeed(
            wd().arg("evidence")
                .arg(diabetes())
                .args(["--target", "target", flag])
                .arg(inside(path)),
        );
        assert!(inside(path).exists(), "{flag} {path}");
    };
    evidence("--out", "a/b/report.html");
    evidence("--save", "c/d/model.json");
    evidence("--sums", "e/f/sums.json");
    succeed(
        wd().arg("predict")
            .arg(inside("c/d/model.json"))
            .arg(diabetes())
            .arg("--out")
            .arg(inside("g/h/predictions.csv")),
    );
    let setting = ["torch.AdamW", "weight_decay=0.1", "lr=1e-3", "schedule=cosine", "steps=100"];
    for (flag, path) in [("--html", "i/j/page.html"), ("--svg", "k/l/figure.svg")] {
        succeed(wd().arg("explain").args(setting).arg(flag).arg(inside(path)));
        assert!(inside(path).exists(), "{flag} {path}");
    }
    assert!(inside("g/h/predictions.csv").exists());
    // In the way of a folder lies a file.
    let output = wd()
        .arg("evidence")
        .arg(diabetes())
        .args(["--target", "target", "--save"])
        .arg(inside("c/d/model.json/model.json"))
        .output()
        .expect("the command starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("model.json"));
}
