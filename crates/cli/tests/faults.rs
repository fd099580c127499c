//! What attackers and accidents did to runs, tables and studies, as a person meets it: a reader
//! that would fall back, stop early or read other data says so or fails; nothing hangs or panics.

mod image_support;
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use image_support::{CNN, VIT, write_image_config};
use support::{prepare_corpus, succeed, wd, write_config};

/// Runs a command that must fail by an error of its own, and gives what it says.
fn refused(command: &mut Command) -> String {
    let output = command.output().expect("the command starts");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{command:?}: {words}");
    // Lines that were wrapped are one again.
    words.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}

fn words(output: &Output) -> String {
    let (out, error) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(error))
}

fn train(config: &Path, run: &Path) -> Command {
    let mut command = wd();
    command.arg("train").arg(config).arg("--run-dir").arg(run);
    command.args(["--threads", "1", "--progress", "none"]);
    command
}

/// Changes a byte in the middle of a file.
fn damage(path: &Path) {
    let mut bytes = fs::read(path).expect("a file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    fs::write(path, bytes).expect("a writable file");
}

fn text_run(folder: &Path, steps: u64) -> (PathBuf, PathBuf) {
    let corpus = prepare_corpus(folder);
    (write_config(folder, &corpus, steps, ""), corpus)
}

fn table(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).expect("a writable folder");
    path
}

fn evidence(table: &Path, target: &str) -> Command {
    let mut command = wd();
    command.arg("evidence").arg(table).args(["--target", target]);
    command
}

#[test]
fn a_damaged_last_checkpoint_is_never_replaced_by_an_older_one_in_silence() {
    for model in [CNN, VIT] {
        damage_last_checkpoint(model);
    }
}

fn damage_last_checkpoint(model: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = write_image_config(folder.path(), model, 16);
    let run = folder.path().join("run");
    succeed(&mut train(&config, &run));
    let evaluate = || {
        let mut command = wd();
        command.arg("evaluate").arg(&run);
        command
    };
    let good = words(&succeed(&mut evaluate()));
    assert!(good.starts_with("step 16  loss "), "{good}");
    let model = run.join("checkpoints/step-16/model.safetensors");
    let whole = fs::read(&model).expect("a checkpoint");
    damage(&model);
    let said = refused(&mut evaluate());
    assert!(said.contains("of step 16, cannot be used"), "{said}");
    assert!(said.contains("give their step: 14") && said.contains("--step"), "{said}");
    let older = words(&succeed(evaluate().args(["--step", "14"])));
    assert!(older.starts_with("step 14  "), "{older}");
    // The finished run is looked at too, and the steps since the older one are done again.
    let said = words(&succeed(&mut train(&config, &run)));
    assert!(said.contains("The steps since step 14 are done again"), "{said}");
    assert!(fs::read(&model).expect("a checkpoint") == whole, "the same bits");
    assert_eq!(words(&succeed(&mut evaluate())), good);
    // Without an older one the run stays as it is, and says so.
    fs::remove_dir_all(run.join("checkpoints/step-14")).expect("an older checkpoint");
    damage(&model);
    let said = words(&succeed(&mut train(&config, &run)));
    assert!(said.contains("no older one is whole"), "{said}");
}

#[test]
fn an_export_takes_the_last_step_or_fails() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (config, _) = text_run(folder.path(), 9);
    let run = folder.path().join("run");
    succeed(&mut train(&config, &run));
    let export = |step: &[&str]| {
        let mut command = wd();
        command.arg("export").arg(&run).arg("--out").arg(folder.path().join("m.safetensors"));
        command.args(step);
        command
    };
    damage(&run.join("checkpoints/step-9/model.safetensors"));
    let said = refused(&mut export(&[]));
    assert!(said.contains("of step 9, cannot be used") && said.contains("--step"), "{said}");
    assert!(words(&succeed(&mut export(&["--step", "7"]))).contains("after step 7"));
}

#[test]
fn other_tokens_than_those_that_were_prepared_train_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (config, corpus) = text_run(folder.path(), 7);
    let shard = corpus.join("tokens-000.bin");
    let mut bytes = fs::read(&shard).expect("tokens");
    bytes.swap(2000, 2002);
    bytes.swap(2001, 2003);
    bytes[3000] = b'z';
    fs::write(&shard, bytes).expect("a writable corpus");
    let run = folder.path().join("run");
    let said = refused(&mut train(&config, &run));
    assert!(said.contains("the tokens are not those that were written"), "{said}");
    // What prepared them makes them again.
    prepare_corpus(folder.path());
    succeed(&mut train(&config, &run));
}

