//! Where a study stands: of each trial what became of it, and who works on what.

use std::collections::BTreeMap;

use serde::Serialize;
use wd_page::{Content, Page, Section, Table, counted, number};

use crate::PilotError;
use crate::attempt::{Attempt, Outcome};
use crate::life::{Life, Watcher};
use crate::looks::{self, ArmLook};
use crate::standing::{Standing, failures};
use crate::study::ProgramStudy;

/// What became of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It has a result.
    Finished,
    /// It has a result: its loss is not finite.
    Diverged,
    /// A pilot of this machine runs it.
    Running,
    /// A pilot of another machine claimed it; whether that one lives, a pilot that watches can tell.
    Claimed,
    /// Its pilot is gone; the next one starts it again.
    Abandoned,
    /// It was asked to stop; the next pilot goes on.
    Interrupted,
    /// It failed as often as it may.
    Failed,
    /// The sequential rule asks for it no more.
    NotNeeded,
    /// Nobody has started it.
    Waiting,
}

impl State {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            State::Finished => "finished",
            State::Diverged => "diverged",
            State::Running => "running",
            State::Claimed => "claimed",
            State::Abandoned => "abandoned",
            State::Interrupted => "interrupted",
            State::Failed => "failed",
            State::NotNeeded => "not needed",
            State::Waiting => "waiting",
        }
    }
}

/// A trial in the status.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrialStatus {
    /// Its name.
    pub name: String,
    /// What became of it.
    pub state: State,
    /// Starts.
    pub attempts: usize,
    /// The attempt that counts, or else the last one.
    pub attempt: Option<u32>,
    /// The last step of its deciding loss.
    pub step: Option<u64>,
    /// Its deciding loss.
    pub loss: Option<f64>,
    /// Wall-clock seconds of that attempt.
    pub seconds: Option<f64>,
    /// Who claimed it.
    pub host: Option<String>,
    /// Why, where it has no result.
    pub reason: String,
    /// Where it says what it did.
    pub log: Option<std::path::PathBuf>,
}

/// Where a study stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StudyStatus {
    /// The title.
    pub title: String,
    /// How many trials are in which state.
    pub counts: BTreeMap<State, usize>,
    /// Every trial.
    pub trials: Vec<TrialStatus>,
    /// The sequential rule, in words, and the arms as it sees them.
    pub rule: Option<String>,
    /// The arms as the rule sees them.
    pub looks: Vec<ArmLook>,
    /// What should be known besides, in sentences.
    pub remarks: Vec<String>,
    /// What waits and runs in the cluster's queue, where one was asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub queue: Vec<String>,
}

impl StudyStatus {
    /// Trials without a result that are still asked for.
    pub fn left(&self) -> usize {
        let is_left = |trial: &&TrialStatus| {
            !matches!(trial.state, State::Finished | State::Diverged | State::NotNeeded)
        };
        self.trials.iter().filter(is_left).count()
    }

    /// Trials in a state.
    pub fn count(&self, state: State) -> usize {
        self.counts.get(&state).copied().unwrap_or(0)
    }
}

impl ProgramStudy {
    /// Where the study stands. Nothing is written.
    ///
    /// # Errors
    /// [`PilotError::Io`] when a folder cannot be listed.
    pub fn status(&self) -> Result<StudyStatus, PilotError> {
        let losses = self.losses()?;
        let loss = |trial: usize| losses[trial];
        let needed = looks::needed(&self.declaration, &self.trials, loss);
        let mut watcher = Watcher::default();
        let mut remarks = Vec::new();
        let mut trials = Vec::with_capacity(self.trials.len());
        for (trial, is_needed) in self.trials.iter().zip(needed) {
            let (standing, attempts) = self.standing(trial)?;
            let mut status = self.trial_status(&standing, &attempts, &mut watcher);
            status.name.clone_from(&trial.name);
            if matches!(status.state, State::Waiting) && !is_needed {
                status.state = State::NotNeeded;
            }
            remarks.extend(disagreement(&trial.name, &attempts));
            trials.push(status);
        }
        let others = self.others()?.len();
        if others > 0 {
            remarks.push(format!(
                "{} under trials/ do not follow from the study file as it is: their values were \
                 taken out, or the command or an input was changed since. They count for nothing \
                 here.",
                counted(others, "folder")
            ));
        }
        let mut counts: BTreeMap<State, usize> = BTreeMap::new();
        for trial in &trials {
            *counts.entry(trial.state).or_default() += 1;
        }
        Ok(StudyStatus {
            title: self.declaration.title.clone(),
            counts,
            trials,
            rule: self.declaration.looks.as_ref().map(|looks| looks::words(Some(looks))),
            looks: looks::arms(&self.declaration, &self.trials, loss),
            remarks,
            queue: Vec::new(),
        })
    }

