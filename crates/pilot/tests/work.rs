//! Pilots at work: each trial gets one result, whatever happens on the way.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use support::{Folder, TRAIN, attempt, observed, read, study_file, work};
use wd_lab::AnalysisOptions;
use wd_pilot::{Event, Outcome, Pilot, PilotOptions, ProgramStudy, State};

/// One trial alone: `wd = "0"`, one seed.
fn single(more: &str) -> String {
    study_file(more).replace("0,1", "0").replace("0..2", "0")
}

/// The losses of a study, trial by trial.
fn losses(study: &ProgramStudy) -> Vec<Option<f64>> {
    study.status().expect("a status").trials.into_iter().map(|trial| trial.loss).collect()
}

#[test]
fn a_study_runs_once_and_gives_the_verdict_of_foreign_runs() {
    let folder = Folder::new(&study_file("[metrics]\ntrain_is = \"fixed-set\"\n"), TRAIN);
    let done = folder.work();
    assert_eq!((done.ended.len(), done.was_stopped), (6, false));
    let study = folder.study();
    assert_eq!(study.status().expect("a status").count(State::Finished), 6);
    let analysis =
        study.import().and_then(|import| Ok(import.analyse(&AnalysisOptions::default())?));
    let analysis = analysis.expect("an analysis");
    let words = analysis.page(&wd_page::Context::default()).markdown("x").text;
    assert!(words.contains("paired by their seed, and that is verified"), "{words}");
    assert!(words.contains("λ acts as a prior"), "{words}");
    assert_eq!(analysis.comparisons.len(), 1);
    // Nothing is left, and nothing is done again.
    assert!(folder.work().ended.is_empty());
    // A program of its own choice of curves, in JSON: the same again, after `add`.
    ProgramStudy::add(&folder.root, &["seed=3".to_owned()]).expect("a seed more");
    assert_eq!(folder.work().ended.len(), 2);
}

#[test]
fn exit_status_and_numbers_say_how_a_trial_ended() {
    let line = r#"echo '{"step": 9, "val/loss": 1.5}'"#;
    let nan = r#"echo '{"step": 9, "val/loss": NaN}'"#;
    let cases = [
        (line.to_owned(), "", Outcome::Finished, ""),
        (format!("{line}; exit 3"), "", Outcome::Diverged, "exit status 3"),
        (nan.to_owned(), "", Outcome::Diverged, "not finite"),
        (format!("{line}; exit 130"), "", Outcome::Interrupted, "130"),
        (format!("{line}; echo broken >&2; exit 7"), "", Outcome::Failed, "exit status 7: broken"),
        ("kill -TERM $$".to_owned(), "", Outcome::Interrupted, "signal 15"),
        (
            "trap 'exit 130' TERM; sleep 60 & wait".to_owned(),
            "[limits]\nseconds = 0.2\n",
            Outcome::Failed,
            "longer than",
        ),
        (format!("{nan}; kill -9 $$"), "", Outcome::Failed, "signal 9"),
        ("echo hello".to_owned(), "", Outcome::Incomplete, "no numbers"),
        (line.replace("val", "other"), "", Outcome::Incomplete, "these curves"),
        (line.to_owned(), "[metrics]\nlast_step = 10\n", Outcome::Incomplete, "step 9 of 10"),
        (line.to_owned(), "[metrics]\nlast_step = 9\n", Outcome::Finished, ""),
        ("sleep 60".to_owned(), "[limits]\nseconds = 0.2\n", Outcome::Failed, "longer than 0.2"),
        (
            "trap '' TERM; sleep 60 & wait; wait".to_owned(),
            "[limits]\nseconds = 0.2\ngrace_seconds = 0.2\n",
            Outcome::Failed,
            "longer than",
        ),
        (format!("{line} >> $WD_METRICS"), "", Outcome::Finished, ""),
        ("echo 'step:5/9 val_loss:2.5 train_time:1'".to_owned(), "", Outcome::Finished, ""),
        (
            "echo 'at 5 loss is 2.5'".to_owned(),
            "[metrics]\nregex = ['at (?P<step>\\d+) loss is (?P<val_loss>\\S+)']\n",
            Outcome::Finished,
            "",
        ),
        (
            "mkdir t; printf 'step,val_loss\\n1,3\\n9,2.5\\n' > t/log.csv".to_owned(),
            "[metrics]\nfrom = \"csv\"\n",
            Outcome::Finished,
            "",
        ),
    ];
    for (script, more, outcome, reason) in cases {
        let folder = Folder::new(&single(more), &script);
        let began = Instant::now();
        let done = folder.work();
        let (_, end) = done.ended.first().expect("one attempt");
        assert_eq!(end.outcome, outcome, "{script}: {end:?}");
        assert!(end.reason.contains(reason), "{script}: {}", end.reason);
        assert!(began.elapsed() < Duration::from_secs(20), "{script}");
    }
}

