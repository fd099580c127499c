//! Real runs, recorded by several programs at once, give one answer.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use wd_import::{Format, Import, ReadOptions, RoleOptions, import};
use wd_lab::analysis::Pairing;
use wd_lab::{ActsAs, Analysis, AnalysisOptions, Study, TrainingLoss};
use wd_store::Status;

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(path)
}

/// The loss on the whole training set, which is a fixed set.
fn on_a_fixed_set() -> RoleOptions {
    RoleOptions {
        train: Some("train/full_loss".to_owned()),
        train_is: Some(TrainingLoss::FixedSet),
        ..RoleOptions::default()
    }
}

fn read(path: &Path, roles: &RoleOptions) -> Import {
    import(&[path.to_owned()], &ReadOptions::default(), roles).unwrap()
}

fn analyse(import: &Import) -> Analysis {
    import.analyse(&AnalysisOptions::default()).unwrap()
}

/// The analysis as JSON, without what says where it comes from.
fn numbers(analysis: &Analysis) -> Value {
    let mut value = serde_json::to_value(analysis).unwrap();
    value.as_object_mut().unwrap().remove("recording");
    value
}

/// Equal but for numbers that differ by less than a share.
fn agree(a: &Value, b: &Value, share: f64) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| agree(a, b, share)))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| agree(a, b, share))
        }
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            (a - b).abs() <= share * a.abs().max(b.abs()).max(1.0)
        }
        (a, b) => a == b,
    }
}

#[test]
fn five_programs_give_the_same_numbers_and_the_same_verdict() {
    let formats = [
        ("wandb-offline", Format::Wandb),
        ("mlflow", Format::Mlflow),
        ("trackio", Format::Trackio),
        ("lightning", Format::Lightning),
        ("tensorboard", Format::Tensorboard),
    ];
    let mut first: Option<Value> = None;
    for (folder, format) in formats {
        let import = read(&data("digits-sweep").join(folder), &on_a_fixed_set());
        assert_eq!(import.format, format);
        let analysis = analyse(&import);
        assert_eq!(analysis.verdict.acts_as, ActsAs::Prior, "{folder}");
        let found = numbers(&analysis);
        match &first {
            None => first = Some(found),
            // TensorBoard stores f32.
            Some(first) if format == Format::Tensorboard => {
                assert!(agree(first, &found, 1e-6), "{folder}");
            }
            Some(first) => assert_eq!(first, &found, "{folder}"),
        }
    }
}

#[test]
fn every_run_ends_with_the_numbers_that_its_program_had() {
    let truth: Vec<BTreeMap<String, Value>> =
        serde_json::from_slice(&fs::read(data("digits-sweep/truth.json")).unwrap()).unwrap();
    assert_eq!(truth.len(), 12);
    for folder in ["wandb-offline", "mlflow", "trackio", "lightning", "tensorboard"] {
        let import = read(&data("digits-sweep").join(folder), &on_a_fixed_set());
        assert_eq!(import.runs.len(), truth.len());
        for run in &truth {
            let number = |key: &str| run[key].as_f64().unwrap();
            let is_it = |settings: &BTreeMap<String, String>| {
                let set = |key: &str| settings[key].parse::<f64>().unwrap();
                set(&import.recording.lambda) == number("weight_decay")
                    && set("seed") == number("seed")
            };
            let found = import.runs.iter().find(|found| is_it(&found.settings)).unwrap();
            assert_eq!(found.status, Status::Finished { step: 399 });
            for tag in ["train/loss", "train/full_loss", "val/loss", "val/accuracy"] {
                let last = *found.curves[tag].values.last().unwrap();
                let share = if folder == "tensorboard" { 6e-8 } else { 0.0 };
                assert!((last - number(tag)).abs() <= share * number(tag), "{folder} {tag} {last}");
            }
        }
    }
}

#[test]
fn optuna_has_the_validation_loss_alone_and_both_of_its_storages_agree() {
    // What Optuna recorded first was measured after the first update: it agrees less well.
    let roles = RoleOptions { pair_tolerance: Some(1e-4), ..RoleOptions::default() };
    let database = analyse(&read(&data("digits-sweep/optuna/study.db"), &roles));
    let journal = analyse(&read(&data("digits-sweep/optuna/journal.log"), &roles));
    assert_eq!(numbers(&database), numbers(&journal));
    let others = analyse(&read(&data("digits-sweep/mlflow"), &roles));
    for (own, other) in database.comparisons.iter().zip(&others.comparisons) {
        assert_eq!(own.final_validation, other.final_validation);
        assert!(matches!(own.pairing, Pairing::FirstLoss { .. }), "{:?}", own.pairing);
    }
    assert_eq!(database.verdict.acts_as, ActsAs::Undecided);
    // At the default tolerance they are not paired, and the reason says why.
    let strict = analyse(&read(&data("digits-sweep/optuna/study.db"), &RoleOptions::default()));
    let last = strict.comparisons.last().unwrap();
    let Pairing::Unpaired { reason } = &last.pairing else { panic!("{:?}", last.pairing) };
    assert!(reason.contains("above 1e-6"), "{reason}");
    assert!(last.final_validation.per_seed.is_empty());
}

