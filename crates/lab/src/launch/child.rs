//! One process, and the thread that reads what it says.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process};

use super::{Message, Outcome, Progress};
use crate::study::Trial;

/// How much of the end of a log is shown.
const TAIL_LINES: usize = 12;
/// No more than this is read of the end of a log, however long its lines.
const TAIL_BYTES: u64 = 4096;

/// A started process, as the launcher sees it.
pub(super) struct Running {
    process: Arc<Mutex<Option<Pid>>>,
    /// Held open, and closed by the system when this process ends, however it ends: the child sees
    /// the end of its standard input, and ends too.
    _alive: Option<ChildStdin>,
}

/// A started process, as its watching thread sees it.
pub(super) struct Watch {
    child: Child,
    /// Emptied before the process is waited for: after that its number may belong to another
    /// process.
    process: Arc<Mutex<Option<Pid>>>,
    output: ChildStdout,
    log: File,
    log_path: PathBuf,
    /// Where this process's part of the log begins.
    log_start: u64,
}

impl Running {
    /// Starts `command` as the process of `trial`; an `Err` holds the outcome when it cannot be
    /// started.
    pub(super) fn start(trial: &Trial, mut command: Command) -> Result<(Self, Watch), Outcome> {
        let log_path = trial.log_path();
        let refuse = |what: String| Outcome::Failed { code: None, signal: None, tail: what };
        let open_log = || {
            fs::create_dir_all(&trial.directory)?;
            let log = OpenOptions::new().create(true).append(true).open(&log_path)?;
            let start = log.metadata()?.len();
            Ok::<_, std::io::Error>((log.try_clone()?, log, start))
        };
        let (for_child, log, log_start) = open_log()
            .map_err(|error| refuse(format!("cannot write {}: {error}", log_path.display())))?;
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(for_child)
            .spawn()
            .map_err(|error| {
                refuse(format!("cannot start {}: {error}", command.get_program().display()))
            })?;
        let Some(output) = child.stdout.take() else {
            return Err(refuse("its output is not a pipe".to_owned()));
        };
        let alive = child.stdin.take();
        let process = Arc::new(Mutex::new(Pid::from_raw(child.id().cast_signed())));
        let watch =
            Watch { child, process: Arc::clone(&process), output, log, log_path, log_start };
        Ok((Running { process, _alive: alive }, watch))
    }

    /// Asks the process to end, unless it has closed its output and is ending already.
    pub(super) fn terminate(&self) {
        let process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pid) = *process {
            // It may have ended this moment: then there is nothing to do.
            let _ = kill_process(pid, Signal::TERM);
        }
    }
}

impl Watch {
    /// Reads the process's output to its end, waits for it, and reports both.
    pub(super) fn until_the_end(mut self, trial: usize, sender: &Sender<Message>) {
        // The launcher outlives this thread, so that sending cannot fail.
        let tell = |message| drop(sender.send(message));
        let mut reader = BufReader::new(self.output);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            match serde_json::from_slice::<Progress>(&line) {
                Ok(progress) => tell(Message::Progress(trial, progress)),
                // A line that is no progress is for people: keep it.
                Err(_) => drop(self.log.write_all(&line)),
            }
            line.clear();
        }
        *self.process.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let outcome = match self.child.wait() {
            Ok(status) => {
                Outcome::of(status, tail(&self.log_path, self.log_start).unwrap_or_default())
            }
            Err(error) => Outcome::Failed { code: None, signal: None, tail: error.to_string() },
        };
        tell(Message::Ended(trial, outcome));
    }
}

/// The last lines of a log from byte `start` on.
fn tail(path: &PathBuf, start: u64) -> std::io::Result<String> {
    let mut log = File::open(path)?;
    let end = log.metadata()?.len();
    log.seek(SeekFrom::Start(start.max(end.saturating_sub(TAIL_BYTES))))?;
    let mut bytes = Vec::new();
    log.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.trim_end().lines().collect();
    Ok(lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n"))
}
