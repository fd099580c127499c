//! Checkpoints: bits, damage, replacement, kills at every moment, pruning.

use std::fs;
use std::path::PathBuf;

use crate::fixture;
use proptest::prelude::*;
use serde_json::{Value, json};
use wd_store::{Checkpoints, RunDirectory, StoreError, TensorView};

const FILES: [&str; 3] = ["model.safetensors", "optimizer.safetensors", "state.json"];

fn state() -> Value {
    json!({ "epoch": 3, "cursor": u64::MAX, "best": 0.1 + 0.2, "tiny": 5e-324, "names": ["ü", "\n"], "none": null })
}

fn save(run: &RunDirectory, step: u64) {
    let weights: Vec<f32> = (0..12).map(|at| (step * 100 + at) as f32).collect();
    // Bits that only an exact copy keeps: a NaN with a payload, −0, a subnormal.
    let moments = [f32::from_bits(0x7fc0_1234), -0.0, f32::from_bits(1), f32::NEG_INFINITY];
    let model: [TensorView; 3] =
        [("w", &[3, 2], &weights[..6]), ("a/b", &[6], &weights[6..]), ("none", &[0, 4], &[])];
    run.checkpoints().save(step, &model, &[("first_moment", &[4], &moments)], &state()).unwrap();
}

fn latest_step(run: &RunDirectory) -> Option<u64> {
    run.checkpoints().latest().unwrap().checkpoint.map(|checkpoint| checkpoint.step)
}

fn names_aside(checkpoints: &Checkpoints) -> Vec<String> {
    let root = checkpoints.path(0).parent().unwrap().to_owned();
    let names =
        fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| !name.starts_with("step-")).collect()
}

#[test]
fn a_checkpoint_reads_back_bit_by_bit() {
    let parent = tempfile::tempdir().unwrap();
    let run = fixture::run(parent.path());
    assert_eq!(latest_step(&run), None);
    save(&run, 9);
    save(&run, 10);
    assert_eq!(run.checkpoints().steps().unwrap(), [9, 10]);
    let latest = run.checkpoints().latest().unwrap();
    assert!(latest.skipped.is_empty());
    let checkpoint = latest.checkpoint.unwrap();
    assert_eq!((checkpoint.step, &checkpoint.path), (10, &run.checkpoints().path(10)));
    assert_eq!(checkpoint.state, state());
    let names: Vec<&str> = checkpoint.model.iter().map(|(name, _, _)| name.as_str()).collect();
    assert_eq!(names[..2], ["w", "a/b"]);
    assert_eq!(checkpoint.model[0].1, [3, 2]);
    assert_eq!(checkpoint.model[1].2, [1006.0, 1007.0, 1008.0, 1009.0, 1010.0, 1011.0]);
    assert_eq!((checkpoint.model[2].1.as_slice(), checkpoint.model[2].2.len()), (&[0, 4][..], 0));
    let bits: Vec<u32> = checkpoint.optimizer[0].2.iter().map(|value| value.to_bits()).collect();
    assert_eq!(bits, [0x7fc0_1234, 0x8000_0000, 1, f32::NEG_INFINITY.to_bits()]);
    assert!(names_aside(&run.checkpoints()).is_empty());
}

#[test]
fn what_cannot_be_written_is_refused_and_nothing_is_left() {
    let parent = tempfile::tempdir().unwrap();
    let run = fixture::run(parent.path());
    save(&run, 1);
    let bad: [&[TensorView]; 3] = [
        &[("w", &[3], &[1.0, 2.0])],
        &[("w", &[1], &[1.0]), ("w", &[1], &[1.0])],
        &[("__metadata__", &[1], &[1.0])],
    ];
    for tensors in bad {
        let refused = run.checkpoints().save(1, tensors, &[], &json!(0));
        assert!(matches!(refused, Err(StoreError::InvalidTensor { .. })));
    }
    let overflow: &[usize] = &[usize::MAX, 2];
    assert!(run.checkpoints().save(2, &[], &[("w", overflow, &[])], &json!(0)).is_err());
    assert!(names_aside(&run.checkpoints()).is_empty());
    assert_eq!(run.checkpoints().load(1).unwrap().state, state());
}

