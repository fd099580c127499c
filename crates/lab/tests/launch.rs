//! The launcher, with shell scripts as children.

mod planned;
mod random;
mod synthetic;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use synthetic::{Truth, settings, write_diverged, write_run};
use wd_lab::launch::Event;
use wd_lab::{Launcher, Outcome, Study, Trial};

/// A study with one trial for each script.
fn trials(root: &Path, count: usize) -> Vec<Trial> {
    let study: Study = synthetic::study(root, &[&format!("run.seed=0..{}", count - 1)]);
    study.trials().to_vec()
}

/// The process of trial i runs script i.
fn shell(scripts: &[&str]) -> impl FnMut(&Trial) -> Command {
    let scripts: Vec<String> = scripts.iter().map(|script| (*script).to_owned()).collect();
    move |trial| {
        let seed = settings(trial).seed as usize;
        let mut command = Command::new("sh");
        command.arg("-c").arg(&scripts[seed]).current_dir(&trial.directory);
        command
    }
}

#[test]
fn every_way_to_end_is_told_apart_and_stops_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let trials = trials(folder.path(), 7);
    let scripts = [
        "echo '{\"step\":1,\"steps\":2,\"loss\":4.5,\"samples_per_second\":61000}'; echo '{\"step\":2,\"steps\":2,\"loss\":null}'",
        "echo 'error: no corpus at x' >&2; echo 'help: run wd data prepare' >&2; exit 1",
        "kill -9 $$",
        "exit 3",
        "exit 130",
        "echo 'a line for people'; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do echo line $i >&2; done; exit 2",
        "exit 0",
    ];
    let mut events = Vec::new();
    let report = Launcher::new(3).run(&trials, shell(&scripts), |event| events.push(event));
    let failed = |code, signal, tail: &str| Outcome::Failed { code, signal, tail: tail.to_owned() };
    let last_lines: Vec<String> = (4..=15).map(|line| format!("line {line}")).collect();
    let mut outcomes = report.outcomes.clone();
    // The line of standard output is in the log too, before, between or after those of standard
    // error.
    if let Outcome::Failed { tail, .. } = &mut outcomes[5] {
        assert!(fs::read_to_string(trials[5].log_path()).unwrap().contains("a line for people\n"));
        assert!(tail.lines().count() == 12 && tail.contains("line 15"));
        *tail = String::new();
    }
    assert_eq!(last_lines.len(), 12);
    assert_eq!(
        outcomes,
        [
            Outcome::Finished,
            failed(Some(1), None, "error: no corpus at x\nhelp: run wd data prepare"),
            failed(None, Some(9), ""),
            Outcome::Diverged,
            Outcome::Interrupted,
            failed(Some(2), None, ""),
            Outcome::Finished,
        ]
    );
    assert_eq!(report.failed(), [1, 2, 5]);
    assert!(!report.is_complete());
    assert_eq!(
        report.outcomes[1].to_string(),
        "failed with exit status 1:\nerror: no corpus at x\nhelp: run wd data prepare"
    );
    assert_eq!(report.outcomes[2].to_string(), "killed by signal 9");

    let progress: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Progress { trial, progress } => Some((*trial, *progress)),
            _ => None,
        })
        .collect();
    assert_eq!(progress.len(), 2);
    assert_eq!((progress[0].0, progress[0].1.step, progress[0].1.loss), (0, 1, 4.5));
    assert!(progress[1].1.loss.is_nan() && progress[1].1.lambda.is_nan());
    for trial in 0..7 {
        let of_trial: Vec<&Event> = events
            .iter()
            .filter(|event| match event {
                Event::Started { trial: t }
                | Event::Progress { trial: t, .. }
                | Event::Ended { trial: t, .. } => *t == trial,
                Event::Elsewhere { .. } => false,
            })
            .collect();
        assert!(matches!(of_trial.first(), Some(Event::Started { .. })));
        assert!(matches!(of_trial.last(), Some(Event::Ended { .. })));
    }
}

#[test]
fn the_tail_is_of_this_attempt_only() {
    let folder = tempfile::tempdir().unwrap();
    let trials = trials(folder.path(), 1);
    for word in ["first", "second"] {
        let script = format!("echo {word} >&2; exit 1");
        let report = Launcher::new(1).run(&trials, shell(&[&script]), |_| {});
        assert!(matches!(&report.outcomes[0], Outcome::Failed { tail, .. } if tail == word));
    }
    assert_eq!(fs::read_to_string(trials[0].log_path()).unwrap(), "first\nsecond\n");
}