#[test]
fn the_program_gets_its_settings_and_an_unchanged_logger_its_folder() {
    let script = r#"
        printf '{"step": 1, "val/loss": 1}\n' >> "$WD_METRICS"
        pwd > seen; cat "$WD_SETTINGS" >> seen
        echo "$WD_SEED $WD_NAME $WD_ATTEMPT $OMP_NUM_THREADS $WANDB_MODE $MODE" >> seen
        echo "$MLFLOW_TRACKING_URI" >> seen; echo "$WANDB_DIR" >> seen
    "#;
    let more = "[environment]\nMODE = \"{wd}-{{x}}\"\n[limits]\ncores = 1\n";
    let folder = Folder::new(&single(more), script);
    assert_eq!(folder.work().ended[0].1.outcome, Outcome::Finished);
    let files = attempt(&folder.study(), 0, 1).join("files");
    let seen = read(&files.join("seen")).replace(&files.display().to_string(), "DIR");
    assert_eq!(
        seen,
        "DIR\n{\n  \"seed\": 0,\n  \"wd\": 0\n}\n0 wd=0,seed=0 1 1 offline 0-{x}\n\
         sqlite:///DIR/mlflow.db\nDIR\n"
    );
}

#[test]
fn a_failure_counts_until_it_is_given_another_chance() {
    let script = format!("test -e \"$1.$2.well\" || exit 1{TRAIN}");
    let study = study_file("[limits]\nattempts = 2\n").replace("{wd}", "{home}/{wd}");
    let folder = Folder::new(&study, &script.replace("wd=\"$1\"", "wd=1"));
    let done = folder.work();
    assert_eq!(done.ended.len(), 12, "each failed twice");
    assert!(folder.work().ended.is_empty());
    let study = folder.study();
    assert_eq!(study.status().expect("a status").count(State::Failed), 6);
    for trial in ["0.0", "1.0", "0.1", "1.1", "0.2", "1.2"] {
        fs::write(folder.root.join(format!("{trial}.well")), "").expect("a file");
    }
    let one = study.retry(&["wd=1,seed=0".to_owned()]).expect("another chance");
    assert_eq!(one.trials, ["wd=1,seed=0"]);
    assert!(study.retry(&["wd=9".to_owned()]).is_err());
    assert_eq!(folder.work().ended.len(), 1);
    assert_eq!(study.retry(&[]).expect("another chance").trials.len(), 5);
    assert_eq!(folder.work().ended.len(), 5);
    let status = study.status().expect("a status");
    assert_eq!((status.count(State::Finished), status.left()), (6, 0));
    assert!(status.trials.iter().all(|trial| trial.attempt == Some(3)));
    // What failed on the way may go, and the results stay.
    let before = losses(&study);
    let garbage = study.collect_garbage(false, true).expect("garbage");
    assert_eq!(garbage.folders.len(), 12);
    assert_eq!(losses(&study), before);
}

#[test]
fn two_pilots_share_a_study_and_repeat_nothing() {
    let script = format!("echo x >> \"$3\"{TRAIN}");
    let study = study_file("").replace("\"{seed}\"]", "\"{seed}\", \"{home}/count\"]");
    let folder = Folder::new(&study.replace("0..2", "0..9"), &script);
    let (first, second) = (folder.study(), folder.study());
    let done = thread::scope(|scope| {
        let one = scope.spawn(|| work(&first, 2).ended.len());
        let other = scope.spawn(|| work(&second, 2).ended.len());
        (one.join().expect("a pilot"), other.join().expect("a pilot"))
    });
    assert_eq!(done.0 + done.1, 20, "{done:?}");
    assert_eq!(read(&folder.root.join("count")).lines().count(), 20);
}

