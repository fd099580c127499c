//! What is seen of a study while its runs still run, and against an arm of somebody's choice.

mod planned;
mod random;
mod synthetic;

use std::path::Path;

use synthetic::{STEPS, Settings, Truth, settings, study, write_diverged, write_run};
use wd_lab::page::against;
use wd_lab::progress::State;
use wd_lab::{AnalysisOptions, Progress, Record, Study, analyse, analyse_again};
use wd_page::Content;
use wd_store::{Event, EventKind, MetricsWriter, RunDirectory};

/// A run of which half is done and whose process lives as long as what is given back.
fn write_half(path: &Path, settings: &Settings, truth: Truth, noise: f64) -> MetricsWriter {
    let folder = tempfile::tempdir().unwrap();
    write_run(folder.path(), settings, truth, noise);
    let whole = RunDirectory::open(folder.path()).unwrap();
    let run = RunDirectory::create_or_open(path).unwrap();
    run.write_plan(&whole.read_plan().unwrap()).unwrap();
    let metrics = whole.metrics().unwrap();
    let columns = metrics.columns().to_vec();
    let values: Vec<Vec<f64>> =
        columns.iter().map(|column| metrics.column(&column.name).unwrap()).collect();
    run.append_event(&Event::now(EventKind::Started, 0, "")).unwrap();
    let mut writer = run.lock().unwrap().metrics_writer(&columns, 0).unwrap();
    for row in 0..STEPS as usize / 2 {
        let row: Vec<f64> = values.iter().map(|column| column[row]).collect();
        writer.append(&row).unwrap();
    }
    writer.flush().unwrap();
    writer
}

fn records(study: &Study) -> Vec<(String, Record)> {
    let trials = study.trials().iter();
    trials.map(|trial| (trial.name.clone(), study.record(trial).unwrap())).collect()
}

fn worse_early(settings: &Settings) -> Truth {
    Truth { start: settings.lambda, end: -settings.lambda, late: 1.0, ..Truth::default() }
}

#[test]
fn runs_under_way_are_seen_as_far_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let study = study(folder.path(), &["decay.lambda=0,0.1", "run.seed=0..3"]);
    let mut alive = Vec::new();
    for trial in study.trials() {
        let settings = settings(trial);
        let truth = worse_early(&settings);
        match (settings.seed, settings.lambda) {
            (0, _) => write_run(&trial.directory, &settings, truth, 0.0),
            (1, _) => alive.push(write_half(&trial.directory, &settings, truth, 0.0)),
            (2, 0.1) => write_diverged(&trial.directory, &settings, 7),
            _ => {}
        }
    }
    let records = records(&study);
    let named: Vec<_> = records.iter().map(|(name, record)| (name.as_str(), record)).collect();
    let progress = Progress::of(&named).unwrap();
    let count = |state| progress.count(state);
    assert_eq!(
        [State::Finished, State::Running, State::Diverged, State::Waiting].map(count),
        [2, 2, 1, 3]
    );
    assert_eq!(progress.left(), 5);
    let half = progress.runs.iter().find(|run| run.state == State::Running).unwrap();
    assert_eq!((half.step, half.steps), (STEPS / 2, Some(STEPS)));
    assert!(half.seconds_left.is_some_and(|seconds| seconds >= 0.0));

    // Both seeds as far as both are, then the one that went on.
    let [bare, decayed] = progress.arms.as_slice() else { panic!("{:?}", progress.arms) };
    assert_eq!((bare.lambda, decayed.lambda), (0.0, 0.1));
    for band in &bare.train_loss {
        assert_eq!(band.n, if band.step <= STEPS as f64 / 2.0 { 2 } else { 1 }, "{band:?}");
    }
    assert_eq!(bare.train_loss.len(), 60);
    assert!(bare.difference.is_empty());
    // λ does nothing else here: the difference is what was planted, to the last digit of the noise.
    for band in &decayed.difference {
        let planted = 0.1 - 0.2 * band.step / STEPS as f64;
        assert!((band.mean - planted).abs() < 1e-3, "{band:?} instead of {planted}");
    }
    let section = progress.section().expect("something is under way");
    assert!(format!("{section:?}").contains("3 of 8 runs have ended, 2 are running, 3 wait"));

    drop(alive);
    let trial = study.trials().iter().find(|trial| trial.name == half.name).unwrap();
    let stopped = study.record(trial).unwrap();
    let progress = Progress::of(&[("stopped", &stopped)]).unwrap();
    assert_eq!(progress.count(State::Interrupted), 1, "a process that is gone runs no more");
}

#[test]
fn a_study_that_is_done_has_no_progress() {
    let folder = tempfile::tempdir().unwrap();
    let study = study(folder.path(), &["decay.lambda=0,0.1", "run.seed=0..1"]);
    for trial in study.trials() {
        let settings = settings(trial);
        write_run(&trial.directory, &settings, worse_early(&settings), 0.001);
    }
    let records = records(&study);
    let named: Vec<_> = records.iter().map(|(name, record)| (name.as_str(), record)).collect();
    let progress = Progress::of(&named).unwrap();
    assert_eq!(progress.section().map(|section| section.heading), None);
    assert!(progress.arms.is_empty());
    assert_eq!(progress.sentence(), "All 4 runs have finished.");

    // Records that are kept give what records that are read give, twice.
    let kept: Vec<&Record> = records.iter().map(|(_, record)| record).collect();
    let read = analyse(&study, &AnalysisOptions::default()).unwrap();
    for _ in 0..2 {
        let again = analyse_again(&kept, &AnalysisOptions::default()).unwrap();
        assert_eq!(format!("{again:?}"), format!("{read:?}"));
    }
}

#[test]
fn any_arm_can_be_the_baseline() {
    let folder = tempfile::tempdir().unwrap();
    let study = study(folder.path(), &["decay.lambda=0,0.1,0.3", "run.seed=0..4"]);
    for trial in study.trials() {
        let settings = settings(trial);
        let truth = Truth { end: -settings.lambda, late: 1.0, ..Truth::default() };
        write_run(&trial.directory, &settings, truth, 0.001);
    }
    let records = records(&study);
    let kept: Vec<&Record> = records.iter().map(|(_, record)| record).collect();
    let section = against(&kept, "λ=0.1").unwrap().expect("there is such an arm");
    let Some(Content::Paragraph(found)) = section.contents.first() else { panic!("no words") };
    assert!(found.starts_with("λ=0.3 ends significantly lower than λ=0.1."), "{found}");
    let tables = section.contents.iter().filter_map(|content| match content {
        Content::Table(table) => Some(&table.rows),
        _ => None,
    });
    let rows: Vec<&Vec<String>> = tables.flatten().collect();
    // λ = 0.3 ends 0.2 lower than λ = 0.1, and λ = 0 higher by 0.1.
    let losses: Vec<(&str, f64)> = rows
        .iter()
        .map(|row| {
            let mean = row[1].split(' ').next().unwrap().replace('−', "-");
            (row[0].as_str(), mean.parse().unwrap())
        })
        .collect();
    let [("λ=0", above), ("λ=0.3", below)] = losses[..] else { panic!("{losses:?}") };
    assert!((above - 0.1).abs() < 0.005 && (below + 0.2).abs() < 0.005, "{losses:?}");
    assert!(against(&kept, "λ=7").unwrap().is_none());
}
