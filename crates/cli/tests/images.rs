//! Runs on images as a user types them.

mod image_support;
mod support;

use std::path::Path;

use image_support::{CNN, VIT, write_image_config};
use support::{prepare_corpus, succeed, wd, write_config};

fn train(config: &Path, run: &Path, set: &[&str]) -> std::process::Command {
    let mut command = wd();
    command.arg("train").arg(config).arg("--run-dir").arg(run);
    command.args(["--threads", "1", "--progress", "plain"]);
    for setting in set {
        command.args(["--set", setting]);
    }
    command
}

/// The last value of columns of a run's metrics.
fn last(run: &Path, columns: &[&str]) -> Vec<f64> {
    let output =
        succeed(wd().arg("metrics").arg(run).args(["--csv", "--columns", &columns.join(",")]));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let row = text.lines().last().expect("a row");
    row.split(',').map(|cell| cell.parse().unwrap_or(f64::NAN)).collect()
}

#[test]
fn a_classifier_learns_and_every_score_is_recorded() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = write_image_config(folder.path(), VIT, 300);
    let run = folder.path().join("run");
    let easy = ["data.mixup=0", "data.cutout=0", "data.crop=0", "optim.lr=1e-2"];
    let output = succeed(&mut train(&config, &run, &easy));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("300 steps of 20 images"), "{told}");
    assert!(told.contains("test accuracy"), "{told}");

    let scores = last(
        &run,
        &[
            "images",
            "validation_loss",
            "train_eval_loss",
            "test_accuracy",
            "train_accuracy",
            "calibration_error",
            "shifted_loss",
            "shifted_accuracy",
            "shifted_calibration_error",
            "average_loss",
            "average_accuracy",
        ],
    );
    assert_eq!(scores[0], 6000.0);
    assert!(scores.iter().all(|score| score.is_finite()), "{scores:?}");
    // Ten classes: guessing gets 0.1 right at a loss of 2.3.
    assert!(scores[1] < 1.8 && scores[3] > 0.4, "{scores:?}");
    assert!(scores[9] < 1.8 && scores[10] > 0.4, "{scores:?}");
    assert!(scores[5] > 0.0 && scores[5] < 0.5 && scores[8] > 0.0, "{scores:?}");
    let plan = std::fs::read_to_string(run.join("plan.json")).expect("a plan");
    let plan: serde_json::Value = serde_json::from_str(&plan).expect("JSON");
    assert_eq!(plan["unit"], "images");
    assert_eq!(plan["training_samples"], 250);
    assert_eq!(plan["images"]["shape"], serde_json::json!([28, 28, 1]));
    assert_eq!(plan["images"]["shifted"], "noise, severity 3");
    // Of the training subset alone: about, but not exactly, that of the whole training part.
    let mean = plan["images"]["mean"][0].as_f64().expect("a mean");
    assert!((mean - 0.286).abs() < 0.02, "{mean}");

    let shown = succeed(wd().arg("metrics").arg(&run));
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("test_accuracy") && shown.contains("shifted_loss"), "{shown}");
    succeed(wd().arg("report").arg(&run));
    let report = std::fs::read_to_string(run.join("report.html")).expect("a report");
    assert!(report.contains("300 steps × 20 images") && report.contains("nats an image"));
}

#[test]
fn a_plan_says_what_decays_and_what_the_images_are() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = write_image_config(folder.path(), VIT, 300);
    let output = succeed(wd().arg("plan").arg(&config).args(["--threads", "1"]));
    let plan = String::from_utf8_lossy(&output.stdout).into_owned();
    // However its lines are broken.
    let plan = plan.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in [
        "class token: no decay (timm)",
        "position embedding: no decay (timm)",
        "D: decays (timm)",
        "250 training and 50 test images; 300 steps of 20 images = 24.00 epochs",
        "28 × 28 × 1, 10 classes",
        "shifted: noise, severity 3",
        "κ = Σ shrink",
    ] {
        assert!(plan.contains(expected), "{expected} is not in\n{plan}");
    }
    let explained = succeed(wd().arg("explain").arg(&config));
    let explained = String::from_utf8_lossy(&explained.stdout).into_owned();
    assert!(explained.contains("image"), "{explained}");
}