#[test]
fn a_stopped_study_goes_on_from_what_was_left() {
    // Step by step, each into the folder; after TERM it leaves its last step and ends with 130.
    let script = r#"
        step=0; case "$3" in --resume=*) step=$(cat "${3#--resume=}");; esac
        trap 'echo $step > last; exit 130' TERM
        while [ $step -lt 60 ]; do
          echo "{\"step\": $step, \"val/loss\": $((100 + $1 - step))}"
          step=$((step + 1)); sleep 0.05
        done
    "#;
    let resume = "\"{seed}\"]\nresume = [\"--resume={previous}/last\"]";
    let folder = Folder::new(&single("").replace("\"{seed}\"]", resume), script);
    let study = folder.study();
    let pilot = Pilot::new(&study, PilotOptions::default());
    let stopper = pilot.stopper();
    let mut seen = 0;
    let first = pilot
        .work(|event| {
            // At the first step the program may not have counted it yet.
            if let Event::Step { .. } = event {
                seen += 1;
                if seen == 3 {
                    stopper.stop();
                }
            }
        })
        .expect("work");
    assert!(first.was_stopped && first.ended[0].1.outcome == Outcome::Interrupted, "{first:?}");
    let resumed_at = read(&attempt(&study, 0, 1).join("files/last"));
    assert!((1..60).contains(&resumed_at.trim().parse::<u32>().expect("a step")));
    let second = folder.work();
    assert_eq!(second.ended[0].1.outcome, Outcome::Finished, "{second:?}");
    assert_eq!(second.ended[0].1.resumed_from, Some(1));
    // The curve is whole: what the first attempt saw, and then what the second one did.
    let import = study.import().expect("an import");
    let curve = &import.runs[0].curves["val/loss"];
    assert_eq!(curve.steps, (0..60).collect::<Vec<u64>>());
    assert_eq!(curve.values, (0..60).map(|step| 100.0 - f64::from(step)).collect::<Vec<f64>>());
}

#[test]
fn half_written_files_cost_work_and_no_result() {
    let folder = Folder::new(&study_file("[limits]\nheartbeat_seconds = 0.1\n"), TRAIN);
    folder.work();
    let (study, whole) = (folder.study(), losses(&folder.study()));
    // The end of one attempt is torn, the owner of another too; a third is an empty folder.
    fs::write(attempt(&study, 0, 1).join("ended.json"), "{\"outcome\": \"fini").expect("torn");
    for (trial, file) in [(1, "owner.json"), (2, "process.json")] {
        fs::remove_file(attempt(&study, trial, 1).join("ended.json")).expect("no end");
        fs::write(attempt(&study, trial, 1).join(file), "{").expect("torn");
    }
    fs::remove_dir_all(attempt(&study, 3, 1)).expect("gone");
    fs::create_dir(attempt(&study, 3, 1)).expect("claimed, and no more");
    assert_eq!(study.status().expect("a status").left(), 4);
    // The pilot of the first and third is this process, which lives.
    for trial in [0, 2] {
        fs::remove_file(attempt(&study, trial, 1).join("owner.json")).expect("no owner");
    }
    let began = Instant::now();
    assert_eq!(folder.work().ended.len(), 4);
    assert!(began.elapsed() >= Duration::from_millis(300), "no sign of life for three periods");
    assert_eq!(losses(&study), whole);
    let numbers: Vec<Option<u32>> =
        study.status().expect("a status").trials.iter().map(|trial| trial.attempt).collect();
    assert_eq!(numbers, [Some(2), Some(2), Some(2), Some(2), Some(1), Some(1)]);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = Folder::new(&study_file(""), TRAIN);
    // Also for a user who may write anywhere: a file stands where the trials should.
    fs::write(folder.root.join("trials"), "").expect("a file");
    let study = folder.study();
    let error = Pilot::new(&study, PilotOptions::default()).work(|_| {}).expect_err("no folder");
    let said = error.to_string();
    assert!(said.contains("trials") && said.starts_with("cannot "), "{said}");
}

#[test]
fn several_results_of_a_trial_count_once_and_are_told_apart() {
    let folder = Folder::new(&study_file(""), TRAIN);
    folder.work();
    let study = folder.study();
    let (first, second) = (attempt(&study, 0, 1), attempt(&study, 0, 2));
    // A second pilot took the first for dead, and both ended.
    copy(&first, &second);
    let whole = losses(&study);
    assert_eq!(study.status().expect("a status").remarks, Vec::<String>::new());
    let end =
        read(&second.join("ended.json")).replace("\"validation\": 0.2", "\"validation\": 0.3");
    fs::write(second.join("ended.json"), end).expect("another loss");
    assert_eq!(losses(&study), whole, "the first one counts");
    let remarks = study.status().expect("a status").remarks;
    assert!(remarks[0].contains("attempts 1 and 2 with different losses"), "{remarks:?}");
    assert_eq!(study.import().expect("an import").runs.len(), 6);
    assert_eq!(study.collect_garbage(false, true).expect("garbage").folders, [second]);
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).expect("a copy")),
        }
    }
}

