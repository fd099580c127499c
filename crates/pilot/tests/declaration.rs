//! The study file: what is refused at the door, and what makes a trial the same trial.

#[expect(dead_code, reason = "nothing is run here")]
mod support;

use std::fs;
use std::path::Path;

use support::{Folder, study_file};
use wd_pilot::declaration::{example::EXAMPLE, wandb_sweep};
use wd_pilot::{Declaration, ProgramStudy};

/// What the door says about a study file.
fn refusal(text: &str) -> String {
    let folder = Folder::new("", "");
    fs::write(folder.root.join("there.sh"), "").expect("a file");
    let path = folder.root.join("study.toml");
    let error = Declaration::parse(&path, text).expect_err("it is refused").to_string();
    error.replace(&folder.root.display().to_string(), "DIR")
}

#[test]
fn what_cannot_be_run_is_refused_with_its_fix() {
    let right = study_file("");
    Declaration::parse(Path::new("study.toml"), &right).expect("as it is it can be run");
    let with = |old: &str, new: &str| {
        assert!(right.contains(old), "{old}");
        refusal(&right.replace(old, new))
    };
    let said = [
        with("\"{seed}\"]", "\"{sede}\"]"),
        with(", \"{seed}\"]", "]"),
        with("\"{seed}\"]", "\"{seed\"]"),
        with("{home}/train.sh", "there.sh"),
        with("\"sh\"", "\"./there.sh\""),
        with("lambda = \"wd\"", "lambda = \"dw\""),
        with("\"0,1\"", "\"0,much\""),
        with("\"0..2\"", "\"0.5,1\""),
        with("\"0..2\"", "\"0..100000\""),
        with("\"0..2\"", "\"0,0\""),
        with("[roles]", "[rolls]"),
        with("wd = \"0,1\"", "wd = \"0,1\"\nhome = \"a,b\""),
        refusal(&study_file("[metrics]\nfrom = \"tensorbord\"\n")),
        refusal(&study_file("[metrics]\nregex = [\"loss (\"]\n")),
        refusal(&study_file("[limits]\nattempts = 0\n")),
        refusal(&study_file("[limits]\ngrace_seconds = -1.0\n")),
        refusal(&study_file("[inputs]\nfiles = [\"absent.py\"]\n")),
        refusal(&study_file("[looks]\nrule = \"capped\"\n")),
        refusal(&study_file("[looks]\nrule = \"anytime\"\nseeds = 5\n")),
        refusal(&study_file("[looks]\nrule = \"anytime\"\nbaseline = 0.5\n")),
    ];
    insta::assert_snapshot!(said.join("\n---\n"));
}

#[test]
fn the_example_is_a_study_file() {
    let folder = Folder::new(EXAMPLE, "");
    assert_eq!(folder.study().trials().len(), 4 * 5);
    // What stands in comments is right too, once the comment signs are gone.
    let uncommented: String = EXAMPLE
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(key) if key.contains(" = ") || key.starts_with('[') => format!("{key}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    fs::write(folder.root.join("train.py"), "").expect("the script");
    fs::write(folder.root.join("study.toml"), &uncommented).expect("the study file");
    let study = ProgramStudy::open(&folder.root).unwrap_or_else(|e| panic!("{e}\n{uncommented}"));
    assert!(study.declaration().looks.is_some() && study.declaration().limits.time.is_some());
}

#[test]
fn a_trial_is_what_its_program_is_told() {
    let identities = |study: &str, script: &str| -> Vec<String> {
        let folder = Folder::new(study, script);
        let trials = folder.study().trials().to_vec();
        trials.into_iter().map(|trial| trial.identity).collect()
    };
    let base = identities(&study_file(""), "");
    // Another folder, another script that was not named, another limit: the same trials.
    assert_eq!(base, identities(&study_file("[limits]\nattempts = 3\n"), "# new"));
    // What is told besides makes others, all of them.
    for more in ["[environment]\nMODE = \"x\"\n", "[environment]\nMODE = \"{wd}\"\n"] {
        let other = identities(&study_file(more), "");
        assert!(base.iter().all(|identity| !other.contains(identity)), "{more}");
    }
    let named = study_file("[inputs]\nfiles = [\"train.sh\"]\n");
    let (old, new) = (identities(&named, "a"), identities(&named, "b"));
    assert!(old.iter().all(|identity| !new.contains(identity)));
    // More values leave those that are there.
    let more = identities(&study_file("").replace("0..2", "0..4"), "");
    assert!(base.iter().all(|identity| more.contains(identity)) && more.len() == 10);
}

#[test]
fn seeds_come_slowest_and_names_say_what_varies() {
    let folder = Folder::new(&study_file(""), "");
    let names: Vec<String> =
        folder.study().trials().iter().map(|trial| trial.name.clone()).collect();
    assert_eq!(names[..3], ["wd=0,seed=0", "wd=1,seed=0", "wd=0,seed=1"]);
}

#[test]
fn values_are_added_and_comments_stay() {
    let text = study_file("# kept\n").replace("wd = \"0,1\"", "wd = [0, 1.0] # λ");
    let folder = Folder::new(&text, "");
    let add = |axes: &[&str]| {
        let axes: Vec<String> = axes.iter().map(|axis| (*axis).to_owned()).collect();
        ProgramStudy::add(&folder.root, &axes)
    };
    let study = add(&["seed=3..4", "wd=0.1"]).expect("more values");
    assert_eq!(study.trials().len(), 3 * 5);
    let after = support::read(&folder.root.join("study.toml"));
    assert!(after.contains("# kept") && after.contains("0..2,3..4"), "{after}");
    let twice = add(&["seed=4"]).expect_err("it is there").to_string();
    assert!(twice.contains("there twice"), "{twice}");
    let absent = add(&["sed=4"]).expect_err("no axis").to_string();
    assert!(absent.contains("the axes are wd, seed"), "{absent}");
    assert_eq!(after, support::read(&folder.root.join("study.toml")), "nothing was written");
}

#[test]
fn a_grid_sweep_of_wandb_is_read_as_it_is() {
    let sweep = "program: train.py\nmethod: grid\nname: decay\nmetric: {name: val/loss, goal: \
                 minimize}\nparameters:\n  optim:\n    parameters:\n      weight_decay: {values: \
                 [0, 0.1, 1.0e-2]}\n      lr: {value: 0.001}\n  seed: {values: [0, 1]}\n  \
                 optimizer: {value: adamw}\n";
    let path = Path::new("sweep.yaml");
    let text = wandb_sweep::study_file(path, sweep).expect("a study file");
    insta::assert_snapshot!(text);
    let folder = Folder::new(&text, "");
    assert_eq!(folder.study().trials().len(), 6);
    let bayes = wandb_sweep::study_file(path, &sweep.replace("grid", "bayes"));
    assert!(bayes.expect_err("refused").to_string().contains("method: grid"));
    let drawn = sweep.replace("{value: 0.001}", "{distribution: uniform, min: 0, max: 1}");
    let drawn = wandb_sweep::study_file(path, &drawn).expect_err("refused").to_string();
    assert!(drawn.contains("optim.lr"), "{drawn}");
}
