//! `events.jsonl`: what happened to a run, one JSON object a line, append-only.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::lines::{append_line, read_lines};
use crate::{RunDirectory, StoreError};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A run began at step 0.
    Started,
    /// A run went on from a checkpoint.
    Resumed,
    /// A checkpoint was saved.
    Checkpoint,
    /// A loss, gradient or weight was no longer finite; the field `tensor` names where it was seen
    /// first.
    Diverged,
    /// The run was asked to stop, and can be resumed.
    Interrupted,
    /// The last step was done.
    Finished,
    /// Something worth knowing, for example a damaged checkpoint that was passed over.
    Note,
    /// A kind that a later version of this program writes.
    #[serde(other)]
    Other,
}

/// One line of `events.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Seconds since 1970-01-01 UTC.
    pub time_unix: f64,
    /// What happened.
    pub kind: EventKind,
    /// Steps done by then.
    pub step: u64,
    /// One sentence for people.
    #[serde(default)]
    pub message: String,
    /// Numbers and names for programs.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub fields: Map<String, Value>,
}

impl Event {
    /// An event at this moment.
    pub fn now(kind: EventKind, step: u64, message: impl Into<String>) -> Self {
        let time_unix = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0.0, |time| time.as_secs_f64());
        Self { time_unix, kind, step, message: message.into(), fields: Map::new() }
    }

    /// Adds a field. A number that is not finite becomes `null`: JSON has none.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.fields.insert(name.into(), value.into());
        self
    }
}

/// All readable events of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EventLog {
    /// In the order in which they were written.
    pub events: Vec<Event>,
    /// Numbers (from 1) of the lines that are no event: what a killed process or a bad disk left. A
    /// last line without its end is still being written and is not counted.
    pub damaged_lines: Vec<usize>,
}

impl EventLog {
    /// Reads the lines of `bytes`; any bytes will do, and every whole event in them is found.
    pub fn parse(bytes: &[u8]) -> Self {
        let mut log = Self::default();
        let Some(end) = bytes.iter().rposition(|&byte| byte == b'\n') else {
            return log;
        };
        for (index, line) in bytes[..end].split(|&byte| byte == b'\n').enumerate() {
            if line.trim_ascii().is_empty() {
                continue;
            }
            match serde_json::from_slice(line) {
                Ok(event) => log.events.push(event),
                Err(_) => log.damaged_lines.push(index + 1),
            }
        }
        log
    }

    /// The last event of a kind.
    pub fn last(&self, kind: EventKind) -> Option<&Event> {
        self.events.iter().rev().find(|event| event.kind == kind)
    }
}

impl RunDirectory {
    /// Appends one event and brings it to the disk.
    ///
    /// A torn line that a killed process left is ended first, so that this event stands on a line
    /// of its own.
    ///
    /// # Errors
    /// [`StoreError::DiskFull`], [`StoreError::Io`]; [`StoreError::Unwritable`] when the time is
    /// not finite.
    pub fn append_event(&self, event: &Event) -> Result<(), StoreError> {
        let path = self.events_path();
        if !event.time_unix.is_finite() {
            return Err(StoreError::Unwritable {
                path,
                reason: "the time of an event is not finite".to_owned(),
            });
        }
        append_line(&path, event)
    }

    /// Reads `events.jsonl`; a run that has none yet has an empty log.
    ///
    /// # Errors
    /// [`StoreError::Io`]. Damaged lines are no error: see [`EventLog::damaged_lines`].
    pub fn events(&self) -> Result<EventLog, StoreError> {
        Ok(EventLog::parse(&read_lines(&self.events_path())?))
    }
}