#[test]
fn a_rule_ends_a_study_when_it_is_decided_and_cannot_be_changed() {
    let looks = |seeds: u32| format!("[looks]\nrule = \"capped\"\nseeds = {seeds}\n");
    let text = |seeds| study_file(&looks(seeds)).replace("0..2", "0..11").replace("0,1", "0,1,2");
    // λ = 1 is better by a hundredth, with a little noise; λ = 2 differs by noise alone.
    let script = r#"awk -v wd="$1" -v seed="$2" 'BEGIN {
        noise = (wd * 7 + seed * seed * 5 + seed * wd * 3) % 11 / 11000
        printf "{\"step\": 1, \"val/loss\": %.9f}\n", 1 + noise - (wd == 1) / 100 }'"#;
    let folder = Folder::new(&text(8), script);
    let study = folder.study();
    let mut order = Vec::new();
    observed(&study, 1, |event| {
        if let Event::Started { trial, .. } = event {
            order.push(trial);
        }
    });
    let status = study.status().expect("a status");
    let (better, same) = (&status.looks[0], &status.looks[1]);
    assert!(better.is_decided() && better.pairs < 8 && better.beyond == 0, "{better:?}");
    assert!(!same.is_decided() && same.pairs == 8, "{same:?}");
    assert!(same.look.is_some_and(|look| look.is_over));
    assert_eq!(status.left(), 0);
    // The baseline and the open arm got eight seeds, the decided one no more than it needed.
    assert_eq!(order.len(), 8 + 8 + better.pairs);
    assert_eq!(status.count(State::NotNeeded), 36 - order.len());
    assert!(folder.work().ended.is_empty());
    let page = status.page().terminal(&wd_page::Terminal::plain());
    assert!(
        page.contains("capped at 8 seeds") && page.contains("no, and no seed is left"),
        "{page}"
    );

    fs::write(folder.root.join("study.toml"), text(12)).expect("another rule");
    let study = folder.study();
    let error = Pilot::new(&study, PilotOptions::default()).work(|_| {}).expect_err("refused");
    assert!(error.to_string().contains("began with capped at 8 seeds"), "{error}");
}

#[test]
fn what_does_not_follow_from_the_study_file_is_told_and_may_go() {
    let folder = Folder::new(&study_file("[inputs]\nfiles = [\"train.sh\"]\n"), TRAIN);
    folder.work();
    fs::write(folder.root.join("train.sh"), TRAIN.replace("1.2", "1.3")).expect("another script");
    let study = folder.study();
    let status = study.status().expect("a status");
    assert_eq!(status.left(), 6, "another script makes other trials");
    assert!(status.remarks[0].contains("6 folders"), "{:?}", status.remarks);
    let listed = study.collect_garbage(true, false).expect("garbage");
    assert!(listed.folders.len() == 6 && listed.folders.iter().all(|folder| folder.is_dir()));
    assert!(study.collect_garbage(true, true).expect("garbage").removed);
    assert_eq!(folder.work().ended.len(), 6);
    let names: BTreeSet<String> = fs::read_dir(folder.root.join("trials"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(names.len(), 6);
}

#[test]
fn what_another_study_has_is_not_run_again() {
    let first = Folder::new(&study_file(""), TRAIN);
    first.work();
    // The same trials and one seed more, elsewhere.
    let wider = Folder::new(&study_file("").replace("0..2", "0..3"), TRAIN);
    let reused = wider.study().reuse(&first.study()).expect("results");
    assert_eq!((reused.trials.len(), reused.before, reused.left), (6, 0, 2));
    assert_eq!(losses(&wider.study()).iter().flatten().count(), 6);
    assert_eq!(wider.work().ended.len(), 2, "only what is new is run");
    let known: Vec<_> = losses(&first.study());
    let all = losses(&wider.study());
    for loss in &known {
        assert!(all.contains(loss));
    }
    wider.study().import().expect("the curves were taken over");
    let again = wider.study().reuse(&first.study()).expect("nothing to do");
    assert_eq!((again.trials.len(), again.before, again.left), (0, 8, 0));
    // Another program, or other curves, is another result.
    let other = Folder::new(&study_file(""), &format!("{TRAIN}\n# changed"));
    let refused = other.study().reuse(&first.study()).unwrap_err();
    assert!(matches!(refused, wd_pilot::PilotError::OtherFile { .. }), "{refused}");
    let curves = Folder::new(&study_file("[metrics]\ntrain_is = \"batch\"\n"), TRAIN);
    let refused = curves.study().reuse(&first.study()).unwrap_err();
    assert!(matches!(refused, wd_pilot::PilotError::OtherMetrics { .. }), "{refused}");
}
