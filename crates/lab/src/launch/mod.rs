//! Starting the processes of a study, a few at a time.
//!
//! A trial is a command that may be started, killed and started again: it continues its run
//! directory. The launcher starts [`Launcher::jobs`] of them side by side, passes on what they say,
//! and lets one that fails not stop the others. Between two lines of a child it sleeps in blocking
//! reads; a study costs what its children cost.
//!
//! A trial that another process is training (that of another launcher, or one whose launcher was
//! killed) is waited for, and its result taken; if it ends without one, the trial is started here.
//! A child ends by itself, with a checkpoint, when its standard input does: the launcher holds the
//! other end open for as long as it lives.
//!
//! The child prints one JSON line for each tick of progress on its standard output ([`Progress`]);
//! its standard error, and any other line of its standard output, is appended to `log.txt` in the
//! trial's directory. Its exit status means:
//!
//! | status | meaning |
//! |---|---|
//! | 0 | finished |
//! | 3 | diverged: a result, not a failure |
//! | 130 | interrupted, can be continued |
//! | other, or a signal | failed |

mod child;
mod outcome;

use std::collections::{HashMap, VecDeque};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::study::Trial;
pub use outcome::{Outcome, Progress, Report};

use child::Running;

/// After an interrupt, how long children may take to end by themselves (they write a checkpoint)
/// before they are told.
const GRACE: Duration = Duration::from_secs(5);

/// Between two looks at trials that another process trains: a look is a file opened and locked.
const LOOK: Duration = Duration::from_millis(500);

/// What happens while trials run. `trial` is an index into the trials that were given.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Its process was started.
    Started {
        /// Which trial.
        trial: usize,
    },
    /// Another process trains it, and is waited for.
    Elsewhere {
        /// Which trial.
        trial: usize,
    },
    /// It said how far it is.
    Progress {
        /// Which trial.
        trial: usize,
        /// How far.
        progress: Progress,
    },
    /// It is over, or was never started.
    Ended {
        /// Which trial.
        trial: usize,
        /// How it ended.
        outcome: Outcome,
    },
}

/// What the threads that watch the children tell the launcher.
enum Message {
    Progress(usize, Progress),
    Ended(usize, Outcome),
    Interrupt,
}

/// Starts trials side by side.
#[derive(Debug)]
pub struct Launcher {
    jobs: usize,
    interrupted: Arc<AtomicBool>,
    sender: Sender<Message>,
    receiver: Receiver<Message>,
}

/// Stops a launcher from another thread, such as the handler of Ctrl-C.
#[derive(Debug, Clone)]
pub struct Interrupter {
    interrupted: Arc<AtomicBool>,
    sender: Sender<Message>,
}

impl Interrupter {
    /// Asks the launcher to start no further trial and to wait for those that run. From a terminal
    /// the children have received Ctrl-C themselves, being of the same process group; those that
    /// still run after five seconds, or at a second call, are sent SIGTERM.
    pub fn interrupt(&self) {
        self.interrupted.store(true, Ordering::SeqCst);
        // When the launcher is gone there is nothing left to wake.
        let _ = self.sender.send(Message::Interrupt);
    }
}

impl Launcher {
    /// A launcher of `jobs` processes at a time (at least one).
    pub fn new(jobs: usize) -> Self {
        let (sender, receiver) = channel();
        Launcher { jobs: jobs.max(1), interrupted: Arc::default(), sender, receiver }
    }

    /// How many processes run at a time.
    pub fn jobs(&self) -> usize {
        self.jobs
    }

    /// The handle that stops this launcher.
    pub fn interrupter(&self) -> Interrupter {
        Interrupter { interrupted: Arc::clone(&self.interrupted), sender: self.sender.clone() }
    }