#[test]
fn a_folder_of_several_programs_is_refused_with_the_choice() {
    let error = import(&[data("digits-sweep")], &ReadOptions::default(), &RoleOptions::default())
        .unwrap_err();
    let text = error.to_string();
    assert!(text.contains("TensorBoard") && text.contains("`optuna-journal`"), "{text}");
    let options = ReadOptions { format: Some(Format::Trackio), ..ReadOptions::default() };
    let chosen = import(&[data("digits-sweep")], &options, &RoleOptions::default()).unwrap();
    assert_eq!(chosen.format, Format::Trackio);
}

#[test]
fn a_study_on_disk_says_the_same_as_the_runs_in_memory() {
    let import = read(&data("digits-sweep/wandb-offline"), &on_a_fixed_set());
    let folder = tempfile::tempdir().unwrap();
    import.save(folder.path(), "digits").unwrap();
    let study = Study::open(folder.path()).unwrap();
    assert_eq!(study.trials().len(), 12);
    let stored = wd_lab::analyse(&study, &AnalysisOptions::default()).unwrap();
    // Not by `==`: what was not measured is NaN.
    assert_eq!(
        serde_json::to_value(stored).unwrap(),
        serde_json::to_value(analyse(&import)).unwrap()
    );
    // Every curve is there, at its own steps.
    let record = study.record(&study.trials()[0]).unwrap();
    let series = record.series().unwrap();
    assert_eq!(series.names(), ["lr", "train/full_loss", "train/loss", "val/accuracy", "val/loss"]);
    assert_eq!(series.curve("val/loss"), import.runs[0].curves["val/loss"]);
    // It is never written over.
    assert!(import.save(folder.path(), "digits").is_err());
}

#[test]
fn a_running_mean_carries_no_verdict_of_a_force() {
    let settings = |folder: &Path| -> Vec<(String, String)> {
        let state = folder.to_string_lossy().into_owned();
        let run = state.split('/').find(|part| part.starts_with("wd") && part.contains("-s"));
        let Some((decay, seed)) = run.and_then(|run| run[2..].split_once("-s")) else {
            return Vec::new();
        };
        let set = [("weight_decay", decay), ("seed", seed), ("data_seed", seed), ("out", &state)];
        set.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec()
    };
    let options = ReadOptions { checkpoint: Some(&settings), ..ReadOptions::default() };
    let read = |roles: &RoleOptions| import(&[data("hf-trainer")], &options, roles).unwrap();
    // The first number of `loss` is a mean of five steps, in which λ acts already.
    let paired = RoleOptions { pair_tolerance: Some(1e-3), ..RoleOptions::default() };
    let found = read(&paired);
    assert_eq!(found.format, Format::HuggingFace);
    assert_eq!(found.recording.training_is, TrainingLoss::RunningMean);
    assert_eq!(found.runs.len(), 4);
    assert!(found.runs.iter().all(|run| run.status == Status::Finished { step: 100 }));
    let notes = found.recording.notes.join(" ");
    assert!(
        notes.contains("follow the seed: data_seed") && notes.contains("apart: out"),
        "{notes}"
    );
    // The mean over the run is no point of the curve.
    let loss = &found.runs[0].curves["loss"];
    assert_eq!(
        (loss.steps.first(), loss.steps.last(), loss.steps.len()),
        (Some(&5), Some(&100), 20)
    );
    // A margin under which the gap stands still and the training loss moves: a force, were it of a
    // fixed set.
    let wide = AnalysisOptions { gap_margin: 3.0, ..AnalysisOptions::default() };
    let verdict = found.analyse(&wide).unwrap().verdict;
    assert_eq!(verdict.acts_as, ActsAs::Undecided);
    assert!(verdict.lines[0].finding.contains("running mean"), "{}", verdict.lines[0].finding);
    let declared = RoleOptions { train_is: Some(TrainingLoss::FixedSet), ..paired };
    assert_eq!(read(&declared).analyse(&wide).unwrap().verdict.acts_as, ActsAs::Force);
}

