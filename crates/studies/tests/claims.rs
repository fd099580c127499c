//! From run directories to the verdicts of the claims, with planted truths.

#[path = "../../lab/tests/planned/mod.rs"]
mod planned;
#[path = "../../lab/tests/random/mod.rs"]
mod random;

use std::path::Path;

use planned::tensor;
use random::Random;
use wd_decay::{Role, Schedule, ScheduleKind, Unit};
use wd_lab::{Grid, Study, Trial};
use wd_page::Context;
use wd_store::{Column, Event, EventKind, Plan, PlannedImages, RunDirectory};
use wd_studies::claims::{ClaimRow, ClaimsReport, Sources, Verdict, add_replays, report};
use wd_studies::prior;

const STEPS: u64 = 200;

const TEXT: &str = "\
[run]
seed = 0

[data]
validation_fraction = 0.06

[model]
heads = 4

[optim]
lr = 8e-3

[schedule]
kind = \"cosine\"
warmup = 0.05

[decay]
lambda = 0.0
";

const IMAGES: &str = "\
[run]
seed = 0

[data]
size = 500
epochs = 10
batch = 50

[model]
kind = \"cnn\"

[optim]
lr = 6e-3

[decay]
lambda = 0.0
";

/// What a trial is.
struct Settings {
    flat: wd_lab::configuration::Flat,
    lambda: f64,
    seed: u64,
}

impl Settings {
    fn of(trial: &Trial) -> Self {
        let flat = wd_lab::configuration::flatten(&trial.configuration).unwrap();
        let number = |key: &str| flat[key].parse::<f64>().unwrap();
        let (lambda, seed) = (number("decay.lambda"), number("run.seed") as u64);
        Settings { flat, lambda, seed }
    }

    fn is(&self, key: &str, value: &str) -> bool {
        self.flat.get(key).is_some_and(|found| found == value)
    }

    /// A small number that no other run has.
    fn noise(&self, what: u64) -> f64 {
        let own = self.flat.values().flat_map(|value| value.bytes()).map(u64::from).sum::<u64>();
        Random::new(self.seed + 1000 * what + 7919 * own + (self.lambda * 1e4) as u64).normal()
    }
}

fn study(root: &Path, base: &str, grids: &[&[&str]], write: fn(&Path, &Settings)) -> Study {
    let mut study = Study::open_or_create(root, "synthetic", base).unwrap();
    for axes in grids {
        study.add(&Grid::parse(axes).unwrap()).unwrap();
    }
    study.save().unwrap();
    for trial in study.trials() {
        write(&trial.directory, &Settings::of(trial));
    }
    study
}

/// Writes a finished run: a value for each column at each share of the run.
fn write_run(directory: &Path, plan: &Plan, columns: &[(&str, &dyn Fn(f64) -> f64)]) {
    let run = RunDirectory::create_or_open(directory).unwrap();
    run.write_config(TEXT).unwrap();
    run.write_plan(plan).unwrap();
    run.append_event(&Event::now(EventKind::Started, 0, "")).unwrap();
    let all: Vec<Column> = std::iter::once("step")
        .chain(columns.iter().map(|(name, _)| *name))
        .map(Column::f64)
        .collect();
    let mut writer = run.lock().unwrap().metrics_writer(&all, 0).unwrap();
    for step in 0..plan.steps {
        let share = (step + 1) as f64 / plan.steps as f64;
        let values = columns.iter().map(|(_, value)| value(share));
        let row: Vec<f64> = std::iter::once((step + 1) as f64).chain(values).collect();
        writer.append(&row).unwrap();
    }
    writer.sync().unwrap();
    run.append_event(&Event::now(EventKind::Finished, plan.steps, "")).unwrap();
}

