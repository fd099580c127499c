//! A pilot: claims trials and runs them until none is left.
//!
//! Anything may start pilots, anywhere, at any time, as many as it likes: a shell, a batch system, a
//! second person. They agree through the folder alone, by the `mkdir` of an attempt.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use crate::PilotError;
use crate::attempt::{Attempt, End, Outcome};
use crate::collect::{conclude, keep_for};
use crate::life::{Life, Watcher};
use crate::looks::{self, Loss};
use crate::owner::Owner;
use crate::process::{self, Handle, to_continue};
use crate::slots::Slot;
use crate::standing::Standing;
use crate::study::{ProgramStudy, loss_of};
use crate::upkeep::stop_word;

/// Between two looks at what other pilots do, and at the clock.
const TICK: Duration = Duration::from_millis(500);

/// How a pilot works.
#[derive(Debug, Clone, Default)]
pub struct PilotOptions {
    /// Trials side by side; by default what the machine has room for.
    pub slots: Option<usize>,
    /// When it must have ended: nothing is begun that would not be done by then, unless it can be
    /// continued.
    pub until: Option<Instant>,
    /// Whether it waits for trials that other pilots run, and takes them over when those are gone.
    pub waits_for_others: bool,
}

/// What happens while a pilot works. `trial` is a place in [`ProgramStudy::trials`].
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A trial was claimed and is started.
    Started {
        /// Which trial.
        trial: usize,
        /// The number of this start.
        attempt: u32,
    },
    /// It said which step it has reached.
    Step {
        /// Which trial.
        trial: usize,
        /// The step.
        step: u64,
    },
    /// It ended here.
    Ended {
        /// Which trial.
        trial: usize,
        /// How.
        end: End,
    },
    /// It was found complete: another pilot ran it, or an earlier one.
    Found {
        /// Which trial.
        trial: usize,
    },
    /// Other pilots run what is left.
    Waiting {
        /// So many trials.
        elsewhere: usize,
    },
}

/// What a pilot did.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Work {
    /// Attempts that ended here.
    pub ended: Vec<(String, End)>,
    /// Whether it was asked to stop, or its time was over.
    pub was_stopped: bool,
}

enum Message {
    Step(usize, u64),
    Ended(usize, Result<End, PilotError>),
    Stop,
}

/// Claims and runs trials.
#[derive(Debug)]
pub struct Pilot<'a> {
    study: &'a ProgramStudy,
    options: PilotOptions,
    stops: Arc<AtomicUsize>,
    sender: Sender<Message>,
    receiver: Receiver<Message>,
}

/// Stops a pilot from another thread, such as the handler of a signal.
#[derive(Debug, Clone)]
pub struct Stopper {
    stops: Arc<AtomicUsize>,
    sender: Sender<Message>,
}

impl Stopper {
    /// Asks the pilot to start no further trial, and its programs to end; the second time they are
    /// ended.
    pub fn stop(&self) {
        self.stops.fetch_add(1, Ordering::SeqCst);
        // When the pilot is gone there is nothing left to wake.
        let _ = self.sender.send(Message::Stop);
    }
}

/// A trial that runs here.
struct Running {
    handle: Handle,
    slot: Slot,
    since: Instant,
    asked: Option<Instant>,
}

/// What the pilot knows of the study.
struct View {
    /// Trials that are not known to be complete or given up, and do not run here.
    pending: BTreeSet<usize>,
    losses: Vec<Loss>,
    watcher: Watcher,
    /// How many of those that are left run elsewhere, or may do so.
    elsewhere: usize,
    unknown: usize,
    /// The longest that an attempt took here, in seconds.
    longest: f64,
    /// Whether no trial would be done in time.
    is_closing: bool,
}

/// A trial that is this pilot's now.
struct Claim {
    trial: usize,
    attempt: Attempt,
    earlier: Vec<Attempt>,
}

impl<'a> Pilot<'a> {
    /// A pilot for a study.
    pub fn new(study: &'a ProgramStudy, options: PilotOptions) -> Self {
        let (sender, receiver) = channel();
        Pilot { study, options, stops: Arc::default(), sender, receiver }
    }

    /// The handle that stops it.
    pub fn stopper(&self) -> Stopper {
        Stopper { stops: Arc::clone(&self.stops), sender: self.sender.clone() }
    }

    /// How many trials run side by side here.
    pub fn slots(&self) -> usize {
        Slot::all(self.options.slots, &self.study.declaration.limits).len()
    }

