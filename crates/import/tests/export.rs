//! A study that is exported and read again says the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use wd_import::export::{Form, export};
use wd_import::{Format, ReadOptions, RoleOptions, import};
use wd_lab::{Analysis, AnalysisOptions, Study, TrainingLoss};

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(path)
}

fn roles() -> RoleOptions {
    RoleOptions {
        train: Some("train/full_loss".to_owned()),
        train_is: Some(TrainingLoss::FixedSet),
        ..RoleOptions::default()
    }
}

/// A study of the digits on disk, and its analysis.
fn study(folder: &Path) -> (Study, Analysis) {
    let import = import(&[data("digits-sweep/mlflow")], &ReadOptions::default(), &roles()).unwrap();
    let study = import.save(&folder.join("study"), "digits").unwrap();
    let analysis = wd_lab::analyse(&study, &AnalysisOptions::default()).unwrap();
    (study, analysis)
}

/// What is compared: the means, and the differences with their p.
fn numbers(analysis: &Analysis) -> Vec<f64> {
    let arms = analysis.arms.iter().flat_map(|arm| [arm.final_train.mean, arm.gap.mean]);
    let comparisons = analysis.comparisons.iter().flat_map(|comparison| {
        let difference = &comparison.final_validation;
        [difference.interval.mean, difference.interval.low, difference.p_value.unwrap()]
    });
    arms.chain(comparisons).collect()
}

fn read_again(path: &Path, settings: Option<PathBuf>) -> (Format, Analysis) {
    let options = ReadOptions { settings, ..ReadOptions::default() };
    let again = import(&[path.to_owned()], &options, &roles()).unwrap();
    (again.format, again.analyse(&AnalysisOptions::default()).unwrap())
}

#[test]
fn tables_read_again_say_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (study, analysis) = study(folder.path());
    let csv = folder.path().join("csv");
    export(&study, Some(&analysis), Form::Csv, &csv).unwrap();
    let (format, again) = read_again(&csv.join("series.csv"), Some(csv.join("runs.csv")));
    assert_eq!(format, Format::Csv);
    assert_eq!(numbers(&again), numbers(&analysis));

    let parquet = folder.path().join("parquet");
    export(&study, Some(&analysis), Form::Parquet, &parquet).unwrap();
    let (format, again) = read_again(&parquet.join("series.parquet"), Some(csv.join("runs.csv")));
    assert_eq!(format, Format::Parquet);
    assert_eq!(numbers(&again), numbers(&analysis));
    // Nothing is written over.
    assert!(export(&study, Some(&analysis), Form::Parquet, &parquet).is_err());
}

#[test]
fn event_files_read_again_say_the_same_but_for_f32() {
    let folder = tempfile::tempdir().unwrap();
    let (study, analysis) = study(folder.path());
    let out = folder.path().join("events");
    export(&study, Some(&analysis), Form::Tensorboard, &out).unwrap();
    let (format, again) = read_again(&out, None);
    assert_eq!(format, Format::Tensorboard);
    for (ours, theirs) in numbers(&again).into_iter().zip(numbers(&analysis)) {
        assert!((ours - theirs).abs() < 1e-6, "{ours} {theirs}");
    }
}

#[test]
fn a_database_holds_every_number() {
    let folder = tempfile::tempdir().unwrap();
    let (study, analysis) = study(folder.path());
    let out = folder.path().join("study.db");
    export(&study, Some(&analysis), Form::Sqlite, &out).unwrap();
    let database = rusqlite::Connection::open(&out).unwrap();
    let count = |table: &str| -> i64 {
        database.query_row(&format!("select count(*) from {table}"), [], |row| row.get(0)).unwrap()
    };
    // 12 runs; per run 41 points of two curves and 17 of three.
    assert_eq!((count("runs"), count("series")), (12, 12 * (2 * 41 + 3 * 17)));
    assert_eq!((count("arms"), count("comparisons")), (3 * 4, 2 * 4));
    let truth: Vec<BTreeMap<String, Value>> =
        serde_json::from_slice(&std::fs::read(data("digits-sweep/truth.json")).unwrap()).unwrap();
    for run in truth {
        let last: f64 = database
            .query_row(
                "select value from series join runs using (run) where metric = 'val/loss' and step \
                 = 399 and lambda = ?1 and seed = ?2",
                [run["weight_decay"].as_f64().unwrap(), run["seed"].as_f64().unwrap()],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(last, run["val/loss"].as_f64().unwrap());
    }
}
