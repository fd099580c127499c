//! The process of an attempt: how it is started, what it says, and how it is ended.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid,
};

use crate::PilotError;
use crate::attempt::{Attempt, json, put};
use crate::declaration::{Declaration, StopSignal, of_settings};
use crate::owner::Process;
use crate::slots::Slot;
use crate::trial::ProgramTrial;

/// After a program has ended, how long others may hold its output before they are ended too.
const AFTERMATH: Duration = Duration::from_secs(2);

/// How much of the end of a log is told.
const TAIL_BYTES: usize = 2000;
const TAIL_LINES: usize = 8;

/// How a process ended.
#[derive(Debug, Default)]
pub(crate) struct Exit {
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    pub(crate) seconds: f64,
    pub(crate) was_stopped: bool,
    /// Why it was ended, or could not be started.
    pub(crate) reason: Option<String>,
    /// The end of its log.
    pub(crate) tail: String,
}

impl Exit {
    /// What happened, in words.
    pub(crate) fn words(&self) -> String {
        let how = match (&self.reason, self.code, self.signal) {
            (Some(reason), _, _) => reason.clone(),
            (None, Some(code), _) => format!("exit status {code}"),
            (None, None, Some(signal)) => format!("killed by signal {signal}"),
            (None, None, None) => "it ended, and nobody knows how".to_owned(),
        };
        match self.tail.is_empty() {
            true => how,
            false => format!("{how}: {}", self.tail),
        }
    }
}

/// A running process, as others see it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Handle {
    /// Emptied before the process is collected: after that its number may be another's.
    process: Arc<Mutex<Option<Pid>>>,
    was_stopped: Arc<AtomicBool>,
    is_late: Arc<AtomicBool>,
}

impl Handle {
    fn signal(&self, send: impl Fn(Pid) -> rustix::io::Result<()>) {
        let process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pid) = *process {
            // It may have ended this moment: then there is nothing to do.
            let _ = send(pid);
        }
    }

    /// Asks the program to end; its own children are its business.
    pub(crate) fn stop(&self, signal: StopSignal) {
        self.was_stopped.store(true, Ordering::SeqCst);
        self.ask(signal);
    }

    /// Asks it to end since its time is over.
    pub(crate) fn out_of_time(&self, signal: StopSignal) {
        self.is_late.store(true, Ordering::SeqCst);
        self.ask(signal);
    }

    fn ask(&self, signal: StopSignal) {
        let signal = match signal {
            StopSignal::Terminate => Signal::TERM,
            StopSignal::Interrupt => Signal::INT,
            StopSignal::User1 => Signal::USR1,
        };
        self.signal(|pid| kill_process(pid, signal));
    }

    /// Ends it and all that it started.
    pub(crate) fn kill(&self) {
        self.signal(|pid| kill_process_group(pid, Signal::KILL));
    }
}

/// Where an attempt works, as text for placeholders and variables.
struct Places {
    values: BTreeMap<String, String>,
    previous: Option<String>,
}

impl Places {
    fn of(study: &Study<'_>, attempt: &Attempt, previous: Option<&Attempt>) -> Self {
        let mut values = of_settings(study.declaration, &study.trial.settings);
        let text = |path: std::path::PathBuf| path.to_string_lossy().into_owned();
        for (name, value) in [
            ("dir", text(attempt.files())),
            ("home", text(study.home.to_owned())),
            ("name", study.trial.name.clone()),
            ("attempt", attempt.number.to_string()),
            ("settings", text(attempt.settings_path())),
        ] {
            values.entry(name.to_owned()).or_insert(value);
        }
        Places { values, previous: previous.map(|attempt| text(attempt.files())) }
    }
}

/// What an attempt is an attempt of.
pub(crate) struct Study<'a> {
    pub(crate) declaration: &'a Declaration,
    pub(crate) home: &'a std::path::Path,
    pub(crate) trial: &'a ProgramTrial,
}

/// The earlier attempt that can be continued: the last one that left every file that `resume` names.
pub(crate) fn to_continue<'a>(study: &Study<'_>, earlier: &'a [Attempt]) -> Option<&'a Attempt> {
    if study.declaration.resume.is_empty() {
        return None;
    }
    earlier.iter().rev().find(|attempt| {
        let files = attempt.files().to_string_lossy().into_owned();
        let values = BTreeMap::from([("previous".to_owned(), files.clone())]);
        study.declaration.resume.iter().all(|word| {
            let filled = word.fill(&values);
            // `--resume=/…/last.pt` and `/…/last.pt` name a file; other words name none.
            match filled.find(&files) {
                Some(at) => std::path::Path::new(&filled[at..]).exists(),
                None => true,
            }
        })
    })
}

