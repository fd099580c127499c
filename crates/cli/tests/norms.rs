//! Norms held and drawn to targets, as a user types it: planned, trained, measured, resumed.

mod support;

use std::path::{Path, PathBuf};

use support::{prepare_corpus, succeed, wd, write_config};

const STEPS: u64 = 30;

fn train(config: &Path, run: &Path, settings: &[&str]) {
    let mut command = wd();
    command.arg("train").arg(config).arg("--run-dir").arg(run);
    command.args(["--threads", "2", "--progress", "none"]);
    for setting in settings {
        command.args(["--set", setting]);
    }
    succeed(&mut command);
}

/// A column of a run's metrics, where it was measured.
fn column(run: &Path, name: &str) -> Vec<f64> {
    let output = succeed(wd().arg("metrics").arg(run).args(["--columns", name, "--csv"]));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines()
        .skip(1)
        .filter_map(|line| line.parse().ok())
        .filter(|value: &f64| value.is_finite())
        .collect()
}

/// The settings of every kind of norm control, and of an anchor with each rule.
fn settings(folder: &Path) -> Vec<Vec<String>> {
    let checkpoint = format!(
        "decay.anchor.checkpoint=\"{}\"",
        folder.join("before/checkpoints/step-30/model.safetensors").display()
    );
    let mut all: Vec<Vec<String>> = [
        &["decay={ rule = \"hyperball\" }"][..],
        &["decay={ rule = \"hyperball\" }", "optim.kind=muon"],
        &["decay={ rule = \"hyperball\" }", "optim.kind=sgd"],
        &["decay.anchor.norm=0.5"],
        &["decay.anchor.norm=1.5", "optim.kind=muon", "decay.cautious=true"],
        &["decay.anchor.norm=1.5", "optim.kind=adam"],
    ]
    .into_iter()
    .map(|settings| settings.iter().map(|setting| (*setting).to_owned()).collect())
    .collect();
    for anchor in ["decay.anchor=initial", &checkpoint] {
        for rule in [
            "decoupled",
            "independent",
            "constant",
            "corrected",
            "squared-learning-rate",
            "coupled-l2",
        ] {
            let kind = if rule == "coupled-l2" { "adam" } else { "adamw" };
            all.push(vec![
                anchor.to_owned(),
                format!("decay.rule={rule}"),
                format!("optim.kind={kind}"),
            ]);
        }
    }
    all
}

/// Takes a finished run back to its checkpoint of step 28.
fn take_back(run: &Path) {
    let events = run.join("events.jsonl");
    let text = std::fs::read_to_string(&events).expect("events");
    let kept: Vec<&str> = text.lines().filter(|line| !line.contains("finished")).collect();
    std::fs::write(&events, kept.join("\n") + "\n").expect("events");
    std::fs::remove_dir_all(run.join(format!("checkpoints/step-{STEPS}"))).expect("a checkpoint");
}

fn final_bytes(run: &Path) -> Vec<Vec<u8>> {
    [
        "checkpoints/step-30/model.safetensors",
        "checkpoints/step-30/optimizer.safetensors",
        "metrics.bin",
    ]
    .map(|file| std::fs::read(run.join(file)).expect(file))
    .to_vec()
}

#[test]
fn every_kind_of_norm_control_trains_and_resumes_to_the_bit() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = prepare_corpus(folder.path());
    let config = write_config(folder.path(), &corpus, STEPS, "");
    train(&config, &folder.path().join("before"), &["run.seed=1"]);
    let mut runs: Vec<(Vec<String>, Vec<Vec<u8>>)> = Vec::new();
    for (index, settings) in settings(folder.path()).into_iter().enumerate() {
        let run = folder.path().join(format!("run-{index}"));
        let words: Vec<&str> = settings.iter().map(String::as_str).collect();
        train(&config, &run, &words);
        let whole = final_bytes(&run);
        take_back(&run);
        train(&config, &run, &words);
        assert!(whole == final_bytes(&run), "{settings:?}");
        for (others, bytes) in &runs {
            assert!(*bytes != whole, "{settings:?} does what {others:?} does");
        }
        runs.push((settings, whole));
    }
}

fn weight_norm(run: &Path, path: &str) -> Vec<f64> {
    column(run, &format!("weight_norm/{path}"))
}

fn trained(settings: &[&str]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = prepare_corpus(folder.path());
    let config = write_config(folder.path(), &corpus, STEPS, "");
    let run = folder.path().join("run");
    train(&config, &run, settings);
    (folder, run)
}

