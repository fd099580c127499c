//! How far the runs of a study are, and what is seen of those that still run.
//!
//! The analysis compares runs that were trained to the end. Here are the others: how far each came,
//! how long it will take, and the training loss of every arm up to where all of its seeds are.

use std::time::SystemTime;

use serde::Serialize;
use wd_statistics::PairedDifference;
use wd_store::{EventKind, RunDirectory, Status};

use crate::analysis::arms::{Members, gather, without_seed};
use crate::analysis::pairs::baseline_of;
use crate::analysis::window::{centre, window_means, windows};
use crate::analysis::{Band, measured::Measured};
use crate::{LabError, Record};

/// How far the runs of a study are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Progress {
    /// Every run.
    pub runs: Vec<RunProgress>,
    /// Seconds until every run is done at the present speed; absent where nothing runs.
    pub seconds_left: Option<f64>,
    /// The arms of which a run is under way, and those without decay that they are compared with.
    pub arms: Vec<ArmProgress>,
}

/// How far one run is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunProgress {
    /// Its name.
    pub name: String,
    /// How it stands.
    pub state: State,
    /// Steps done.
    pub step: u64,
    /// Steps planned; absent where no plan says.
    pub steps: Option<u64>,
    /// Its last training loss.
    pub loss: Option<f64>,
    /// Seconds until it is done at its present speed; absent unless it runs.
    pub seconds_left: Option<f64>,
    /// What ended it, where it ended badly.
    pub reason: String,
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// A process trains it.
    Running,
    /// It was begun, and nothing trains it.
    Interrupted,
    /// Nobody has started it.
    Waiting,
    /// Its loss, gradient or a weight was not finite.
    Diverged,
    /// Every step was done.
    Finished,
}

impl State {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            State::Running => "running",
            State::Interrupted => "interrupted",
            State::Waiting => "waiting",
            State::Diverged => "diverged",
            State::Finished => "finished",
        }
    }

    /// How a run with this status stands.
    pub fn of(status: &Status) -> Self {
        match status {
            Status::New => State::Waiting,
            Status::Running { .. } => State::Running,
            Status::Interrupted { .. } => State::Interrupted,
            Status::Diverged { .. } => State::Diverged,
            Status::Finished { .. } => State::Finished,
        }
    }
}

/// The training loss of an arm, of runs that finished and of runs under way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArmProgress {
    /// Its label.
    pub label: String,
    /// λ.
    pub lambda: f64,
    /// What its losses are in.
    pub loss_unit: String,
    /// Mean and 95 % interval over the seeds that came that far, a window each.
    pub train_loss: Vec<Band>,
    /// The same of the differences to runs of equal seed without decay.
    pub difference: Vec<Band>,
}

/// A run of an arm: its seed, and the mean training loss of each window that it has done.
type Windows = (u64, Vec<f64>);

impl Progress {
    /// How far some runs are, each with its name.
    ///
    /// # Errors
    /// [`LabError::Store`] when the metrics of a run are damaged.
    pub fn of(runs: &[(&str, &Record)]) -> Result<Self, LabError> {
        let told = runs.iter().map(|(name, record)| run(name, record));
        let told: Vec<RunProgress> = told.collect::<Result<_, LabError>>()?;
        let records: Vec<&Record> = runs.iter().map(|(_, record)| *record).collect();
        Ok(Progress { seconds_left: seconds_left(&told), runs: told, arms: arms(&records)? })
    }

    /// How many runs stand so.
    pub fn count(&self, state: State) -> usize {
        self.runs.iter().filter(|run| run.state == state).count()
    }

    /// Runs that have no result yet.
    pub fn left(&self) -> usize {
        self.runs.len() - self.count(State::Finished) - self.count(State::Diverged)
    }
}

/// How far one run is.
fn run(name: &str, record: &Record) -> Result<RunProgress, LabError> {
    let (step, reason) = match &record.status {
        Status::New => (0, String::new()),
        Status::Running { step } | Status::Interrupted { step } | Status::Finished { step } => {
            (*step, String::new())
        }
        Status::Diverged { step, message, .. } => (*step, message.clone()),
    };
    let steps = record.plan.as_ref().map(|plan| plan.steps);
    let state = State::of(&record.status);
    // Of what has ended the analysis tells the loss.
    let is_under_way = matches!(state, State::Running | State::Interrupted);
    let last = if is_under_way { record.series()?.at_end("train_loss") } else { f64::NAN };
    let speed = (state == State::Running).then(|| steps_a_second(record, step)).flatten();
    Ok(RunProgress {
        name: name.to_owned(),
        state,
        step,
        steps,
        loss: last.is_finite().then_some(last),
        seconds_left: steps
            .zip(speed)
            .map(|(steps, speed)| steps.saturating_sub(step) as f64 / speed),
        reason,
    })
}

/// The speed of a run since its process started it.
fn steps_a_second(record: &Record, step: u64) -> Option<f64> {
    let events = RunDirectory::open(record.directory()?).ok()?.events().ok()?.events;
    let is_start = |kind: EventKind| matches!(kind, EventKind::Started | EventKind::Resumed);
    let start = events.iter().rev().find(|event| is_start(event.kind))?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs_f64();
    let speed = step.saturating_sub(start.step) as f64 / (now - start.time_unix);
    (speed.is_finite() && speed > 0.0).then_some(speed)
}