    /// Works until nothing is left to be claimed. What a program does ends in its [`End`]; an error
    /// is one of the folder itself.
    ///
    /// # Errors
    /// [`PilotError::Io`] and [`PilotError::Store`] when the folder cannot be written,
    /// [`PilotError::LooksChanged`].
    pub fn work(&self, mut on_event: impl FnMut(Event)) -> Result<Work, PilotError> {
        self.study.fix_looks()?;
        let owner = Owner::here();
        let word = stop_word(&self.study.root);
        let mut free = Slot::all(self.options.slots, &self.study.declaration.limits);
        let trials = self.study.trials.len();
        let mut view = View {
            pending: (0..trials).collect(),
            losses: vec![Loss::Pending; trials],
            watcher: Watcher::default(),
            elsewhere: 0,
            unknown: 0,
            longest: 0.0,
            is_closing: false,
        };
        let hearts: Arc<Mutex<BTreeMap<usize, Attempt>>> = Arc::default();
        let mut running: BTreeMap<usize, Running> = BTreeMap::new();
        let mut work = Work::default();
        let mut failure = None;
        thread::scope(|scope| {
            let (alive, pulse) = channel::<()>();
            let period = self.study.declaration.limits.heartbeat;
            let beating = Arc::clone(&hearts);
            scope.spawn(move || beat(&beating, &pulse, period));
            let mut told = usize::MAX;
            loop {
                if stop_word(&self.study.root) != word || self.is_over() {
                    self.stops.fetch_max(1, Ordering::SeqCst);
                }
                let stops = self.stops.load(Ordering::SeqCst);
                let may_claim = stops == 0 && failure.is_none() && !view.is_closing;
                if may_claim && let Some(slot) = free.pop() {
                    match self.claim(&mut view, &owner, &mut on_event) {
                        Ok(Some(claim)) => {
                            let (trial, attempt) = (claim.trial, claim.attempt.number);
                            lock(&hearts).insert(trial, claim.attempt.clone());
                            running.insert(trial, self.start(scope, claim, slot));
                            on_event(Event::Started { trial, attempt });
                            continue;
                        }
                        Ok(None) => free.push(slot),
                        Err(error) => {
                            failure = Some(error);
                            free.push(slot);
                        }
                    }
                }
                if running.is_empty() {
                    let is_done = view.unknown == 0
                        && (view.elsewhere == 0 || !self.options.waits_for_others);
                    if !may_claim || failure.is_some() || is_done {
                        break;
                    }
                    if told != view.elsewhere && view.elsewhere > 0 {
                        told = view.elsewhere;
                        on_event(Event::Waiting { elsewhere: told });
                    }
                }
                self.press(&mut running, stops + usize::from(failure.is_some()));
                match self.receiver.recv_timeout(TICK) {
                    Ok(Message::Step(trial, step)) => on_event(Event::Step { trial, step }),
                    Ok(Message::Ended(trial, end)) => {
                        lock(&hearts).remove(&trial);
                        if let Some(ended) = running.remove(&trial) {
                            free.push(ended.slot);
                        }
                        match end {
                            Ok(end) => {
                                view.longest = view.longest.max(end.seconds);
                                if end.outcome.is_complete() {
                                    view.losses[trial] = loss_of(&Standing::Complete {
                                        attempt: 0,
                                        end: end.clone(),
                                    });
                                } else if end.outcome != Outcome::Interrupted {
                                    // What asked it to stop would do so again.
                                    view.pending.insert(trial);
                                }
                                let name = self.study.trials[trial].name.clone();
                                work.ended.push((name, end.clone()));
                                on_event(Event::Ended { trial, end });
                            }
                            Err(error) => failure = Some(error),
                        }
                    }
                    // This pilot holds a sender itself, so that it cannot be disconnected.
                    Ok(Message::Stop)
                    | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
                }
            }
            drop(alive);
        });
        work.was_stopped = self.stops.load(Ordering::SeqCst) > 0;
        match failure {
            Some(error) => Err(error),
            None => Ok(work),
        }
    }

    /// Is its time over, but for what programs need to end?
    fn is_over(&self) -> bool {
        let grace = self.study.declaration.limits.grace;
        self.options.until.is_some_and(|until| Instant::now() + grace >= until)
    }

