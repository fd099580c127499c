//! One start of a trial.
//!
//! ```text
//! trials/NAME~HASH/attempts/3/   made by one mkdir: whoever made it owns it
//!   owner.json      the pilot
//!   heartbeat       changes while the pilot lives
//!   process.json    the program
//!   settings.json   the settings of the trial, for the program
//!   metrics.jsonl   what the program wrote to $WD_METRICS
//!   lines.jsonl     the JSON lines of its standard output
//!   log.txt         whatever else it said
//!   files/          {dir}: the folder that the program writes into
//!   record/         its curves, read once when it ended
//!   ended.json      how it ended; written last
//! ```
//!
//! The complete attempt with the lowest number is the trial's result. A second attempt may run while
//! the first one still does, on a machine that was taken for lost: each writes into its own folder,
//! and one of them counts.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wd_store::write_file;

use crate::PilotError;
use crate::owner::{Owner, Process};

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The deciding loss is there, finite, and reaches the last step.
    Finished,
    /// The loss is not finite, or the program said so by its exit status 3: a result.
    Diverged,
    /// The program ended well, and the deciding loss is missing or short.
    Incomplete,
    /// It was asked to stop.
    Interrupted,
    /// The program failed.
    Failed,
}

impl Outcome {
    /// Is it a result?
    pub fn is_complete(self) -> bool {
        matches!(self, Outcome::Finished | Outcome::Diverged)
    }

    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Finished => "finished",
            Outcome::Diverged => "diverged",
            Outcome::Incomplete => "incomplete",
            Outcome::Interrupted => "interrupted",
            Outcome::Failed => "failed",
        }
    }
}

/// The end of an attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// How it ended.
    pub outcome: Outcome,
    /// Why, in words; empty where it finished.
    pub reason: String,
    /// The exit status.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Wall-clock time of the program.
    pub seconds: f64,
    /// The last step of the deciding loss.
    pub step: Option<u64>,
    /// The last training loss, where it is finite.
    pub training: Option<f64>,
    /// The last validation loss, likewise.
    pub validation: Option<f64>,
    /// The attempt that it continued.
    pub resumed_from: Option<u32>,
    /// The attempt of another study whose result it took over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reused_from: Option<PathBuf>,
}

impl End {
    /// The loss that decides: of validation, else of training.
    pub fn loss(&self) -> Option<f64> {
        self.validation.or(self.training)
    }
}

/// A folder of one start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its number, from 1.
    pub number: u32,
    /// Its folder.
    pub folder: PathBuf,
}

impl Attempt {
    /// The attempts of a trial, in the order of their numbers.
    pub(crate) fn all(trial: &Path) -> Result<Vec<Attempt>, PilotError> {
        let folder = trial.join("attempts");
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(PilotError::io("list", &folder))?,
        };
        let mut attempts = Vec::new();
        for entry in entries {
            let path = entry.map_err(PilotError::io("list", &folder))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if let Ok(number) = name.parse() {
                attempts.push(Attempt { number, folder: path });
            }
        }
        attempts.sort_by_key(|attempt| attempt.number);
        Ok(attempts)
    }

    /// Claims the attempt with this number; absent when another pilot was quicker.
    pub(crate) fn claim(
        trial: &Path,
        number: u32,
        owner: &Owner,
    ) -> Result<Option<Attempt>, PilotError> {
        let parent = trial.join("attempts");
        fs::create_dir_all(&parent).map_err(PilotError::io("make", &parent))?;
        let attempt = Attempt { number, folder: parent.join(number.to_string()) };
        match fs::create_dir(&attempt.folder) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(None),
            made => made.map_err(PilotError::io("make", &attempt.folder))?,
        }
        attempt.beat(0)?;
        // Lost with the machine, it is an attempt that nobody owns: no harm, and no need to wait
        // for the disk.
        put(&attempt.folder.join("owner.json"), &json(owner))?;
        let files = attempt.files();
        fs::create_dir(&files).map_err(PilotError::io("make", &files))?;
        Ok(Some(attempt))
    }

    /// The folder that the program writes into.
    pub fn files(&self) -> PathBuf {
        self.folder.join("files")
    }

    /// What it said.
    pub fn log_path(&self) -> PathBuf {
        self.folder.join("log.txt")
    }

    pub(crate) fn lines_path(&self) -> PathBuf {
        self.folder.join("lines.jsonl")
    }

    pub(crate) fn metrics_path(&self) -> PathBuf {
        self.folder.join("metrics.jsonl")
    }

    pub(crate) fn settings_path(&self) -> PathBuf {
        self.folder.join("settings.json")
    }

    pub(crate) fn process_path(&self) -> PathBuf {
        self.folder.join("process.json")
    }

    pub(crate) fn record_path(&self) -> PathBuf {
        self.folder.join("record")
    }

    /// The curves of the attempts that this one continues.
    pub(crate) fn before_path(&self) -> PathBuf {
        self.folder.join("before")
    }

    pub(crate) fn heartbeat_path(&self) -> PathBuf {
        self.folder.join("heartbeat")
    }

    fn ended_path(&self) -> PathBuf {
        self.folder.join("ended.json")
    }

    fn retried_path(&self) -> PathBuf {
        self.folder.join("retried")
    }

    /// Who claimed it; absent where that was not written, or not whole.
    pub fn owner(&self) -> Option<Owner> {
        read(&self.folder.join("owner.json"))
    }

    /// How it ended; absent while it has not, and where what was written is not whole.
    pub fn end(&self) -> Option<End> {
        read(&self.ended_path())
    }

    /// Writes how it ended: whole or not at all.
    pub(crate) fn write_end(&self, end: &End) -> Result<(), PilotError> {
        Ok(write_file(&self.ended_path(), json(end).as_bytes())?)
    }

    /// A sign of life.
    pub(crate) fn beat(&self, count: u64) -> Result<(), PilotError> {
        put(&self.heartbeat_path(), &count.to_string())
    }

    /// Ends its program, where that still runs on this machine and nobody waits for it: a program
    /// whose pilot was killed.
    pub(crate) fn end_orphan(&self) {
        if self.end().is_none()
            && self.owner().is_none_or(|owner| owner.pilot.is_alive() == Some(false))
            && let Some(process) = read::<Process>(&self.process_path())
        {
            process.kill_group();
        }
    }

    /// Does its failure no longer count?
    pub(crate) fn is_retried(&self) -> bool {
        self.retried_path().exists()
    }

    /// Its failure does not count any more.
    pub(crate) fn retry(&self) -> Result<(), PilotError> {
        put(&self.retried_path(), "")
    }
}

/// The one that counts: the complete attempt with the lowest number.
pub(crate) fn that_counts(attempts: &[Attempt]) -> Option<(&Attempt, End)> {
    attempts.iter().find_map(|attempt| {
        attempt.end().filter(|end| end.outcome.is_complete()).map(|end| (attempt, end))
    })
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

pub(crate) fn json(value: &impl Serialize) -> String {
    // Structures of texts and numbers alone: nothing that JSON lacks.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

/// Writes a small file that may be lost.
pub(crate) fn put(path: &Path, text: &str) -> Result<(), PilotError> {
    fs::write(path, text).map_err(PilotError::io("write", path))
}