/// Seconds until all is done: those of the running runs, and the waiting ones shared among as many
/// processes.
fn seconds_left(runs: &[RunProgress]) -> Option<f64> {
    let running: Vec<&RunProgress> = runs.iter().filter(|run| run.seconds_left.is_some()).collect();
    let longest = running.iter().filter_map(|run| run.seconds_left).fold(0.0, f64::max);
    let speeds = running.iter().filter_map(|run| {
        let left = run.steps?.saturating_sub(run.step) as f64;
        Some(left / run.seconds_left?)
    });
    let together: f64 = speeds.filter(|speed| speed.is_finite()).sum();
    let usual = running.iter().filter_map(|run| run.steps).max()?;
    let waiting =
        runs.iter().filter(|run| matches!(run.state, State::Waiting | State::Interrupted));
    let steps: u64 = waiting
        .chain(running.iter().copied())
        .map(|run| run.steps.unwrap_or(usual).saturating_sub(run.step))
        .sum();
    (together > 0.0).then(|| (steps as f64 / together).max(longest))
}

/// The arms of which a run is under way, with those that they are compared with.
fn arms(records: &[&Record]) -> Result<Vec<ArmProgress>, LabError> {
    let is_under_way = |record: &Record| {
        let has_rows = matches!(record.status, Status::Running { .. } | Status::Interrupted { .. });
        has_rows && record.plan.is_some()
    };
    if !records.iter().any(|record| is_under_way(record)) {
        return Ok(Vec::new());
    }
    let members = gather(records)?;
    let mut of_arm: Vec<Vec<Windows>> = Vec::with_capacity(members.len());
    let mut is_shown = vec![false; members.len()];
    for (index, one) in members.iter().enumerate() {
        let mut runs = Vec::new();
        for record in records.iter().filter(|record| belongs(record, one)) {
            is_shown[index] |= is_under_way(record);
            runs.extend(so_far(record, one)?);
        }
        of_arm.push(runs);
    }
    let baselines: Vec<Option<usize>> =
        (0..members.len()).map(|arm| baseline_of(&members, arm)).collect();
    for arm in 0..members.len() {
        if let (true, Some(baseline)) = (is_shown[arm], baselines[arm]) {
            is_shown[baseline] = true;
        }
    }
    let shown = (0..members.len()).filter(|arm| is_shown[*arm]);
    let told = shown.map(|arm| {
        let steps: Vec<f64> = windows(members[arm].arm.steps as usize).iter().map(centre).collect();
        let baseline = baselines[arm].filter(|baseline| {
            *baseline != arm && members[*baseline].arm.steps == members[arm].arm.steps
        });
        let data = &members[arm].arm;
        ArmProgress {
            label: data.label.clone(),
            lambda: data.lambda,
            loss_unit: data.loss_unit.clone(),
            train_loss: bands(&steps, &of_arm[arm]),
            difference: baseline
                .map(|baseline| differences(&steps, &of_arm[arm], &of_arm[baseline]))
                .unwrap_or_default(),
        }
    });
    Ok(told.collect())
}

fn belongs(record: &Record, members: &Members) -> bool {
    let corpus = record.plan.as_ref().map_or("", |plan| plan.corpus_hash.as_str());
    without_seed(record) == members.configuration && corpus == members.corpus()
}

/// The windows of a run that are complete; none of a run that diverged or never began.
fn so_far(record: &Record, members: &Members) -> Result<Option<Windows>, LabError> {
    if let Some(Measured { train_loss, .. }) = record.measured()? {
        return Ok(Some((record.seed(), train_loss.clone())));
    }
    if matches!(record.status, Status::Diverged { .. } | Status::New) {
        return Ok(None);
    }
    let steps = members.arm.steps as usize;
    let curve = record.series()?.curve("train_loss");
    let done = curve.steps.last().copied().unwrap_or(0) as usize;
    let whole = windows(steps).iter().take_while(|window| window.end <= done).count();
    let mut means = window_means(&curve, steps);
    means.truncate(whole);
    Ok(Some((record.seed(), means)))
}

fn bands(steps: &[f64], runs: &[Windows]) -> Vec<Band> {
    let places = steps.iter().enumerate();
    let band = places.map(|(window, step)| {
        let values: Vec<f64> =
            runs.iter().filter_map(|(_, means)| means.get(window).copied()).collect();
        Band::of(*step, &values)
    });
    band.flatten().collect()
}

fn differences(steps: &[f64], with: &[Windows], without: &[Windows]) -> Vec<Band> {
    let places = steps.iter().enumerate();
    let band = places.map(|(window, step)| {
        let pairs = with.iter().filter_map(|(seed, means)| {
            let (_, other) = without.iter().find(|(other, _)| other == seed)?;
            Some((*seed, means.get(window)? - other.get(window)?))
        });
        Band::of_interval(*step, PairedDifference::of(pairs.collect()).interval)
    });
    band.flatten().collect()
}
