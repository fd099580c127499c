//! Checkpoints without a fault: no error, at most one warning, and everything as planted.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use wd_audit::finding::Severity;
use wd_audit::names::Naming;
use wd_audit::summary::FileSummary;
use wd_audit::{Audit, Request};

/// What must be found in a folder of `fixtures/clean`.
#[derive(Deserialize)]
struct Expected {
    writer: String,
    /// How parameters get their names, one for each optimizer.
    naming: Vec<String>,
    /// λ and the number of parameters of each group, one list for each optimizer.
    groups: Vec<Vec<(f64, usize)>>,
    /// λ that every configuration hands to the optimizer, where there is one.
    declares: Option<f64>,
    config: Option<String>,
}

fn folders() -> Vec<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/clean");
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(all).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

fn audited(folder: &Path) -> (String, Expected, Audit) {
    let text = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: Expected = serde_json::from_str(&text).unwrap();
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    let request = Request {
        paths: vec![folder.to_owned()],
        config: expected.config.as_ref().map(|file| folder.join(file)),
        ..Request::default()
    };
    let audit = Audit::of(&request).unwrap_or_else(|error| panic!("{name}: {error}"));
    (name, expected, audit)
}

#[test]
fn there_is_no_error_and_at_most_one_warning() {
    let folders = folders();
    assert!(folders.len() >= 20, "{} folders", folders.len());
    let mut complaints = Vec::new();
    for folder in folders {
        let (name, _, audit) = audited(&folder);
        let of = |severity| audit.findings.iter().filter(move |one| one.severity == severity);
        let said =
            |one: &wd_audit::finding::Finding| format!("{name}: {} {}", one.rule, one.message);
        complaints.extend(of(Severity::Error).map(said));
        complaints.extend(of(Severity::Warning).skip(1).map(said));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// The name of a way of naming, without what belongs to it.
fn named(naming: &Naming) -> &'static str {
    match naming {
        Naming::Listed => "listed",
        Naming::Keyed => "keyed",
        Naming::Order => "order",
        Naming::Split { .. } => "split",
        Naming::Residuals => "residuals",
        Naming::Family { .. } => "family",
        Naming::Shapes => "shapes",
        Naming::Unknown => "unknown",
    }
}

/// λ and the number of tensors of each group that has any, in no particular order.
fn groups(file: &FileSummary) -> Vec<Vec<(f64, usize)>> {
    let of_one = |groups: &[wd_audit::summary::GroupSummary]| {
        let pairs = groups.iter().map(|group| (group.lambda.unwrap_or(f64::NAN), group.tensors));
        sorted(pairs.collect())
    };
    file.optimizers.iter().map(|optimizer| of_one(&optimizer.groups)).collect()
}

fn sorted(mut groups: Vec<(f64, usize)>) -> Vec<(f64, usize)> {
    groups.retain(|&(_, tensors)| tensors > 0);
    groups.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    groups
}

#[test]
fn writer_naming_and_groups_are_as_planted() {
    let mut complaints = Vec::new();
    for folder in folders() {
        let (name, expected, audit) = audited(&folder);
        let [file] = audit.files.as_slice() else {
            complaints.push(format!("{name}: {} checkpoints", audit.files.len()));
            continue;
        };
        if file.writer.to_string() != expected.writer {
            complaints.push(format!("{name}: {} and not {}", file.writer, expected.writer));
        }
        let naming: Vec<&str> = file.optimizers.iter().map(|one| named(&one.naming)).collect();
        if naming != expected.naming {
            complaints.push(format!("{name}: {naming:?} and not {:?}", expected.naming));
        }
        let wanted: Vec<_> = expected.groups.into_iter().map(sorted).collect();
        if groups(file) != wanted {
            complaints.push(format!("{name}: {:?} and not {wanted:?}", groups(file)));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn every_configuration_declares_what_the_optimizer_holds() {
    let mut complaints = Vec::new();
    for folder in folders() {
        let (name, expected, audit) = audited(&folder);
        let found = audit.files.iter().flat_map(|file| &file.declarations);
        let declared: Vec<(&str, f64)> = found
            .chain(&audit.declarations)
            .filter(|one| one.lambda.is_some_and(|lambda| !lambda.default))
            .filter_map(|one| {
                let lambda = one.applied_lambda.or(one.lambda.map(|lambda| lambda.value))?;
                Some((one.dialect, lambda))
            })
            .collect();
        let agree = declared.iter().all(|&(_, lambda)| Some(lambda) == expected.declares);
        if declared.is_empty() != expected.declares.is_none() || !agree {
            complaints.push(format!("{name}: {declared:?} and not {:?}", expected.declares));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn a_count_of_steps_is_no_weight() {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/clean");
    let (_, _, audit) = audited(&all.join("torchtitan"));
    let [file] = audit.files.as_slice() else { panic!("one checkpoint") };
    assert_eq!(file.tensors, 3);
    assert!(
        file.clocks.iter().any(|clock| clock.name == "train_state.step" && clock.steps == 20.0)
    );
}
