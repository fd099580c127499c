//! A run that is killed at any moment and called again ends with the same bits as one that never
//! stopped.

mod image_support;
mod support;

use std::{
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use image_support::{CNN, VIT, write_image_config};
use support::{prepare_corpus, succeed, wd, write_config};

fn train(config: &Path, run: &Path, threads: &str) -> std::process::Command {
    let mut command = wd();
    command.arg("train").arg(config).arg("--run-dir").arg(run).args([
        "--threads",
        threads,
        "--progress",
        "none",
    ]);
    command
}

/// The files that must not depend on how often a run was stopped.
fn final_bytes(run: &Path, steps: u64) -> Vec<(String, Vec<u8>)> {
    let checkpoint = run.join(format!("checkpoints/step-{steps}"));
    [
        checkpoint.join("model.safetensors"),
        checkpoint.join("optimizer.safetensors"),
        checkpoint.join("state.json"),
        run.join("metrics.bin"),
        run.join("plan.json"),
    ]
    .into_iter()
    .map(|path| {
        let bytes = std::fs::read(&path)
            .unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()));
        (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), bytes)
    })
    .collect()
}

fn assert_same(expected: &Path, found: &Path, steps: u64) {
    let pairs = final_bytes(expected, steps).into_iter().zip(final_bytes(found, steps));
    for ((name, expected), (_, found)) in pairs {
        assert!(expected == found, "{name} differs");
    }
}

#[test]
fn a_killed_run_ends_with_the_same_bits() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = prepare_corpus(folder.path());
    let config = write_config(folder.path(), &corpus, 400, "");
    kill_and_continue(folder.path(), &config, 400, &[0.02, 0.2, 0.4, 0.6, 0.8, 0.95]);
}

/// Augmentation, dropout, the moving average of the weights and the position in a shuffled epoch
/// all come back.
#[test]
fn a_killed_vision_transformer_ends_with_the_same_bits() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = write_image_config(folder.path(), VIT, 300);
    kill_and_continue(folder.path(), &config, 300, &[0.3, 0.5, 0.7, 0.9]);
}

/// The running statistics of batch norm too.
#[test]
fn a_killed_network_with_batch_norm_ends_with_the_same_bits() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = write_image_config(folder.path(), CNN, 200);
    kill_and_continue(folder.path(), &config, 200, &[0.3, 0.5, 0.7, 0.9]);
}

/// Stochastic rounding and labels that are wrong on purpose come back as well: both follow from
/// seeds.
#[test]
fn a_killed_run_with_weights_in_bf16_and_wrong_labels_ends_with_the_same_bits() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = write_image_config(folder.path(), CNN, 200);
    let text = std::fs::read_to_string(&config).expect("the configuration");
    let text = text
        .replace("[optim]\n", "[optim]\nstorage = \"bf16-stochastic\"\n")
        .replace("size = 250\n", "size = 250\nlabel_noise = 0.2\n");
    assert!(text.contains("bf16-stochastic") && text.contains("label_noise"));
    std::fs::write(&config, text).expect("the configuration");
    kill_and_continue(folder.path(), &config, 200, &[0.3, 0.7]);
}

/// Kills runs at these shares of the time that a whole one takes, continues them, and compares what
/// they leave.
fn kill_and_continue(folder: &Path, config: &Path, steps: u64, shares: &[f64]) {
    let whole = folder.join("whole");
    let begin = Instant::now();
    succeed(&mut train(config, &whole, "2"));
    let whole_time = begin.elapsed();

    // Moments from "before the first step" to "near the end", each in a run of its own and once all
    // in one run.
    let killed = folder.join("killed");
    let mut kills = 0;
    for share in shares {
        for run in [folder.join(format!("killed-{share}")), killed.clone()] {
            let mut child =
                train(config, &run, "1").stderr(Stdio::null()).spawn().expect("the command starts");
            std::thread::sleep(whole_time.mul_f64(*share).max(Duration::from_millis(5)));
            if child.try_wait().expect("a child").is_none() {
                kills += 1;
            }
            // SIGKILL: no handler, no flush.
            child.kill().expect("a running child");
            child.wait().expect("a killed child");
        }
    }
    assert!(kills >= shares.len() / 2, "only {kills} runs were still alive when killed");
    for share in shares {
        let run = folder.join(format!("killed-{share}"));
        succeed(&mut train(config, &run, "1"));
        assert_same(&whole, &run, steps);
    }
    succeed(&mut train(config, &killed, "2"));
    assert_same(&whole, &killed, steps);
}

