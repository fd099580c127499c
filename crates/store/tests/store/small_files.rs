//! config.toml, plan.json, the lock and the status.

use std::fs;

use crate::fixture;
use proptest::prelude::*;
use serde_json::json;
use wd_store::{Event, EventKind, Plan, RunDirectory, Status, StoreError};

#[test]
fn config_and_plan_read_back_equal() {
    let parent = tempfile::tempdir().unwrap();
    let run = fixture::run(parent.path());
    run.write_config("[run]\nseed = 1 # ü\n").unwrap();
    run.write_config("[run]\nseed = 2 # ü\n").unwrap();
    run.write_plan(&fixture::plan()).unwrap();
    assert_eq!(run.read_config().unwrap(), "[run]\nseed = 2 # ü\n");
    assert_eq!(run.read_plan().unwrap(), fixture::plan());
    // Nothing is left aside.
    let mut names: Vec<_> =
        fs::read_dir(run.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["config.toml", "plan.json"]);
}

#[test]
fn a_plan_that_json_cannot_hold_is_refused_and_the_old_one_stays() {
    let parent = tempfile::tempdir().unwrap();
    let run = fixture::run(parent.path());
    run.write_plan(&fixture::plan()).unwrap();
    let spoilers: [fn(&mut Plan); 3] = [
        |plan| plan.kappa = f64::NAN,
        |plan| plan.tau_steps = Some(f64::INFINITY),
        |plan| plan.lambda = f64::NEG_INFINITY,
    ];
    for spoil in spoilers {
        let mut plan = fixture::plan();
        spoil(&mut plan);
        assert!(matches!(run.write_plan(&plan), Err(StoreError::Unwritable { .. })));
    }
    assert_eq!(run.read_plan().unwrap(), fixture::plan());
}

