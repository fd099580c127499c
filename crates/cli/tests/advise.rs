//! `wd advise` as a person types it: the answers on record, what is refused, and the page of
//! recipes.

mod support;

use std::process::Command;

use support::{prepare_corpus, succeed, wd, write_config};

const GPT2: [&str; 11] = [
    "advise",
    "--params",
    "124M",
    "--tokens",
    "3.2768B",
    "--batch",
    "65536",
    "--lr",
    "6e-4",
    "--schedule",
    "cosine:0.1",
];

fn stdout(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs a command that must not panic, and gives its exit code, what it prints and what it
/// complains of.
fn ask(command: &mut Command) -> (i32, String, String) {
    let output = command.output().expect("the command starts");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!error.contains("panicked"), "{error}");
    (output.status.code().expect("an exit code"), stdout(&output), error)
}

/// The answer as JSON, whatever the exit code.
fn json(arguments: &[&str]) -> (i32, serde_json::Value) {
    let (code, out, error) = ask(wd().args(arguments).arg("--json"));
    (code, serde_json::from_str(&out).unwrap_or_else(|_| panic!("no JSON: {out}{error}")))
}

#[test]
fn the_figures_on_record() {
    let (code, answer) = json(&GPT2);
    assert_eq!(code, 0);
    let verdict = &answer["advice"]["verdict"];
    assert_eq!(verdict["outcome"], "recommended");
    assert!((verdict["lambda"].as_f64().unwrap() - 0.173).abs() < 5e-4);
    let (_, llama) = json(&[
        "advise",
        "--params",
        "65B",
        "--tokens",
        "1.4T",
        "--batch",
        "4M",
        "--lr",
        "1.5e-4",
        "--schedule",
        "cosine:0.1",
    ]);
    assert!((llama["advice"]["verdict"]["lambda"].as_f64().unwrap() - 0.089).abs() < 5e-4);
    assert_eq!(llama["advice"]["recipes"][0]["recipe"]["name"], "LLaMA-1 65B");
}

#[test]
fn the_answer_as_a_person_sees_it() {
    insta::assert_snapshot!(stdout(&succeed(wd().args(GPT2))));
}

#[test]
fn a_target_gets_its_own_number() {
    let (code, answer) = json(&[&GPT2[..], &["--target", "big_vision.adam"]].concat());
    assert_eq!((code, &answer["target"]["fidelity"]), (0, &"exact".into()));
    // η·λ, of a λ of two digits.
    assert!((answer["target"]["lambda"].as_f64().unwrap() / (6e-4 * 0.17) - 1.0).abs() < 1e-9);
    let (_, answer) = json(&[&GPT2[..], &["--target", "sklearn.Ridge"]].concat());
    assert_eq!(answer["target"]["fidelity"], "impossible");
    assert_eq!(answer["target"]["lambda"], serde_json::Value::Null);
}

#[test]
fn images_are_a_run_of_their_own_kind() {
    let (code, answer) = json(&[
        "advise",
        "--images",
        "1281167",
        "--epochs",
        "300",
        "--batch",
        "1024",
        "--lr",
        "1e-3",
        "--schedule",
        "cosine",
    ]);
    let verdict = &answer["advice"]["verdict"];
    assert_eq!((code, &verdict["outcome"]), (0, &"recommended".into()));
    assert_eq!(verdict["laws"].as_array().unwrap().len(), 2);
    let range = &verdict["range"];
    assert!(
        range["low"].as_f64().unwrap() < 0.05 && range["high"].as_f64().unwrap() > 0.05,
        "{range}"
    );
}

#[test]
fn runs_that_no_law_covers_have_an_exit_code() {
    let cases: [(&[&str], &str); 5] = [
        (&["--tokens", "1.24B", "--schedule", "cosine"], "power-lines"),
        (&["--tokens", "3.28B", "--schedule", "constant"], "power-lines"),
        (&["--tokens", "3.28B", "--schedule", "cosine", "--fine-tune"], "hyperball"),
        (&["--tokens", "3.28B", "--schedule", "cosine", "--optimizer", "sgd"], "power-lines"),
        (&["--dataset-size", "1B", "--epochs", "1.5", "--schedule", "cosine"], "power-lines"),
    ];
    let common = ["advise", "--params", "124M", "--batch", "65536", "--lr", "6e-4"];
    for (arguments, refuses) in cases {
        let (code, answer) = json(&[&common[..], arguments].concat());
        assert_eq!(code, 4, "{arguments:?}: {answer}");
        assert_eq!(answer["advice"]["verdict"]["outcome"], "not-covered", "{arguments:?}");
        let laws = answer["advice"]["laws"].as_array().expect("laws");
        let law = laws.iter().find(|law| law["id"] == refuses).expect(refuses);
        assert_eq!(law["answer"]["status"], "outside-range", "{arguments:?}: {law}");
    }
    // Several passes over little text for so large a model: no law was established there.
    let (code, answer) = json(&[
        "advise",
        "--params",
        "8B",
        "--batch",
        "65536",
        "--lr",
        "6e-4",
        "--tokens",
        "13.12B",
        "--epochs",
        "4",
        "--schedule",
        "cosine",
    ]);
    assert_eq!(code, 4, "{answer}");
    assert_eq!(answer["advice"]["verdict"]["outcome"], "not-covered");
}

