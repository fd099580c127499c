//! Faults that PyTorch has made: each is found by its own rule, and by no other as an error.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use wd_audit::estimate::{Method, Verdict};
use wd_audit::finding::Severity;
use wd_audit::{Audit, Request};

/// What must be found in a folder of `fixtures/planted`.
#[derive(Deserialize)]
struct Expected {
    /// What was planted.
    about: String,
    /// The rule; one of them where two tell the same story.
    rules: Vec<String>,
    severity: String,
    /// The checkpoints in the order of their steps.
    files: Vec<String>,
    config: Option<String>,
    verdict: Option<String>,
    /// λ that acted, where two neighbouring steps prove it.
    applied: Option<f64>,
}

struct Case {
    name: String,
    expected: Expected,
    audit: Audit,
}

fn folders() -> Vec<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/planted");
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(all).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

fn case(folder: &Path) -> Case {
    let text = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: Expected = serde_json::from_str(&text).unwrap();
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    let mut paths: Vec<PathBuf> = expected.files.iter().map(|file| folder.join(file)).collect();
    let request = Request {
        against: if paths.len() > 1 { paths.pop() } else { None },
        paths,
        config: expected.config.as_ref().map(|file| folder.join(file)),
        ..Request::default()
    };
    let audit = Audit::of(&request).unwrap_or_else(|error| panic!("{name}: {error}"));
    Case { name, expected, audit }
}

/// What is wrong with the findings of a case.
fn complaints(Case { name, expected, audit }: &Case) -> Vec<String> {
    let about = &expected.about;
    let mut complaints = Vec::new();
    let is_wanted = |rule: &str| expected.rules.iter().any(|wanted| wanted == rule);
    let found = audit.findings.iter().find(|finding| is_wanted(finding.rule));
    match found {
        None => {
            let rules: Vec<&str> = audit.findings.iter().map(|finding| finding.rule).collect();
            let wanted = expected.rules.join(" or ");
            complaints.push(format!("{name} ({about}): {wanted} is missing among {rules:?}"));
        }
        Some(finding) if finding.severity.to_string() != expected.severity => {
            complaints.push(format!("{name}: {} is but a {}", finding.rule, finding.severity));
        }
        Some(_) => {}
    }
    let errors = audit.findings.iter().filter(|finding| finding.severity == Severity::Error);
    for other in errors.filter(|finding| Some(finding.rule) != found.map(|found| found.rule)) {
        complaints.push(format!("{name} ({about}): {} too: {}", other.rule, other.message));
    }
    complaints
}

#[test]
fn every_fault_is_found_by_its_own_rule_and_by_no_other_as_an_error() {
    let folders = folders();
    assert!(folders.len() >= 30, "{} folders", folders.len());
    let complaints: Vec<String> =
        folders.iter().flat_map(|folder| complaints(&case(folder))).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn the_verdict_is_that_of_the_planted_step() {
    for folder in folders() {
        let Case { name, expected, audit } = case(&folder);
        let Some(wanted) = expected.verdict else { continue };
        let verdict = serde_json::to_value(&audit.proof.verdict).unwrap();
        assert_eq!(verdict["verdict"], wanted, "{name}: {:?}", audit.proof.reasons);
    }
}

#[test]
fn two_neighbouring_steps_give_the_decay_that_acted() {
    for folder in folders() {
        let Case { name, expected, audit } = case(&folder);
        let Some(applied) = expected.applied else { continue };
        let estimates: Vec<_> = audit
            .proof
            .estimates
            .iter()
            .filter(|one| one.method == Method::Consecutive && one.declared > Some(0.0))
            .filter_map(|one| Some((&one.tensor, one.lambda?)))
            .collect();
        assert!(estimates.len() >= 3, "{name}: {estimates:?}");
        for (tensor, lambda) in estimates {
            let close = (lambda.value - applied).abs() <= 0.01;
            assert!(close, "{name}: {tensor} has {lambda:?}, and {applied} acted");
        }
    }
}

#[test]
fn a_step_as_declared_is_said_to_be_one() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpora/checkpoints");
    let request = Request {
        paths: vec![folder.join("lm-1500.pt")],
        against: Some(folder.join("lm-1501.pt")),
        ..Request::default()
    };
    let audit = Audit::of(&request).unwrap();
    let Verdict::AppliedAsDeclared { declared, estimate } = audit.proof.verdict else {
        panic!("{:?}", audit.proof.verdict)
    };
    assert_eq!(declared, 0.1);
    assert!(estimate.holds(0.1), "{estimate:?}");
    assert_eq!(audit.worst().filter(|&worst| worst == Severity::Error), None);
}
