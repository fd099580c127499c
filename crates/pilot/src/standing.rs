//! Where a trial stands, from what its attempts left on disk.

use crate::PilotError;
use crate::attempt::{Attempt, End, Outcome, that_counts};
use crate::declaration::Limits;

/// After so many starts a trial is given up: each of them took its pilot down.
const MOST_ATTEMPTS: u32 = 1000;

/// Where a trial stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Standing {
    /// It has its result.
    Complete {
        /// The attempt that counts.
        attempt: u32,
        /// How that one ended.
        end: End,
    },
    /// Its last attempt has not ended; whether somebody works on it, its owner tells.
    Open {
        /// Its number.
        attempt: u32,
    },
    /// It can be started, and this is the number that its next attempt has.
    Waiting {
        /// The next number.
        next: u32,
        /// How the last attempt ended, where there was one.
        last: Option<End>,
    },
    /// It failed as often as it may.
    GivenUp {
        /// The last attempt.
        attempt: u32,
        /// How that one ended; absent where its end was never written.
        end: Option<End>,
    },
}

impl Standing {
    /// From the attempts of a trial.
    pub(crate) fn of(attempts: &[Attempt], limits: &Limits) -> Self {
        if let Some((attempt, end)) = that_counts(attempts) {
            return Standing::Complete { attempt: attempt.number, end };
        }
        let Some(last) = attempts.last() else {
            return Standing::Waiting { next: 1, last: None };
        };
        let end = last.end();
        if last.number >= MOST_ATTEMPTS {
            return Standing::GivenUp { attempt: last.number, end };
        }
        let Some(end) = end else { return Standing::Open { attempt: last.number } };
        match failures(attempts) >= limits.attempts {
            true => Standing::GivenUp { attempt: last.number, end: Some(end) },
            false => Standing::Waiting { next: last.number + 1, last: Some(end) },
        }
    }

    /// The same, read from a trial's folder.
    pub(crate) fn read(
        trial: &std::path::Path,
        limits: &Limits,
    ) -> Result<(Self, Vec<Attempt>), PilotError> {
        let attempts = Attempt::all(trial)?;
        Ok((Standing::of(&attempts, limits), attempts))
    }
}

/// The attempts that failed and count as failures.
pub(crate) fn failures(attempts: &[Attempt]) -> usize {
    let has_failed = |attempt: &&Attempt| {
        let is_failure = |end: End| matches!(end.outcome, Outcome::Failed | Outcome::Incomplete);
        attempt.end().is_some_and(is_failure) && !attempt.is_retried()
    };
    attempts.iter().filter(has_failed).count()
}
