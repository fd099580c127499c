//! Folders: Hugging Face's Trainer, OLMo-core, runs of this project, and configurations beside them.

use std::fs;
use std::path::{Path, PathBuf};

use wd_audit::checkpoint::{Format, ParameterId, ReadOptions, Writer, find};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(name)
}

fn copy(name: &str, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::copy(file(name), to).unwrap();
}

#[test]
fn a_trainer_checkpoint_is_one_with_its_log() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("checkpoint-3");
    copy("../../../../corpora/checkpoints/lm-1600.safetensors", &folder.join("model.safetensors"));
    copy("torch-2.15/legacy.pt", &folder.join("optimizer.pt"));
    copy("torch-2.15/training_args.bin", &folder.join("training_args.bin"));
    let state = r#"{"global_step": 3, "max_steps": 100, "log_history": [
        {"step": 1, "learning_rate": 1e-3, "loss": NaN},
        {"step": 2, "learning_rate": 9e-4, "grad_norm": Infinity},
        {"step": 3, "eval_loss": 2.0}]}"#;
    fs::write(folder.join("trainer_state.json"), state).unwrap();
    fs::write(folder.join("config.json"), r#"{"initializer_range": 0.02}"#).unwrap();
    fs::write(folder.join("rng_state.pth"), b"whatever").unwrap();
    for path in [folder.clone(), parent.path().to_owned()] {
        let found = find(&path, &ReadOptions::default()).unwrap();
        let [one] = found.checkpoints.as_slice() else { panic!("one checkpoint") };
        assert_eq!((one.format, one.writer), (Format::Folder, Writer::HuggingFaceTrainer));
        assert_eq!((one.model.len(), one.optimizers.len()), (6, 1));
        let rates: Vec<(f64, f64)> = one.rates.iter().map(|log| (log.step, log.rate)).collect();
        assert_eq!(rates, [(1.0, 1e-3), (2.0, 9e-4)]);
        assert_eq!(one.clocks[0].name, "global_step");
        assert_eq!(one.embedded[0].key, "TrainingArguments");
        assert_eq!(one.step(), Some(3.0));
    }
    let found = find(&folder, &ReadOptions::default()).unwrap();
    assert_eq!(found.configurations, [folder.join("config.json")]);
}