#[test]
fn runs_that_differ_in_lambda_see_the_same_batches() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = write_image_config(folder.path(), VIT, 12);
    let out = folder.path().join("sweep");
    let mut command = wd();
    command.arg("sweep").arg(&config).args(["decay.lambda=0,0.5", "run.seed=0,1"]);
    succeed(command.args(["--jobs", "2", "--out"]).arg(&out));
    let first = |lambda: &str, seed: u64| {
        let run = out.join(format!("trials/lambda={lambda},seed={seed}"));
        let output =
            succeed(wd().arg("metrics").arg(run).args(["--csv", "--columns", "train_loss"]));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().nth(1).expect("a first step").to_owned()
    };
    assert_eq!(first("0", 0), first("0.5", 0));
    assert_ne!(first("0", 0), first("0", 1));
}

#[test]
fn an_mlp_is_a_model_too() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mlp = "kind = \"mlp\"\nhidden = [32, 16]\ndropout = 0.1\n";
    let config = write_image_config(folder.path(), mlp, 200);
    let run = folder.path().join("run");
    succeed(&mut train(&config, &run, &["data.mixup=0", "data.cutout=0"]));
    let scores = last(&run, &["test_accuracy", "validation_loss"]);
    assert!(scores[0] > 0.4 && scores[1].is_finite(), "{scores:?}");

    // The squared error is learnt from, the likelihood still told.
    let squared = folder.path().join("squared");
    let set = ["model.loss=mean-squared-error", "model.label_smoothing=0"];
    let output = train(&config, &squared, &set).output().expect("the command starts");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("the squared error has no label smoothing"), "{told}");
}

#[test]
fn what_cannot_be_trained_is_refused_with_the_place() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let images = write_image_config(folder.path(), VIT, 20);
    let corpus = prepare_corpus(folder.path());
    let text = write_config(folder.path(), &corpus, 20, "");
    let cases: [(&Path, &str, &[&str]); 18] = [
        (
            &images,
            "data.sequences=4",
            &["data.sequences belongs to text", "images have data.batch"],
        ),
        (&text, "data.batch=4", &["data.batch belongs to images", "text has data.sequences"]),
        (&images, "model.context=8", &["model.context belongs to text"]),
        (&images, "model.norm=batch", &["model.norm belongs to model.kind = \"gpt\""]),
        (&text, "model.norm=batch", &["\"gpt\" does not have this norm", "rmsnorm"]),
        (&text, "model.patch=7", &["model.patch belongs to model.kind = \"vit\""]),
        (&images, "model.kind=gpt", &["belongs to images"]),
        (&images, "model.kind=vitt", &["unknown variant `vitt`", "did you mean `vit`?"]),
        (&images, "model.patch=5", &["patch", "divide"]),
        (
            &images,
            "model.activation=swiglu",
            &["\"vit\" does not have this activation", "gelu-tanh"],
        ),
        (&images, "data.batch=0", &["data.batch must be at least 1"]),
        (&images, "data.batch=1000", &["batch", "1000", "250"]),
        (&images, "data.size=5", &["10 classes"]),
        (&images, "data.size=1000000", &["larger than the set"]),
        (&images, "data.shifted={ corruption = \"noise\", severity = 6 }", &["severity", "5"]),
        (&images, "data.shifted={ corruption = \"fog\", severity = 3 }", &["corruption"]),
        (&images, "data.test=nowhere", &["nowhere"]),
        (&images, "run.average=1.5", &["run.average = 1.5", "between 0 and 1"]),
    ];
    for (config, setting, expected) in cases {
        let mut command = wd();
        command.arg("plan").arg(config).args(["--set", setting]);
        let output = command.output().expect("the command starts");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{setting} passed");
        // A narrow page may break a sentence anywhere.
        let flat = told.replace(['│', '\n'], " ");
        let flat: Vec<&str> = flat.split_whitespace().collect();
        let flat = flat.join(" ");
        for words in expected {
            assert!(flat.contains(words), "{setting}: {words} is not in\n{told}");
        }
    }
}