    /// Runs every trial that is neither finished nor diverged already, and returns how each ended,
    /// in their order.
    ///
    /// `command` makes the process of a trial; its standard streams are set here. `on_event` is
    /// called on this thread. Failures are outcomes, not errors: nothing that a child does stops
    /// the others.
    pub fn run(
        &self,
        trials: &[Trial],
        mut command: impl FnMut(&Trial) -> Command,
        mut on_event: impl FnMut(Event),
    ) -> Report {
        let started = Instant::now();
        let mut outcomes: Vec<Option<Outcome>> = vec![None; trials.len()];
        let mut waiting: VecDeque<usize> = (0..trials.len()).collect();
        // Trials that another process trains.
        let mut elsewhere: Vec<usize> = Vec::new();
        let mut looked_at = started;
        let mut running: HashMap<usize, Running> = HashMap::new();
        let mut interrupted_at: Option<Instant> = None;
        let mut told = false;

        thread::scope(|scope| {
            loop {
                if !elsewhere.is_empty() && looked_at.elapsed() >= LOOK {
                    looked_at = Instant::now();
                    let here: Vec<usize> = elsewhere
                        .extract_if(.., |trial| !outcome::is_elsewhere(&trials[*trial]))
                        .collect();
                    waiting.extend(here);
                }
                while !self.interrupted.load(Ordering::SeqCst)
                    && running.len() < self.jobs
                    && let Some(trial) = waiting.pop_front()
                {
                    if outcome::is_elsewhere(&trials[trial]) {
                        elsewhere.push(trial);
                        on_event(Event::Elsewhere { trial });
                        continue;
                    }
                    let outcome = match outcome::already_over(&trials[trial]) {
                        Some(outcome) => outcome,
                        None => match Running::start(&trials[trial], command(&trials[trial])) {
                            Ok((child, watch)) => {
                                running.insert(trial, child);
                                let sender = self.sender.clone();
                                scope.spawn(move || watch.until_the_end(trial, &sender));
                                on_event(Event::Started { trial });
                                continue;
                            }
                            Err(outcome) => outcome,
                        },
                    };
                    outcomes[trial] = Some(outcome.clone());
                    on_event(Event::Ended { trial, outcome });
                }
                let is_interrupted = self.interrupted.load(Ordering::SeqCst);
                if running.is_empty() && (elsewhere.is_empty() || is_interrupted) {
                    break;
                }
                let wait = match interrupted_at {
                    Some(at) if !told => GRACE.saturating_sub(at.elapsed()),
                    None if !elsewhere.is_empty() => LOOK,
                    _ => Duration::MAX,
                };
                // An error is the end of the wait: the launcher holds a sender itself, so that it
                // cannot be disconnected.
                match self.receiver.recv_timeout(wait).ok() {
                    Some(Message::Progress(trial, progress)) => {
                        on_event(Event::Progress { trial, progress })
                    }
                    Some(Message::Ended(trial, outcome)) => {
                        running.remove(&trial);
                        let failed = matches!(outcome, Outcome::Failed { .. });
                        if failed && outcome::is_elsewhere(&trials[trial]) {
                            // Another process was quicker.
                            elsewhere.push(trial);
                            on_event(Event::Elsewhere { trial });
                            continue;
                        }
                        let outcome = match self.interrupted.load(Ordering::SeqCst) {
                            true => outcome.after_interrupt(),
                            false => outcome,
                        };
                        outcomes[trial] = Some(outcome.clone());
                        on_event(Event::Ended { trial, outcome });
                    }
                    Some(Message::Interrupt) if interrupted_at.is_none() => {
                        interrupted_at = Some(Instant::now())
                    }
                    // Time to look again.
                    None if interrupted_at.is_none() => {}
                    Some(Message::Interrupt) | None => {
                        running.values().for_each(Running::terminate);
                        told = true;
                    }
                }
            }
        });

        let outcomes = outcomes
            .into_iter()
            .enumerate()
            .map(|(trial, outcome)| {
                outcome.unwrap_or_else(|| {
                    on_event(Event::Ended { trial, outcome: Outcome::NotStarted });
                    Outcome::NotStarted
                })
            })
            .collect();
        Report { outcomes, elapsed: started.elapsed() }
    }
}