/// Each file of the newest checkpoint is cut at every length and has every byte changed: it is
/// always recognised, and the one before it taken.
#[test]
fn damage_anywhere_is_seen_and_the_one_before_is_taken() {
    let parent = tempfile::tempdir().unwrap();
    let run = fixture::run(parent.path());
    save(&run, 1);
    save(&run, 2);
    for name in FILES {
        let path = run.checkpoints().path(2).join(name);
        let whole = fs::read(&path).unwrap();
        let check = |what: &str, at: usize| {
            let latest = run.checkpoints().latest().unwrap();
            assert_eq!(latest.checkpoint.unwrap().step, 1, "{name} {what} {at}");
            let [skipped] = latest.skipped.as_slice() else { panic!("{name} {what} {at}") };
            assert_eq!(skipped.step, 2);
            let text = skipped.error.to_string();
            assert!(
                matches!(skipped.error, StoreError::Damaged { .. }) && text.contains(name),
                "{text}"
            );
            assert!(
                matches!(run.checkpoints().verify(2), Err(StoreError::Damaged { .. })),
                "{name} {what} {at}"
            );
        };
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            check("cut at", length);
        }
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            // In JSON, white space may change without a change of meaning.
            if name == "state.json"
                && bytes[at].is_ascii_whitespace()
                && whole[at].is_ascii_whitespace()
            {
                continue;
            }
            fs::write(&path, &bytes).unwrap();
            check("changed at", at);
        }
        fs::remove_file(&path).unwrap();
        check("removed", 0);
        fs::write(&path, &whole).unwrap();
        assert_eq!(latest_step(&run), Some(2));
    }
    // A checkpoint under another's name is none.
    fs::rename(run.checkpoints().path(2), run.checkpoints().path(3)).unwrap();
    assert_eq!(latest_step(&run), Some(1));
    // A whole file of another checkpoint in its place is recognised too.
    fs::copy(run.checkpoints().path(1).join(FILES[0]), run.checkpoints().path(3).join(FILES[0]))
        .unwrap();
    assert!(matches!(run.checkpoints().load(3), Err(StoreError::Damaged { .. })));
}

