//! `wd audit` as a user types it: the proof, the exit codes, what other programs read.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../corpora/checkpoints").join(name)
}

fn audit(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wd"));
    // Names of files are printed as they were typed.
    command.current_dir(file("")).arg("audit").args(words);
    command
}

/// Exit code, standard output, standard error.
fn run(command: &mut Command) -> (i32, String, String) {
    let output = command.output().expect("the command starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    let error = text(output.stderr);
    assert!(!error.contains("panicked"), "{error}");
    (output.status.code().expect("an exit code"), text(output.stdout), error)
}

fn json(words: &[&str]) -> Value {
    let (_, out, error) = run(audit(words).arg("--json"));
    serde_json::from_str(&out).unwrap_or_else(|why| panic!("{why}: {out}{error}"))
}

#[test]
fn two_steps_in_a_row_prove_what_was_applied() {
    let (code, out, _) = run(&mut audit(&["lm-1500.pt", "--against", "lm-1501.pt"]));
    assert_eq!(code, 0);
    insta::assert_snapshot!(out);
    let value = json(&["lm-1500.pt", "--against", "lm-1501.pt"]);
    assert_eq!(value["proof"]["verdict"]["verdict"], "applied-as-declared");
    let estimates = value["proof"]["estimates"].as_array().unwrap();
    let trained = estimates.iter().filter(|one| one["method"] == "consecutive");
    for one in trained {
        let bound = |key: &str| one["lambda"][key].as_f64().unwrap();
        assert!(bound("low") <= 0.1 && 0.1 <= bound("high"), "{one}");
    }
}

#[test]
fn distant_checkpoints_prove_it_by_rows_that_were_never_seen() {
    let value = json(&["lm-1500.pt", "--against", "lm-1600.safetensors", "--rates", "lr.json"]);
    assert_eq!(value["proof"]["verdict"]["verdict"], "applied-as-declared");
    let lambda = value["proof"]["verdict"]["estimate"]["value"].as_f64().unwrap();
    assert!((lambda - 0.1).abs() < 1e-5, "{lambda}");
}

#[test]
fn without_an_optimizer_state_nothing_is_claimed() {
    let value = json(&["lm-1600.safetensors"]);
    assert_eq!(value["proof"]["verdict"]["verdict"], "cannot-tell");
    assert_eq!(value["proof"]["estimates"], Value::Array(Vec::new()));
}

#[test]
fn the_exit_code_tells_findings_from_failures() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("train.yaml");
    std::fs::write(&config, "weight_decay: 0.01\nlearning_rate: 0.003\n").unwrap();
    let config = config.to_str().unwrap();
    // The groups hold 0.1: D01.
    let findings = ["lm-1501.pt", "--config", config];
    for form in [&[][..], &["--json"], &["--github"]] {
        let (code, ..) = run(audit(&findings).args(form));
        assert_eq!(code, 1, "{form:?}");
    }
    let (code, ..) = run(audit(&findings).args(["--ignore", "D01,D02"]));
    assert_eq!(code, 0);
    let (code, _, error) = run(&mut audit(&["nothing.pt"]));
    assert_eq!(code, 2);
    assert!(error.contains("nothing.pt"), "{error}");
    let (code, _, error) = run(&mut audit(&["lm-1501.pt", "--select", "S99"]));
    assert_eq!(code, 2);
    assert!(error.contains("S99"), "{error}");
}

#[test]
fn a_baseline_sets_known_findings_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (config, baseline) = (path("train.yaml"), path("baseline.json"));
    std::fs::write(&config, "weight_decay: 0.01\nlearning_rate: 0.003\n").unwrap();
    let words = ["lm-1501.pt", "--config", &config];
    assert_eq!(run(audit(&words).args(["--write-baseline", &baseline])).0, 1);
    assert_eq!(run(audit(&words).args(["--baseline", &baseline])).0, 0);
    let value = json(&["lm-1501.pt", "--config", &config, "--baseline", &baseline]);
    assert_eq!(value["set_aside"][0]["set_aside"], "baseline");
}

#[test]
fn sarif_has_what_code_scanning_needs() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (config, sarif) = (path("train.yaml"), path("audit.sarif"));
    std::fs::write(&config, "weight_decay: 0.01\nlearning_rate: 0.003\n").unwrap();
    let (code, ..) = run(audit(&["lm-1501.pt", "--config", &config]).args(["--sarif", &sarif]));
    assert_eq!(code, 1);
    let value: Value = serde_json::from_str(&std::fs::read_to_string(&sarif).unwrap()).unwrap();
    assert_eq!(value["version"], "2.1.0");
    let run = &value["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for rule in rules {
        for key in ["/id", "/name", "/shortDescription/text", "/fullDescription/text", "/help/text"]
        {
            assert!(rule.pointer(key).is_some_and(Value::is_string), "{key} of {rule}");
        }
    }
    let results = run["results"].as_array().unwrap();
    assert!(!results.is_empty());
    for result in results {
        let index = result["ruleIndex"].as_u64().unwrap() as usize;
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        let place = &result["locations"][0]["physicalLocation"];
        assert!(place["artifactLocation"]["uri"].is_string());
        assert!(place["region"]["startLine"].as_u64().unwrap() >= 1);
        assert!(result["message"]["text"].as_str().unwrap().len() > 20);
        assert!(result["partialFingerprints"]["wd/v1"].is_string());
    }
}

#[test]
fn a_rule_is_explained_and_all_are_listed() {
    let (code, out, _) = run(&mut audit(&["--explain", "S02"]));
    assert_eq!(code, 0);
    insta::assert_snapshot!(out);
    let (code, out, _) = run(&mut audit(&["--list"]));
    assert_eq!(code, 0);
    assert!(out.lines().count() > 38);
}
