//! From run directories to optima, ratios and slopes, with planted truths.

#[path = "../../lab/tests/planned/mod.rs"]
mod planned;
#[path = "../../lab/tests/random/mod.rs"]
mod random;

use std::path::Path;

use planned::tensor;
use random::Random;
use wd_decay::{Preset, Role, Unit};
use wd_lab::{Grid, LabError, Study, Trial};
use wd_page::Supported;
use wd_store::{Column, Event, EventKind, Plan, RunDirectory};
use wd_studies::vision::analysis::{self as vision, Censored, VisionAnalysis};

const BASE: &str = "\
[run]
seed = 0

[data]
size = 1000
epochs = 10
batch = 50

[model]
kind = \"vit\"

[optim]
kind = \"adamw\"
lr = 1e-3

[decay]
lambda = 0.0
";

/// What a trial's configuration says.
struct Settings {
    model: String,
    images: f64,
    epochs: f64,
    learning_rate: f64,
    lambda: f64,
    seed: u64,
}

fn settings(trial: &Trial) -> Settings {
    let flat = wd_lab::configuration::flatten(&trial.configuration).unwrap();
    let number = |key: &str| flat[key].parse::<f64>().unwrap();
    Settings {
        model: flat["model.kind"].clone(),
        images: number("data.size"),
        epochs: number("data.epochs"),
        learning_rate: number("optim.lr"),
        lambda: number("decay.lambda"),
        seed: number("run.seed") as u64,
    }
}

/// The ηλ of lowest test loss: twice as large for the ViT, falling with n^−½.
fn best_product(settings: &Settings) -> f64 {
    let model = if settings.model == "vit" { 2.0 } else { 1.0 };
    1e-3 * model * (settings.images / 1000.0).powf(-0.5)
}

/// Writes a finished run whose test loss is a parabola in ln ηλ and whose training loss rises with
/// λ.
fn write_run(directory: &Path, settings: &Settings, noise: f64) {
    let steps = (settings.images * settings.epochs / 50.0) as u64;
    let head = tensor("head.weight", Role::Head, &[10, 900], settings.lambda, 0.02);
    let plan = Plan {
        seed: settings.seed,
        unit: Unit::Image,
        samples_per_step: 50,
        training_samples: settings.images as u64,
        validation_samples: 2000,
        epochs: settings.epochs,
        samples_per_parameter: 1.0,
        model: settings.model.clone(),
        parameters: 10_000,
        decayed_parameters: 9000,
        policy: Preset::Timm,
        lambda: settings.lambda,
        peak_learning_rate: settings.learning_rate,
        kappa: settings.learning_rate * settings.lambda * steps as f64,
        ..planned::plan(steps, vec![head])
    };
    let run = RunDirectory::create_or_open(directory).unwrap();
    run.write_config(BASE).unwrap();
    run.write_plan(&plan).unwrap();
    run.append_event(&Event::now(EventKind::Started, 0, "")).unwrap();
    let names = [
        "step",
        "train_loss",
        "validation_loss",
        "train_eval_loss",
        "test_accuracy",
        "gradient_norm",
    ];
    let product = settings.learning_rate * settings.lambda;
    // A seed's level is shared by all of its runs, so that pairs are far less noisy than losses.
    let level = 0.2 * Random::new(settings.seed).normal();
    let mut own = Random::new(settings.seed + 100 + (product * 1e7) as u64);
    let apart = match product > 0.0 {
        true => (product / best_product(settings)).ln(),
        false => 5.0,
    };
    // In one pass nothing is over-fitted: the two losses are the same.
    let once = settings.epochs <= 1.0;
    let test = 1.0 + level + 0.02 * apart * apart + noise * own.normal();
    let train = match once {
        true => test - 0.001 + 0.001 * noise * own.normal(),
        false => 0.3 + level + 100.0 * product + noise * own.normal(),
    };
    let mut writer = run.lock().unwrap().metrics_writer(&names.map(Column::f64), 0).unwrap();
    for step in 0..steps {
        let is_last = step + 1 == steps;
        let at_end = |value: f64| if is_last { value } else { f64::NAN };
        writer
            .append(&[
                (step + 1) as f64,
                train,
                at_end(test),
                at_end(train),
                at_end(0.9 - 0.1 * (test - level)),
                1.0,
            ])
            .unwrap();
    }
    writer.sync().unwrap();
    run.append_event(&Event::now(EventKind::Finished, steps, "")).unwrap();
}

fn study(root: &Path, axes: &[&str], noise: f64) -> (Study, VisionAnalysis) {
    let mut study = Study::open_or_create(root, "synthetic", BASE).unwrap();
    study.add(&Grid::parse(axes).unwrap()).unwrap();
    study.save().unwrap();
    for trial in study.trials() {
        write_run(&trial.directory, &settings(trial), noise);
    }
    let analysis = vision::analyse(&study).unwrap();
    (study, analysis)
}

#[track_caller]
fn supported(analysis: &VisionAnalysis, words: &str) -> Supported {
    let found = analysis.claims.iter().find(|line| line.claim.contains(words));
    found.unwrap_or_else(|| panic!("no claim about `{words}` in {:#?}", analysis.claims)).supported
}

