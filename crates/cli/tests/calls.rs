//! “The same fit elsewhere” is the same fit: every call of scikit-learn that is printed, under every
//! combination of options, gives the coefficients that `calls/calls.py` found by running it.

#[expect(dead_code, reason = "no corpus is needed here")]
mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::{succeed, wd};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls")
}

#[test]
fn every_printed_call_is_the_fit() {
    let golden = std::fs::read_to_string(folder().join("calls.json")).expect("golden values");
    let golden: Vec<Value> = serde_json::from_str(&golden).expect("JSON");
    assert!(golden.len() > 30, "{} combinations", golden.len());
    for case in &golden {
        let words = case["arguments"].as_array().expect("arguments").iter();
        let words: Vec<&str> = words.map(|word| word.as_str().expect("a word")).collect();
        let mut command = wd();
        command.arg("evidence").arg(folder().join("calls.csv")).args(&words).arg("--json");
        let found: Value = serde_json::from_slice(&succeed(&mut command).stdout).expect("JSON");
        let conventions = found["conventions"].as_array().expect("conventions");
        let call = conventions.iter().find(|row| {
            row["library"].as_str().is_some_and(|name| name.starts_with("scikit-learn"))
        });
        // λ is written to ten digits, which an optimum's rounding may change in the last.
        let shape = |text: &str| -> String {
            text.split(|letter: char| "=(),".contains(letter))
                .filter(|part| part.parse::<f64>().is_err())
                .collect::<Vec<_>>()
                .join("|")
        };
        let (call, expected) = (call.and_then(|row| row["call"].as_str()), case["call"].as_str());
        assert_eq!(call.map(shape), expected.map(shape), "{words:?}");
        let classes: Vec<&Value> = match &found["coefficients"]["a"] {
            Value::Number(_) => vec![&found["coefficients"]],
            _ => ["0", "1", "2"].iter().map(|class| &found["coefficients"][class]).collect(),
        };
        let expected = case["coefficients"].as_array().expect("coefficients");
        assert_eq!(classes.len(), expected.len(), "{words:?}");
        let expected = expected.iter().map(|own| own.as_array().expect("a list"));
        let largest = expected
            .clone()
            .flatten()
            .map(|value| value.as_f64().expect("a number").abs())
            .fold(0.0, f64::max);
        for (own, expected) in classes.into_iter().zip(expected) {
            for (name, expected) in ["a", "b", "c"].iter().zip(expected) {
                let (own, expected) =
                    (own[name].as_f64().expect(name), expected.as_f64().expect("a number"));
                assert!(
                    (own - expected).abs() < 1e-5 * largest,
                    "{words:?}, {name}: {own} {expected}"
                );
            }
        }
    }
}

/// What cannot be said in a library's call is not printed.
#[test]
fn no_call_leaves_a_part_of_the_request_out() {
    let table = folder().join("calls.csv");
    let calls = |words: &str| -> Vec<(String, String)> {
        let mut command = wd();
        command.arg("evidence").arg(&table).args(words.split(' ')).arg("--json");
        let found: Value = serde_json::from_slice(&succeed(&mut command).stdout).expect("JSON");
        let rows = found["conventions"].as_array().expect("conventions").iter();
        rows.map(|row| (row["library"].to_string(), row["call"].to_string())).collect()
    };
    let weighted = calls("--target gain --weights w --drop event,state,claims,exposure");
    for (library, call) in &weighted {
        let knows = ["scikit-learn", "glmnet"].iter().any(|name| library.contains(name));
        assert!(!knows || call.contains("weight"), "{call}");
        assert!(!library.contains("PyTorch"), "{call}");
    }
    let absent = calls("--target gain --intercept absent --drop event,state,claims,exposure,w");
    assert!(absent.iter().all(|(_, call)| !call.contains("bias")), "{absent:?}");
    assert!(absent.iter().all(|(library, _)| !library.contains("glmnet")), "{absent:?}");
    let rates =
        calls("--target claims --family poisson --offset exposure --drop event,state,gain,w");
    let glmnet = rates.iter().find(|(library, _)| library.contains("glmnet"));
    assert!(glmnet.is_some_and(|(_, call)| call.contains("offset = log(exposure)")), "{rates:?}");
    // Two classes have two lists of coefficients by softmax, and one in scikit-learn.
    let two = calls("--target event --family softmax --drop gain,state,claims,exposure,w");
    assert!(two.iter().all(|(library, _)| !library.contains("scikit-learn")), "{two:?}");
}

/// Where `WD_PYTHON` names a Python with scikit-learn, its calls are run again.
#[test]
#[ignore = "needs a Python with scikit-learn, as WD_PYTHON"]
fn scikit_learn_says_so_itself() {
    let python = std::env::var_os("WD_PYTHON").unwrap_or_else(|| "python3".into());
    let mut command = Command::new(python);
    succeed(command.arg(folder().join("calls.py")).arg(env!("CARGO_BIN_EXE_wd")));
}
