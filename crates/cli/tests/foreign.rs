//! Runs of other programs, as a person reads them with the command.

#[expect(dead_code, reason = "no corpus is needed here")]
mod support;

use std::path::{Path, PathBuf};

use serde_json::Value;
use support::{succeed, wd};

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../import/tests/data").join(path)
}

const FIXED: [&str; 4] = ["--train", "train/full_loss", "--train-is", "fixed-set"];

fn json(text: &[u8]) -> Value {
    serde_json::from_slice(text).expect("JSON")
}

#[test]
fn a_report_reads_foreign_logs_and_writes_nothing_into_them() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("report.html");
    let report = |path: &str| {
        let mut command = wd();
        command.arg("report").arg(data(path)).args(FIXED).arg("--out").arg(&out);
        succeed(&mut command)
    };
    let text = String::from_utf8(report("digits-sweep/wandb-offline").stdout).expect("UTF-8");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("λ acts as a prior"), "{text}");
    assert!(words.contains("Of W&B: λ is `weight_decay`"), "{text}");
    assert!(words.contains("paired by their seed, and that is verified"), "{text}");
    assert!(words.contains("Best guess by mean validation loss: λ=1"), "{text}");
    let html = std::fs::read_to_string(&out).expect("the report");
    assert!(html.contains("What was read") && !html.contains("data.validation_fraction"));
    assert!(!data("digits-sweep/wandb-offline/report.html").exists());
}

#[test]
fn an_imported_study_is_a_study() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let study = folder.path().join("study");
    let read = data("digits-sweep/mlflow/mlflow.db");
    let shown = succeed(wd().arg("import").arg(&read).args(FIXED).arg("--out").arg(&study));
    assert!(String::from_utf8_lossy(&shown.stdout).contains("12 runs of MLflow"));
    let direct =
        succeed(wd().current_dir(folder.path()).arg("report").arg(&read).args(FIXED).arg("--json"));
    let stored = succeed(wd().arg("report").arg(&study).arg("--json"));
    assert_eq!(json(&direct.stdout), json(&stored.stdout));
    assert!(folder.path().join("mlflow-report.html").exists());
    // Its runs are shown, and it goes out as tables.
    let run = study.join("trials/wd0-s0");
    let metrics = succeed(wd().arg("metrics").arg(&run).arg("--csv"));
    let header = "recorded_step,lr,train/full_loss,train/loss,val/accuracy,val/loss\n0,";
    assert!(String::from_utf8_lossy(&metrics.stdout).starts_with(header));
    succeed(wd().arg("metrics").arg(&run).arg("--list"));
    let tables = folder.path().join("tables");
    succeed(wd().arg("export").arg(&study).arg("--csv").arg(&tables));
    let arms = std::fs::read_to_string(tables.join("arms.csv")).expect("a table");
    assert!(arms.contains("λ=1,1,0.003,final_validation_loss,0.52228"), "{arms}");
    // A sweep of this program does not go into it.
    let again = wd().arg("import").arg(&read).arg("--out").arg(&study).output().expect("a run");
    assert!(!again.status.success());
    assert!(String::from_utf8_lossy(&again.stderr).contains("there is a study already"));
}

#[test]
fn lambda_of_the_trainer_is_in_its_arguments() {
    let shown = succeed(wd().arg("import").arg(data("hf-trainer")).arg("--json"));
    let overview = json(&shown.stdout)["overview"].clone();
    assert_eq!(overview["recording"]["lambda"], "weight_decay");
    assert_eq!(overview["recording"]["training_is"], "running-mean");
    assert_eq!(overview["varying"]["weight_decay"], serde_json::json!(["0", "1"]));
    assert_eq!((&overview["runs"], &overview["finished"]), (&4.into(), &4.into()));
}

#[test]
fn what_cannot_be_told_is_asked_for_with_the_option() {
    let fail = |path: &str, more: &[&str]| {
        let output = wd().arg("report").arg(data(path)).args(more).output().expect("a run");
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let several = fail("digits-sweep", &[]);
    assert!(several.contains("`optuna-journal` of Optuna's journal"), "{several}");
    assert!(several.contains("--format"), "{several}");
    let unknown = fail("modded-nanogpt", &[]);
    assert!(unknown.contains("--lambda-from") && unknown.contains("folder: "), "{unknown}");
    let wrong = fail("digits-sweep/mlflow", &["--lambda-from", "decay"]);
    assert!(wrong.contains("no run has a setting `decay`"), "{wrong}");
    let curve = fail("digits-sweep/mlflow", &["--validation", "loss"]);
    assert!(curve.contains("val/accuracy") && curve.contains("no run has a curve"), "{curve}");
    let nothing = fail("digits-sweep/truth.json", &[]);
    assert!(nothing.contains("--regex"), "{nothing}");
}

#[test]
fn a_target_is_tested_arm_by_arm() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let settings = folder.path().join("runs.csv");
    let table =
        "file,weight_decay\n51ece938-03c5-4343-8dcc-3f3336b07008,0.025\ntuned_baseline_3250,0.05\n";
    std::fs::write(&settings, table).expect("a writable folder");
    let shown = succeed(
        wd().current_dir(folder.path())
            .arg("report")
            .arg(data("modded-nanogpt"))
            .arg("--settings")
            .arg(&settings)
            .args(["--target", "3.28", "--sigma", "0.0013"]),
    );
    let text =
        String::from_utf8_lossy(&shown.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        text.contains(
            "Is the mean of λ=0.025 below 3.28? It is 3.27893 over 20 runs, z with σ = 0.0013 = 3.6"
        ),
        "{text}"
    );
}