#[test]
fn logs_of_text_become_runs_with_the_settings_of_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("runs.csv");
    fs::write(
        &settings,
        "run,weight_decay,lr\n\
         51ece938-03c5-4343-8dcc-3f3336b07008,0.025,0.025\n\
         1bd8db7a-f3a3-4195-856d-cab7e0816443,0.025,0.035\n\
         478c0427-06ce-4952-bc0a-7e2dfaea29b6,0.025,0.036\n\
         tuned_baseline_3250,0.05,0.03\n",
    )
    .unwrap();
    let options = ReadOptions { settings: Some(settings), ..ReadOptions::default() };
    let roles = RoleOptions::default();
    let import = import(&[data("modded-nanogpt")], &options, &roles).unwrap();
    assert_eq!(import.format, Format::Text);
    assert!(import.recording.notes[0].contains("2 runs left out"), "{:?}", import.recording.notes);
    let analysis = analyse(&import);
    let arms: Vec<(f64, usize, String)> = analysis
        .arms
        .iter()
        .map(|arm| {
            let loss = arm.final_validation;
            (
                arm.lambda,
                loss.n,
                format!("{:.5} {:.5}", loss.mean, loss.standard_error * (loss.n as f64).sqrt()),
            )
        })
        .collect();
    // Means and standard deviations as computed from the logs by another program.
    assert_eq!(arms.len(), 4, "{arms:?}");
    assert_eq!(arms.iter().map(|arm| arm.1).collect::<Vec<_>>(), [20, 10, 20, 8], "{arms:?}");
    let spread = ["3.27893 0.00135", "3.27866 0.00134", "3.27847 0.00098", "3.28810 0.00102"];
    assert_eq!(arms.iter().map(|arm| arm.2.as_str()).collect::<Vec<_>>(), spread);
    // The benchmark's own test: σ = 0.0013, and `(3.28 − mean)·√n ≥ 0.004`, which it calls p < 0.001.
    // Its leaderboard marks the first two and the third as having passed; the fourth stopped early.
    let options =
        AnalysisOptions { target: Some((3.28, Some(0.0013))), ..AnalysisOptions::default() };
    let tested = import.analyse(&options).unwrap().targets;
    let passes: Vec<bool> = tested.iter().map(|test| test.p_value < 0.0011).collect();
    assert_eq!(passes, [true, true, true, false], "{tested:?}");
    for test in &tested {
        let is_marked = (3.28 - test.mean) * (test.n as f64).sqrt() >= 0.004;
        assert_eq!(is_marked, test.statistic >= 0.004 / 0.0013, "{test:?}");
        assert_eq!(is_marked, test.p_value < 0.0011, "{test:?}");
    }
    // Without seeds nothing is paired, and without λ = 0 nothing is compared with it; the set of
    // good λ is said all the same.
    assert!(analysis.comparisons.is_empty());
}

#[test]
fn an_expression_may_give_settings_and_several_runs_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train.log");
    let mut text = String::new();
    for (decay, seed) in [("0", 0), ("0", 1), ("0.1", 0), ("0.1", 1)] {
        text += &format!("wd: {decay} seed: {seed}\n");
        for step in 0..5 {
            text += &format!("[{step}] loss={}, noise\n", 3.0 - 0.1 * f64::from(step * (1 + seed)));
        }
    }
    fs::write(&path, text).unwrap();
    let regex = vec![
        r"wd: (?P<wd>\S+) seed: (?P<seed>\S+)".to_owned(),
        r"^\[(?P<step>\d+)\] loss=(?P<loss>[^,]+)".to_owned(),
    ];
    let options = ReadOptions { regex, ..ReadOptions::default() };
    let found = import(&[path], &options, &RoleOptions::default()).unwrap();
    let settings: Vec<(&str, &str)> = found
        .runs
        .iter()
        .map(|run| (run.settings["wd"].as_str(), run.settings["seed"].as_str()))
        .collect();
    assert_eq!(settings, [("0", "0"), ("0", "1"), ("0.1", "0"), ("0.1", "1")]);
    assert_eq!(found.runs[3].curves["loss"].values.last(), Some(&(3.0 - 0.1 * 8.0)));
    let bad = ReadOptions { regex: vec!["(".to_owned()], ..ReadOptions::default() };
    let error = import(&[folder.path().to_owned()], &bad, &RoleOptions::default()).unwrap_err();
    assert_eq!(error.option(), Some("regex"));
}

