//! A study's folder: it continues, it grows, and it refuses what it cannot hold.

use std::fs;

use wd_lab::{Grid, LabError, Study};

const BASE: &str = "[optim]\nlr = 8e-3 # tuned\n[decay]\nlambda = 0.0\n[run]\nseed = 0\n";

fn grid(axes: &[&str]) -> Grid {
    Grid::parse(axes).unwrap()
}

fn names(study: &Study) -> Vec<&str> {
    study.trials().iter().map(|trial| trial.name.as_str()).collect()
}

#[test]
fn the_same_command_continues_and_another_grid_adds() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("out");
    let mut study = Study::open_or_create(&root, "first", BASE).unwrap();
    let first = study.add(&grid(&["decay.lambda=0,0.1", "run.seed=0..1"])).unwrap();
    study.save().unwrap();
    assert_eq!(first.len(), 4);

    let read = Study::open(&root).unwrap();
    assert_eq!((read.title(), read.base()), ("first", BASE));
    assert_eq!(read.trials(), study.trials());
    assert_eq!(read.grids(), [["decay.lambda=0,0.1", "run.seed=0,1"]]);

    // The same command: nothing new. The order of the axes and the spelling of numbers do not
    // matter.
    let mut again = Study::open_or_create(&root, "ignored", BASE).unwrap();
    let same = again.add(&grid(&["run.seed=0,1", "decay.lambda=0.0,1e-1"])).unwrap();
    assert_eq!(same, first);
    assert_eq!(again.trials().len(), 4);

    // Another grid: its new trials come behind, and it gets back those that it shares.
    let wider = again.add(&grid(&["decay.lambda=0.1,0.3", "run.seed=0..1"])).unwrap();
    again.save().unwrap();
    assert_eq!(again.trials().len(), 6);
    assert_eq!(wider[0], first[1]);
    assert_eq!(Study::open(&root).unwrap().trials(), again.trials());

    let trial = &again.trials()[5];
    assert_eq!(trial.name, "lambda=0.3,seed=1");
    assert_eq!(trial.directory, root.join("trials/lambda=0.3,seed=1"));
    let written = fs::read_to_string(trial.configuration_path()).unwrap();
    assert_eq!(written, trial.configuration);
    assert!(written.contains("lr = 8e-3 # tuned") && written.contains("lambda = 0.3"));
}

#[test]
fn a_trial_that_two_grids_share_under_other_names_is_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut study = Study::open_or_create(folder.path(), "t", BASE).unwrap();
    study.add(&grid(&["decay.lambda=0,0.1"])).unwrap();
    // The base's own learning rate and seed: the same configuration as above.
    let rates =
        study.add(&grid(&["decay.lambda=0,0.1", "optim.lr=0.008,0.004", "run.seed=0"])).unwrap();
    assert_eq!(
        names(&study),
        ["lambda=0", "lambda=0.1", "lr=0.004,lambda=0", "lr=0.004,lambda=0.1"]
    );
    assert_eq!(rates[0].name, "lambda=0");
}

/// Studies of format 1 named a trial after all of its settings.
#[test]
fn a_study_of_format_1_is_found_and_continued_under_its_names() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let mut study = Study::open_or_create(root, "t", BASE).unwrap();
    study.add(&grid(&["decay.lambda=0.1", "run.seed=0..1"])).unwrap();
    study.save().unwrap();
    let json = fs::read_to_string(root.join("study.json")).unwrap();
    let old = json
        .replace("\"format\": 2", "\"format\": 1")
        .replace("\"name\": \"lambda=0.1,seed=", "\"name\": \"decay.lambda=0.1,run.seed=");
    assert_ne!(old, json);
    fs::write(root.join("study.json"), old).unwrap();
    let mut study = Study::open_or_create(root, "t", BASE).unwrap();
    let trials = study.add(&grid(&["decay.lambda=0.1,0.3", "run.seed=0..1"])).unwrap();
    assert_eq!(study.trials().len(), 4);
    let directories: Vec<_> = trials.iter().map(|trial| trial.directory.clone()).collect();
    let expected = [
        "decay.lambda=0.1,run.seed=0",
        "lambda=0.3,seed=0",
        "decay.lambda=0.1,run.seed=1",
        "lambda=0.3,seed=1",
    ];
    assert_eq!(directories, expected.map(|name| root.join("trials").join(name)));
}

#[test]
fn what_is_evaluated_after_the_last_step_makes_no_other_study() {
    let folder = tempfile::tempdir().unwrap();
    let mut study = Study::open_or_create(folder.path(), "t", BASE).unwrap();
    study.add(&grid(&["decay.lambda=0,0.1"])).unwrap();
    study.save().unwrap();
    let evaluated = BASE.replace("seed = 0", "seed = 0\nevaluate = [\"noise\"]");
    assert_eq!(Study::open_or_create(folder.path(), "t", &evaluated).unwrap().trials().len(), 2);
}

#[test]
fn another_base_configuration_is_refused_with_what_differs() {
    let folder = tempfile::tempdir().unwrap();
    let mut study = Study::open_or_create(folder.path(), "t", BASE).unwrap();
    study.add(&grid(&["decay.lambda=0,0.1"])).unwrap();
    study.save().unwrap();

    let spelled = "# the same\n[run]\nseed = 0\n[decay]\nlambda = 0\n[optim]\nlr = 0.008\n";
    assert!(Study::open_or_create(folder.path(), "t", spelled).is_ok());

    let changed = BASE.replace("8e-3", "3e-3");
    let error = Study::open_or_create(folder.path(), "t", &changed).unwrap_err();
    assert!(matches!(error, LabError::BaseChanged { .. }));
    let message = error.to_string();
    assert!(message.contains("optim.lr was 0.008, is 0.003"), "{message}");
    assert!(message.contains("base.toml"), "{message}");
}

#[test]
fn damaged_files_are_errors_that_name_them() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    assert!(matches!(Study::open(root), Err(LabError::Io { .. })));
    let mut study = Study::open_or_create(root, "t", BASE).unwrap();
    study.add(&grid(&["decay.lambda=0,0.1"])).unwrap();
    study.save().unwrap();
    let json = fs::read_to_string(root.join("study.json")).unwrap();
    let open_with = |json: &str| {
        fs::write(root.join("study.json"), json).unwrap();
        Study::open(root).unwrap_err().to_string()
    };
    assert!(open_with("{").contains("study.json"));
    assert!(
        open_with(&json.replace("\"format\": 2", "\"format\": 9"))
            .contains("format 9 is not known")
    );
    assert!(
        open_with(&json.replace("\"name\": \"lambda=0.1\"", "\"name\": \"../elsewhere\""))
            .contains("is not the name of one trial's folder")
    );
    for end in 0..json.trim_end().len() {
        open_with(&json[..end]);
    }
    fs::write(root.join("study.json"), &json).unwrap();
    fs::write(root.join("base.toml"), "[decay]\nlambda = 1.0\n").unwrap();
    assert!(Study::open(root).unwrap_err().to_string().contains("base.toml has been changed"));
}

#[test]
fn a_setting_that_does_not_fit_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("out");
    let mut study = Study::open_or_create(&root, "t", BASE).unwrap();
    let error = study.add(&grid(&["optim.lr.peak=1,2"])).unwrap_err();
    assert!(matches!(error, LabError::Setting { .. }));
    assert!(study.trials().is_empty() && !root.exists());
    assert!(matches!(Study::open_or_create(&root, "t", "x = "), Err(LabError::Toml(_))));
}