#[test]
fn hyperball_holds_the_norm_of_matrices_and_of_nothing_else() {
    let (_folder, run) = trained(&["decay={ rule = \"hyperball\" }"]);
    let norms = weight_norm(&run, "block.0.mlp.up.weight");
    assert!(norms.len() > 5);
    for norm in &norms {
        assert!((norm / norms[0] - 1.0).abs() < 1e-6, "{norms:?}");
    }
    let moved = column(&run, "relative_update/block.0.mlp.up.weight");
    let rates = column(&run, "learning_rate");
    // At the last step η is a tenth of 1e-2.
    assert!(
        (moved[moved.len() - 1] / rates[rates.len() - 1] - 1.0).abs() < 0.01,
        "{moved:?} {rates:?}"
    );
    let free = weight_norm(&run, "embedding.token.weight");
    assert!((free[free.len() - 1] / free[0] - 1.0).abs() > 1e-3, "{free:?}");
}

#[test]
fn a_norm_decays_to_its_target() {
    let (_folder, run) = trained(&[
        "decay.anchor.norm=1.5",
        "decay.rule=constant",
        "decay.lambda=0.5",
        "optim.lr=1e-4",
    ]);
    for path in ["block.0.mlp.up.weight", "embedding.token.weight"] {
        let norms = weight_norm(&run, path);
        assert!((norms[norms.len() - 1] / norms[0] - 1.5).abs() < 0.02, "{path}: {norms:?}");
    }
}

#[test]
fn the_plan_says_what_is_held_and_how() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = prepare_corpus(folder.path());
    let config = write_config(folder.path(), &corpus, STEPS, "");
    let plan = |settings: &[&str]| {
        let mut command = wd();
        command.arg("plan").arg(&config);
        for setting in settings {
            command.args(["--set", setting]);
        }
        let printed = String::from_utf8_lossy(&succeed(&mut command).stdout).into_owned();
        // However its lines are broken.
        printed.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let held = plan(&["decay={ rule = \"hyperball\" }"]);
    for part in [
        "matrix: its norm is held (matrices)",
        "token embedding: free (matrices)",
        "adamw: β₁ 0.9, β₂ 0.95, ε 1e-8; gradients clipped to norm 1",
        "hyperball: w ← R·Norm(w − η_t R·Norm(u)), R = ‖w₀‖",
        "holds the norm",
    ] {
        assert!(held.contains(part), "no «{part}» in\n{held}");
    }
    let cautious = plan(&["decay.cautious=true", "decay.anchor.norm=1.5", "optim.kind=lion"]);
    for part in
        ["lion: β₁ 0.9, β₂ 0.99", "a = Rw/‖w‖, R = 1.5·‖w₀‖", "only where u·(w − a) ≥ 0 (cautious)"]
    {
        assert!(cautious.contains(part), "no «{part}» in\n{cautious}");
    }
}

#[test]
fn an_export_replaces_no_other_models_configuration_unasked() {
    let (folder, run) = trained(&["model.layers=1"]);
    let out = folder.path().join("exported/model.safetensors");
    let export = || {
        let mut command = wd();
        command.arg("export").arg(&run).arg("--out").arg(&out);
        command
    };
    succeed(&mut export());
    // The same model again replaces nothing.
    succeed(&mut export());
    let config = out.with_file_name("config.json");
    std::fs::write(&config, "{\"model_type\": \"gpt2\"}").expect("a file");
    let output = export().output().expect("the command starts");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && message.contains("config.json") && message.contains("--force"),
        "{message}"
    );
    succeed(export().arg("--force"));
    assert!(std::fs::read_to_string(&config).expect("a file").contains("n_embd"));
}

#[test]
fn the_long_help_lists_every_key() {
    let output = succeed(wd().args(["train", "--help"]));
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(help.contains("checkpoint_every = 500") && help.contains("Examples:"), "{help}");
}

