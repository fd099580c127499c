//! The study of where the best λ lies, and the judging of trained classifiers, as a user types them.

mod image_support;
mod support;

use image_support::{CNN, write_image_config};
use support::{succeed, wd};

fn text(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_sweep_of_classifiers_is_reported_with_its_optima_and_its_shift() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = write_image_config(folder.path(), CNN, 10);
    let study = folder.path().join("study");
    let axes = ["decay.lambda=0,0.01,0.1,1", "run.seed=0,1"];
    let summary = text(&succeed(
        wd().arg("sweep")
            .arg(&config)
            .args(axes)
            .arg("--out")
            .arg(&study),
    ));
    assert!(
        summary.contains("without λ it over-fits, with too much it under-fits"),
        "{summary}"
    );
    let page = std::fs::read_to_string(study.join("report.html")).expect("a report");
    for part in [
        "Loss over ηλ",
        "The best ηλ",
        "Accuracy on corrupted test images",
        "cnn",
    ] {
        assert!(page.contains(part), "{part}");
    }

    let json = text(&succeed(wd().arg("report").arg(&study).arg("--json")));
    let analysis: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let surfaces = analysis["surfaces"].as_array().expect("surfaces");
    assert_eq!(surfaces.len(), 1);
    assert_eq!(surfaces[0]["points"].as_array().map(Vec::len), Some(4));
    let severities = analysis["shifts"][0]["severities"]
        .as_array()
        .expect("severities");
    assert_eq!(severities.len(), 6);

    // Severity 0 are the test images themselves: the accuracy that the runs recorded.
    let point = &surfaces[0]["points"][0];
    let recorded = point["test_accuracy"]["mean"].as_f64().expect("a number");
    let evaluated = severities[0]["without"]["mean"].as_f64().expect("a number");
    assert!(
        (recorded - evaluated).abs() < 1e-12,
        "{recorded} and {evaluated}"
    );
}

#[test]
fn a_trained_classifier_is_judged_on_other_images() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = write_image_config(folder.path(), CNN, 100);
    let run = folder.path().join("run");
    succeed(wd().arg("train").arg(&config).arg("--run-dir").arg(&run));
    let score = |arguments: &[&str]| -> serde_json::Value {
        let output = succeed(wd().arg("evaluate").arg(&run).args(arguments).arg("--json"));
        serde_json::from_str(&text(&output)).expect("JSON")
    };
    let clean = score(&[]);
    let noisy = score(&["--corruption", "noise", "--severity", "5"]);
    let accuracy = |score: &serde_json::Value| score["accuracy"].as_f64().expect("a number");
    assert!(accuracy(&clean) > accuracy(&noisy), "{clean} and {noisy}");

    let refused = wd()
        .arg("evaluate")
        .arg(&run)
        .args(["--corruption", "fog", "--severity", "1"])
        .output()
        .expect("wd runs");
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && told.contains("occlusion"),
        "{told}"
    );
}