#[test]
fn checkpoints_of_another_run_are_not_taken_over() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (config, _) = text_run(folder.path(), 9);
    let run = folder.path().join("run");
    succeed(&mut train(&config, &run));
    let other = |run: &Path| {
        let mut command = train(&config, run);
        command.args(["--set", "decay.lambda=0.9"]);
        command
    };
    fs::remove_file(run.join("config.toml")).expect("a configuration");
    fs::remove_file(run.join("plan.json")).expect("a plan");
    let said = refused(&mut other(&run));
    assert!(said.contains("but not the configuration and plan"), "{said}");
    // Its checkpoints in the directory of another run that has not ended.
    let mixed = folder.path().join("mixed");
    succeed(&mut other(&mixed));
    let events = mixed.join("events.jsonl");
    let begun: String = fs::read_to_string(&events)
        .expect("events")
        .lines()
        .filter(|line| !line.contains("finished"))
        .map(|line| format!("{line}\n"))
        .collect();
    fs::write(&events, begun).expect("writable events");
    fs::remove_dir_all(mixed.join("checkpoints")).expect("checkpoints");
    fs::rename(run.join("checkpoints"), mixed.join("checkpoints")).expect("one file system");
    let said = refused(&mut other(&mixed));
    assert!(said.contains("it is of another run"), "{said}");
}

#[test]
fn a_run_whose_directory_is_removed_stops_with_an_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (config, _) = text_run(folder.path(), 400_000);
    let run = folder.path().join("run");
    let child = train(&config, &run)
        .args(["--set", "data.epochs=100000", "--set", "run.checkpoint_every=0"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    wait_for(&run.join("metrics.bin"));
    fs::remove_dir_all(&run).expect("a run directory");
    let output = child.wait_with_output().expect("a child");
    assert_eq!(output.status.code(), Some(1));
    assert!(words(&output).contains("was removed or replaced"), "{}", words(&output));
    assert!(!run.exists(), "nothing is made again");
}

fn wait_for(path: &Path) {
    let begin = Instant::now();
    while !path.exists() {
        assert!(begin.elapsed() < Duration::from_secs(60), "{} never came", path.display());
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn sweep(config: &Path, axes: &[&str], out: &Path) -> Command {
    let mut command = wd();
    command.arg("sweep").arg(config).args(axes).arg("--out").arg(out).args(["--jobs", "2"]);
    command
}

#[test]
fn two_sweeps_that_start_at_once_lose_no_trial() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (config, _) = text_run(folder.path(), 20);
    for (number, axes) in
        [["decay.lambda=0", "decay.lambda=0.1"], ["decay.lambda=0,0.1"; 2]].into_iter().enumerate()
    {
        let out = folder.path().join(format!("study-{number}"));
        let children: Vec<_> = axes
            .iter()
            .map(|axis| {
                sweep(&config, &[*axis, "run.seed=0..2"], &out)
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped())
                    .spawn()
                    .expect("the command starts")
            })
            .collect();
        for child in children {
            let output = child.wait_with_output().expect("a child");
            assert!(output.status.success(), "{}", words(&output));
        }
        let trials = fs::read_dir(out.join("trials")).expect("trials").count();
        let study = fs::read_to_string(out.join("study.json")).expect("a study");
        assert_eq!((trials, study.matches("\"name\"").count()), (6, 6));
    }
}

/// The children of a killed sweep end by themselves, and the same command finishes the rest.
#[test]
fn a_killed_sweep_leaves_nothing_that_the_next_one_trips_over() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (config, _) = text_run(folder.path(), 3000);
    let out = folder.path().join("study");
    let axes = ["decay.lambda=0,0.1"];
    let mut child = sweep(&config, &axes, &out)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the command starts");
    wait_for(&out.join("trials/lambda=0/metrics.bin"));
    child.kill().expect("a running sweep");
    child.wait().expect("a killed sweep");
    let output = sweep(&config, &axes, &out).output().expect("the command starts");
    assert!(output.status.success(), "{}", words(&output));
    assert!(!words(&output).contains("failed"), "{}", words(&output));
}