    /// Claims the next trial that is to run; absent when there is none.
    fn claim(
        &self,
        view: &mut View,
        owner: &Owner,
        on_event: &mut impl FnMut(Event),
    ) -> Result<Option<Claim>, PilotError> {
        (view.elsewhere, view.unknown) = (0, 0);
        let needs_time = self.study.declaration.resume.is_empty();
        let in_time = |until: Instant| {
            let takes = Duration::try_from_secs_f64(view.longest).unwrap_or_default();
            Instant::now() + takes <= until
        };
        if needs_time && self.options.until.is_some_and(|until| !in_time(until)) {
            view.is_closing = true;
        }
        if view.is_closing {
            return Ok(None);
        }
        if self.study.declaration.looks.is_some() {
            // The rule needs to know what others have done since.
            for trial in view.pending.clone() {
                self.look(view, trial, on_event)?;
            }
        }
        let needed =
            looks::needed(&self.study.declaration, &self.study.trials, |trial| view.losses[trial]);
        for trial in view.pending.clone() {
            if !needed[trial] {
                continue;
            }
            let (standing, attempts) = self.look(view, trial, on_event)?;
            let number = match standing {
                Standing::Waiting { next, .. } => next,
                Standing::Complete { .. } | Standing::GivenUp { .. } => continue,
                Standing::Open { attempt } => {
                    let Some(last) = attempts.last() else { continue };
                    let period = self.study.declaration.limits.heartbeat;
                    match view.watcher.look(last, period) {
                        Life::Alive => {
                            view.elsewhere += 1;
                            continue;
                        }
                        Life::Unknown => {
                            view.unknown += 1;
                            continue;
                        }
                        Life::Gone => attempt + 1,
                    }
                }
            };
            let folder = &self.study.trials[trial].folder;
            match Attempt::claim(folder, number, owner)? {
                Some(attempt) => {
                    view.pending.remove(&trial);
                    return Ok(Some(Claim { trial, attempt, earlier: attempts }));
                }
                None => view.elsewhere += 1,
            }
        }
        Ok(None)
    }

    /// Looks where a trial stands, and remembers what cannot change any more.
    fn look(
        &self,
        view: &mut View,
        trial: usize,
        on_event: &mut impl FnMut(Event),
    ) -> Result<(Standing, Vec<Attempt>), PilotError> {
        let (standing, attempts) = self.study.standing(&self.study.trials[trial])?;
        view.losses[trial] = loss_of(&standing);
        if matches!(standing, Standing::Complete { .. } | Standing::GivenUp { .. }) {
            view.pending.remove(&trial);
            on_event(Event::Found { trial });
        }
        Ok((standing, attempts))
    }

    /// Runs an attempt on a thread of its own.
    fn start<'scope>(&self, scope: &'scope Scope<'scope, '_>, claim: Claim, slot: Slot) -> Running
    where
        'a: 'scope,
    {
        let handle = Handle::default();
        let running = Running {
            handle: handle.clone(),
            slot: slot.clone(),
            since: Instant::now(),
            asked: None,
        };
        let sender = self.sender.clone();
        let study = self.study;
        scope.spawn(move || {
            let trial = claim.trial;
            let steps = sender.clone();
            let mut last = None::<Instant>;
            let on_step = move |step| {
                if last.is_none_or(|last| last.elapsed() >= TICK) {
                    last = Some(Instant::now());
                    // The pilot outlives this thread.
                    let _ = steps.send(Message::Step(trial, step));
                }
            };
            let end = attempt(study, &claim, &slot, &handle, on_step);
            let _ = sender.send(Message::Ended(trial, end));
        });
        running
    }

    /// Asks programs to end whose time is over, or all of them; those that do not are ended.
    fn press(&self, running: &mut BTreeMap<usize, Running>, stops: usize) {
        let limits = &self.study.declaration.limits;
        let signal = self.study.declaration.stop_signal;
        for one in running.values_mut() {
            let is_late = limits.time.is_some_and(|time| one.since.elapsed() >= time);
            match one.asked {
                None if stops > 0 => one.handle.stop(signal),
                None if is_late => one.handle.out_of_time(signal),
                None => continue,
                Some(at) if stops > 1 || at.elapsed() >= limits.grace => {
                    one.handle.kill();
                    continue;
                }
                Some(_) => continue,
            }
            one.asked = Some(Instant::now());
        }
    }
}

/// One attempt from its start to its end on disk.
fn attempt(
    study: &ProgramStudy,
    claim: &Claim,
    slot: &Slot,
    handle: &Handle,
    on_step: impl FnMut(u64) + Send,
) -> Result<End, PilotError> {
    let trial = &study.trials[claim.trial];
    let declaration = &study.declaration;
    for attempt in &claim.earlier {
        attempt.end_orphan();
    }
    let told = process::Study { declaration, home: &study.root, trial };
    let previous = to_continue(&told, &claim.earlier);
    if let Some(previous) = previous {
        keep_for(declaration, trial, previous, &claim.attempt)?;
    }
    let exit = process::run(&told, &claim.attempt, previous, slot, handle, on_step)?;
    let resumed_from = previous.map(|attempt| attempt.number);
    let end = conclude(declaration, trial, &claim.attempt, &exit, resumed_from)?;
    claim.attempt.write_end(&end)?;
    Ok(end)
}

/// Gives signs of life for what runs here, until the other end of the channel is closed.
fn beat(hearts: &Mutex<BTreeMap<usize, Attempt>>, pulse: &Receiver<()>, period: Duration) {
    let mut count = 0;
    while let Err(RecvTimeoutError::Timeout) = pulse.recv_timeout(period) {
        count += 1;
        for attempt in lock(hearts).values() {
            // A sign that cannot be given costs work at worst.
            let _ = attempt.beat(count);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