#[test]
fn a_disagreement_comes_with_its_sweep() {
    let (code, answer) = json(&[
        "advise",
        "--images",
        "1281167",
        "--epochs",
        "2",
        "--batch",
        "128",
        "--lr",
        "1e-3",
        "--schedule",
        "cosine",
    ]);
    let verdict = &answer["advice"]["verdict"];
    assert_eq!((code, &verdict["outcome"]), (4, &"disagreement".into()));
    assert!((verdict["factor"].as_f64().unwrap() - 3.537).abs() < 5e-3);
    assert_eq!(answer["advice"]["sweep"]["axis"], "decay.lambda=log(0.071..0.25,3)");
}

#[test]
fn wrong_inputs_are_refused_by_name_and_amount() {
    let cases: [&[&str]; 12] = [
        &["--params", "124M"],
        &["--tokens", "10B", "--batch", "0.5M", "--steps", "1000"],
        &["--tokens", "10B", "--dataset-size", "1B", "--epochs", "2"],
        &["--tokens", "124x"],
        &["--tokens", "10B", "--params=-1"],
        &["--tokens", "10B", "--batch", "256img"],
        &["--tokens", "10B", "--lr", "nan"],
        &["--tokens", "10B", "--optimizer", "adamx"],
        &["--tokens", "10B", "--schedule", "cosin"],
        &["--tokens", "10B", "--schedule", "cosine:2"],
        &["--tokens", "10B", "--target", "optax.adamww"],
        &["--tokens", "1B", "--images", "1M"],
    ];
    let mut refusals = String::new();
    for arguments in cases {
        let (code, out, error) = ask(wd().arg("advise").args(arguments));
        assert!(code == 1 || code == 2, "{arguments:?}: {code}\n{out}{error}");
        refusals += &format!("$ wd advise {}\n{error}\n", arguments.join(" "));
    }
    insta::assert_snapshot!(refusals);
}

#[test]
fn a_configuration_is_a_planned_run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = prepare_corpus(folder.path());
    let config = write_config(folder.path(), &corpus, 20, "rule = \"independent\"\n");
    let (code, out, error) = ask(wd().arg("advise").arg(&config));
    // A model of a few thousand parameters is far below every law.
    assert_eq!(code, 4, "{out}{error}");
    let (_, answer) = json(&["advise", config.to_str().expect("a path")]);
    let run = &answer["advice"]["run"];
    assert_eq!((&run["batch"], &run["peak_learning_rate"]), (&64.0.into(), &0.01.into()));
    assert_eq!(run["total"], 20.0 * 64.0);
    assert!(out.contains("The configuration has λ = 0.1 (independent)."), "{out}");
    // The sweep that is printed is one that the program takes.
    let sweep = out
        .lines()
        .find_map(|line| line.trim().strip_prefix("wd sweep ").map(|rest| format!("sweep {rest}")))
        .unwrap_or_else(|| panic!("no sweep in:\n{out}"));
    assert!(sweep.contains("decay.rule=decoupled"), "{sweep}");
    let words: Vec<String> =
        sweep.split(' ').map(|word| word.trim_matches('\'').to_owned()).collect();
    let trials = succeed(wd().args(words).arg("--dry-run").current_dir(folder.path()));
    assert!(stdout(&trials).lines().count() >= 9, "{}", stdout(&trials));

    let (code, _, error) = ask(wd().arg("advise").arg(&config).args(["--params", "124M"]));
    assert!(code == 1 && error.contains("--params"), "{error}");
    let path = config.to_str().expect("a path");
    let (code, answer) = json(&["advise", path, "--set", "schedule.kind=constant"]);
    assert_eq!((code, &answer["advice"]["run"]["schedule"]), (4, &"constant".into()));
    let (code, _, error) =
        ask(wd().arg("advise").arg(&config).args(["--base-width", "8", "--base-lambda=-0.1"]));
    assert!(code == 1 && error.contains("base λ = -0.1"), "{error}");
    let (_, out, _) = ask(wd().arg("advise").arg(&config).args([
        "--set",
        "decay.rule=constant",
        "--set",
        "optim.lr=2e-3",
    ]));
    assert!(
        out.contains("run.toml optim.lr=2e-3 decay.rule=decoupled 'decay.lambda=log("),
        "{out}"
    );
    let (code, _, error) = ask(wd().args(["advise", "nowhere.toml"]));
    assert!(code == 1 && error.contains("nowhere.toml"), "{error}");
}

#[test]
fn the_plot_is_a_file_of_its_own() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("advice.svg");
    succeed(wd().args(GPT2).arg("--svg").arg(&path));
    let svg = std::fs::read_to_string(&path).expect("the figure");
    assert!(svg.starts_with("<svg xmlns=") && svg.contains("Power Lines"), "{svg}");
    assert!(!svg.contains("NaN"), "{svg}");
    let page = folder.path().join("advice.html");
    succeed(wd().args(GPT2).arg("--html").arg(&page));
    let html = std::fs::read_to_string(&page).expect("the page");
    assert!(html.starts_with("<!DOCTYPE html>"), "{html}");
    // The page names the command that makes it again, and the one that checks it.
    for command in ["wd advise --params 124M", "wd sweep CONFIG.toml"] {
        assert!(html.contains(command), "no «{command}» in:\n{html}");
    }
    let (code, _, error) =
        ask(wd().args(["advise", "--tokens", "1B", "--schedule", "constant", "--svg"]).arg(&path));
    assert!(code == 1 && error.contains("nothing to draw"), "{error}");
}

#[test]
fn the_page_of_recipes_is_what_the_command_prints() {
    let page = include_str!("../../../docs/book/src/recipes.md");
    let printed = stdout(&succeed(wd().args(["advise", "--recipes"])));
    assert!(
        page == printed,
        "docs/book/src/recipes.md is out of date: wd advise --recipes > docs/book/src/recipes.md"
    );
}
