//! How far a trial is, and how it ended.

use std::fmt;
use std::process::ExitStatus;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};
use wd_decay::Unit;
use wd_store::{RunDirectory, Status};

use crate::study::Trial;

/// One line of progress, as a child prints it. Numbers that a line lacks, or that are `null`, are
/// NaN.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Steps done.
    pub step: u64,
    /// Steps of the whole run.
    pub steps: u64,
    /// Training loss of the last batch.
    #[serde(default = "unknown", deserialize_with = "number_or_null")]
    pub loss: f64,
    /// Learning rate of the last step.
    #[serde(default = "unknown", deserialize_with = "number_or_null")]
    pub learning_rate: f64,
    /// λ of the last step.
    #[serde(default = "unknown", deserialize_with = "number_or_null")]
    pub lambda: f64,
    /// Training samples a second.
    #[serde(default = "unknown", deserialize_with = "number_or_null")]
    pub samples_per_second: f64,
    /// What the samples are.
    #[serde(default = "tokens")]
    pub unit: Unit,
    /// Seconds until the run is done.
    #[serde(default = "unknown", deserialize_with = "number_or_null")]
    pub eta_seconds: f64,
}

fn tokens() -> Unit {
    Unit::Token
}

fn unknown() -> f64 {
    f64::NAN
}

fn number_or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// How a trial ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Its process finished the run.
    Finished,
    /// The run was finished before; nothing was started.
    AlreadyFinished,
    /// The loss or a gradient became non-finite, now or before: a result.
    Diverged,
    /// It was interrupted; the same command continues it.
    Interrupted,
    /// It failed.
    Failed {
        /// Exit status; absent when a signal ended the process or it could not be started.
        code: Option<i32>,
        /// The signal that ended the process.
        signal: Option<i32>,
        /// The last lines that it wrote to its log, or why it could not be started.
        tail: String,
    },
    /// The launcher was interrupted before its turn.
    NotStarted,
}

impl Outcome {
    /// What an exit status means; `tail` is the end of the log.
    pub(super) fn of(status: ExitStatus, tail: String) -> Self {
        match status.code() {
            Some(0) => Outcome::Finished,
            Some(3) => Outcome::Diverged,
            Some(130) => Outcome::Interrupted,
            code => Outcome::Failed {
                code,
                signal: std::os::unix::process::ExitStatusExt::signal(&status),
                tail,
            },
        }
    }

    /// After an interrupt, a child ended by SIGINT, SIGTERM or SIGHUP (2, 15, 1) did what it was
    /// told.
    pub(super) fn after_interrupt(self) -> Self {
        match self {
            Outcome::Failed { signal: Some(1 | 2 | 15), .. } => Outcome::Interrupted,
            other => other,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Finished => formatter.write_str("finished"),
            Outcome::AlreadyFinished => formatter.write_str("was finished already"),
            Outcome::Diverged => formatter.write_str("diverged"),
            Outcome::Interrupted => formatter.write_str("interrupted"),
            Outcome::Failed { code, signal, tail } => {
                match (code, signal) {
                    (Some(code), _) => write!(formatter, "failed with exit status {code}")?,
                    (None, Some(signal)) => write!(formatter, "killed by signal {signal}")?,
                    (None, None) => formatter.write_str("could not be started")?,
                }
                match tail.is_empty() {
                    true => Ok(()),
                    false => write!(formatter, ":\n{tail}"),
                }
            }
            Outcome::NotStarted => formatter.write_str("not started"),
        }
    }
}

/// How a whole launch went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// One for each trial, in the order given.
    pub outcomes: Vec<Outcome>,
    /// Wall-clock time.
    pub elapsed: Duration,
}

impl Report {
    /// Indices of the trials that failed.
    pub fn failed(&self) -> Vec<usize> {
        self.indices(|outcome| matches!(outcome, Outcome::Failed { .. }))
    }

    /// Has every trial a result (finished or diverged)?
    pub fn is_complete(&self) -> bool {
        self.indices(|outcome| {
            !matches!(outcome, Outcome::Finished | Outcome::AlreadyFinished | Outcome::Diverged)
        })
        .is_empty()
    }

    fn indices(&self, keep: impl Fn(&Outcome) -> bool) -> Vec<usize> {
        let kept = self.outcomes.iter().enumerate().filter(|(_, outcome)| keep(outcome));
        kept.map(|(index, _)| index).collect()
    }
}

/// A run that is over needs no process. A directory that cannot be read is left to the child to
/// complain about.
pub(super) fn already_over(trial: &Trial) -> Option<Outcome> {
    match RunDirectory::open(&trial.directory).and_then(|directory| directory.status()) {
        Ok(Status::Finished { .. }) => Some(Outcome::AlreadyFinished),
        Ok(Status::Diverged { .. }) => Some(Outcome::Diverged),
        _ => None,
    }
}

/// Whether another process trains this trial. A lock that cannot be tried is left to the child to
/// complain about.
pub(super) fn is_elsewhere(trial: &Trial) -> bool {
    let directory = RunDirectory::open(&trial.directory);
    directory.and_then(|directory| directory.is_locked()).unwrap_or(false)
}
