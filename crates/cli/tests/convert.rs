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
fn one_target_gives_the_answer_and_a_call_to_paste() {
    let out = succeed(&[&ADAMW[..], &["--to", "big_vision.adam"]].concat());
    for part in [
        "answer       exact",
        "config.lr = 6e-4; config.wd = 6e-5",
        "decays there parameters whose path ends in /kernel",
        "read, not run: big_vision/optax.py",
    ] {
        assert!(out.contains(part), "no «{part}»:\n{out}");
    }
    let impossible = succeed(&["torch.Adam", "weight_decay=1e-4", "--to", "torch.AdamW"]);
    assert!(impossible.contains("impossible") && !impossible.contains("paste"), "{impossible}");
    // What nobody typed is named, where it matters.
    let penalty = ["torch.SGD", "weight_decay=1e-4", "data=50000", "loss=nll"];
    let prior = succeed(&[&penalty[..], &["--to", "prior.Gaussian"]].concat());
    assert!(!prior.contains("lr="), "{prior}");
    let defaults = succeed(&["torch.AdamW", "--to", "big_vision.adam"]);
    assert!(
        defaults.contains("with torch.AdamW's own weight_decay=0.01 and lr=0.001"),
        "{defaults}"
    );
}

#[test]
fn all_targets_make_a_table_and_json_says_the_same() {
    let arguments = [&ADAMW[..], &["--to", "all"]].concat();
    let table = succeed(&arguments);
    let document = json(&arguments);
    let conversions = document["conversions"].as_array().expect("conversions");
    assert!(conversions.len() > 35, "{}", conversions.len());
    for conversion in conversions {
        let target = conversion["target"].as_str().expect("target");
        let row = table.lines().find(|line| line.split_whitespace().next() == Some(target));
        let row = row.unwrap_or_else(|| panic!("{target} has no row:\n{table}"));
        assert!(row.contains(conversion["answer"].as_str().expect("answer")), "{row}");
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
    let table = succeed(&["--list"]);
    for name in [
        "torch.Muon",
        "optax.sgd",
        "keras.L2",
        "megatron.adam",
        "llm_c.adamw",
        "sklearn.RidgeCV",
        "glmnet.gaussian",
    ] {
        assert!(table.lines().any(|line| line.starts_with(name)), "{name} is not listed:\n{table}");
    }
    let torch = succeed(&["--list", "torch"]);
    assert!(torch.contains("torch.Adafactor") && !torch.contains("optax"));
    let entry = succeed(&["--list", "torch.Adafactor"]);
    assert!(entry.contains("mind        the documentation gives 1e-2 as the default of weight_decay; the code has 0"), "{entry}");
    let document = json(&["--list", "keras.AdamW"]);
    assert_eq!(document[0]["checked"]["method"], "golden");
}

#[test]
fn what_is_wrong_is_refused_with_the_fix() {
    let cases: [(&[&str], &str); 14] = [
        (&["torch.AdanW", "--to", "optax.adamw"], "nearest: `torch.AdamW`"),
        (&["AdamW", "--to", "optax.adamw"], "`torch.AdamW`, `optax.adamw`"),
        (&["torch.AdamW", "weight_decy=0.1", "--to", "optax.adamw"], "nearest: `weight_decay`"),
        (&["torch.AdamW", "weight_decay", "--to", "optax.adamw"], "key=value"),
        (
            &["torch.AdamW", "weight_decay=nan", "--to", "optax.adamw"],
            "does not begin with a number",
        ),
        (&["torch.AdamW", "weight_decay=-1", "--to", "optax.adamw"], "cannot be negative"),
        (&["torch.AdamW", "tokens=3parsec", "--to", "optax.adamw"], "unknown unit `parsec`"),
        (
            &[
                "torch.AdamW",
                "steps=50000",
                "batch=65536tok",
                "tokens=3.5Btok",
                "--to",
                "optax.adamw",
            ],
            "steps × batch is 3.277Btok",
        ),
        (&["torch.AdamW", "--to", "optax.adam"], "`optax.adamw`"),
        (&["torch.AdamW", "--to", "optimi.AdamW decouple=true"], "`decouple_lr`"),
        (&["sklearn.Ridge", "--to", "sklearn.ElasticNet"], "data=N"),
        (&["--to", "optax.adamw"], "a library entry first"),
        (&["torch.AdamW"], "--to"),
        (&["--list", "torch.AdamW", "optax.adamw"], "--list takes one name"),
    ];
    for (arguments, expected) in cases {
        let output = convert(arguments);
        let message = text(&output.stderr);
        assert!(!output.status.success() && output.stdout.is_empty(), "{arguments:?}");
        assert_ne!(output.status.code(), Some(101), "a panic:\n{message}");
        let unwrapped =
            message.split_whitespace().collect::<Vec<_>>().join(" ").replace(" │ ", " ");
        assert!(unwrapped.contains(expected), "{arguments:?} gave no «{expected}»:\n{message}");
    }
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

/// Needs a Python with the packages of crates/decay/tests/golden/requirements.txt in WD_CHECK_PYTHON.
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
