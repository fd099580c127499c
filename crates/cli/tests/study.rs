//! Studies of any program as a person runs them, and as they survive what happens to machines.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{prepare_corpus, succeed, wd, write_config};

/// A deterministic program that takes a third of a second: it says which attempt it is, and twenty
/// times how far it is.
const SLOW: &str = r#"
echo $$ >> "$3/pids"
for step in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do
  awk -v wd="$1" -v seed="$2" -v s=$step 'BEGIN { n = (seed * 37 % 17) / 1700
    printf "{\"step\": %d, \"train/loss\": %.9f, \"val/loss\": %.9f}\n",
      s, 1 / (s + 1) + n + (s ? wd / 50 : 0), 1.2 / (s + 1) + n - (s ? wd / 100 : 0) }'
  sleep 0.01
done
"#;

const STUDY: &str = r#"
[trial]
command = ["sh", "{home}/train.sh", "{wd}", "{seed}", "{home}"]
[axes]
wd = "0,0.5,1"
seed = "0..3"
[roles]
lambda = "wd"
seed = "seed"
[metrics]
train_is = "fixed-set"
last_step = 19
[limits]
heartbeat_seconds = 0.2
grace_seconds = 5.0
"#;

fn study_in(folder: &Path, name: &str, file: &str, script: &str) -> PathBuf {
    let root = folder.join(name);
    fs::create_dir(&root).expect("a folder");
    fs::write(root.join("study.toml"), file).expect("the study file");
    fs::write(root.join("train.sh"), script).expect("the script");
    root
}

fn status(root: &Path) -> Value {
    let shown = succeed(wd().args(["study", "status"]).arg(root).arg("--json"));
    serde_json::from_slice(&shown.stdout).expect("JSON")
}

fn report(root: &Path) -> Value {
    let shown = succeed(wd().arg("report").arg(root).arg("--json"));
    serde_json::from_slice(&shown.stdout).expect("JSON")
}