#[test]
fn exported_weights_come_back_to_the_bit() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = write_image_config(folder.path(), VIT, 20);
    let run = folder.path().join("run");
    succeed(&mut train(&config, &run, &[]));
    let file = folder.path().join("exported/model.safetensors");
    succeed(wd().arg("export").arg(&run).arg("--out").arg(&file));
    let json = std::fs::read_to_string(file.with_file_name("config.json")).expect("a config.json");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["model_args"]["embed_dim"], 16);
    let names: Vec<String> = wd_store::read_safetensors(&file)
        .expect("the weights")
        .into_iter()
        .map(|(name, ..)| name)
        .collect();
    for expected in ["cls_token", "pos_embed", "patch_embed.proj.weight", "blocks.0.attn.qkv.bias"]
    {
        assert!(names.iter().any(|name| name == expected), "{expected}: {names:?}");
    }

    // A run of no steps from the file: its weights are those of the run that was exported.
    let again = folder.path().join("again");
    let init = format!("model.init_from={}", file.display());
    // What the file beside it says need not be written.
    let config = write_image_config(folder.path(), "kind = \"vit\"\n", 20);
    succeed(&mut train(&config, &again, &[&init, "run.steps=0"]));
    assert!(weights(&run, 20) == weights(&again, 0), "the weights differ");
    // So do the logits: a step of next to nothing leaves f32 weights where they are, and they are
    // evaluated after it.
    let still = folder.path().join("still");
    let rest = ["run.steps=1", "optim.lr=1e-30", "decay.lambda=0", &init];
    succeed(&mut train(&config, &still, &rest));
    let scores = ["validation_loss", "test_accuracy", "shifted_loss"];
    assert_eq!(last(&still, &scores), last(&run, &scores));
}

/// The bytes of a checkpoint's weights.
fn weights(run: &Path, step: u64) -> Vec<u8> {
    let file = run.join(format!("checkpoints/step-{step}/model.safetensors"));
    std::fs::read(file).expect("a checkpoint")
}

#[test]
fn a_resnet_18_takes_its_running_statistics_along() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = write_image_config(folder.path(), "kind = \"resnet\"\ndepth = 18\nwidth = 4\n", 3);
    let run = folder.path().join("run");
    succeed(&mut train(&config, &run, &[]));
    let file = folder.path().join("exported/model.safetensors");
    succeed(wd().arg("export").arg(&run).arg("--out").arg(&file));
    let tensors = wd_store::read_safetensors(&file).expect("the weights");
    let of = |wanted: &str| {
        let found = tensors.iter().find(|(name, ..)| name == wanted);
        found.unwrap_or_else(|| panic!("no {wanted}")).2.clone()
    };
    assert_eq!(of("layer4.1.bn2.num_batches_tracked"), [3.0]);
    assert!(of("bn1.running_mean").iter().any(|mean| *mean != 0.0));
    assert!(of("bn1.running_var").iter().all(|variance| *variance != 1.0));
    let again = folder.path().join("again");
    let init = format!("model.init_from={}", file.display());
    succeed(&mut train(&config, &again, &[&init, "run.steps=0"]));
    assert!(weights(&run, 3) == weights(&again, 0), "weights or running statistics differ");

    let cnn = folder.path().join("cnn");
    let config = write_image_config(folder.path(), CNN, 2);
    succeed(&mut train(&config, &cnn, &[]));
    let mut export = wd();
    export.arg("export").arg(&cnn).arg("--out").arg(&file);
    let output = export.output().expect("the command starts");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains("kind \"cnn\""), "{told}");
}

#[test]
fn a_run_on_text_averages_its_weights_too() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = prepare_corpus(folder.path());
    let config = write_config(folder.path(), &corpus, 60, "");
    let (plain, averaged) = (folder.path().join("plain"), folder.path().join("averaged"));
    succeed(&mut train(&config, &plain, &[]));
    succeed(&mut train(&config, &averaged, &["run.average=0.9"]));
    let columns = ["train_loss", "validation_loss"];
    assert_eq!(last(&plain, &columns), last(&averaged, &columns));
    let [loss, average] = last(&averaged, &["validation_loss", "average_loss"])[..] else {
        panic!("two columns")
    };
    assert!(loss != average && (loss - average).abs() < 0.5, "{loss} {average}");
}

