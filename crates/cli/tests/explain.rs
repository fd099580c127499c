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

#[test]
fn a_configuration_of_another_trainer_is_explained_and_advised_on() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("train.py");
    let text = "max_iters = 5000\nlr_decay_iters = 5000\nblock_size = 256\nbatch_size = 64\n\
                gradient_accumulation_steps = 1\nweight_decay = 0.1\nlearning_rate = 1e-3\n\
                min_lr = 1e-4\nbeta2 = 0.99\nwarmup_iters = 100\n";
    std::fs::write(&path, text).expect("a writable folder");
    let json = |command: &str, first: &[&str]| -> serde_json::Value {
        let output = succeed(wd().arg(command).args(first).arg("--json"));
        serde_json::from_slice(&output.stdout).expect("JSON")
    };
    let path = path.to_str().expect("a path");
    // The same numbers as of the setting in words.
    let words = [
        "torch.AdamW",
        "weight_decay=0.1",
        "lr=1e-3",
        "betas=0.9,0.99",
        "schedule=cosine,warmup=100,floor=0.1",
        "steps=5000",
        "batch=16384tok",
        "context=256",
        "init_std=0.02",
        "params=10M",
    ];
    let read = json("explain", &[path, "params=10M"]);
    let typed = json("explain", &words);
    for key in ["timescale", "equilibrium", "memory"] {
        assert!(!read[key].is_null(), "{key}: {read}");
        assert_eq!(read[key], typed[key], "{key}");
    }
    let advised = wd().args(["advise", path, "params=10M", "--json"]).output().expect("it runs");
    let advised: serde_json::Value = serde_json::from_slice(&advised.stdout).expect("JSON");
    assert!(advised.to_string().contains("81920000"), "the tokens of the run: {advised}");
    // A word of a person replaces what the file says.
    let shorter = json("explain", &[path, "steps=2500"]);
    assert_ne!(shorter["timescale"], read["timescale"]);
    // A file that says nothing of weight decay is refused with what it is.
    let none = folder.path().join("other.yaml");
    std::fs::write(&none, "colour: blue\n").expect("a writable folder");
    let refused = wd().arg("explain").arg(&none).output().expect("it runs");
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && error.contains("no known trainer"), "{error}");
}