    fn trial_status(
        &self,
        standing: &Standing,
        attempts: &[Attempt],
        watcher: &mut Watcher,
    ) -> TrialStatus {
        let (state, number, end) = match standing {
            Standing::Complete { attempt, end } => match end.outcome {
                Outcome::Diverged => (State::Diverged, Some(*attempt), Some(end.clone())),
                _ => (State::Finished, Some(*attempt), Some(end.clone())),
            },
            Standing::Open { attempt } => {
                let period = self.declaration.limits.heartbeat;
                let life = attempts.last().map(|last| watcher.look(last, period));
                let state = match life {
                    Some(Life::Alive) => State::Running,
                    Some(Life::Gone) => State::Abandoned,
                    _ => State::Claimed,
                };
                (state, Some(*attempt), None)
            }
            Standing::GivenUp { attempt, end } => (State::Failed, Some(*attempt), end.clone()),
            Standing::Waiting { next, last } => match last {
                Some(end) if end.outcome == Outcome::Interrupted => {
                    (State::Interrupted, Some(next - 1), last.clone())
                }
                _ => (State::Waiting, Some(next - 1).filter(|last| *last > 0), last.clone()),
            },
        };
        let attempt = attempts.iter().find(|one| Some(one.number) == number);
        let owner = attempt.and_then(Attempt::owner);
        let failed = failures(attempts);
        let mut reason = end.as_ref().map(|end| end.reason.clone()).unwrap_or_default();
        if state == State::Waiting && failed > 0 {
            reason = format!("failed {}: {reason}", counted(failed, "time"));
        }
        TrialStatus {
            name: String::new(),
            state,
            attempts: attempts.len(),
            attempt: number,
            step: end.as_ref().and_then(|end| end.step),
            loss: end.as_ref().and_then(crate::attempt::End::loss),
            seconds: end.as_ref().map(|end| end.seconds),
            host: owner.map(|owner| match owner.job {
                Some(job) => format!("{}, job {job}", owner.host),
                None => owner.host,
            }),
            reason,
            log: attempt.map(Attempt::log_path),
        }
    }
}

/// Two complete attempts of a trial whose losses differ: its program is not deterministic. The first
/// one counts.
fn disagreement(name: &str, attempts: &[Attempt]) -> Option<String> {
    let complete = attempts.iter().filter_map(|attempt| {
        let end = attempt.end().filter(|end| end.outcome.is_complete())?;
        Some((attempt.number, end.loss()))
    });
    let complete: Vec<(u32, Option<f64>)> = complete.collect();
    let (first, loss) = complete.first()?;
    let (other, _) = complete.iter().find(|(_, other)| other != loss)?;
    Some(format!(
        "{name} was completed by attempts {first} and {other} with different losses; attempt \
         {first} counts."
    ))
}

impl StudyStatus {
    /// The page.
    pub fn page(&self) -> Page {
        let mut contents = Vec::new();
        let counts = self
            .counts
            .iter()
            .map(|(state, count)| (state.word().to_owned(), number::count(*count as u64)));
        contents.push(Content::Facts(counts.collect()));
        let told: Vec<&TrialStatus> = self
            .trials
            .iter()
            .filter(|trial| {
                !matches!(trial.state, State::Finished | State::Waiting | State::NotNeeded)
                    || (trial.state == State::Waiting && !trial.reason.is_empty())
            })
            .collect();
        if !told.is_empty() {
            let mut table = Table::new(&["trial", "state", "why or where", "attempts"], 3);
            for trial in told {
                let first = trial.reason.lines().next().unwrap_or_default();
                let why = match (first, &trial.host) {
                    ("", Some(host)) => host.clone(),
                    (reason, _) => reason.to_owned(),
                };
                let attempts = trial.attempts.to_string();
                let row = [trial.name.clone(), trial.state.word().to_owned(), why, attempts];
                table.rows.push(row.to_vec());
            }
            contents.push(Content::Table(table));
        }
        let failed = self.trials.iter().filter(|trial| trial.state == State::Failed);
        for trial in failed.take(3) {
            if let Some(log) = &trial.log {
                let text = format!("What {} said: {}", trial.name, log.display());
                contents.push(Content::Paragraph(text));
            }
        }
        contents.extend(self.look_contents());
        contents.extend(self.remarks.iter().cloned().map(Content::Paragraph));
        contents.extend(self.queue.iter().cloned().map(Content::Paragraph));
        Page {
            kind: "Where a study stands",
            title: self.title.clone(),
            lead: self.lead(),
            sections: vec![Section::terminal(contents)],
            ..Page::default()
        }
    }

    fn lead(&self) -> String {
        let total = counted(self.trials.len(), "trial");
        let done = self.count(State::Finished) + self.count(State::Diverged);
        match (self.left(), self.count(State::NotNeeded)) {
            (0, 0) => format!("{}: all {total} have a result.", self.title),
            (0, not) => format!(
                "{}: {done} of {total} have a result, and the rule asks for no more ({not} not \
                 needed).",
                self.title
            ),
            (left, _) => format!("{}: {done} of {total} have a result, {left} left.", self.title),
        }
    }

    /// What the sequential rule says.
    fn look_contents(&self) -> Vec<Content> {
        let Some(rule) = &self.rule else { return Vec::new() };
        let mut table = Table::new(
            &["λ", "decided?", "difference", "p or E", "threshold", "pairs", "beyond"],
            2,
        );
        for arm in &self.looks {
            let others: Vec<String> =
                arm.settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
            let lambda = format!("{} {}", arm.lambda, others.join(",")).trim().to_owned();
            let (statistic, threshold, said) = match arm.look {
                None => (number::MISSING.to_owned(), number::MISSING.to_owned(), "not yet"),
                Some(look) => {
                    let said = match (look.is_decided, look.is_over) {
                        (true, _) => "yes",
                        (false, true) => "no, and no seed is left",
                        (false, false) => "not yet",
                    };
                    (number::short(look.statistic), number::short(look.threshold), said)
                }
            };
            let mean = arm.mean_difference.map_or(number::MISSING.to_owned(), number::measured);
            table.rows.push(vec![
                lambda,
                said.to_owned(),
                mean,
                statistic,
                threshold,
                arm.pairs.to_string(),
                arm.beyond.to_string(),
            ]);
        }
        vec![
            Content::Paragraph(format!("The rule, fixed before the first look: {rule}.")),
            Content::Table(table),
        ]
    }
}