/// A language model. Late in the run gradients grow, by λ even more; the relative update goes with
/// the inverse norm; λ gains at the end of a cosine and harms at a constant rate, where averaging
/// takes 60 % of the harm away; few tokens seen often are over-fitted, less with λ; rounded to
/// nearest, λ does nothing.
fn language_model(directory: &Path, settings: &Settings) {
    let is_constant = settings.is("schedule.kind", "constant");
    let is_repeated = settings.is("data.validation_fraction", "0.97");
    let is_lost = settings.is("optim.storage", "bf16-nearest");
    let lambda = match settings.flat.contains_key("optim.effective_rate_of") {
        true => 0.1,
        false if is_lost => 0.0,
        false => settings.lambda,
    };
    let kind = if is_constant { ScheduleKind::Constant } else { ScheduleKind::Cosine };
    let schedule = Schedule::new(kind, 10, STEPS, 0.0, 0).unwrap();
    let path = "block.0.mlp.up.weight";
    let plan = Plan {
        seed: settings.seed,
        lambda: settings.lambda,
        peak_learning_rate: 8e-3,
        schedule,
        epochs: if is_repeated { 16.0 } else { 0.9 },
        parameters: 100,
        ..planned::plan(STEPS, vec![tensor(path, Role::Matrix, &[10, 10], settings.lambda, 0.08)])
    };
    let level = 0.1 * Random::new(settings.seed).normal();
    // What is lost has the numbers of the run without λ, to the last bit.
    let small = |what: u64| if is_lost { 0.0 } else { 1e-4 * settings.noise(what) };
    let (one, two, three) = (small(1), small(2), small(3));
    let norm = move |_: f64| 10.0 * (1.0 - 2.0 * lambda) * (1.0 + one);
    let relative = move |share: f64| 1e-2 / norm(share);
    let harm = match (is_constant, is_repeated) {
        (true, _) => lambda,
        (_, true) => -2.0 * lambda,
        _ => -0.1 * lambda,
    };
    let validation = 3.6 + level + harm + two;
    let averaged = 3.5 + level + 0.4 * harm + three;
    let gap = if is_repeated { 1.0 - 3.0 * lambda } else { 0.002 } + one;
    let at_end = |value: f64| move |share: f64| if share == 1.0 { value } else { f64::NAN };
    let train = move |share: f64| {
        let early = if share < 0.6 { 0.3 * lambda } else { harm };
        4.0 - share + level + early + two
    };
    let gradient = move |share: f64| (0.4 + 0.2 * share) * (1.0 + 3.0 * lambda) * (1.0 + one);
    let peak = plan.peak_learning_rate;
    let rate = move |share: f64| {
        let step = (share * STEPS as f64).round() as u64 - 1;
        peak * Schedule::new(kind, 10, STEPS, 0.0, 0).unwrap().factor(step)
    };
    write_run(
        directory,
        &plan,
        &[
            ("train_loss", &train),
            ("validation_loss", &at_end(validation)),
            ("train_eval_loss", &at_end(validation - gap)),
            ("average_loss", &at_end(averaged)),
            ("gradient_norm", &gradient),
            ("learning_rate", &rate),
            (&format!("weight_norm/{path}"), &norm),
            (&format!("update_norm/{path}"), &move |share| relative(share) * norm(share)),
        ],
    );
}

/// A classifier: λ = 3 is best, 30 under-fits; without λ it reproduces the wrong labels.
fn classifier(directory: &Path, settings: &Settings) {
    let lambda = settings.lambda;
    let head = tensor("head.weight", Role::Head, &[10, 90], lambda, 0.02);
    let plan = Plan {
        seed: settings.seed,
        unit: Unit::Image,
        lambda,
        epochs: 10.0,
        training_samples: 500,
        peak_learning_rate: 6e-3,
        images: Some(PlannedImages {
            untested: Vec::new(),
            shape: [28, 28, 1],
            classes: (0..10).map(|class| class.to_string()).collect(),
            mean: vec![0.3],
            std: vec![0.3],
            shifted: None,
            label_noise: 0.4,
            squared_error: false,
        }),
        ..planned::plan(STEPS, vec![head])
    };
    let level = 0.1 * Random::new(settings.seed).normal();
    let small = |what: u64| 0.002 * settings.noise(what);
    let test = match lambda {
        0.0 => 0.8,
        l if l < 0.01 => 0.8,
        l if l < 1.0 => 0.7,
        l if l < 10.0 => 0.6,
        _ => 1.1,
    } + level
        + small(1);
    let training = if lambda >= 10.0 { 1.0 } else { 0.05 + 0.05 * lambda } + level + small(2);
    let memorised = if lambda >= 1.0 { 0.15 } else { 0.9 } + small(3);
    let at_end = |value: f64| move |share: f64| if share == 1.0 { value } else { f64::NAN };
    write_run(
        directory,
        &plan,
        &[
            ("train_loss", &move |_| training),
            ("validation_loss", &at_end(test)),
            ("train_eval_loss", &at_end(training)),
            ("test_accuracy", &at_end(0.8)),
            ("calibration_error", &at_end(0.1 + small(4))),
            ("memorised", &at_end(memorised)),
            ("gradient_norm", &|_| 1.0),
        ],
    );
}