#[test]
fn a_later_version_is_named_and_not_passed_over() {
    let parent = tempfile::tempdir().unwrap();
    let run = fixture::run(parent.path());
    save(&run, 1);
    save(&run, 2);
    fs::write(run.checkpoints().path(2).join("state.json"), r#"{"checkpoint":{"format":2}}"#)
        .unwrap();
    assert!(matches!(run.checkpoints().latest(), Err(StoreError::TooNew { found: 2, .. })));
    assert_eq!(run.checkpoints().prune(1).unwrap(), Vec::<u64>::new());
}

#[test]
fn saving_again_replaces_and_a_kill_in_between_loses_nothing() {
    let parent = tempfile::tempdir().unwrap();
    let run = fixture::run(parent.path());
    let checkpoints = run.checkpoints();
    save(&run, 1);
    save(&run, 2);
    checkpoints.save(2, &[], &[], &json!("new")).unwrap();
    assert_eq!(checkpoints.load(2).unwrap().state, json!("new"));
    assert!(names_aside(&checkpoints).is_empty());

    let aside = |name: &str| -> PathBuf { checkpoints.path(2).with_file_name(name) };
    // Killed while it wrote, at every moment that leaves something else behind.
    for left in 0..=FILES.len() {
        fs::create_dir(aside(".tmp-step-3-77")).unwrap();
        for name in &FILES[..left] {
            fs::write(aside(".tmp-step-3-77").join(name), "half").unwrap();
        }
        assert_eq!(latest_step(&run), Some(2));
        drop(run.lock().unwrap());
        assert!(names_aside(&checkpoints).is_empty());
    }
    // Killed between the two renames: the old one is put back.
    fs::rename(checkpoints.path(2), aside(".old-step-2-77")).unwrap();
    fs::create_dir(aside(".tmp-step-2-77")).unwrap();
    assert_eq!(latest_step(&run), Some(1));
    drop(run.lock().unwrap());
    assert_eq!(checkpoints.load(2).unwrap().state, json!("new"));
    assert!(names_aside(&checkpoints).is_empty());
    // Killed after them: the old one goes.
    fs::create_dir(aside(".old-step-2-77")).unwrap();
    drop(run.lock().unwrap());
    assert!(names_aside(&checkpoints).is_empty());
    assert_eq!(latest_step(&run), Some(2));
}

#[test]
fn what_is_not_ours_is_neither_read_nor_removed() {
    let parent = tempfile::tempdir().unwrap();
    let run = fixture::run(parent.path());
    save(&run, 5);
    let root = run.checkpoints().path(5).parent().unwrap().to_owned();
    let foreign = [
        "step-007",
        "step-x",
        "step-",
        "best",
        ".tmp-step-best",
        ".tmp-mine",
        "step-18446744073709551616",
    ];
    for name in foreign {
        fs::create_dir(root.join(name)).unwrap();
    }
    fs::write(root.join("step-8"), "a file").unwrap();
    fs::write(root.join(".tmp-step-1-2"), "a file").unwrap();
    drop(run.lock().unwrap());
    assert_eq!(run.checkpoints().steps().unwrap(), [5]);
    run.checkpoints().prune(0).unwrap();
    assert_eq!(run.checkpoints().steps().unwrap(), Vec::<u64>::new());
    assert_eq!(fs::read_dir(root).unwrap().count(), foreign.len() + 2);
}

#[test]
fn pruning_keeps_the_newest_that_are_whole() {
    let parent = tempfile::tempdir().unwrap();
    let run = fixture::run(parent.path());
    let checkpoints = run.checkpoints();
    assert_eq!(checkpoints.prune(1).unwrap(), Vec::<u64>::new());
    for step in [1, 2, 3, 10, 20] {
        save(&run, step);
    }
    assert_eq!(checkpoints.prune(4).unwrap(), [1]);
    let damage =
        |step: u64| fs::write(checkpoints.path(step).join("model.safetensors"), "bad").unwrap();
    damage(20);
    // 20 is damaged: to keep two good ones, 10 and 3 stay.
    assert_eq!(checkpoints.prune(2).unwrap(), [2, 20]);
    assert_eq!(checkpoints.steps().unwrap(), [3, 10]);
    damage(10);
    damage(3);
    // Nothing is whole: nothing is removed.
    assert_eq!(checkpoints.prune(1).unwrap(), Vec::<u64>::new());
    assert_eq!(checkpoints.steps().unwrap(), [3, 10]);
    assert_eq!(latest_step(&run), None);
    assert!(names_aside(&checkpoints).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn any_changes_are_seen_and_never_panic(
        file in 0..FILES.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        appended in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let parent = tempfile::tempdir().unwrap();
        let run = fixture::run(parent.path());
        save(&run, 1);
        let path = run.checkpoints().path(1).join(FILES[file]);
        let whole = fs::read(&path).unwrap();
        let mut bytes = [whole.clone(), appended].concat();
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        fs::write(&path, &bytes).unwrap();
        let loaded = run.checkpoints().load(1);
        prop_assert_eq!(loaded.is_ok(), run.checkpoints().verify(1).is_ok());
        match loaded {
            Err(error) => prop_assert!(error.to_string().contains(FILES[file]) || error.to_string().contains("json")),
            // White space in JSON, or a byte that was changed to itself.
            Ok(checkpoint) => {
                prop_assert!(bytes == whole || file == 2);
                prop_assert_eq!(checkpoint.state, state());
            }
        }
    }
}

#[test]
fn a_lock_knows_when_its_directory_was_removed_or_replaced() {
    let parent = tempfile::tempdir().unwrap();
    let run = fixture::run(parent.path());
    let lock = run.lock().unwrap();
    lock.check().unwrap();
    fs::remove_file(run.path().join(".lock")).unwrap();
    assert!(matches!(lock.check(), Err(StoreError::LockLost { .. })));
    // Another process may have made its own.
    fs::write(run.path().join(".lock"), "").unwrap();
    assert!(matches!(lock.check(), Err(StoreError::LockLost { .. })));
    fs::remove_dir_all(run.path()).unwrap();
    assert!(matches!(lock.check(), Err(StoreError::LockLost { .. })));
}

#[test]
fn a_folder_is_changed_by_one_process_at_a_time() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("study");
    let count = folder.join("count");
    let add = || {
        for _ in 0..50 {
            let _lock = wd_store::FolderLock::wait(&folder).unwrap();
            let before: u32 = fs::read_to_string(&count).map_or(0, |text| text.parse().unwrap());
            fs::write(&count, (before + 1).to_string()).unwrap();
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(add);
        }
    });
    assert_eq!(fs::read_to_string(&count).unwrap(), "200");
}
