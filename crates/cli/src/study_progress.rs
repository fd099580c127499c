//! A pilot at work, on a terminal and elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use wd_page::number;
use wd_pilot::{Event, Outcome, ProgramStudy};

/// One line for the whole study, and a line for each trial that ends.
pub(crate) struct StudyProgress<'a> {
    study: &'a ProgramStudy,
    bar: ProgressBar,
    is_terminal: bool,
    slots: usize,
    /// Trials that have a result, or will get none.
    settled: BTreeSet<usize>,
    running: BTreeMap<usize, u64>,
    /// Seconds of the attempts that ended here.
    seconds: f64,
    ended: usize,
    started: Instant,
}

impl<'a> StudyProgress<'a> {
    pub(crate) fn new(study: &'a ProgramStudy, slots: usize) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let bar = match is_terminal {
            true => ProgressBar::new(study.trials().len() as u64),
            false => ProgressBar::hidden(),
        };
        bar.set_style(
            ProgressStyle::with_template("{bar:24} {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        StudyProgress {
            study,
            bar,
            is_terminal,
            slots,
            settled: BTreeSet::new(),
            running: BTreeMap::new(),
            seconds: 0.0,
            ended: 0,
            started: Instant::now(),
        }
    }

    pub(crate) fn show(&mut self, event: &Event) {
        match event {
            Event::Started { trial, attempt } => {
                self.running.insert(*trial, 0);
                if *attempt > 1 {
                    self.say(format!("{}: attempt {attempt}", self.name(*trial)));
                }
            }
            Event::Step { trial, step } => drop(self.running.insert(*trial, *step)),
            Event::Found { trial } => drop(self.settled.insert(*trial)),
            Event::Waiting { elsewhere } => {
                let what = wd_page::counted(elsewhere, "trial");
                self.say(format!("waiting for {what} that other pilots run"));
            }
            Event::Ended { trial, end } => {
                self.running.remove(trial);
                self.seconds += end.seconds;
                self.ended += 1;
                if end.outcome.is_complete() {
                    self.settled.insert(*trial);
                }
                let loss = end.loss().map(|loss| format!(", loss {}", number::measured(loss)));
                let reason = match end.outcome {
                    Outcome::Finished => String::new(),
                    _ => format!(": {}", end.reason),
                };
                self.say(format!(
                    "{}: {} in {}{}{reason}",
                    self.name(*trial),
                    end.outcome.word(),
                    number::duration(end.seconds),
                    loss.unwrap_or_default(),
                ));
            }
        }
        self.bar.set_position(self.settled.len() as u64);
        self.bar.set_message(self.message());
    }

    fn message(&self) -> String {
        let (total, done) = (self.study.trials().len(), self.settled.len());
        let steps: Vec<String> = self
            .running
            .iter()
            .filter(|(_, step)| **step > 0)
            .take(3)
            .map(|(trial, step)| format!("{} step {step}", self.name(*trial)))
            .collect();
        // Each slot takes its share of what is left, at the speed seen so far.
        let left = match self.ended {
            0 => "unknown".to_owned(),
            ended => {
                let each = self.seconds / ended as f64;
                number::duration(each * (total - done) as f64 / self.slots.max(1) as f64)
            }
        };
        let elapsed = number::duration(self.started.elapsed().as_secs_f64());
        let running = self.running.len();
        format!(
            "{done} of {total} trials, {running} running  {elapsed}  ETA {left}  {}",
            steps.join("  ")
        )
    }

    fn name(&self, trial: usize) -> &'a str {
        self.study.trials().get(trial).map_or("", |trial| trial.name.as_str())
    }

    fn say(&self, line: String) {
        match self.is_terminal {
            true => self.bar.println(line),
            false => eprintln!("{line}"),
        }
    }

    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
