//! Progress of one run: a bar on a terminal, plain lines elsewhere, JSON lines for a program.

use std::{
    io::{IsTerminal, Write},
    time::{Duration, Instant},
};

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use wd_lab::launch::Progress;
use wd_page::number;
use wd_train::{Observer, RunPlan};

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressKind {
    /// A bar on a terminal, plain lines elsewhere
    Auto,
    /// One plain line every few seconds
    Plain,
    /// One JSON object a line on standard output
    Json,
    /// Nothing but notes and the outcome
    None,
}

/// Shows a run to whoever started it.
pub(crate) enum RunProgress {
    Bar(ProgressBar),
    Plain { last: Option<Instant> },
    Json { last: Option<Instant> },
    None,
}

/// Between two plain lines.
const PLAIN_EVERY: Duration = Duration::from_secs(5);
/// Between two JSON lines: often enough for a bar, rare enough to cost nothing.
const JSON_EVERY: Duration = Duration::from_millis(250);

impl RunProgress {
    pub(crate) fn new(kind: ProgressKind) -> Self {
        match kind {
            ProgressKind::Auto if std::io::stderr().is_terminal() => {
                RunProgress::Bar(ProgressBar::hidden())
            }
            ProgressKind::Auto | ProgressKind::Plain => RunProgress::Plain { last: None },
            ProgressKind::Json => RunProgress::Json { last: None },
            ProgressKind::None => RunProgress::None,
        }
    }

    /// Clears the bar.
    pub(crate) fn finish(&self) {
        if let RunProgress::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// One line about a moment of a run.
pub(crate) fn line(progress: &Progress) -> String {
    format!(
        "loss {:.4}  lr {:.2e}  λ {}  {} {}/s  ETA {}",
        progress.loss,
        progress.learning_rate,
        number::short(progress.lambda),
        number::rate(progress.samples_per_second),
        progress.unit.name(),
        number::duration(progress.eta_seconds),
    )
}

fn is_due(last: &mut Option<Instant>, every: Duration, progress: &Progress) -> bool {
    let due = progress.step == progress.steps || last.is_none_or(|last| last.elapsed() >= every);
    if due {
        *last = Some(Instant::now());
    }
    due
}

impl Observer for RunProgress {
    fn started(&mut self, plan: &RunPlan, step: u64) {
        let tensors = plan.record.tensors.len();
        let decayed = plan.record.tensors.iter().filter(|tensor| tensor.lambda != 0.0).count();
        let unit = plan.record.unit.words();
        let lines = [
            format!(
                "{} in {}; {} in {} {} ({}, λ = {}, policy {})",
                number::counted(plan.record.parameters, "parameter"),
                number::counted(tensors as u64, "tensor"),
                number::counted(plan.record.decayed_parameters, "parameter"),
                number::counted(decayed as u64, "tensor"),
                if plan.source.config.decay.holds() { "keep their norm" } else { "decay" },
                plan.record.rule,
                number::short(plan.record.lambda),
                plan.source.config.decay.policy().name(),
            ),
            format!("  why: {}", reasons(plan)),
            format!(
                "{} of {}, {:.2} epochs, {} {unit} a parameter; {}; κ = {}{}",
                number::counted(plan.record.steps, "step"),
                number::counted(plan.record.samples_per_step, plan.record.unit.noun()),
                plan.record.epochs,
                number::per_parameter(plan.record.samples_per_parameter),
                plan.record.schedule.describe(),
                match plan.record.hides_shrink() {
                    true => "not known (the penalty is divided with the gradient)".to_owned(),
                    false => number::short(plan.record.kappa),
                },
                if step > 0 {
                    format!("; continues after step {}", number::count(step))
                } else {
                    String::new()
                },
            ),
        ];
        match self {
            RunProgress::Bar(bar) => {
                for line in lines {
                    eprintln!("{line}");
                }
                let style = ProgressStyle::with_template("{bar:32} {pos}/{len}  {msg}")
                    .unwrap_or_else(|_| ProgressStyle::default_bar());
                *bar = ProgressBar::new(plan.record.steps).with_style(style);
                bar.set_position(step);
            }
            // The log of a trial starts with the same lines.
            RunProgress::Plain { .. } | RunProgress::Json { .. } => {
                for line in lines {
                    eprintln!("{line}");
                }
            }
            RunProgress::None => {}
        }
    }

    fn progress(&mut self, progress: &wd_train::Progress) {
        // The line that a sweep reads from its trials has one definition: the launcher's.
        let progress = &Progress {
            step: progress.step,
            steps: progress.steps,
            loss: progress.loss,
            learning_rate: progress.learning_rate,
            lambda: progress.lambda,
            samples_per_second: progress.samples_per_second,
            unit: progress.unit,
            eta_seconds: progress.eta_seconds,
        };
        match self {
            RunProgress::Bar(bar) => {
                bar.set_position(progress.step);
                bar.set_message(line(progress));
            }
            RunProgress::Plain { last } => {
                if is_due(last, PLAIN_EVERY, progress) {
                    eprintln!("step {}/{}  {}", progress.step, progress.steps, line(progress));
                }
            }
            RunProgress::Json { last } => {
                if is_due(last, JSON_EVERY, progress)
                    && let Ok(json) = serde_json::to_string(progress)
                {
                    // A watcher that went away must not end the run.
                    let _closed = writeln!(std::io::stdout(), "{json}");
                }
            }
            RunProgress::None => {}
        }
    }

    fn notice(&mut self, message: &str) {
        match self {
            RunProgress::Bar(bar) => bar.suspend(|| eprintln!("{message}")),
            // That a checkpoint is damaged is no progress, and is said in any case.
            _ => eprintln!("{message}"),
        }
    }
}

/// "9 tensors: 2-D: decays (nanogpt); 11 tensors: 1-D: no decay (nanogpt)".
fn reasons(plan: &RunPlan) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for tensor in &plan.record.tensors {
        match counts.iter_mut().find(|(reason, _)| *reason == tensor.reason) {
            Some((_, count)) => *count += 1,
            None => counts.push((&tensor.reason, 1)),
        }
    }
    let parts: Vec<String> =
        counts.iter().map(|(reason, count)| format!("{count} × {reason}")).collect();
    parts.join("; ")
}