fn start(root: &Path) -> Child {
    wd().args(["study", "work"])
        .arg(root)
        .args(["--slots", "2", "--wait"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a pilot")
}

fn kill(signal: &str, pid: u32) {
    // The process may have ended: then there is nothing to kill.
    let _ = Command::new("kill").arg(signal).arg(pid.to_string()).stderr(Stdio::null()).status();
}

/// Numbers that look random and are the same each time.
fn scatter(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// Pilots and programs are killed at random moments; each trial ends with one result, and the
/// numbers are those of a study that nobody disturbed. `WD_KILLS` says how many kills.
#[test]
fn a_study_survives_kills_and_counts_each_trial_once() {
    let kills: u64 = std::env::var("WD_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(24);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let calm = study_in(folder.path(), "calm", STUDY, SLOW);
    succeed(wd().args(["study", "run"]).arg(&calm).args(["--slots", "2"]));
    let expected = report(&calm);

    let (mut state, mut killed) = (17, 0);
    let (mut programs, mut pilots_killed) = (0, 0);
    while killed < kills {
        let root = study_in(folder.path(), &format!("storm-{killed}"), STUDY, SLOW);
        let mut pilots = [start(&root), start(&root)];
        let deadline = Instant::now() + Duration::from_secs(60);
        while killed < kills && Instant::now() < deadline {
            sleep(Duration::from_millis(20 + scatter(&mut state) % 150));
            if pilots.iter_mut().all(|pilot| pilot.try_wait().is_ok_and(|end| end.is_some())) {
                break;
            }
            let which = usize::try_from(scatter(&mut state) % 2).expect("0 or 1");
            match scatter(&mut state) % 3 {
                0 => {
                    pilots[which].kill().expect("a signal");
                    pilots[which].wait().expect("its end");
                    pilots[which] = start(&root);
                    pilots_killed += 1;
                }
                _ => {
                    let pids = fs::read_to_string(root.join("pids")).unwrap_or_default();
                    let Some(pid) = pids.lines().last().and_then(|pid| pid.parse().ok()) else {
                        continue;
                    };
                    kill("-KILL", pid);
                    programs += 1;
                }
            }
            killed += 1;
        }
        for mut pilot in pilots {
            pilot.wait().expect("its end");
        }
        // A program that was killed has failed; whoever killed it gives it another chance.
        succeed(wd().args(["study", "retry"]).arg(&root));
        succeed(wd().args(["study", "run"]).arg(&root).args(["--slots", "2"]));
        let after = status(&root);
        assert_eq!(after["counts"]["finished"], 12, "{after}");
        assert_eq!(after["remarks"], Value::Array(Vec::new()), "attempts agree");
        assert_eq!(without_place(report(&root)), without_place(expected.clone()));
        // Every attempt has an end of its own, or none.
        for (trial, attempts) in ends(&root) {
            let complete = attempts.iter().filter(|end| *end == "finished").count();
            assert!(complete >= 1, "{trial}: {attempts:?}");
        }
    }
    assert!(programs > 0 && pilots_killed > 0, "{programs} programs, {pilots_killed} pilots");
}

/// An analysis without the folder that it is of.
fn without_place(mut analysis: Value) -> Value {
    if let Some(recording) = analysis.get_mut("recording").and_then(Value::as_object_mut) {
        recording.remove("program");
    }
    analysis
}

/// How the attempts of each trial ended.
fn ends(root: &Path) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for trial in fs::read_dir(root.join("trials")).expect("trials") {
        let trial = trial.expect("a trial").path();
        for attempt in fs::read_dir(trial.join("attempts")).expect("attempts") {
            let end = attempt.expect("an attempt").path().join("ended.json");
            let outcome = match fs::read(end) {
                Ok(bytes) => serde_json::from_slice::<Value>(&bytes).expect("whole")["outcome"]
                    .as_str()
                    .expect("a word")
                    .to_owned(),
                Err(_) => "left".to_owned(),
            };
            found.entry(trial.display().to_string()).or_default().push(outcome);
        }
    }
    found
}

#[test]
fn a_pilot_that_is_asked_to_stop_passes_it_on() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let script = "trap 'echo asked > \"$3/asked\"; exit 130' TERM\n\
                  echo x > \"$3/started\"; while :; do sleep 0.05; done";
    for signal in ["-TERM", "-USR1", "-INT"] {
        let root = study_in(folder.path(), signal, STUDY, script);
        let mut pilot = start(&root);
        let deadline = Instant::now() + Duration::from_secs(30);
        while !root.join("started").exists() && Instant::now() < deadline {
            sleep(Duration::from_millis(10));
        }
        kill(signal, pilot.id());
        assert_eq!(pilot.wait().expect("its end").code(), Some(130), "{signal}");
        assert!(root.join("asked").exists(), "{signal}");
        let now = status(&root);
        assert_eq!(now["counts"]["interrupted"], 2, "{now}");
    }
    // The same from another terminal.
    let root = study_in(folder.path(), "stopped", STUDY, script);
    let mut pilot = start(&root);
    while !root.join("started").exists() {
        sleep(Duration::from_millis(10));
    }
    succeed(wd().args(["study", "stop"]).arg(&root));
    assert_eq!(pilot.wait().expect("its end").code(), Some(130));
}

#[test]
fn what_a_person_types_is_answered() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path().join("study");
    succeed(wd().args(["study", "new"]).arg(&root));
    let again = wd().args(["study", "new"]).arg(&root).output().expect("the command");
    assert!(!again.status.success(), "the file is there already");
    // The study file to begin with lacks its program alone.
    let health = wd().args(["study", "doctor"]).arg(&root).output().expect("it");
    let said = String::from_utf8_lossy(&health.stdout).into_owned();
    assert!(said.contains("not there: ") && said.contains("train.py"), "{said}");
    fs::write(
        root.join("train.py"),
        "import sys\nw, s = float(sys.argv[1].split('=')[1]), int(sys.argv[3].split('=')[1])\n",
    )
    .expect("the script");
    let health = wd().args(["study", "doctor"]).arg(&root).arg("--json").output().expect("it");
    let health: Value = serde_json::from_slice(&health.stdout).expect("JSON");
    let checks = health["checks"].as_array().expect("checks");
    let well = |what: &str| checks.iter().find(|check| check["what"] == what).expect(what);
    assert_eq!(well("mkdir excludes")["is_well"], true);
    assert_eq!(well("the study file")["seen"], "20 trials");

    let none = wd().args(["study", "run"]).arg(folder.path()).output().expect("the command");
    let said = String::from_utf8_lossy(&none.stderr).into_owned();
    assert!(said.contains("wd study new"), "{said}");

    let failing = study_in(folder.path(), "failing", STUDY, "echo no such data >&2; exit 2");
    let output = wd().args(["study", "run"]).arg(&failing).output().expect("the command");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("exit status 2: no such data") && said.contains("wd study retry"),
        "{said}"
    );
    let shown = succeed(wd().args(["study", "status"]).arg(&failing));
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("0 of 12 trials have a result, 12 left"), "{shown}");
    // Its names are declared once.
    let twice = wd().arg("report").arg(&failing).args(["--train", "x"]).output().expect("it");
    assert!(String::from_utf8_lossy(&twice.stderr).contains("[metrics]"));
}