#[test]
fn old_file_stores_and_dvclive_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    for (run, decay) in [("a", "0.0"), ("b", "1e-1"), ("gone", "3")] {
        let stage = if run == "gone" { "deleted" } else { "active" };
        let meta = format!("run_name: run {run}\nstatus: 3\nlifecycle_stage: {stage}\n");
        write(&format!("mlruns/0/{run}/meta.yaml"), &meta);
        write(&format!("mlruns/0/{run}/params/wd"), decay);
        write(&format!("mlruns/0/{run}/metrics/val/loss"), "17 2.5 0\n18 1.5 10 set digest\n");
        write(&format!("dvc/{run}/plots/metrics/val/loss.tsv"), "step\tloss\n0\t2.5\n10\tinf\n");
        write(&format!("dvc/{run}/params.yaml"), &format!("optim:\n  weight_decay: {decay}\n"));
    }
    let found = read(&folder.path().join("mlruns"), &RoleOptions::default());
    assert_eq!((found.format, found.runs.len()), (Format::MlflowFiles, 2));
    assert_eq!(found.runs[1].settings["wd"], "0.1");
    assert_eq!(found.runs[1].status, Status::Finished { step: 10 });
    let found = read(&folder.path().join("dvc"), &RoleOptions::default());
    assert_eq!((found.format, found.runs.len()), (Format::Dvclive, 3));
    assert_eq!(found.recording.lambda, "optim.weight_decay");
    assert!(found.runs.iter().all(|run| matches!(run.status, Status::Diverged { step: 10, .. })));
}

#[test]
fn tables_of_three_layouts_say_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (mut long, mut steps, mut lines) = (
        "run,wd,seed,step,metric,value\n".to_owned(),
        "run;wd;seed;step;val/loss\n".to_owned(),
        String::new(),
    );
    let mut runs = "wd\tseed\tval/loss\tdate\n".to_owned();
    for (number, (decay, seed)) in [(0.0, 0), (0.0, 1), (0.1, 0), (0.1, 1)].into_iter().enumerate()
    {
        for step in [0, 10, 20] {
            let start = 3.0 + f64::from(seed);
            let loss =
                start - f64::from(step) * (0.05 + 0.1 * decay + 0.001 * decay * f64::from(seed));
            long += &format!("r{number},{decay},{seed},{step},val/loss,{loss}\n");
            steps += &format!("r{number};{decay};{seed};{step};{loss}\n");
            lines += &format!(
                "{{\"run\": \"r{number}\", \"optim\": {{\"wd\": {decay}}}, \"seed\": {seed}, \
                 \"step\": {step}, \"val/loss\": {loss}, \"x\": NaN}}\n"
            );
            if step == 20 {
                runs += &format!("{decay}\t{seed}\t{loss}\tday {number}\n");
            }
        }
    }
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let long = analyse(&read(&write("long.csv", &long), &RoleOptions::default()));
    let steps = analyse(&read(&write("steps.csv", &steps), &RoleOptions::default()));
    let lines = analyse(&read(&write("lines.jsonl", &lines), &RoleOptions::default()));
    assert_eq!(numbers(&long), numbers(&steps));
    assert_eq!(numbers(&long), numbers(&lines));
    assert!(matches!(long.comparisons[0].pairing, Pairing::FirstLoss { largest: 0.0, .. }));
    // A row a run has no first loss, and pairs nothing; the date tells no arms apart.
    let runs = analyse(&read(&write("runs.tsv", &runs), &RoleOptions::default()));
    assert_eq!(runs.arms.len(), 2);
    let (own, other) = (&runs.comparisons[0], &long.comparisons[0]);
    assert!(
        (own.final_validation.interval.mean - other.final_validation.interval.mean).abs() < 1e-12
    );
}