#[test]
fn what_is_missing_or_too_new_is_named() {
    let parent = tempfile::tempdir().unwrap();
    assert!(matches!(
        RunDirectory::open(parent.path().join("no")),
        Err(StoreError::Missing { .. })
    ));
    let run = fixture::run(parent.path());
    let error = run.read_config().unwrap_err().to_string();
    assert!(error.contains("config.toml does not exist"), "{error}");
    assert!(matches!(run.read_plan(), Err(StoreError::Missing { .. })));
    fs::write(run.plan_path(), r#"{"format": 3, "everything": "else"}"#).unwrap();
    assert!(matches!(run.read_plan(), Err(StoreError::TooNew { found: 3, supported: 2, .. })));
    fs::write(run.config_path(), [0x66, 0xff]).unwrap();
    assert!(matches!(run.read_config(), Err(StoreError::Damaged { .. })));
}

#[test]
fn a_plan_cut_anywhere_is_damaged() {
    let parent = tempfile::tempdir().unwrap();
    let run = fixture::run(parent.path());
    run.write_plan(&fixture::plan()).unwrap();
    let whole = fs::read(run.plan_path()).unwrap();
    // The last byte is the newline after the object.
    for length in 0..whole.len() - 1 {
        fs::write(run.plan_path(), &whole[..length]).unwrap();
        let error = run.read_plan().unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{length}: {error}");
        assert!(error.to_string().contains("plan.json"), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn a_plan_with_any_bytes_changed_never_panics(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let parent = tempfile::tempdir().unwrap();
        let run = fixture::run(parent.path());
        let mut bytes = serde_json::to_vec(&fixture::plan()).unwrap();
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        fs::write(run.plan_path(), &bytes).unwrap();
        // A changed digit still is a plan; everything else is an error that names the file.
        if let Err(error) = run.read_plan() {
            prop_assert!(error.to_string().contains("plan.json"));
        }
    }
}

#[test]
fn the_lock_has_one_holder_and_sweeps_what_was_left_aside() {
    let parent = tempfile::tempdir().unwrap();
    let run = fixture::run(parent.path());
    assert!(!run.is_locked().unwrap());
    fs::write(run.path().join(".plan.json.tmp-4194305"), "half").unwrap();
    fs::write(run.path().join(".metrics.bin.tmp-1"), "half").unwrap();
    fs::write(run.path().join(".mine.tmp-notes"), "a person's file").unwrap();
    let lock = run.lock().unwrap();
    assert!(run.is_locked().unwrap());
    let mut names: Vec<_> =
        fs::read_dir(run.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [".lock", ".mine.tmp-notes"]);

    let error = run.lock().unwrap_err();
    assert!(
        matches!(error, StoreError::Locked { holder: Some(id), .. } if id == std::process::id()),
        "{error}"
    );
    assert!(error.to_string().contains("is training in"), "{error}");

    // A writer that is still alive keeps the directory locked.
    let writer = lock.metrics_writer(&[wd_store::Column::f64("step")], 0).unwrap();
    drop(lock);
    assert!(run.is_locked().unwrap());
    drop(writer);
    assert!(!run.is_locked().unwrap());
    run.lock().unwrap();
}

#[test]
fn looking_at_the_status_turns_no_trainer_away() {
    let parent = tempfile::tempdir().unwrap();
    let run = fixture::run(parent.path());
    drop(run.lock().unwrap());
    std::thread::scope(|scope| {
        let trainer = scope.spawn(|| (0..200).all(|_| run.lock().is_ok()));
        while !trainer.is_finished() {
            run.status().unwrap();
        }
        assert!(trainer.join().unwrap());
    });
}

#[test]
fn the_status_follows_a_run_through_its_life() {
    let parent = tempfile::tempdir().unwrap();
    let run = fixture::run(parent.path());
    let event = |kind, step| run.append_event(&Event::now(kind, step, "what was seen")).unwrap();
    assert_eq!(run.status().unwrap(), Status::New);
    // Planned is not begun.
    run.write_plan(&fixture::plan()).unwrap();
    assert_eq!(run.status().unwrap(), Status::New);

    let lock = run.lock().unwrap();
    assert_eq!(run.status().unwrap(), Status::Running { step: 0 });
    event(EventKind::Started, 0);
    let mut metrics = lock.metrics_writer(&[wd_store::Column::f64("step")], 0).unwrap();
    for step in 1..=7 {
        metrics.append(&[f64::from(step)]).unwrap();
    }
    metrics.sync().unwrap();
    run.checkpoints().save(5, &[], &[], &json!(null)).unwrap();
    event(EventKind::Checkpoint, 5);
    assert_eq!(run.status().unwrap(), Status::Running { step: 7 });
    drop((metrics, lock));
    // Killed: no event says so.
    assert_eq!(run.status().unwrap(), Status::Interrupted { step: 5 });
    event(EventKind::Interrupted, 7);
    assert_eq!(run.status().unwrap(), Status::Interrupted { step: 5 });
    // A damaged metrics file does not hide it.
    fs::write(run.metrics_path(), "no header").unwrap();
    assert_eq!(run.status().unwrap(), Status::Interrupted { step: 5 });

    event(EventKind::Resumed, 5);
    run.append_event(&Event::now(EventKind::Diverged, 6, "NaN").with("tensor", "head.weight"))
        .unwrap();
    event(EventKind::Note, 6);
    let diverged = Status::Diverged {
        step: 6,
        tensor: Some("head.weight".to_owned()),
        message: "NaN".to_owned(),
    };
    assert_eq!(run.status().unwrap(), diverged);
    event(EventKind::Resumed, 5);
    assert_eq!(run.status().unwrap(), Status::Interrupted { step: 5 });
    let lock = run.lock().unwrap();
    event(EventKind::Finished, 9);
    // Its end is recorded, though its process is still there.
    assert_eq!(run.status().unwrap(), Status::Finished { step: 9 });
    drop(lock);
    assert_eq!(run.status().unwrap(), Status::Finished { step: 9 });
}