/// The command of an attempt, with its environment.
fn command(
    study: &Study<'_>,
    attempt: &Attempt,
    previous: Option<&Attempt>,
    slot: &Slot,
) -> Command {
    let Study { declaration, trial, .. } = study;
    let mut places = Places::of(study, attempt, previous);
    let mut words: Vec<String> =
        declaration.command.iter().map(|word| word.fill(&places.values)).collect();
    if let Some(previous) = places.previous.take() {
        places.values.insert("previous".to_owned(), previous);
        words.extend(declaration.resume.iter().map(|word| word.fill(&places.values)));
    }
    let program = words.first().cloned().unwrap_or_default();
    let mut command = Command::new(program);
    command.args(words.iter().skip(1)).current_dir(declaration.folder.fill(&places.values));
    let files = attempt.files();
    let metrics = attempt.metrics_path();
    let settings = attempt.settings_path();
    let seed = places.values.get("seed").cloned().unwrap_or_default();
    let database = format!("sqlite:///{}", files.join("mlflow.db").display());
    command
        .env("WD_DIR", &files)
        .env("WD_NAME", &trial.name)
        .env("WD_SEED", &seed)
        .env("WD_ATTEMPT", attempt.number.to_string())
        .env("WD_SETTINGS", settings)
        .env("WD_METRICS", metrics)
        // An unchanged script's own logger writes into the trial's folder.
        .env("WANDB_MODE", "offline")
        .env("WANDB_DIR", &files)
        .env("MLFLOW_TRACKING_URI", database)
        .env("TRACKIO_DIR", files.join("trackio"))
        .env("PYTHONUNBUFFERED", "1");
    // Python takes numbers of 32 bits alone.
    if seed.parse::<u32>().is_ok() {
        command.env("PYTHONHASHSEED", &seed);
    }
    command.envs(slot.environment());
    for (name, word) in &declaration.environment {
        command.env(name, word.fill(&places.values));
    }
    command
}

/// Starts the program of an attempt and waits for its end. `on_step` hears the steps of its lines.
pub(crate) fn run(
    study: &Study<'_>,
    attempt: &Attempt,
    previous: Option<&Attempt>,
    slot: &Slot,
    handle: &Handle,
    on_step: impl FnMut(u64) + Send,
) -> Result<Exit, PilotError> {
    let settings: BTreeMap<&str, serde_json::Value> =
        study.trial.settings.iter().map(|(key, value)| (key.as_str(), as_json(value))).collect();
    put(&attempt.settings_path(), &json(&settings))?;
    let log_path = attempt.log_path();
    let open = |path: &std::path::Path| {
        let file = OpenOptions::new().create(true).append(true).open(path);
        file.map_err(PilotError::io("write", path))
    };
    let (log, lines) = (open(&log_path)?, open(&attempt.lines_path())?);
    let for_errors = log.try_clone().map_err(PilotError::io("write", &log_path))?;
    let mut command = command(study, attempt, previous, slot);
    let program = command.get_program().to_string_lossy().into_owned();
    let started = Instant::now();
    slot.pin();
    let spawned = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(for_errors)
        // A group of its own: a signal of the terminal reaches the pilot alone, which passes it on.
        .process_group(0)
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => {
            let reason = Some(format!("cannot start {program}: {error}"));
            return Ok(Exit { reason, ..Exit::default() });
        }
    };
    let pid = Pid::from_child(&child);
    *handle.process.lock().unwrap_or_else(PoisonError::into_inner) = Some(pid);
    put(&attempt.process_path(), &json(&Process::of(child.id())))?;
    let output = child.stdout.take();
    thread::scope(|scope| {
        let (sender, is_read) = channel();
        scope.spawn(move || {
            if let Some(output) = output {
                keep(output, lines, log, on_step);
            }
            // Nobody hears it when the program's end came first.
            let _ = sender.send(());
        });
        // The process stays uncollected until its group is at rest: its number cannot be given away.
        while waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
            .is_err_and(|error| error == rustix::io::Errno::INTR)
        {}
        if is_read.recv_timeout(AFTERMATH).is_err() {
            handle.kill();
        }
    });
    // What it started and left behind would write into a folder that has been read.
    handle.kill();
    *handle.process.lock().unwrap_or_else(PoisonError::into_inner) = None;
    let status = child.wait().map_err(PilotError::io("wait for", &attempt.folder))?;
    let is_late = handle.is_late.load(Ordering::SeqCst);
    let limit = study.declaration.limits.time.unwrap_or_default().as_secs_f64();
    Ok(Exit {
        code: status.code(),
        signal: status.signal(),
        seconds: started.elapsed().as_secs_f64(),
        was_stopped: handle.was_stopped.load(Ordering::SeqCst),
        reason: is_late.then(|| format!("it took longer than {limit} seconds")),
        tail: tail(&log_path),
    })
}

/// Sorts what the program says: JSON lines of numbers, and the rest for people.
fn keep(output: ChildStdout, mut lines: File, mut log: File, mut on_step: impl FnMut(u64)) {
    #[derive(serde::Deserialize)]
    struct Line {
        step: f64,
    }
    let mut reader = BufReader::new(output);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let start = line.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0);
        let compact: Vec<u8> = line[start..]
            .iter()
            .take(16)
            .filter(|byte| !byte.is_ascii_whitespace())
            .copied()
            .collect();
        // A full disk shows in what is missing.
        if compact.starts_with(b"{\"step\":") {
            if let Ok(found) = serde_json::from_slice::<Line>(&line) {
                on_step(found.step as u64);
            }
            let _ = lines.write_all(&line);
        } else {
            let _ = log.write_all(&line);
        }
        line.clear();
    }
}

/// A setting as a value of JSON.
fn as_json(value: &str) -> serde_json::Value {
    match serde_json::from_str(value) {
        Ok(value @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_))) => value,
        _ => serde_json::Value::String(value.to_owned()),
    }
}

/// The last lines of a log in one.
fn tail(path: &std::path::Path) -> String {
    let bytes = std::fs::read(path).unwrap_or_default();
    let bytes = &bytes[bytes.len().saturating_sub(TAIL_BYTES)..];
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> =
        text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}