#[test]
fn a_torn_file_keeps_what_was_written_and_says_what_is_lost() {
    let source = data("digits-sweep/tensorboard/wd0-s0");
    let name = "events.out.tfevents.1796027630.vm.10446.0";
    let whole = fs::read(source.join(name)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join(name);
    let read = || {
        let options = ReadOptions::default();
        wd_import::read(&[folder.path().to_owned()], &options).unwrap().1.remove(0)
    };
    fs::write(&place, &whole).unwrap();
    let complete = read();
    assert_eq!((complete.remarks.len(), complete.curves["train/loss"].steps.len()), (0, 41));
    fs::write(&place, &whole[..whole.len() - 3]).unwrap();
    let torn = read();
    assert!(torn.remarks[0].contains("not written to its end"), "{:?}", torn.remarks);
    let points = |run: &wd_import::Run| run.curves.values().map(|c| c.steps.len()).sum::<usize>();
    assert_eq!(points(&torn), points(&complete) - 1);
    // A second file of the same run that begins again at an earlier step.
    let again = folder.path().join("events.out.tfevents.1796027631.vm.1.0");
    fs::write(&again, &whole).unwrap();
    fs::write(&place, &whole).unwrap();
    let restarted = read();
    assert_eq!(points(&restarted), points(&complete));
    assert_eq!(restarted.replaced, points(&complete) as u64);
}

#[test]
fn runs_that_are_short_missing_or_repeated_do_not_count_as_finished() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "run,wd,seed,step,loss\n".to_owned();
    for (run, decay, seed, last) in [
        ("a", 0, 0, 9),
        ("b", 0, 1, 9),
        ("c", 1, 0, 9),
        ("d", 1, 1, 5),
        ("e", 1, 0, 9),
        ("f", 2, 0, 9),
    ] {
        for step in 0..=last {
            let loss =
                if run == "f" && step == 9 { "nan".to_owned() } else { format!("{}", 9 - step) };
            text += &format!("{run},{decay},{seed},{step},{loss}\n");
        }
    }
    let path = folder.path().join("runs.csv");
    fs::write(&path, text).unwrap();
    let import = read(&path, &RoleOptions::default());
    let status: Vec<(&str, &Status)> =
        import.runs.iter().map(|run| (run.name.as_str(), &run.status)).collect();
    assert_eq!(status.len(), 5, "{status:?}");
    assert_eq!(status[3], ("d", &Status::Interrupted { step: 5 }));
    assert!(matches!(status[4], ("f", Status::Diverged { step: 9, .. })));
    let notes = import.recording.notes.join(" ");
    assert!(notes.contains("1 run left out, since another has the same settings"), "{notes}");
    let analysis = analyse(&import);
    assert_eq!(analysis.arms[1].unfinished, [1]);
    assert_eq!(analysis.arms[2].diverged.len(), 1);
}

#[test]
fn runs_without_a_seed_are_compared_by_welch() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "run,wd,step,val_loss\n".to_owned();
    let losses = [(0.0, [3.10, 3.12, 3.08, 3.11]), (0.1, [3.01, 3.05, 2.99, 3.02])];
    for (decay, values) in losses {
        for (number, loss) in values.into_iter().enumerate() {
            text += &format!("{decay}-{number},{decay},100,{loss}\n");
        }
    }
    let path = folder.path().join("runs.csv");
    fs::write(&path, text).unwrap();
    let roles = RoleOptions { validation: Some("val_loss".to_owned()), ..RoleOptions::default() };
    let analysis = analyse(&read(&path, &roles));
    let comparison = &analysis.comparisons[0];
    assert_eq!(
        comparison.pairing,
        Pairing::Unpaired {
            reason: "no setting is known to be the seed (the option seed-from names one)"
                .to_owned()
        }
    );
    // scipy.stats.ttest_ind([3.01, 3.05, 2.99, 3.02], [3.10, 3.12, 3.08, 3.11], equal_var=False)
    let validation = &comparison.final_validation;
    assert!((validation.interval.mean + 0.085).abs() < 1e-12);
    assert!((validation.p_value.unwrap() - 0.002_054_708_16).abs() < 1e-9, "{validation:?}");
}

#[test]
fn sibling_folders_are_one_run_when_told() {
    let folder = tempfile::tempdir().unwrap();
    for (decay, loss) in [("0", 2.0), ("0.1", 1.9)] {
        let settings = BTreeMap::from([("wd".to_owned(), decay.to_owned())]);
        for part in ["train", "validation"] {
            let place = folder.path().join(format!("run-{decay}")).join(part);
            let mut file = wd_import::export::begin_event_file(&place, &settings, true).unwrap();
            for step in 0..3 {
                file.scalar("epoch_loss", step, loss - 0.1 * step as f32).unwrap();
            }
            file.finish().unwrap();
        }
    }
    let options = ReadOptions { merge_siblings: true, ..ReadOptions::default() };
    let paths = [folder.path().to_owned()];
    let found = import(&paths, &options, &RoleOptions::default()).unwrap();
    assert_eq!(
        found.runs.iter().map(|run| &run.name[..]).collect::<Vec<_>>(),
        ["run-0", "run-0.1"]
    );
    assert_eq!(found.recording.training.as_deref(), Some("train/epoch_loss"));
    assert_eq!(found.recording.validation.as_deref(), Some("validation/epoch_loss"));
}