/// A batch system of three scripts: what is submitted runs at once, and what is asked is recorded.
#[test]
fn pilots_go_through_slurm() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = study_in(folder.path(), "study", STUDY, &SLOW.replace("sleep 0.01", ""));
    let tools = folder.path().join("tools");
    fs::create_dir(&tools).expect("a folder");
    let script = |name: &str, text: &str| {
        use std::os::unix::fs::PermissionsExt;
        let path = tools.join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("a script");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it may run");
    };
    let seen = folder.path().join("seen");
    let record = format!("echo \"$0 $*\" >> {}", seen.display());
    script(
        "sbatch",
        &format!("{record}\nfor last; do :; done\nsh $last >/dev/null 2>&1\necho '77;east'"),
    );
    script(
        "squeue",
        r#"echo '{"jobs": [{"job_id": 78, "array_job_id": {"number": 77}, "job_state": ["RUNNING"]}]}'"#,
    );
    script("scancel", &record);
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap_or_default());
    let with_tools = |words: &[&str]| {
        let mut command = wd();
        command.arg("study").args(words).arg(&root).env("PATH", &path);
        command
    };
    assert!(
        String::from_utf8_lossy(&succeed(&mut with_tools(&["status"])).stdout).contains("12 left")
    );
    let asked = ["--slurm", "--pilots", "3", "--time", "30", "--sbatch-args=--gres=gpu:1"];
    let submitted = succeed(with_tools(&["run"]).args(asked));
    assert!(String::from_utf8_lossy(&submitted.stdout).contains("3 pilots submitted as job 77"));
    let said = fs::read_to_string(&seen).expect("what was asked");
    for word in ["--array=0-2", "--requeue", "--time=30", "--signal=B:TERM@120", "--gres=gpu:1"] {
        assert!(said.contains(word), "{said}");
    }
    let shown = succeed(&mut with_tools(&["status"]));
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("all 12 trials") && shown.contains("1 running"), "{shown}");
    succeed(&mut with_tools(&["stop"]));
    assert!(fs::read_to_string(&seen).expect("it").contains("scancel --quiet 77"));
    // Without a batch system the command says what is missing.
    let none = with_tools(&["run"]).arg("--slurm").env("PATH", "").output().expect("the command");
    assert!(String::from_utf8_lossy(&none.stderr).contains("`sbatch` failed"));
}

/// This program is a program too: its own runs as the trials of a study give the arms that its own
/// sweep gives.
#[test]
fn runs_of_this_program_are_trials_like_any_other() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = prepare_corpus(folder.path());
    let config = write_config(folder.path(), &corpus, 30, "");
    let own = folder.path().join("own");
    succeed(
        wd().arg("sweep")
            .arg(&config)
            .args(["decay.lambda=0,0.5", "run.seed=0..1", "--jobs", "2", "--out"])
            .arg(&own),
    );
    let file = format!(
        "[trial]\ncommand = [\"{}\", \"train\", \"{}\", \"--run-dir\", \"{{dir}}/run\", \
         \"--set\", \"decay.lambda={{decay.lambda}}\", \"--set\", \"run.seed={{run.seed}}\", \
         \"--threads\", \"1\", \"--progress\", \"none\"]\n[axes]\n\"decay.lambda\" = \"0,0.5\"\n\
         \"run.seed\" = \"0..1\"\n[roles]\nlambda = \"decay.lambda\"\nseed = \"run.seed\"\n\
         [metrics]\ntrain = \"train_loss\"\nvalidation = \"validation_loss\"\nlast_step = 30\n",
        env!("CARGO_BIN_EXE_wd"),
        config.display()
    );
    let root = study_in(folder.path(), "any", &file, "");
    succeed(wd().args(["study", "run"]).arg(&root).args(["--slots", "2"]));
    let (own, any) = (report(&own), report(&root));
    let losses = |analysis: &Value| -> Vec<f64> {
        let arms = analysis["arms"].as_array().expect("arms");
        let ends = ["final_validation", "final_train"];
        let means = |arm: &Value| ends.map(|end| arm[end]["mean"].as_f64().expect("a loss"));
        arms.iter().flat_map(means).collect()
    };
    assert_eq!(losses(&own), losses(&any));
}

#[test]
fn a_study_is_exported_and_its_results_are_reused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let script = SLOW.replace("  sleep 0.01\n", "");
    let first = study_in(folder.path(), "first", STUDY, &script);
    succeed(wd().args(["study", "run"]).arg(&first));
    let tables = folder.path().join("tables");
    succeed(wd().arg("export").arg(&first).arg("--csv").arg(&tables));
    let lines = |name: &str| {
        let text = fs::read_to_string(tables.join(name)).expect(name);
        text.lines().count() - 1
    };
    // Twelve trials of two curves and twenty steps; three arms, two of them compared with λ = 0, in
    // four measures each.
    assert_eq!((lines("runs.csv"), lines("series.csv")), (12, 480));
    assert_eq!((lines("arms.csv"), lines("comparisons.csv")), (12, 8));

    let wider = STUDY.replace("\"0..3\"", "\"0..4\"");
    let second = study_in(folder.path(), "second", &wider, &script);
    let ran = succeed(wd().args(["study", "run"]).arg(&second).arg("--reuse").arg(&first));
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(said.contains("12 results taken over"), "{said}");
    let losses = |root: &Path| -> Vec<(String, String)> {
        let trials = status(root)["trials"].as_array().expect("trials").clone();
        trials.iter().map(|t| (t["name"].to_string(), t["loss"].to_string())).collect()
    };
    let (known, all) = (losses(&first), losses(&second));
    assert_eq!((known.len(), all.len()), (12, 15));
    assert!(known.iter().all(|trial| all.contains(trial)), "{known:?} {all:?}");
}
