//! Whether somebody works on an attempt that has not ended. It saves work; nothing rests on it.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::attempt::Attempt;

/// Whether somebody works on an attempt that has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// Its pilot is seen to run, or has given a sign of life.
    Alive,
    /// Its pilot is gone, or has given no sign of life for three periods.
    Gone,
    /// Not watched long enough.
    Unknown,
}

/// Watches attempts of other pilots. Clocks of other machines never enter: what counts is whether
/// the content of the heartbeat changes while this process watches.
#[derive(Debug, Default)]
pub(crate) struct Watcher {
    seen: HashMap<PathBuf, Seen>,
}

#[derive(Debug)]
struct Seen {
    content: Vec<u8>,
    since: Instant,
    has_changed: bool,
}

/// So many periods without a change, and a pilot counts as gone.
const PATIENCE: u32 = 3;

impl Watcher {
    /// Looks at an attempt; `period` is that of its pilot's heartbeat.
    pub(crate) fn look(&mut self, attempt: &Attempt, period: Duration) -> Life {
        let seen_here = attempt.owner().and_then(|owner| owner.pilot.is_alive());
        match seen_here {
            Some(true) => Life::Alive,
            Some(false) => Life::Gone,
            None => self.by_heartbeat(&attempt.heartbeat_path(), period),
        }
    }

    fn by_heartbeat(&mut self, path: &Path, period: Duration) -> Life {
        let content = fs::read(path).unwrap_or_default();
        let now = Instant::now();
        let seen = self.seen.entry(path.to_owned()).or_insert_with(|| Seen {
            content: content.clone(),
            since: now,
            has_changed: false,
        });
        if seen.content != content {
            *seen = Seen { content, since: now, has_changed: true };
        }
        match (seen.since.elapsed() >= PATIENCE * period, seen.has_changed) {
            (true, _) => Life::Gone,
            (false, true) => Life::Alive,
            (false, false) => Life::Unknown,
        }
    }
}