#[test]
fn what_is_over_is_not_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let trials = trials(folder.path(), 3);
    write_run(&trials[0].directory, &settings(&trials[0]), Truth::default(), 0.0);
    write_diverged(&trials[1].directory, &settings(&trials[1]), 9);
    let mut started = Vec::new();
    let report = Launcher::new(2).run(
        &trials,
        |trial| {
            started.push(trial.name.clone());
            Command::new("true")
        },
        |_| {},
    );
    assert_eq!(report.outcomes, [Outcome::AlreadyFinished, Outcome::Diverged, Outcome::Finished]);
    assert!(report.is_complete());
    assert_eq!(started, [trials[2].name.as_str()]);
}

#[test]
fn a_command_that_cannot_start_is_a_failure_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let trials = trials(folder.path(), 2);
    let report = Launcher::new(2).run(&trials, |_| Command::new("/no/such/program"), |_| {});
    assert_eq!(report.failed(), [0, 1]);
    let words = report.outcomes[0].to_string();
    assert!(
        words.starts_with("could not be started:\ncannot start /no/such/program: No such file"),
        "{words}"
    );
}

#[test]
fn no_more_than_the_given_number_run_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let trials = trials(folder.path(), 6);
    let scripts = ["sleep 0.1"; 6];
    let (mut running, mut most) = (0, 0);
    Launcher::new(2).run(&trials, shell(&scripts), |event| {
        match event {
            Event::Started { .. } => running += 1,
            Event::Ended { .. } => running -= 1,
            Event::Progress { .. } | Event::Elsewhere { .. } => {}
        }
        most = most.max(running);
    });
    assert_eq!((running, most), (0, 2));
    assert_eq!(Launcher::new(0).jobs(), 1);
}

#[test]
fn an_interrupt_waits_for_the_running_and_starts_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let trials = trials(folder.path(), 3);
    let launcher = Launcher::new(1);
    let interrupter = launcher.interrupter();
    // The child ends by itself, as it does after a Ctrl-C that reached the whole process group.
    let scripts = ["echo '{\"step\":1,\"steps\":2}'; sleep 0.2; exit 130", "true", "true"];
    let report = launcher.run(&trials, shell(&scripts), |event| {
        if let Event::Progress { .. } = event {
            interrupter.interrupt();
        }
    });
    assert_eq!(report.outcomes, [Outcome::Interrupted, Outcome::NotStarted, Outcome::NotStarted]);
    assert!(!report.is_complete() && report.failed().is_empty());
}

#[test]
fn a_second_interrupt_ends_what_still_runs() {
    let folder = tempfile::tempdir().unwrap();
    let trials = trials(folder.path(), 1);
    let launcher = Launcher::new(1);
    let interrupter = launcher.interrupter();
    let started = Instant::now();
    let report = launcher.run(
        &trials,
        shell(&["echo '{\"step\":1,\"steps\":2}'; exec sleep 60"]),
        |event| {
            if let Event::Progress { .. } = event {
                interrupter.interrupt();
                interrupter.interrupt();
            }
        },
    );
    assert_eq!(report.outcomes, [Outcome::Interrupted]);
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[test]
fn an_interrupt_before_the_start_starts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let trials = trials(folder.path(), 2);
    let launcher = Launcher::new(2);
    launcher.interrupter().interrupt();
    let report = launcher.run(&trials, shell(&["true", "true"]), |_| {});
    assert_eq!(report.outcomes, [Outcome::NotStarted, Outcome::NotStarted]);
}

#[test]
fn a_trial_costs_milliseconds_beyond_its_process() {
    let folder = tempfile::tempdir().unwrap();
    let trials = trials(folder.path(), 40);
    let report = Launcher::new(2).run(&trials, |_| Command::new("true"), |_| {});
    let each = report.elapsed / 40;
    println!("{each:?} a trial");
    assert!(report.is_complete());
    // 2 % of a one-minute trial would be 1.2 s; a busy machine may need some of it to start 40
    // processes.
    assert!(each < Duration::from_millis(300), "{each:?} a trial");
}

/// A trial that another process trains is waited for: its result is taken, and where there is none
/// the trial is started.
#[test]
fn what_another_process_trains_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let trials = trials(folder.path(), 3);
    let lock = |trial: &Trial| {
        fs::create_dir_all(&trial.directory).unwrap();
        wd_store::RunDirectory::open(&trial.directory).unwrap().lock().unwrap()
    };
    let locks = [lock(&trials[0]), lock(&trials[1])];
    let mut started = Vec::new();
    let report = thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(700));
            write_run(&trials[0].directory, &settings(&trials[0]), Truth::default(), 0.0);
            drop(locks);
        });
        Launcher::new(1).run(
            &trials,
            |trial| {
                started.push(trial.name.clone());
                Command::new("true")
            },
            |_| {},
        )
    });
    assert_eq!(report.outcomes, [Outcome::AlreadyFinished, Outcome::Finished, Outcome::Finished]);
    // The free one first.
    assert_eq!(started, [trials[2].name.as_str(), trials[1].name.as_str()]);
}
