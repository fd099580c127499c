//! A small real corpus and a tiny model, trained through the command line.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// The command under test.
pub(crate) fn wd() -> Command {
    Command::new(env!("CARGO_BIN_EXE_wd"))
}

/// Runs the command and demands success.
pub(crate) fn succeed(command: &mut Command) -> Output {
    let output = command.output().expect("the command starts");
    assert!(
        output.status.success(),
        "{command:?} failed:\n{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// Prepares this project's licence, paragraph by paragraph, as a corpus of bytes.
pub(crate) fn prepare_corpus(folder: &Path) -> PathBuf {
    let corpus = folder.join("corpus");
    succeed(
        wd().args(["data", "prepare"])
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../LICENSE-APACHE"))
            .args(["--separator", "\n\n", "--tokenizer", "bytes", "--out"])
            .arg(&corpus),
    );
    corpus
}

/// Writes a configuration of a tiny model on `corpus`; `extra` is appended, so it may open new
/// sections.
pub(crate) fn write_config(folder: &Path, corpus: &Path, steps: u64, extra: &str) -> PathBuf {
    let path = folder.join("run.toml");
    let text = format!(
        "[run]\nsteps = {steps}\ncheckpoint_every = 7\nmeasure_every = 5\n\
         [data]\npath = \"{}\"\nsequences = 4\nvalidation_fraction = 0.1\nepochs = 20\n\
         [model]\ncontext = 16\nlayers = 1\nwidth = 16\nheads = 2\ndropout = 0.1\n\
         [optim]\nlr = 1e-2\n[decay]\nlambda = 0.1\n{extra}",
        corpus.display()
    );
    std::fs::write(&path, text).expect("a writable folder");
    path
}
