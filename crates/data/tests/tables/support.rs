//! Whole tables in memory, for comparison.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use wd_data::table::{Design, DesignOptions, Findings, TableError, TargetUse};

/// Everything that a table holds.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) design: Design,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<f64>>,
    pub(crate) targets: Vec<f64>,
    pub(crate) weights: Vec<f64>,
    pub(crate) offset: Vec<f64>,
    pub(crate) numbers: Vec<u64>,
    pub(crate) findings: Findings,
}

/// A folder with one file.
pub(crate) fn file(name: &str, bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// Options with these targets.
pub(crate) fn targets(names: &[&str]) -> DesignOptions {
    DesignOptions {
        targets: names.iter().map(|name| (*name).to_owned()).collect(),
        ..DesignOptions::default()
    }
}

/// Reads a table whole.
pub(crate) fn read(path: &Path, options: &DesignOptions) -> Result<Whole, TableError> {
    let design = Design::infer(path, options)?;
    let mut whole = Whole {
        columns: design.columns(),
        design: design.clone(),
        rows: Vec::new(),
        targets: Vec::new(),
        weights: Vec::new(),
        offset: Vec::new(),
        numbers: Vec::new(),
        findings: Findings::default(),
    };
    let mut blocks = design.read(path, &options.reading, TargetUse::Required)?;
    while let Some(block) = blocks.next_block()? {
        assert_eq!(block.values.len(), block.rows * design.width());
        assert_eq!(block.targets.len(), block.rows * design.targets.len());
        if design.width() > 0 {
            let rows = block.values.chunks_exact(design.width());
            whole.rows.extend(rows.map(<[f64]>::to_vec));
        }
        whole.targets.extend_from_slice(block.targets);
        whole.weights.extend_from_slice(block.weights.unwrap_or(&[]));
        whole.offset.extend_from_slice(block.offset.unwrap_or(&[]));
        whole.numbers.extend_from_slice(block.numbers);
    }
    whole.findings = blocks.finish()?;
    assert_eq!(whole.findings.rows as usize, whole.rows.len());
    Ok(whole)
}

/// Reads a CSV text.
pub(crate) fn read_text(text: &str, options: &DesignOptions) -> Result<Whole, TableError> {
    let (_folder, path) = file("table.csv", text.as_bytes());
    read(&path, options)
}

/// What is said of a CSV text that cannot be used.
pub(crate) fn refusal(text: &str, options: &DesignOptions) -> String {
    read_text(text, options).expect_err(text).to_string()
}