#[test]
fn an_interrupted_run_continues_and_a_finished_one_repeats_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = prepare_corpus(folder.path());
    let config = write_config(folder.path(), &corpus, 60, "");
    let run = folder.path().join("run");
    succeed(&mut train(&config, &run, "1"));
    let before = std::fs::read(run.join("metrics.bin")).expect("metrics");
    let output = succeed(&mut train(&config, &run, "1"));
    assert!(String::from_utf8_lossy(&output.stderr).contains("finished 60 steps"));
    assert_eq!(before, std::fs::read(run.join("metrics.bin")).expect("metrics"));

    // Another λ in the same folder is refused by name, not silently ignored.
    let output = train(&config, &run, "1")
        .args(["--set", "decay.lambda=0.2"])
        .output()
        .expect("the command starts");
    assert!(!output.status.success());
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("decay.lambda: 0.1 there, 0.2 here"), "{message}");

    let output =
        train(&config, &run, "1").args(["--resume", "never"]).output().expect("the command starts");
    assert!(String::from_utf8_lossy(&output.stderr).contains("already holds a run"));
    let output = train(&config, &folder.path().join("new"), "1")
        .args(["--resume", "require"])
        .output()
        .expect("the command starts");
    assert!(String::from_utf8_lossy(&output.stderr).contains("no checkpoint to resume"));
}

#[test]
fn a_damaged_checkpoint_is_passed_over() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = prepare_corpus(folder.path());
    let config = write_config(folder.path(), &corpus, 30, "");
    let whole = folder.path().join("whole");
    succeed(&mut train(&config, &whole, "1"));

    // The same run, its end taken back and its newest checkpoint cut short.
    let cut = folder.path().join("cut");
    succeed(&mut train(&config, &cut, "1"));
    let events = std::fs::read_to_string(cut.join("events.jsonl")).expect("events");
    let kept: Vec<&str> = events.lines().filter(|line| !line.contains("finished")).collect();
    std::fs::write(cut.join("events.jsonl"), kept.join("\n") + "\n").expect("events");
    let model = cut.join("checkpoints/step-30/model.safetensors");
    let bytes = std::fs::read(&model).expect("a checkpoint");
    std::fs::write(&model, &bytes[..bytes.len() - 9]).expect("a checkpoint");
    succeed(&mut train(&config, &cut, "1"));
    assert_eq!(std::fs::read(&model).expect("a checkpoint"), bytes);
    assert_eq!(
        std::fs::read(cut.join("metrics.bin")).expect("metrics"),
        std::fs::read(whole.join("metrics.bin")).expect("metrics")
    );
}

/// `WD_KILLS=1000 cargo test --release -p wd --test resume -- --ignored`: so many runs, each killed
/// several times at moments that the clock draws, end with the same bits as one that was left alone.
#[test]
#[ignore = "runs for as long as it is asked to"]
fn runs_killed_at_any_moments_end_with_the_same_bits() {
    let rounds: u64 =
        std::env::var("WD_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(30);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = prepare_corpus(folder.path());
    let text = write_config(folder.path(), &corpus, 200, "");
    let images = write_image_config(folder.path(), CNN, 100);
    for (name, config, steps) in [("text", &text, 200), ("images", &images, 100)] {
        let whole = folder.path().join(format!("whole-{name}"));
        let begin = Instant::now();
        succeed(&mut train(config, &whole, "1"));
        let whole_time = begin.elapsed();
        for round in 0..rounds {
            let run = folder.path().join(format!("{name}-{round}"));
            for _ in 0..4 {
                let mut child = train(config, &run, "1")
                    .stderr(Stdio::null())
                    .spawn()
                    .expect("the command starts");
                let share = f64::from(begin.elapsed().subsec_nanos() % 1000) / 1000.0;
                std::thread::sleep(whole_time.mul_f64(0.7 * share));
                child.kill().expect("a running child");
                child.wait().expect("a killed child");
            }
            succeed(&mut train(config, &run, "2"));
            assert_same(&whole, &run, steps);
            std::fs::remove_dir_all(&run).expect("a run directory");
        }
    }
}