fn planted(root: &Path) -> ClaimsReport {
    let seeds = "run.seed=0..3";
    let force = study(
        &root.join("force"),
        TEXT,
        &[&["schedule.kind=cosine,constant", "decay.lambda=0,0.1", seeds]],
        language_model,
    );
    let language_models = study(
        &root.join("more"),
        TEXT,
        &[
            &["decay.lambda=0,0.1", seeds],
            &["optim.storage=bf16-nearest,bf16-stochastic", "decay.lambda=0,0.1", seeds],
            &["schedule.warmup=0", "decay.lambda=0,0.1", seeds],
            &["data.validation_fraction=0.97", "data.epochs=200", "decay.lambda=0,0.1", seeds],
        ],
        language_model,
    );
    let vision = study(
        &root.join("vision"),
        IMAGES,
        &[&["decay.lambda=0,1e-3,0.3,3,30", seeds]],
        classifier,
    );
    let wrong_labels = study(
        &root.join("labels"),
        IMAGES,
        &[&["data.label_noise=0.4", "decay.lambda=0,3", seeds]],
        classifier,
    );
    let root = root.join("controls");
    let mut controls = study(
        &root,
        TEXT,
        &[
            &["schedule.kind=wsd", "schedule.decay=0.2", "decay.lambda=0,0.1", seeds],
            &["decay.rule=corrected", "decay.lambda=0.134", seeds],
        ],
        language_model,
    );
    for trial in add_replays(&force, &mut controls).unwrap() {
        language_model(&trial.directory, &Settings::of(&trial));
    }
    let prior = &prior::findings(20).unwrap();
    report(&Sources {
        force: &force,
        vision: &vision,
        prior,
        language_models: &language_models,
        wrong_labels: &wrong_labels,
        controls: &controls,
    })
    .unwrap()
}

#[test]
fn planted_truths_are_found_and_the_page_has_every_claim() {
    let folder = tempfile::tempdir().unwrap();
    let found = planted(folder.path());
    let row = |number: u32| -> &ClaimRow { found.rows().find(|row| row.number == number).unwrap() };
    use Verdict::{BorneOut, Contradicted, Definition, Undecided};
    for (number, verdict) in [
        (1, Definition),
        (2, BorneOut),
        (3, Contradicted),
        // No checkpoint was written.
        (4, Undecided),
        (7, BorneOut),
        (8, Contradicted),
        (10, BorneOut),
        (11, Contradicted),
        (12, BorneOut),
        (13, BorneOut),
        // There is one model and one number of images.
        (15, Undecided),
        (16, Undecided),
        (20, Undecided),
        (21, Contradicted),
        (22, BorneOut),
        (23, Contradicted),
        (24, BorneOut),
        (25, BorneOut),
        (26, Contradicted),
        (27, Contradicted),
        (28, BorneOut),
        (29, Contradicted),
        (31, BorneOut),
    ] {
        let row = row(number);
        assert_eq!(row.finding.verdict, verdict, "{number}: {}", row.finding.found);
        let is_open = row.finding.verdict == Undecided;
        assert_eq!(row.finding.to_settle.is_some(), is_open, "{number}");
    }
    let share = row(26).finding.measures.iter().find(|m| m.name.contains("noise")).unwrap();
    assert!((share.interval.mean - 0.6).abs() < 0.02, "{share:?}");
    let ratio = row(23).finding.measures.iter().find(|m| m.name.contains("inverse")).unwrap();
    assert!((ratio.interval.mean - 1.25).abs() < 0.01, "{ratio:?}");

    let measure = |number: u32, name: &str| {
        let measures = &row(number).finding.measures;
        measures.iter().find(|m| m.name.contains(name)).unwrap().interval
    };
    assert!(measure(23, "less λ").mean.abs() < 1e-3, "the replay ends where λ ends");
    assert!(row(23).finding.found.contains("is the whole of what λ does"));
    assert!((measure(23, "corrected rule").mean + 0.0134).abs() < 1e-3);
    // After its cool-down λ gains what it gains under the cosine.
    assert!((measure(26, "cooled down over 20 %").mean + 0.01).abs() < 1e-3);

    let context = Context { title: "The post".to_owned(), ..Context::default() };
    let page = found.page(&context);
    let text = page.markdown("claims").text;
    for claim in found.rows() {
        assert!(text.contains(&format!("### {}. ", claim.number)), "{}", claim.number);
    }
    for figure in ["gradient", "average", "repeated", "storage", "labels", "valley"] {
        assert!(text.contains(&format!("(claims-{figure}.svg)")), "{figure}");
    }
    let html = page.html();
    assert!(html.contains("Errata") && html.contains("What is open"));
    let terminal = page.terminal(&wd_page::Terminal::plain());
    let contradicted = found.rows().filter(|row| row.finding.verdict == Contradicted).count();
    let told = terminal.lines().filter(|line| line.contains(" contradicted ")).count();
    // The first sentence counts them.
    assert_eq!(told, contradicted);
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(json["parts"].as_array().map(Vec::len), Some(5));
}