#[test]
fn weights_in_bf16_lose_small_decays_and_say_so() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = prepare_corpus(folder.path());
    let config = write_config(folder.path(), &corpus, 30, "");
    let run = |name: &str, set: &[&str]| {
        let run = folder.path().join(name);
        succeed(&mut train(&config, &run, set));
        weights(&run, 30)
    };
    let nearest = "optim.storage=bf16-nearest";
    let (lost, none) =
        (run("lost", &[nearest, "decay.lambda=0.1"]), run("none", &[nearest, "decay.lambda=0"]));
    assert!(lost == none, "a decay below 2⁻⁹ a step has left a trace");
    let stochastic = "optim.storage=bf16-stochastic";
    let (kept, without) = (
        run("kept", &[stochastic, "decay.lambda=0.1"]),
        run("without", &[stochastic, "decay.lambda=0"]),
    );
    assert!(kept != without, "stochastic rounding has lost the decay");

    let mut plan = wd();
    plan.arg("plan").arg(&config).args(["--set", nearest]);
    let told = text(&succeed(&mut plan));
    assert!(told.contains("bf16, rounded to nearest"), "{told}");
    let mut explain = wd();
    explain.arg("explain").arg(folder.path().join("lost/config.toml"));
    let told = text(&succeed(&mut explain));
    assert!(told.contains("bf16 weights have 8 significant bits"), "{told}");
    let mut refused =
        train(&config, &folder.path().join("refused"), &[nearest, "decay.cautious=true"]);
    let output = refused.output().expect("the command starts");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains("round stochastically"), "{told}");
}

#[test]
fn wrong_labels_are_counted_where_they_are_learnt() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = write_image_config(folder.path(), CNN, 60);
    let run = folder.path().join("noisy");
    succeed(&mut train(&config, &run, &["data.label_noise=0.4"]));
    let [memorised] = last(&run, &["memorised"])[..] else { panic!("a column") };
    assert!((0.0..=1.0).contains(&memorised), "{memorised}");
    let plan = text(&succeed(wd().arg("plan").arg(run.join("config.toml"))));
    assert!(plan.contains("40 % of the training labels wrong on purpose"), "{plan}");
    let output = train(&config, &folder.path().join("bad"), &["data.label_noise=1.5"])
        .output()
        .expect("the command starts");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains("between 0 and 1"), "{told}");
}

#[test]
fn rounding_the_weights_of_a_run_costs_more_with_fewer_bits() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = prepare_corpus(folder.path());
    let config = write_config(folder.path(), &corpus, 60, "");
    let run = folder.path().join("run");
    succeed(&mut train(&config, &run, &[]));
    let [exact] = last(&run, &["validation_loss"])[..] else { panic!("a column") };
    let cost = |bits: &str| {
        let mut command = wd();
        command.arg("evaluate").arg(&run).args(["--round", bits, "--json"]);
        let found: serde_json::Value =
            serde_json::from_slice(&succeed(&mut command).stdout).expect("JSON");
        found["loss"].as_f64().expect("a loss") - exact
    };
    let (fine, coarse) = (cost("12"), cost("2"));
    assert!(fine.abs() < 2e-3 && coarse > 0.01, "{fine} {coarse}");
    let kept = std::fs::read_to_string(run.join("rounded.jsonl")).expect("the losses");
    assert_eq!(kept.lines().count(), 2);
    let output = wd().arg("evaluate").arg(&run).args(["--round", "1"]).output().expect("starts");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains("2 to 16"), "{told}");
}

