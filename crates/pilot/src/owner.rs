//! Who works on an attempt: processes that can be told from all others.

use std::fs;

use rustix::process::{Pid, Signal, kill_process_group};
use serde::{Deserialize, Serialize};

/// A process that can be told from every other one, also after a restart of its machine and from
/// within another container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// The machine, as of its last start.
    machine: Option<Machine>,
    /// Its number.
    pub pid: u32,
    /// When it started, in ticks since the machine did.
    started: Option<u64>,
}

/// A running kernel with one numbering of processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Machine {
    boot: String,
    process_numbers: String,
}

/// Whoever claimed an attempt.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Owner {
    /// The pilot.
    pub pilot: Process,
    /// The machine's name, for people.
    pub host: String,
    /// The job of the cluster, where it is one.
    pub job: Option<String>,
    /// When the attempt was claimed, in seconds since 1970: for people alone.
    pub unix_seconds: u64,
}

impl Machine {
    /// This one; absent where the system does not say.
    fn here() -> Option<Self> {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let numbers = fs::read_link("/proc/self/ns/pid").ok()?;
        let process_numbers = numbers.to_string_lossy().into_owned();
        Some(Machine { boot: boot.trim().to_owned(), process_numbers })
    }
}

impl Process {
    /// A process of this machine.
    pub(crate) fn of(pid: u32) -> Self {
        Process { machine: Machine::here(), pid, started: start_of(pid) }
    }

    /// Whether it still runs; absent where that cannot be seen from here.
    pub(crate) fn is_alive(&self) -> Option<bool> {
        let (machine, started) = (self.machine.as_ref()?, self.started?);
        (Machine::here()? == *machine).then(|| start_of(self.pid) == Some(started))
    }

    /// Ends the group of processes that this one leads, where it is seen to run: a program whose
    /// pilot is gone.
    pub(crate) fn kill_group(&self) {
        if self.is_alive() == Some(true)
            && let Some(pid) = Pid::from_raw(self.pid.cast_signed())
        {
            // It may have ended this moment: then there is nothing to do.
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

impl Owner {
    /// This process.
    pub(crate) fn here() -> Self {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let job = std::env::var("SLURM_JOB_ID").ok().map(|job| {
            match std::env::var("SLURM_RESTART_COUNT") {
                Ok(restarts) => format!("{job} (restart {restarts})"),
                Err(_) => job,
            }
        });
        Owner {
            pilot: Process::of(std::process::id()),
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            job,
            unix_seconds: now.map_or(0, |now| now.as_secs()),
        }
    }
}

/// When a process started, in ticks since its machine did; absent where there is none, or where it
/// has ended and waits to be collected.
fn start_of(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may hold blanks and brackets.
    let (_, fields) = text.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let is_over = matches!(fields.first(), Some(&("Z" | "X")));
    // starttime is field 22 of proc(5), and the state, here the first, is field 3.
    fields.get(19).filter(|_| !is_over)?.parse().ok()
}