#[test]
fn an_index_names_plain_files_of_its_folder_alone() {
    let folder = tempfile::tempdir().unwrap();
    let part = folder.path().join("model-00001-of-00001.safetensors");
    copy("../../../../corpora/checkpoints/lm-1600.safetensors", &part);
    let index = folder.path().join("model.safetensors.index.json");
    let write = |name: &str| {
        let map = serde_json::json!({ "weight_map": { "emb.weight": name } });
        fs::write(&index, map.to_string()).unwrap();
        find(folder.path(), &ReadOptions::default()).map(|mut found| found.checkpoints.remove(0))
    };
    assert_eq!(write("model-00001-of-00001.safetensors").unwrap().model.len(), 6);
    let outside = folder.path().parent().unwrap().join("outside.safetensors");
    for name in ["../outside.safetensors", "/etc/passwd", "a/../b", "..", "", "a\\b", "nothing"] {
        let error = write(name).unwrap_err().to_string();
        assert!(error.contains("plain name") || error.contains("missing"), "{name}: {error}");
    }
    let _ = outside;
    #[cfg(unix)]
    {
        let other = tempfile::tempdir().unwrap();
        copy(
            "../../../../corpora/checkpoints/lm-1600.safetensors",
            &other.path().join("secret.safetensors"),
        );
        let link = folder.path().join("link.safetensors");
        std::os::unix::fs::symlink(other.path().join("secret.safetensors"), link).unwrap();
        let error = write("link.safetensors").unwrap_err().to_string();
        assert!(error.contains("leads out"), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn the_cache_of_the_hub_is_a_folder_of_links() {
    let root = tempfile::tempdir().unwrap();
    let (blobs, snapshot) = (root.path().join("blobs"), root.path().join("snapshots/abc"));
    fs::create_dir_all(&snapshot).unwrap();
    copy("../../../../corpora/checkpoints/lm-1600.safetensors", &blobs.join("1234"));
    let link = snapshot.join("model-00001-of-00001.safetensors");
    std::os::unix::fs::symlink("../../blobs/1234", link).unwrap();
    let index = r#"{"weight_map": {"emb.weight": "model-00001-of-00001.safetensors"}}"#;
    fs::write(snapshot.join("model.safetensors.index.json"), index).unwrap();
    let found = find(&snapshot, &ReadOptions::default()).unwrap();
    assert_eq!(found.checkpoints[0].model.len(), 6);
}

#[cfg(unix)]
#[test]
fn what_is_no_plain_file_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("model.pt");
    std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
    let error = find(&link, &ReadOptions::default()).unwrap_err().to_string();
    assert!(error.contains("no plain file"), "{error}");
}

#[test]
fn a_step_of_olmo_core_is_one_checkpoint() {
    let parent = tempfile::tempdir().unwrap();
    for (step, name) in [("step2", "torch-2.15/dcp_flat"), ("step1", "torch-2.15/dcp_nested")] {
        let folder = parent.path().join(step).join("model_and_optim");
        copy(&format!("{name}/.metadata"), &folder.join(".metadata"));
        copy(&format!("{name}/__0_0.distcp"), &folder.join("__0_0.distcp"));
        fs::write(parent.path().join(step).join("config.json"), "{}").unwrap();
    }
    let found = find(parent.path(), &ReadOptions::default()).unwrap();
    assert_eq!(found.checkpoints.len(), 2);
    assert!(found.checkpoints.iter().all(|one| one.writer == Writer::OlmoCore));
    let step = parent.path().join("step1");
    let found = find(&step, &ReadOptions::default()).unwrap();
    assert_eq!(found.configurations, [step.join("config.json")]);
}

#[test]
fn a_run_directory_gives_its_plan_and_arenas_as_groups_and_states() {
    let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("../store/tests/format-1/run");
    let found = find(&run, &ReadOptions::default()).unwrap();
    let [early, late] = found.checkpoints.as_slice() else { panic!("two checkpoints") };
    assert_eq!((early.format, early.writer), (Format::RunDirectory, Writer::Wd));
    assert_eq!((early.step(), late.step()), (Some(6.0), Some(12.0)));
    let [decayed, plain] = early.optimizers[0].groups.as_slice() else { panic!("two groups") };
    // λ is 0.1 and falls linearly from 1 to ½ of it over the 12 steps.
    let fell = decayed.lambda.unwrap();
    assert!((0.07..0.08).contains(&fell), "{fell}");
    assert_eq!(plain.lambda, Some(0.0));
    assert_eq!((decayed.momentum, decayed.decoupled), (Some(0.8), Some(false)));
    let names = decayed.names.as_deref().unwrap();
    assert_eq!(names[0], "embedding.token.weight");
    assert_eq!(early.optimizers[0].states.len(), 16);
    let id = ParameterId::Name("final_norm.bias".to_owned());
    let state = early.optimizers[0].state(&id).unwrap();
    assert_eq!(state.tensor("momentum_buffer").unwrap().shape(), [8]);
    // The last eight of the 3,072 numbers of the arena.
    let whole =
        find(&run.join("checkpoints/step-6/optimizer.safetensors"), &ReadOptions::default());
    let arena = whole.unwrap().checkpoints[0].tensor("momentum").unwrap().to_f64().unwrap();
    let last = state.tensor("momentum_buffer").unwrap().to_f64().unwrap();
    assert_eq!(last, arena[3064..]);
    assert_eq!(early.rates.len(), 12);
    assert!((early.rates[0].rate - 0.05 / 3.0).abs() < 1e-15);
    // Its configuration lies beside it, and is found as a file.
    assert!(early.embedded.is_empty());
    assert_eq!(found.configurations, [run.join("config.toml")]);
}

#[test]
fn nothing_is_said_to_be_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let error = find(folder.path(), &ReadOptions::default()).unwrap_err().to_string();
    assert!(error.contains("no checkpoint"), "{error}");
    let notes = folder.path().join("notes.pt");
    fs::write(&notes, "these are notes").unwrap();
    assert!(find(&notes, &ReadOptions::default()).is_err());
}