#[test]
fn sizes_are_compared_with_the_machine_before_anything_is_allocated() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (config, _) = text_run(folder.path(), 9);
    for (settings, said) in [
        (&["model.width=100000", "model.heads=1"][..], "take at least"),
        (&["model.vocabulary=2000000000", "model.width=64"][..], "take at least"),
        (&["model.layers=1000000000"][..], "at most 10,000"),
        (&["data.epochs=4294967296", "run.steps=100000000000"][..], "at most 100,000,000"),
        (&["data.sequences=9223372036854775807"][..], "at most 2^32"),
    ] {
        for name in ["plan", "train", "explain"] {
            let mut command = wd();
            command.arg(name).arg(&config);
            if name == "explain" && said == "take at least" {
                continue;
            }
            if name == "train" {
                command.arg("--run-dir").arg(folder.path().join("run"));
            }
            for setting in settings {
                command.arg("--set").arg(setting);
            }
            let begin = Instant::now();
            let words = refused(&mut command);
            assert!(words.contains(said), "{command:?}: {words}");
            assert!(begin.elapsed() < Duration::from_secs(10), "{command:?}");
        }
    }
}

#[test]
fn far_more_threads_than_cores_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (config, _) = text_run(folder.path(), 9);
    let mut command = wd();
    command.arg("plan").arg(&config).args(["--threads", "100000"]);
    assert!(refused(&mut command).contains("far more than this machine's"));
}

#[test]
fn a_file_that_may_grow_no_further_is_an_error_of_its_own() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (config, _) = text_run(folder.path(), 5);
    let run = folder.path().join("run");
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -f 8; exec \"$0\" \"$@\""]).arg(env!("CARGO_BIN_EXE_wd"));
    limited.arg("train").arg(config).arg("--run-dir").arg(run);
    let said = refused(limited.args(["--threads", "1", "--progress", "none"]));
    assert!(said.contains("no room to write") && said.contains("more bytes are needed"), "{said}");
}

#[test]
fn a_gradient_that_overshoots_the_weights_is_refused_like_a_decay() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = prepare_corpus(folder.path());
    let config = write_config(folder.path(), &corpus, 9, "");
    for name in ["plan", "train"] {
        let mut command = wd();
        command.arg(name).arg(&config);
        if name == "train" {
            command.arg("--run-dir").arg(folder.path().join("run"));
        }
        for setting in
            ["optim.kind=sgd", "decay.rule=coupled-l2", "optim.lr=0.1", "decay.lambda=30"]
        {
            command.args(["--set", setting]);
        }
        let said = refused(&mut command);
        assert!(said.contains("carry them past"), "{said}");
    }
}

#[test]
fn models_and_sums_from_files_are_checked_like_those_of_a_table() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = "x,c,y\n1,b,1\n2,a,4\n3,b,9\n4,a,16\n5,b,25\n6,a,36\n";
    let data = table(folder.path(), "a.csv", text);
    let model = folder.path().join("m.json");
    succeed(evidence(&data, "y").arg("--save").arg(&model));
    let good = fs::read_to_string(&model).expect("a model");
    for (from, to) in [
        ("\"name\":\"x\"", "\"name\":\"c\""),
        ("[\"a\",\"b\"]", "[\"a\",\"a\"]"),
        ("[\"a\",\"b\"]", "[\"a\"]"),
    ] {
        assert!(good.contains(from), "{good}");
        let changed = table(folder.path(), "changed.json", &good.replacen(from, to, 1));
        let mut command = wd();
        command.arg("predict").arg(changed).arg(&data);
        assert!(refused(&mut command).contains("is damaged"), "{from} → {to}");
    }
    let sums = folder.path().join("s.json");
    succeed(evidence(&data, "y").arg("--sums").arg(&sums));
    let answer = |sums: &Path| {
        let output = evidence(sums, "y").arg("--json").output().expect("the command starts");
        output.status.success().then_some(output.stdout)
    };
    let expected = answer(&sums);
    assert!(expected.is_some());
    let good = fs::read_to_string(&sums).expect("sums");
    let digits: Vec<usize> = good
        .char_indices()
        .filter(|(_, letter)| letter.is_ascii_digit())
        .map(|(at, _)| at)
        .collect();
    for at in digits.into_iter().step_by(3) {
        let digit = if good.as_bytes()[at] == b'7' { "8" } else { "7" };
        let changed = format!("{}{digit}{}", &good[..at], &good[at + 1..]);
        let changed = table(folder.path(), "s.json", &changed);
        // A digit behind the last that counts changes no number.
        assert!(answer(&changed).is_none_or(|found| Some(found) == expected), "digit {at}");
    }
    // Of before there was a checksum, with more rows than can be counted.
    let mut value: serde_json::Value = serde_json::from_str(&good).expect("JSON");
    value.as_object_mut().expect("an object").remove("blake3").expect("a checksum");
    let old = table(folder.path(), "old.json", &value.to_string());
    succeed(&mut evidence(&old, "y"));
    value["rows"] = u64::MAX.into();
    let wrapped = table(folder.path(), "wrapped.json", &value.to_string());
    let mut command = evidence(&wrapped, "y");
    command.arg(&data);
    assert!(refused(&mut command).contains("more than can be counted"));
}