#[test]
fn planted_optima_ratios_and_slopes_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let axes = [
        "model.kind=vit,cnn",
        "data.size=1000,4000",
        "decay.lambda=0,0.05,0.2,1,4,20",
        "run.seed=0..3",
    ];
    let (study, analysis) = study(folder.path(), &axes, 0.002);
    assert!(vision::is_vision(&study));
    assert_eq!(analysis.surfaces.len(), 4);
    for (surface, optimum) in analysis.surfaces.iter().zip(&analysis.optima) {
        let optimum = optimum.as_ref().expect("four λ and more");
        assert!(optimum.is_inside());
        let model = if surface.model() == "vit" { 2.0 } else { 1.0 };
        let truth = 1e-3 * model * (surface.images as f64 / 1000.0).powf(-0.5);
        assert!(
            (optimum.log_product.mean - truth.ln()).abs() < 0.15,
            "{}: {} and {}",
            surface.label(),
            optimum.log_product.mean.exp(),
            truth
        );
    }
    assert_eq!(analysis.ratios.len(), 2);
    for ratio in &analysis.ratios {
        let log = ratio.log_optimum.interval;
        assert!(log.low < 2f64.ln() && 2f64.ln() < log.high, "{log:?}");
        assert!(ratio.log_optimum.significant && !ratio.is_bound);
    }
    assert_eq!(analysis.scalings.len(), 2);
    for scaling in &analysis.scalings {
        assert_eq!(scaling.values, [1000.0, 4000.0]);
        assert!((scaling.slope.mean + 0.5).abs() < 0.1, "{scaling:?}");
    }
    assert_eq!(supported(&analysis, "vit needs more decay a step than cnn"), Supported::Supported);
    assert_eq!(supported(&analysis, "the more images, the less λ"), Supported::Supported);
    assert_eq!(supported(&analysis, "without λ it over-fits"), Supported::Supported);
}

#[test]
fn a_slope_over_images_holds_the_passes_or_the_samples() {
    let folder = tempfile::tempdir().unwrap();
    let mut study = Study::open_or_create(folder.path(), "synthetic", BASE).unwrap();
    for [size, epochs] in [["500", "40"], ["1000", "20"], ["2000", "20"]] {
        let axes = [
            format!("data.size={size}"),
            format!("data.epochs={epochs}"),
            "decay.lambda=0,0.05,0.2,1,4,20".to_owned(),
            "run.seed=0..3".to_owned(),
        ];
        study.add(&Grid::parse(&axes).unwrap()).unwrap();
    }
    study.save().unwrap();
    for trial in study.trials() {
        write_run(&trial.directory, &settings(trial), 0.002);
    }
    let analysis = vision::analyse(&study).unwrap();
    let found: Vec<(&str, &[f64])> = analysis
        .scalings
        .iter()
        .map(|scaling| (scaling.held.as_str(), &scaling.values[..]))
        .collect();
    assert_eq!(
        found,
        [
            ("the same passes", &[1000.0, 2000.0][..]),
            ("the same samples seen", &[500.0, 1000.0][..]),
        ]
    );
    for scaling in &analysis.scalings {
        assert!((scaling.slope.mean + 0.5).abs() < 0.2, "{scaling:?}");
    }
}

#[test]
fn a_ridge_of_constant_product_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let axes = ["optim.lr=5e-4,1e-3,4e-3,0.1", "decay.lambda=0,0.05,0.2,1,4,20", "run.seed=0..3"];
    let (_, analysis) = study(folder.path(), &axes, 0.002);
    let [ridge] = &analysis.scalings[..] else { panic!("{:?}", analysis.scalings) };
    // At η = 0.1 the best λ lies below the grid.
    assert_eq!(ridge.values, [5e-4, 1e-3, 4e-3]);
    assert!(ridge.slope.mean.abs() < 0.1, "{ridge:?}");
    assert_eq!(supported(&analysis, "the best ηλ is the same at every η"), Supported::Supported);
}

#[test]
fn a_pass_over_as_many_samples_is_told_from_many_passes() {
    let folder = tempfile::tempdir().unwrap();
    let axes = |grid: &'static str, size: &'static str| {
        [grid, size, "decay.lambda=0,1,20", "run.seed=0..3"].map(str::to_owned)
    };
    let mut study = Study::open_or_create(folder.path(), "synthetic", BASE).unwrap();
    for axes in [axes("data.epochs=20", "data.size=500"), axes("data.epochs=1", "data.size=10000")]
    {
        study.add(&Grid::parse(&axes).unwrap()).unwrap();
    }
    study.save().unwrap();
    for trial in study.trials() {
        write_run(&trial.directory, &settings(trial), 0.002);
    }
    let analysis = vision::analyse(&study).unwrap();
    assert_eq!(analysis.regimes.len(), 2);
    assert_eq!(
        supported(&analysis, "in one pass over as many samples as a force"),
        Supported::Supported
    );
}

#[test]
fn an_optimum_at_the_end_of_the_grid_is_a_bound() {
    let folder = tempfile::tempdir().unwrap();
    let axes = ["model.kind=vit,cnn", "decay.lambda=0,0.01,0.03,0.1", "run.seed=0,1"];
    let (_, analysis) = study(folder.path(), &axes, 0.0);
    for optimum in analysis.optima.iter().flatten() {
        assert!(optimum.censored.values().all(|end| *end == Censored::Above));
        assert_eq!(optimum.censored.len(), 2);
    }
    assert!(analysis.ratios[0].is_bound);
    assert_eq!(supported(&analysis, "vit needs more decay"), Supported::Undecided);
}

#[test]
fn a_study_without_a_finished_run_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut study = Study::open_or_create(folder.path(), "synthetic", BASE).unwrap();
    study.add(&Grid::parse(&["decay.lambda=0,1"]).unwrap()).unwrap();
    study.save().unwrap();
    assert!(matches!(vision::analyse(&study), Err(LabError::NothingToAnalyse { .. })));
}
