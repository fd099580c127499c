//! A sweep as a user types it: trials side by side, a failed one named, the same command finishes
//! the rest.

mod support;

use support::{prepare_corpus, succeed, wd, write_config};

#[test]
fn a_sweep_finishes_what_was_left_and_repeats_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = prepare_corpus(folder.path());
    let config = write_config(folder.path(), &corpus, 60, "");
    let out = folder.path().join("sweep");
    let sweep = || {
        let mut command = wd();
        command
            .arg("sweep")
            .arg(&config)
            .args(["decay.lambda=0,0.5", "run.seed=0..1", "--jobs", "2", "--out"])
            .arg(&out);
        command
    };
    let listed = succeed(sweep().arg("--dry-run"));
    assert_eq!(String::from_utf8_lossy(&listed.stdout).lines().count(), 4);
    assert!(!out.join("trials").exists(), "a dry run writes nothing");

    // A file where a trial's log should be makes that trial fail; the others must go on.
    let obstacle = out.join("trials/lambda=0.5,seed=0");
    std::fs::create_dir_all(obstacle.join("log.txt")).expect("a folder");
    let output = sweep().output().expect("the command starts");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{message}");
    assert!(message.contains("lambda=0.5,seed=0"), "{message}");
    assert!(message.contains("1 of 4 trials unfinished"), "{message}");
    let finished = out.join("trials/lambda=0,seed=1/metrics.bin");
    let before = std::fs::metadata(&finished).expect("metrics").modified().expect("a time");

    std::fs::remove_dir(obstacle.join("log.txt")).expect("the obstacle");
    let output = succeed(&mut sweep());
    let summary = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(summary.contains("0.5"), "{summary}");
    let after = std::fs::metadata(&finished).expect("metrics").modified().expect("a time");
    assert_eq!(before, after, "a finished trial was trained again");
    let report = std::fs::read_to_string(out.join("report.html")).expect("a report");
    assert!(report.contains("<svg"));

    // The report can be made again from the folder alone, and read by a program.
    let output = succeed(wd().arg("report").arg(&out).arg("--json"));
    let analysis: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("JSON on standard output");
    assert_eq!(analysis["arms"].as_array().map(Vec::len), Some(2));
}

#[test]
fn trials_of_a_pair_share_weights_and_data() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = prepare_corpus(folder.path());
    let config = write_config(folder.path(), &corpus, 5, "");
    let first_loss = |lambda: &str, seed: &str| {
        let run = folder.path().join(format!("{lambda}-{seed}"));
        succeed(
            wd().arg("train")
                .arg(&config)
                .args(["--set", &format!("decay.lambda={lambda}")])
                .args(["--set", &format!("run.seed={seed}"), "--run-dir"])
                .arg(&run),
        );
        let output =
            succeed(wd().arg("metrics").arg(&run).args(["--columns", "train_loss", "--csv"]));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().nth(1).expect("a row").to_owned()
    };
    assert_eq!(first_loss("0", "1"), first_loss("0.9", "1"));
    assert_ne!(first_loss("0", "1"), first_loss("0", "2"));
}

#[test]
fn a_failed_trial_names_its_log() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = prepare_corpus(folder.path());
    let config = write_config(folder.path(), &corpus, 10, "");
    let out = folder.path().join("study");
    // A folder where the metrics of one trial belong.
    let trial = out.join("trials/lambda=0.1");
    std::fs::create_dir_all(trial.join("metrics.bin")).expect("a folder");
    let output = wd()
        .arg("sweep")
        .arg(&config)
        .args(["decay.lambda=0,0.1", "--jobs", "1", "--out"])
        .arg(&out)
        .output()
        .expect("the command starts");
    assert!(!output.status.success());
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    let log = trial.join("log.txt");
    assert!(message.contains(&format!("its whole log: {}", log.display())), "{message}");
    assert!(log.exists(), "{message}");
    // What is missing leaves the verdict open.
    let verdict = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(verdict.contains("[undecided]    The evidence is complete"), "{verdict}\n{message}");
}
