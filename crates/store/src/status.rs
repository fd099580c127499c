//! How far a run is, read from what it left on disk.

use serde_json::Value;

use crate::{EventKind, RunDirectory, StoreError};

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Nothing was begun here.
    New,
    /// A process is training here: the lock is held.
    Running {
        /// The last step on disk; the process itself is at most about a second further.
        step: u64,
    },
    /// Begun, not ended, and no process is training here: killed, or asked to stop.
    Interrupted {
        /// The step of the newest checkpoint, from which the run can go on; 0 when it has none.
        step: u64,
    },
    /// Ended by a loss, gradient or weight that is not finite.
    Diverged {
        /// Steps done.
        step: u64,
        /// The tensor in which it was seen first, where known.
        tensor: Option<String>,
        /// What was seen.
        message: String,
    },
    /// Every step was done.
    Finished {
        /// Steps done.
        step: u64,
    },
}

impl RunDirectory {
    /// The status, from the events, the checkpoints, the metrics and the lock.
    ///
    /// A run that recorded its end is `Finished` or `Diverged`, whoever holds the lock, until a
    /// `started` or `resumed` event follows. Otherwise it is `Running` while any process holds the
    /// lock: a trainer that asks *after* it took the lock sees itself.
    ///
    /// # Errors
    /// [`StoreError::Io`] when the events, the list of checkpoints or the lock cannot be read.
    pub fn status(&self) -> Result<Status, StoreError> {
        // The lock first: a run that ends in between has then recorded its end before the events
        // are read.
        let locked = self.is_locked()?;
        let log = self.events()?;
        let end = log.events.iter().rev().find(|event| {
            matches!(
                event.kind,
                EventKind::Started | EventKind::Resumed | EventKind::Diverged | EventKind::Finished
            )
        });
        match end {
            Some(event) if event.kind == EventKind::Finished => {
                return Ok(Status::Finished { step: event.step });
            }
            Some(event) if event.kind == EventKind::Diverged => {
                return Ok(Status::Diverged {
                    step: event.step,
                    tensor: event.fields.get("tensor").and_then(Value::as_str).map(str::to_owned),
                    message: event.message.clone(),
                });
            }
            _ => {}
        }
        // Metrics that cannot be read say nothing about whether the run goes on.
        let recorded = self.metrics().ok().and_then(|metrics| metrics.last_step());
        let checkpoint = self.checkpoints().steps()?.last().copied();
        if locked {
            let step = recorded.or(checkpoint).or(log.events.last().map(|event| event.step));
            Ok(Status::Running { step: step.unwrap_or(0) })
        } else if log.events.is_empty() && recorded.is_none() && checkpoint.is_none() {
            Ok(Status::New)
        } else {
            Ok(Status::Interrupted { step: checkpoint.unwrap_or(0) })
        }
    }
}