fn text(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_sweep_of_classifiers_is_reported_with_its_optima_and_its_shift() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = write_image_config(folder.path(), CNN, 10);
    // Behind a link, which is gone when the report is made.
    let link = folder.path().join("images");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpora/images/fashion-mnist");
    std::os::unix::fs::symlink(&shipped, &link).expect("a link");
    let text_of_config = std::fs::read_to_string(&config).expect("the configuration");
    let linked =
        text_of_config.replace(&shipped.display().to_string(), &link.display().to_string());
    std::fs::write(&config, linked).expect("the configuration");
    let study = folder.path().join("study");
    let axes = ["decay.lambda=0,0.01,0.1,1", "run.seed=0,1", "run.evaluate=[\"noise\"]"];
    let summary =
        text(&succeed(wd().arg("sweep").arg(&config).args(axes).arg("--out").arg(&study)));
    assert!(summary.contains("without λ it over-fits, with too much it under-fits"), "{summary}");
    let page = std::fs::read_to_string(study.join("report.html")).expect("a report");
    for part in
        ["Loss over ηλ", "Where the best λ lies", "Accuracy on corrupted test images", "cnn"]
    {
        assert!(page.contains(part), "{part}");
    }

    // A report reads run directories alone.
    std::fs::remove_file(&link).expect("the link");
    let json = text(&succeed(wd().arg("report").arg(&study).arg("--json")));
    let analysis: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let surfaces = analysis["surfaces"].as_array().expect("surfaces");
    assert_eq!(surfaces.len(), 1);
    assert_eq!(surfaces[0]["points"].as_array().map(Vec::len), Some(4));
    let severities = analysis["shifts"][0]["severities"].as_array().expect("severities");
    assert_eq!(severities.len(), 6);

    // Severity 0 are the test images themselves: the accuracy that the runs recorded.
    let point = &surfaces[0]["points"][0];
    let recorded = point["test_accuracy"]["mean"].as_f64().expect("a number");
    let evaluated = severities[0]["without"]["mean"].as_f64().expect("a number");
    assert!((recorded - evaluated).abs() < 1e-12, "{recorded} and {evaluated}");
}

#[test]
fn a_trained_classifier_is_judged_on_other_images() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = write_image_config(folder.path(), CNN, 100);
    let run = folder.path().join("run");
    succeed(&mut train(&config, &run, &["run.average=0.9"]));
    let score = |arguments: &[&str]| -> serde_json::Value {
        let output = succeed(wd().arg("evaluate").arg(&run).args(arguments).arg("--json"));
        serde_json::from_str(&text(&output)).expect("JSON")
    };
    let clean = score(&[]);
    let noisy = score(&["--corruption", "noise", "--severity", "5"]);
    let accuracy = |score: &serde_json::Value| score["accuracy"].as_f64().expect("a number");
    assert!(accuracy(&clean) > accuracy(&noisy), "{clean} and {noisy}");
    let recorded = wd_store::RunDirectory::open(&run).and_then(|run| run.evaluations());
    let recorded = recorded.expect("evaluations");
    assert_eq!(recorded.len(), 2, "{recorded:?}");
    assert_eq!(recorded[1].accuracy, accuracy(&noisy));
    assert_eq!((recorded[1].corruption.as_deref(), recorded[1].severity), (Some("noise"), 5));
    // The counts of the last step are those of its accuracy, and stand in the page of the run.
    let confusion = wd_store::RunDirectory::open(&run).and_then(|run| run.confusion());
    let confusion = confusion.expect("counts").expect("a run that has finished");
    let right: u64 = confusion.counts.iter().enumerate().map(|(class, row)| row[class]).sum();
    let images: u64 = confusion.counts.iter().flatten().sum();
    assert_eq!(confusion.step, 100);
    assert!((right as f64 / images as f64 - accuracy(&clean)).abs() < 1e-12);
    let page = folder.path().join("run.html");
    succeed(wd().arg("report").arg(&run).arg("--out").arg(&page));
    let page = std::fs::read_to_string(&page).expect("a page");
    assert!(page.contains("The commonest confusion: of ") && page.contains("taken for"), "{page}");
    let averaged = score(&["--average"]);
    assert_eq!(averaged["loss"].as_f64(), last(&run, &["average_loss"]).first().copied());

    let refused = wd()
        .arg("evaluate")
        .arg(&run)
        .args(["--corruption", "fog", "--severity", "1"])
        .output()
        .expect("wd runs");
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && told.contains("occlusion"), "{told}");

    let refused = wd().arg("export").arg(&run).args(["--out", "weights"]).output();
    let told = String::from_utf8_lossy(&refused.expect("wd runs").stderr).into_owned();
    assert!(told.contains("weights/model.safetensors"), "{told}");
}
