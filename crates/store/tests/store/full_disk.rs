//! A disk that fills up: errors name the file and the bytes, and what was written before stays.
//!
//! The limit is real: the test starts itself again under `ulimit -f` (with SIGXFSZ ignored, so that
//! writes fail with
//! `EFBIG` instead of killing it), where no file may grow beyond some kilobytes.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::fixture;
use serde_json::json;
use wd_store::{Column, Event, EventKind, RunDirectory, StoreError};

const DIRECTORY: &str = "WD_STORE_FULL_DISK_TEST";
/// Odd, so that the limit falls in the middle of a row.
const WIDTH: usize = 33;

fn columns() -> Vec<Column> {
    let mut columns = vec![Column::f64("step")];
    columns.extend((1..WIDTH).map(|at| Column::f32(format!("c{at}"))));
    columns
}

fn row(step: u64) -> Vec<f64> {
    (0..WIDTH as u64).map(|at| if at == 0 { step as f64 } else { (step * at) as f64 }).collect()
}

fn assert_rows(run: &RunDirectory, rows: std::ops::RangeInclusive<u64>) {
    let metrics = run.metrics().unwrap();
    assert_eq!(
        metrics.column("step").unwrap(),
        rows.clone().map(|step| step as f64).collect::<Vec<_>>()
    );
    for at in [1, WIDTH as u64 - 1] {
        let expected: Vec<f64> = rows.clone().map(|step| (step * at) as f64).collect();
        assert_eq!(metrics.column(&format!("c{at}")).unwrap(), expected);
    }
}

/// Starts the test `name` of this file again under the limit.
fn again_under_limit(name: &str, directory: &Path) {
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -S -f 16; exec \"$0\" --exact \"$1\" --nocapture"])
        .arg(std::env::current_exe().unwrap())
        .arg(format!("full_disk::{name}"))
        .env(DIRECTORY, directory)
        .output()
        .unwrap();
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("1 passed"), "{out}{err}");
}

#[test]
fn rows_wait_until_there_is_room_again() {
    if let Some(directory) = std::env::var_os(DIRECTORY) {
        let run = RunDirectory::open(directory).unwrap();
        let lock = run.lock().unwrap();
        let mut writer = lock.metrics_writer(&columns(), 0).unwrap();
        writer.set_buffering(7, Duration::from_secs(3600));
        let mut step = 1;
        let error = loop {
            match writer.append(&row(step)) {
                Ok(()) => step += 1,
                Err(error) => break error,
            }
            assert!(step < 100_000, "the limit does not hold");
        };
        assert!(
            error.to_string().contains("metrics.bin")
                && error.to_string().contains("bytes are needed"),
            "{error}"
        );
        let StoreError::DiskFull { needed, .. } = error else { panic!("{error}") };
        assert!(needed > 0 && needed <= 7 * 136, "{needed}");
        assert_eq!(writer.last_step(), step, "the row was taken");
        // So are those that the buffer still has room for; then rows are refused.
        for _ in 0..7 {
            let _ = writer.append(&row(writer.last_step() + 1));
        }
        let step = writer.last_step();
        assert!(matches!(writer.append(&row(step + 1)), Err(StoreError::DiskFull { .. })));
        assert_eq!(writer.last_step(), step);
        let whole = run.metrics().unwrap().last_step().unwrap();
        assert!(whole < step);
        assert_rows(&run, 1..=whole);

        // Room again: the write goes on in the middle of the row where it stopped.
        let id = std::process::id().to_string();
        let raised =
            Command::new("prlimit").args(["--pid", &id, "--fsize=unlimited:"]).status().unwrap();
        assert!(raised.success());
        writer.append(&row(step + 1)).unwrap();
        writer.flush().unwrap();
        assert_rows(&run, 1..=step + 1);
        return;
    }
    let parent = tempfile::tempdir().unwrap();
    let run = fixture::run(parent.path());
    again_under_limit("rows_wait_until_there_is_room_again", run.path());
    // And another process goes on from there.
    let lock = run.lock().unwrap();
    let mut writer = lock.metrics_writer(&columns(), 20).unwrap();
    writer.append(&row(21)).unwrap();
    drop(writer);
    assert_rows(&run, 1..=21);
}

#[test]
fn a_kill_while_the_disk_is_full_leaves_whole_rows() {
    if let Some(directory) = std::env::var_os(DIRECTORY) {
        let run = RunDirectory::open(directory).unwrap();
        let lock = run.lock().unwrap();
        let mut writer = lock.metrics_writer(&columns(), 0).unwrap();
        writer.set_buffering(7, Duration::from_secs(3600));
        assert!((1..100_000).any(|step| writer.append(&row(step)).is_err()));
        return;
    }
    let parent = tempfile::tempdir().unwrap();
    let run = fixture::run(parent.path());
    again_under_limit("a_kill_while_the_disk_is_full_leaves_whole_rows", run.path());
    let last = run.metrics().unwrap().last_step().unwrap();
    assert!(last > 20);
    assert_rows(&run, 1..=last);
    drop(run.lock().unwrap().metrics_writer(&columns(), last).unwrap());
    assert_rows(&run, 1..=last);
}

#[test]
fn a_checkpoint_that_does_not_fit_leaves_the_one_before() {
    if let Some(directory) = std::env::var_os(DIRECTORY) {
        let run = RunDirectory::open(directory).unwrap();
        let large = vec![1.0_f32; 100_000];
        for (model, optimizer, name) in [(100_000, 10, "model"), (10, 100_000, "optimizer")] {
            let error = run
                .checkpoints()
                .save(
                    1,
                    &[("w", &[model], &large[..model])],
                    &[("m", &[optimizer], &large[..optimizer])],
                    &json!(2),
                )
                .unwrap_err();
            let StoreError::DiskFull { path, needed } = error else { panic!("{error}") };
            assert!(path.ends_with(format!("{name}.safetensors")), "{path:?}");
            assert!((400_000..401_000).contains(&needed), "{needed}");
        }
        let error = run.write_config(&"x".repeat(100_000)).unwrap_err();
        assert!(matches!(error, StoreError::DiskFull { needed: 100_000, .. }), "{error}");
        return;
    }
    let parent = tempfile::tempdir().unwrap();
    let run = fixture::run(parent.path());
    run.write_config("seed = 1").unwrap();
    run.checkpoints().save(1, &[("w", &[1], &[0.5])], &[], &json!(1)).unwrap();
    again_under_limit("a_checkpoint_that_does_not_fit_leaves_the_one_before", run.path());
    assert_eq!(run.checkpoints().latest().unwrap().checkpoint.unwrap().state, json!(1));
    assert_eq!(run.read_config().unwrap(), "seed = 1");
    // What was half written is gone already, and its room with it.
    assert_eq!(fs::read_dir(run.path().join("checkpoints")).unwrap().count(), 1);
    assert_eq!(fs::read_dir(run.path()).unwrap().count(), 2);
}

#[test]
fn an_event_that_does_not_fit_says_so() {
    let parent = tempfile::tempdir().unwrap();
    let run = fixture::run(parent.path());
    std::os::unix::fs::symlink("/dev/full", run.events_path()).unwrap();
    let error = run.append_event(&Event::now(EventKind::Started, 0, "no room")).unwrap_err();
    assert!(matches!(error, StoreError::DiskFull { needed: 1.., .. }), "{error}");
    assert!(error.to_string().contains("events.jsonl"), "{error}");
}
