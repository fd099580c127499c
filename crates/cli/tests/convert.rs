//! `wd convert` as a user types it.

use std::process::{Command, Output};

use serde_json::Value;

fn convert(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wd"))
        .arg("convert")
        .args(arguments)
        .output()
        .expect("the command starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn succeed(arguments: &[&str]) -> String {
    let output = convert(arguments);
    assert!(output.status.success(), "{arguments:?} failed:\n{}", text(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    text(&output.stdout)
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&succeed(&[arguments, &["--json"]].concat())).expect("JSON")
}

const ADAMW: [&str; 3] = ["torch.AdamW", "weight_decay=0.1", "lr=6e-4"];

#[test]
fn one_target_as_a_person_sees_it() {
    insta::assert_snapshot!(succeed(&[&ADAMW[..], &["--to", "big_vision.adam"]].concat()));
}

#[test]
fn one_target_gives_the_answer_and_a_call_to_paste() {
    let document = json(&[&ADAMW[..], &["--to", "big_vision.adam"]].concat());
    let answer = &document["conversions"][0];
    assert_eq!((&answer["answer"], &answer["keys"]["wd"]), (&"exact".into(), &6e-5.into()));
    let call = answer["call"].as_str().expect("a call");
    assert!(call.ends_with("config.lr = 6e-4; config.wd = 6e-5"), "{call}");
    // The call is one line, however wide it is.
    let out = succeed(&[&ADAMW[..], &["--to", "big_vision.adam"]].concat());
    assert!(out.lines().any(|line| line.trim() == call), "{out}");
    let impossible = convert(&["torch.Adam", "weight_decay=1e-4", "--to", "torch.AdamW", "--json"]);
    assert_eq!(impossible.status.code(), Some(4), "a script sees that there is no such number");
    let impossible: Value = serde_json::from_slice(&impossible.stdout).expect("JSON");
    let answer = &impossible["conversions"][0];
    assert_eq!((&answer["answer"], &answer["call"]), (&"impossible".into(), &Value::Null));
    // What nobody stated is a default, and says so.
    let defaults = json(&["torch.AdamW", "--to", "big_vision.adam"]);
    assert_eq!(defaults["lambda"], serde_json::json!({ "value": 0.01, "default": true }));
    assert_eq!(defaults["run"]["peak_learning_rate"]["default"], true);
}

#[test]
fn all_targets_make_a_table_and_json_says_the_same() {
    let arguments = [&ADAMW[..], &["--to", "all"]].concat();
    let table = succeed(&arguments);
    let document = json(&arguments);
    let conversions = document["conversions"].as_array().expect("conversions");
    assert!(conversions.len() > 35, "{}", conversions.len());
    let first = |line: &str| line.split_whitespace().next().unwrap_or_default().to_owned();
    let rows: Vec<String> = table.lines().map(first).collect();
    for conversion in conversions {
        let target = conversion["target"].as_str().expect("target");
        assert!(rows.iter().any(|row| row == target), "{target} has no row:\n{table}");
        assert!(!conversion["reasons"].as_array().expect("reasons").is_empty());
    }
    let of = |name: &str| conversions.iter().find(|row| row["target"] == name).expect("a row");
    assert_eq!(of("optax.adamw")["keys"]["weight_decay"], 0.1);
    assert_eq!(of("optimi.AdamW")["keys"]["decouple_lr"], false);
    assert_eq!(of("torch.Adam")["keys"]["decoupled_weight_decay"], true);
    assert_eq!(of("keras.L2")["answer"], "impossible");
    assert_eq!(document["lambda"]["default"], false);
}

#[test]
fn an_infinite_c_is_valid_json() {
    let document = json(&[
        "torch.SGD",
        "weight_decay=0",
        "lr=0.1",
        "data=100",
        "--to",
        "sklearn.LogisticRegression",
    ]);
    assert_eq!(document["conversions"][0]["keys"]["C"], "inf");
}

#[test]
fn the_library_table_is_listed() {
    let document = json(&["--list"]);
    let entries = document.as_array().expect("entries");
    let table = succeed(&["--list"]);
    for entry in entries {
        let name = entry["name"].as_str().expect("a name");
        let is_listed = table.lines().any(|line| line.split_whitespace().next() == Some(name));
        assert!(is_listed, "{name} is not listed:\n{table}");
    }
    let torch = json(&["--list", "torch"]);
    let names = torch.as_array().expect("entries").iter().map(|entry| entry["name"].as_str());
    assert!(names.flatten().all(|name| name.starts_with("torch.")));
    insta::assert_snapshot!(succeed(&["--list", "torch.Adafactor"]));
    let document = json(&["--list", "keras.AdamW"]);
    assert_eq!(document[0]["checked"]["method"], "golden");
}

#[test]
fn what_is_wrong_is_refused_with_the_fix() {
    let cases: [&[&str]; 14] = [
        &["torch.AdanW", "--to", "optax.adamw"],
        &["AdamW", "--to", "optax.adamw"],
        &["torch.AdamW", "weight_decy=0.1", "--to", "optax.adamw"],
        &["torch.AdamW", "weight_decay", "--to", "optax.adamw"],
        &["torch.AdamW", "weight_decay=nan", "--to", "optax.adamw"],
        &["torch.AdamW", "weight_decay=-1", "--to", "optax.adamw"],
        &["torch.AdamW", "tokens=3parsec", "--to", "optax.adamw"],
        &["torch.AdamW", "steps=50000", "batch=65536tok", "tokens=3.5Btok", "--to", "optax.adamw"],
        &["torch.AdamW", "--to", "optax.adam"],
        &["torch.AdamW", "--to", "optimi.AdamW decouple=true"],
        &["sklearn.Ridge", "--to", "sklearn.ElasticNet"],
        &["--to", "optax.adamw"],
        &["torch.AdamW"],
        &["--list", "torch.AdamW", "optax.adamw"],
    ];
    let mut refusals = String::new();
    for arguments in cases {
        let output = convert(arguments);
        assert!(matches!(output.status.code(), Some(1 | 2)), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        refusals += &format!("$ wd convert {}\n{}\n", arguments.join(" "), text(&output.stderr));
    }
    insta::assert_snapshot!(refusals);
}

#[test]
fn an_interpreter_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let python = folder.path().join("no-python");
    let python = python.to_str().expect("a path in UTF-8");
    let output =
        convert(&[&ADAMW[..], &["--to", "optax.adamw", "--check", "--python", python]].concat());
    let message = text(&output.stderr);
    assert!(!output.status.success() && message.contains("no-python"), "{message}");
    assert!(message.contains("--python venv/bin/python"), "{message}");
}

/// Needs a Python with the packages of crates/decay/tests/golden/requirements.txt in
/// WD_CHECK_PYTHON.
#[test]
#[ignore = "runs the libraries: WD_CHECK_PYTHON=venv/bin/python cargo test -p wd --test convert -- --ignored"]
fn both_sides_run_and_agree() {
    let python = std::env::var("WD_CHECK_PYTHON").expect("WD_CHECK_PYTHON");
    let check = |arguments: &[&str]| json(&[arguments, &["--check", "--python", &python]].concat());
    for arguments in [
        &["torch.AdamW", "weight_decay=0.5", "lr=0.05", "--to", "optimi.AdamW decouple_lr=true"][..],
        &["torch.AdamW", "weight_decay=0.5", "lr=0.05", "--to", "optax.adamw"],
        &["torch.SGD", "weight_decay=0.5", "lr=0.05", "--to", "keras.L2"],
        &[
            "torch.SGD",
            "weight_decay=0.05",
            "lr=0.05",
            "data=40",
            "--to",
            "sklearn.LogisticRegression",
        ],
        &["sklearn.Ridge", "alpha=3", "data=60", "loss=mse", "--to", "torch.SGD"],
        &["sklearn.ElasticNet", "alpha=0.1", "l1_ratio=0.3", "data=60", "--to", "statsmodels.OLS"],
    ] {
        let document = check(arguments);
        let row = &document["conversions"][0];
        assert_eq!(row["answer"], "exact", "{row}");
        assert_eq!(row["check"]["outcome"], "compared", "{row}");
        assert!(row["check"]["distance"].as_f64().expect("a distance") <= 1e-6, "{row}");
    }
}
