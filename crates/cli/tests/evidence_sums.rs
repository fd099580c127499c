//! Parts of a table, and sums of parts, give `wd evidence` what the whole table gives.

#[expect(dead_code, reason = "no corpus is needed here")]
mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::{succeed, wd};
use tempfile::TempDir;

fn json(command: &mut Command) -> Value {
    let output = succeed(command.arg("--json"));
    serde_json::from_slice(&output.stdout).expect("JSON on standard output")
}

/// A folder with a shipped table cut after `cuts` lines of data: part0.csv, part1.csv, ….
fn parts(name: &str, cuts: &[usize]) -> (TempDir, PathBuf) {
    let whole = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpora/tables").join(name);
    let text = std::fs::read_to_string(&whole).expect("the table");
    let (header, data) = text.split_once('\n').expect("a header");
    let lines: Vec<&str> = data.lines().collect();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut start = 0;
    for (part, end) in cuts.iter().copied().chain([lines.len()]).enumerate() {
        let text = format!("{header}\n{}\n", lines[start..end].join("\n"));
        write(&folder, &format!("part{part}.csv"), &text);
        start = end;
    }
    (folder, whole)
}

fn write(folder: &TempDir, name: &str, text: &str) {
    std::fs::write(folder.path().join(name), text).expect("a writable folder");
}

/// `wd evidence` in a folder, on the words of a line.
fn evidence(folder: &TempDir, words: &str) -> Command {
    let mut command = wd();
    command.current_dir(folder.path()).arg("evidence").args(words.split(' '));
    command
}

/// Two answers are the same to rounding, but for what says where the table lies.
fn same(found: &Value, expected: &Value, place: &str) {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            assert_eq!(found.len(), expected.len(), "{place}");
            for (key, value) in expected {
                same(&found[key], value, &format!("{place}.{key}"));
            }
        }
        (Value::Array(found), Value::Array(expected)) => {
            assert_eq!(found.len(), expected.len(), "{place}");
            for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
                same(found, expected, &format!("{place}[{index}]"));
            }
        }
        (Value::Number(found), Value::Number(expected)) => {
            let (found, expected) = (found.as_f64(), expected.as_f64());
            let (found, expected) = (found.expect("a number"), expected.expect("a number"));
            // A cost is a small difference of large numbers.
            // A minimum between points of the path has half as many digits as its values.
            let digits = if place.contains(".comparison[") { 1e-5 } else { 1e-9 };
            let slack = digits * expected.abs() + 1e-12;
            assert!((found - expected).abs() <= slack, "{place}: {found} ≠ {expected}");
        }
        // A call holds λ to ten digits.
        _ if place.ends_with(".call") => {}
        _ => assert_eq!(found, expected, "{place}"),
    }
}

#[test]
fn several_files_are_one_table() {
    let (folder, whole) = parts("diabetes.csv", &[3, 200]);
    let options = "--target target --compare loo,gcv,cv:5";
    let expected = json(&mut evidence(&folder, &format!("{} {options}", whole.display())));
    let found = json(&mut evidence(&folder, &format!("part0.csv part1.csv part2.csv {options}")));
    same(&found, &expected, "diabetes");

    let (folder, whole) = parts("breast_cancer.csv", &[100, 101]);
    let options = "--target benign --family logistic --points 5 --compare cv:2";
    let expected = json(&mut evidence(&folder, &format!("{} {options}", whole.display())));
    let found = json(&mut evidence(&folder, &format!("part0.csv part1.csv part2.csv {options}")));
    same(&found, &expected, "breast cancer");
}

#[test]
fn sums_of_parts_give_the_fit_of_the_whole() {
    let (folder, whole) = parts("diabetes.csv", &[4, 200]);
    for (weights, targets) in [("", "target"), (" --weights age", "target"), ("", "target,bmi")] {
        let options = format!("--target {targets}{weights}");
        for part in 0..3 {
            let summed = json(&mut evidence(
                &folder,
                &format!("part{part}.csv {options} --sums part{part}.json"),
            ));
            assert_eq!(summed["rows"], [4, 196, 242][part]);
        }
        let expected = json(&mut evidence(&folder, &format!("{} {options}", whole.display())));
        for data in ["part0.json part1.json part2.json", "part2.csv part0.json part1.json"] {
            let found = json(&mut evidence(&folder, &format!("{data} {options}")));
            same(&found, &expected, data);
        }
        // Sums of sums.
        succeed(&mut evidence(&folder, &format!("part0.json part1.csv {options} --sums two.json")));
        let found = json(&mut evidence(&folder, &format!("two.json part2.json {options}")));
        same(&found, &expected, "two.json");
    }
    // What else needs no rows: groups, a hold-out, a report and a model.
    let expected = json(&mut evidence(
        &folder,
        &format!(
            "{} --target target,bmi --groups each --compare holdout:part0.csv",
            whole.display()
        ),
    ));
    let found = json(&mut evidence(
        &folder,
        "two.json part2.json --target target,bmi --groups each --compare holdout:part0.csv",
    ));
    same(&found, &expected, "groups");
    succeed(&mut evidence(&folder, "part1.csv --target target --sums part1.json"));
    succeed(&mut evidence(
        &folder,
        "part1.json --target target --out report.html --save model.json",
    ));
    succeed(wd().current_dir(folder.path()).args(["predict", "model.json", "part0.csv"]));
}

#[test]
fn categories_are_those_of_all_files() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(&folder, "jan.csv", "kind,x,y\nb,1,2\nc,2,3\nb,4,4\nc,3,6\n");
    write(&folder, "feb.csv", "y,x,kind\n5,1,a\n1,5,c\n2,2,a\n7,1,b\n");
    write(&folder, "mar.csv", "kind,x,y\nb,1,2\nc,2,3\n");
    write(&folder, "all.csv", "kind,x,y\nb,1,2\nc,2,3\nb,4,4\nc,3,6\na,1,5\nc,5,1\na,2,2\nb,1,7\n");
    let expected = json(&mut evidence(&folder, "all.csv --target y --compare loo"));
    let found = json(&mut evidence(&folder, "jan.csv feb.csv --target y --compare loo"));
    same(&found, &expected, "jan.csv feb.csv");
    // Means to fill empty cells with are those of all files.
    write(&folder, "gaps.csv", "kind,x,y\nb,,3\n");
    write(&folder, "full.csv", "kind,x,y\nb,,3\nb,1,2\nc,2,3\nb,4,4\nc,3,6\n");
    let expected = json(&mut evidence(&folder, "full.csv --target y --impute mean"));
    let found = json(&mut evidence(&folder, "gaps.csv jan.csv --target y --impute mean"));
    same(&found, &expected, "gaps.csv jan.csv");

    for month in ["jan", "feb"] {
        succeed(&mut evidence(&folder, &format!("{month}.csv --target y --sums {month}.json")));
    }
    // Levels that the first sums have not seen.
    for data in ["jan.json feb.json", "jan.json feb.csv"] {
        let output = evidence(&folder, &format!("{data} --target y")).output();
        let output = output.expect("the command starts");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{data}");
    }
    let found = json(&mut evidence(&folder, "jan.json mar.csv --target y"));
    assert_eq!(found["rows"], 6);
}