#[test]
fn the_effective_rate_of_another_run_is_replayed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = prepare_corpus(folder.path());
    let config = write_config(folder.path(), &corpus, STEPS, "");
    // A decay that is felt within thirty steps, measured at each of them.
    let common = ["run.measure_every=1", "optim.lr=3e-2"];
    let with = |name: &str, more: &[&str]| {
        let run = folder.path().join(name);
        train(&config, &run, &[&common[..], more].concat());
        run
    };
    let decayed = with("decayed", &["decay.lambda=2"]);
    let free = with("free", &["decay.lambda=0"]);
    let replay = format!("optim.effective_rate_of=\"{}\"", decayed.display());
    let settings = ["decay.lambda=0", replay.as_str()];
    let replayed = with("replayed", &settings);
    let path = "block.0.mlp.up.weight";
    let last = |run: &Path, name: &str| *column(run, &format!("{name}/{path}")).last().unwrap();
    // The update of Adam has about the same size everywhere: what differs is the norm.
    let ratio = |run: &Path| last(run, "relative_update") / last(&decayed, "relative_update");
    assert!(last(&replayed, "weight_norm") > 1.5 * last(&decayed, "weight_norm"));
    // The update of the run that decays has the decay in it, a few hundredths of the whole.
    assert!((ratio(&replayed) - 1.0).abs() < 0.15, "{}", ratio(&replayed));
    assert!(ratio(&free) < 0.7, "{}", ratio(&free));

    let whole = final_bytes(&replayed);
    take_back(&replayed);
    with("replayed", &settings);
    assert!(whole == final_bytes(&replayed), "a resumed replay has other bits");

    // What cannot be followed is refused before the first step, by its reason.
    for (other, reason) in [
        (free.display().to_string(), "in which nothing decays"),
        (folder.path().join("none").display().to_string(), "none"),
    ] {
        let mut command = wd();
        command.arg("plan").arg(&config);
        command.args(["--set", &format!("optim.effective_rate_of=\"{other}\"")]);
        let output = command.output().expect("the command starts");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success());
        assert!(error.contains("effective_rate_of") && error.contains(reason), "{error}");
    }
}

#[test]
fn tensors_have_learning_rates_of_their_own() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = prepare_corpus(folder.path());
    let config = write_config(folder.path(), &corpus, STEPS, "");
    let with = |name: &str, more: &[&str]| {
        let run = folder.path().join(name);
        train(&config, &run, more);
        run
    };
    let path = "block.0.mlp.up.weight";
    // A rate of 0 leaves a tensor where it began, decay included; the others move.
    let frozen = ["optim.overrides.\"block.0.mlp.*\"=0"];
    let run = with("frozen", &frozen);
    assert!(column(&run, &format!("update_norm/{path}")).iter().all(|moved| *moved == 0.0));
    assert!(column(&run, "update_norm/embedding.token.weight").iter().all(|moved| *moved > 0.0));
    let whole = final_bytes(&run);
    take_back(&run);
    with("frozen", &frozen);
    assert!(whole == final_bytes(&run), "a resumed run has other bits");
    // At the first step nothing but the rate differs: half of it moves the block half as far.
    let first = |run: &Path| column(run, &format!("update_norm/{path}"))[0];
    let plain = with("plain", &["decay.lambda=0"]);
    let layered = with("layered", &["decay.lambda=0", "optim.layer_decay=0.5"]);
    assert!((first(&layered) / first(&plain) - 0.5).abs() < 1e-3);

    let plan = |setting: &str| {
        let mut command = wd();
        command.arg("plan").arg(&config).args(["--set", setting]);
        command.output().expect("the command starts")
    };
    let shown = String::from_utf8_lossy(&plan("optim.layer_decay=0.5").stdout).into_owned();
    assert!(shown.contains("learning rate") && shown.contains("0.0025"), "{shown}");
    for (setting, words) in [
        ("optim.overrides.\"blok.*\"=1e-3", "matches no tensor"),
        ("optim.overrides.\"block.*\"=-1", "optim.overrides"),
        ("optim.layer_decay=1.5", "optim.layer_decay"),
    ] {
        let output = plan(setting);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains(words), "{setting}: {error}");
    }
}

/// What an audit of a run says, in JSON.
fn audited(run: &Path) -> serde_json::Value {
    let output = wd().arg("audit").arg(run).arg("--json").output().expect("the command starts");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn the_own_runs_prove_what_was_applied() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = prepare_corpus(folder.path());
    let config = write_config(folder.path(), &corpus, STEPS, "");
    let common = ["run.checkpoint_every=1", "run.keep_checkpoints=2", "model.width=64"];
    for (name, more) in [
        ("adamw", &["optim.kind=adamw"][..]),
        ("lion", &["optim.kind=lion", "decay.lambda=1"]),
        // Half the rate for one tensor: λ is still λ.
        ("own-rate", &["optim.overrides.\"block.0.mlp.*\"=5e-3"]),
    ] {
        let run = folder.path().join(name);
        train(&config, &run, &[&common[..], more].concat());
        let found = audited(&run);
        let verdict = &found["proof"]["verdict"];
        assert_eq!(verdict["verdict"], "applied-as-declared", "{name}: {verdict}");
        // One step named against another, or all of them, is the same question.
        let step = |step: u64| run.join(format!("checkpoints/step-{step}"));
        for words in [vec![run.join("checkpoints")], vec![step(29), step(30)]] {
            let output = wd().arg("audit").args(words).arg("--json").output().expect("it runs");
            let same: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
            assert_eq!(same["proof"]["verdict"], *verdict, "{name}");
        }
    }
}
