//! What can be done with runs that are on disk: set side by side, made to write, shown as pages.

mod support;

use std::path::{Path, PathBuf};

use support::{prepare_corpus, succeed, wd, write_config};

/// Runs of one configuration, named by what is set in each.
fn runs(folder: &Path, settings: &[(&str, &[&str])]) -> Vec<PathBuf> {
    let corpus = prepare_corpus(folder);
    let config = write_config(folder, &corpus, 40, "");
    let train = |(name, set): &(&str, &[&str])| {
        let run = folder.join("runs").join(name);
        let mut command = wd();
        command.arg("train").arg(&config).arg("--run-dir").arg(&run).args(["--threads", "1"]);
        for setting in *set {
            command.args(["--set", setting]);
        }
        succeed(&mut command);
        run
    };
    settings.iter().map(train).collect()
}

fn out(command: &mut std::process::Command) -> String {
    String::from_utf8(succeed(command).stdout).expect("UTF-8")
}

fn refused(command: &mut std::process::Command) -> String {
    let output = command.output().expect("the command starts");
    assert!(!output.status.success(), "{command:?} succeeded");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!message.contains("panicked"), "{message}");
    message
}

#[test]
fn one_damaged_run_is_named_and_costs_no_other_its_place() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let made: [(&str, &[&str]); 3] = [
        ("none", &["decay.lambda=0"]),
        ("some", &["decay.lambda=3"]),
        ("torn", &["decay.lambda=1"]),
    ];
    let runs = runs(folder.path(), &made);
    std::fs::write(runs[2].join("plan.json"), "{").expect("a damage");
    let page = folder.path().join("side.html");
    let report = |paths: &[PathBuf]| {
        let output = wd().arg("report").args(paths).arg("--out").arg(&page).output();
        let output = output.expect("the command starts");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (is_well, said) = report(&runs);
    assert!(is_well && said.contains("left out, since it is damaged"), "{said}");
    assert!(said.contains("torn") && said.contains("plan.json"), "{said}");
    let html = std::fs::read_to_string(&page).expect("the page");
    assert!(html.contains("2 runs side by side") && html.contains("since it is damaged"));
    std::fs::write(runs[0].join("plan.json"), "{").expect("a damage");
    std::fs::write(runs[1].join("plan.json"), "{").expect("a damage");
    assert!(!report(&runs).0, "nothing is left to report");
}

#[test]
fn runs_of_any_folder_stand_side_by_side() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let made: [(&str, &[&str]); 4] = [
        ("none-0", &["decay.lambda=0"]),
        ("none-1", &["decay.lambda=0", "run.seed=1"]),
        ("some-0", &["decay.lambda=3"]),
        ("some-1", &["decay.lambda=3", "run.seed=1"]),
    ];
    let runs = runs(folder.path(), &made);
    let page = folder.path().join("side.html");
    let report = |paths: &[&Path], extra: &[&str]| {
        out(wd().arg("report").args(paths).arg("--out").arg(&page).args(extra))
    };
    let all: Vec<&Path> = runs.iter().map(PathBuf::as_path).collect();
    let words = report(&all, &[]);
    assert!(words.contains("over 2 paired seeds"), "{words}");
    // The folder that holds them says the same.
    assert_eq!(report(&[&folder.path().join("runs")], &[]), words);
    // A claim is one line, its reasons are there for those who ask.
    assert!(!words.contains("counts as none"), "{words}");
    assert!(report(&all, &["--explain"]).contains("counts as none"));
    let html = std::fs::read_to_string(&page).expect("the page");
    assert!(html.contains("4 runs side by side") && html.contains("id=\"response-figure\""));

    // Numbers that stand beside each other belong together: a reader can subtract.
    let json = report(&all, &["--json"]);
    let analysis: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    for arm in analysis["arms"].as_array().expect("arms") {
        let mean = |name: &str| arm[name]["mean"].as_f64().expect("a mean");
        let label = arm["label"].as_str().expect("a label");
        let row = words.lines().find(|line| line.trim_start().starts_with(label)).expect("a row");
        let cells: Vec<f64> = row
            .split_whitespace()
            .filter_map(|word| word.replace('−', "-").replace('+', "").parse().ok())
            .collect();
        let evaluated = mean("final_train_evaluation");
        let place = cells.iter().position(|cell| (cell - evaluated).abs() < 6e-5).expect(row);
        assert!((cells[place + 1] - cells[place] - cells[place + 2]).abs() < 2e-4, "{row}");
    }
}

#[test]
fn a_run_on_text_writes_and_its_page_shows_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runs = runs(folder.path(), &[("one", &[])]);
    let run = runs[0].as_path();
    let sample = |extra: &[&str]| out(wd().arg("sample").arg(run).args(extra));
    let text = sample(&["--tokens", "80"]);
    assert!(text.trim().chars().count() > 20, "{text:?}");
    assert_eq!(text, sample(&["--tokens", "80"]));
    assert_ne!(text, sample(&["--tokens", "80", "--seed", "1"]));
    let prompted = sample(&["--prompt", "the Work", "--tokens", "10"]);
    assert!(prompted.starts_with("the Work"), "{prompted:?}");
    // Always the likeliest token: no seed changes it.
    let likeliest = sample(&["--temperature", "0", "--tokens", "20"]);
    assert_eq!(likeliest, sample(&["--temperature", "0", "--tokens", "20", "--seed", "9"]));
    let message = refused(wd().arg("sample").arg(run).args(["--temperature=-1"]));
    assert!(message.contains("0 or more"), "{message}");

    succeed(wd().arg("report").arg(run));
    let html = std::fs::read_to_string(run.join("report.html")).expect("the page");
    assert!(html.contains("What it writes after 40 steps"));
    assert!(html.contains("a gap of"), "the lead names losses of the same weights");
    // Another checkpoint than the last, by its step.
    let early = sample(&["--step", "35", "--tokens", "5", "--json"]);
    assert!(early.contains("\"step\":35"), "{early}");
}

#[test]
fn a_study_where_a_run_is_wanted_names_its_runs() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = prepare_corpus(folder.path());
    let config = write_config(folder.path(), &corpus, 10, "");
    let study = folder.path().join("study");
    succeed(wd().arg("sweep").arg(&config).args(["decay.lambda=0,0.1", "--out"]).arg(&study));
    for command in ["metrics", "evaluate", "sample"] {
        let message = refused(wd().arg(command).arg(&study));
        assert!(message.contains("is a study"), "{command}: {message}");
        let joined: String =
            message.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        assert!(joined.contains("one of the 2 runs"), "{command}: {message}");
    }
    let message = refused(wd().arg("metrics").arg(study.join("trials")));
    assert!(message.contains("is a folder of runs"), "{message}");
}