#[test]
fn foreign_text_moves_no_cursor_and_computes_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let hostile = "a\u{1b}[2J\u{1b}]0;t\u{7}\u{202e}";
    let is_plain = |output: &Output| {
        let words = words(output);
        let harmful = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!words.contains(harmful), "{words:?}");
    };
    let data = table(folder.path(), "e.csv", &format!("{hostile},b\n1,2\n2,3\n3,5\n"));
    is_plain(&succeed(&mut evidence(&data, "b")));
    is_plain(&evidence(&data, hostile).arg("--drop").arg("none").output().expect("it starts"));
    let twice = table(folder.path(), "f.csv", &format!("{hostile},{hostile}\n1,2\n2,3\n"));
    is_plain(&evidence(&twice, "b").output().expect("the command starts"));
    let config =
        table(folder.path(), "e.toml", &format!("[run]\nx = \"{hostile}\"\n\u{1b}[2J = 1"));
    is_plain(&wd().arg("plan").arg(&config).output().expect("the command starts"));
    // A class that a spreadsheet would compute.
    let text = "x,y\n1,=1+1\n2,=1+1\n3,b\n4,b\n5,=1+1\n6,b\n";
    let data = table(folder.path(), "g.csv", text);
    let model = folder.path().join("g.json");
    succeed(evidence(&data, "y").args(["--family", "logistic"]).arg("--save").arg(&model));
    let output = succeed(wd().arg("predict").arg(&model).arg(&data));
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!out.split([',', '\n', '"']).any(|cell| cell.starts_with('=')), "{out}");
}

#[test]
fn a_run_goes_on_from_its_checkpoint_whatever_became_of_its_records() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (config, _) = text_run(folder.path(), 9);
    let whole = folder.path().join("whole");
    succeed(&mut train(&config, &whole));
    let run = folder.path().join("run");
    succeed(&mut train(&config, &run));
    fs::remove_dir_all(run.join("checkpoints/step-9")).expect("the last checkpoint");
    fs::write(run.join("plan.json"), "{").expect("a writable plan");
    let mut metrics = fs::read(run.join("metrics.bin")).expect("metrics");
    metrics[..8].fill(0x55);
    fs::write(run.join("metrics.bin"), metrics).expect("writable metrics");
    let said = refused(&mut train(&config, &run));
    assert!(said.contains("written anew from the configuration"), "{said}");
    assert!(said.contains("move it away to go on without the rows before step 7"), "{said}");
    fs::remove_file(run.join("metrics.bin")).expect("metrics");
    succeed(&mut train(&config, &run));
    for file in ["plan.json", "checkpoints/step-9/model.safetensors"] {
        let (found, expected) = (fs::read(run.join(file)), fs::read(whole.join(file)));
        assert!(found.expect("a file") == expected.expect("a file"), "{file} differs");
    }
}

#[test]
fn a_pipe_says_that_it_cannot_be_read_twice() {
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!(
        "printf 'x,y\\n1,2\\n2,3\\n3,5\\n' | '{}' evidence /dev/stdin --target y",
        env!("CARGO_BIN_EXE_wd")
    ));
    assert!(refused(&mut command).contains("it is a pipe"));
}

#[test]
fn a_rate_that_is_hardly_a_number_plans_a_run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (config, _) = text_run(folder.path(), 9);
    let run = folder.path().join("run");
    succeed(train(&config, &run).args(["--set", "optim.lr=1e-320"]));
}

#[test]
fn folds_that_would_fill_the_memory_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let columns: Vec<String> = (0..1800).map(|column| format!("x{column}")).collect();
    let mut text = format!("{},y\n", columns.join(","));
    for row in 0..1900u32 {
        let cell = |column: u32| (row.wrapping_mul(31) ^ column.wrapping_mul(7)) % 10;
        let cells: Vec<String> = (0..1801).map(|column| cell(column).to_string()).collect();
        text.push_str(&cells.join(","));
        text.push('\n');
    }
    let data = table(folder.path(), "wide.csv", &text);
    let said = refused(evidence(&data, "y").args(["--compare", "cv:100"]));
    assert!(said.contains("ask for fewer folds"), "{said}");
}
