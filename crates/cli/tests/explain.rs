//! `wd explain` as a user types it: settings, configurations, files, and what is refused.

mod support;

use std::process::Command;

use support::{prepare_corpus, succeed, wd, write_config};

const GPT2: &[&str] = &[
    "torch.AdamW",
    "weight_decay=0.1",
    "lr=6e-4",
    "schedule=cosine,warmup=400,floor=0.1",
    "steps=50000",
    "batch=65536tok",
    "params=124M",
];

fn explain(arguments: &[&str]) -> Command {
    let mut command = wd();
    command.arg("explain").args(arguments);
    command
}

fn said(command: &mut Command) -> String {
    String::from_utf8(succeed(command).stdout).expect("UTF-8")
}

fn fail(command: &mut Command) -> String {
    let output = command.output().expect("the command starts");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{command:?} succeeded:\n{message}");
    assert!(!message.contains("panicked"), "{message}");
    message
}

#[test]
fn a_setting_in_words_and_as_json() {
    let words = said(&mut explain(GPT2));
    insta::assert_snapshot!(words);
    // Neither colours nor long lines where nobody reads a terminal.
    assert!(!words.contains('\u{1b}'));
    assert!(words.lines().all(|line| line.chars().count() <= 100));
    let text = said(explain(GPT2).arg("--json"));
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert!((value["timescale"]["kappa"].as_f64().unwrap() - 1.649).abs() < 1e-3);
    assert_eq!(value["prior"]["verdict"], "no_prior");
    assert_eq!(value["warnings"][0]["kind"], "norms-and-biases-decay");
}

#[test]
fn curves_go_into_files() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (svg, html) = (folder.path().join("a.svg"), folder.path().join("a.html"));
    succeed(explain(GPT2).arg("--svg").arg(&svg).arg("--html").arg(&html));
    let svg = std::fs::read_to_string(svg).expect("the figure");
    assert!(svg.starts_with("<svg xmlns=") && svg.contains("RMS of the weights"));
    let html = std::fs::read_to_string(html).expect("the page");
    assert!(html.starts_with("<!DOCTYPE html>") && html.contains("wd explain torch.AdamW"));
    assert!(!html.contains("src=\"http") && !html.contains("<link"));
}

#[test]
fn a_configuration_with_and_without_its_corpus() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = prepare_corpus(folder.path());
    let config = write_config(folder.path(), &corpus, 20, "");
    // The plan and the explanation say the same.
    let plan: serde_json::Value =
        serde_json::from_str(&said(wd().arg("plan").arg(&config).arg("--json"))).expect("JSON");
    let explained: serde_json::Value =
        serde_json::from_str(&said(wd().arg("explain").arg(&config).arg("--json"))).expect("JSON");
    assert_eq!(explained["timescale"]["kappa"], plan["plan"]["kappa"]);
    assert_eq!(explained["timescale"]["tau_steps"], plan["plan"]["tau_steps"]);
    assert_eq!(explained["tokens_per_parameter"], plan["plan"]["samples_per_parameter"]);

    std::fs::remove_dir_all(&corpus).expect("the corpus");
    let read = |command: &mut Command| -> serde_json::Value {
        serde_json::from_str(&said(command.arg("--json"))).expect("JSON")
    };
    let rest = read(wd().arg("explain").arg(&config).args(["--set", "decay.lambda=0.3"]));
    // What the corpus would say is absent, and the reader is told why.
    assert_eq!(rest["run"]["data_points"], serde_json::Value::Null);
    assert_eq!(rest["remarks"].as_array().map(Vec::len), Some(1));
    assert!((rest["peak_shrink"].as_f64().unwrap() - 0.003).abs() < 1e-15);
    // Without a corpus and without steps there is still a step to explain.
    let text = std::fs::read_to_string(&config).expect("the configuration");
    std::fs::write(&config, text.replace("steps = 20\n", "")).expect("the configuration");
    let rest = read(wd().arg("explain").arg(&config));
    assert_eq!(rest["run"]["steps"], serde_json::Value::Null);
    assert!((rest["peak_shrink"].as_f64().unwrap() - 0.001).abs() < 1e-15);
}

#[test]
fn mistakes_are_refused_with_the_place_and_the_fix() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = prepare_corpus(folder.path());
    write_config(folder.path(), &corpus, 20, "");
    let cases: [&[&str]; 13] = [
        &["torch.AdanW"],
        &["torch.AdamW", "weigt_decay=1"],
        &["torch.AdamW", "weight_decay=-1"],
        &["torch.AdamW", "lr=nan"],
        &["torch.AdamW", "steps=10parsecs"],
        &["torch.AdamW", "steps=100", "batch=10tok", "tokens=5000"],
        &["torch.AdamW", "lr=1e-3", "steps=100M"],
        &["torch.AdamW", "schedule=cosin", "steps=9"],
        &["torch.AdamW", "--svg", "none.svg"],
        &["torch.AdamW", "--set", "decay.lambda=1"],
        &["nowhere.toml"],
        &["run.toml", "lr=1"],
        &["run.toml", "--set", "decay.lamda=1"],
    ];
    let mut refusals = String::new();
    for arguments in cases {
        let message = fail(explain(arguments).current_dir(folder.path()));
        refusals += &format!("$ wd explain {}\n{message}\n", arguments.join(" "));
    }
    assert!(!folder.path().join("none.svg").exists());
    // A configuration's error shows the place, corpus or not.
    std::fs::remove_dir_all(&corpus).expect("the corpus");
    let zero = ["run.toml", "--set", "optim.lr=0"];
    refusals += &fail(explain(&zero).current_dir(folder.path()));
    insta::assert_snapshot!(refusals);
}
