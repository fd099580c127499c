//! Running the trials of a study: one line a running trial, and the names of those that failed.

use std::{
    collections::BTreeMap,
    io::IsTerminal,
    path::Path,
    time::{Duration, Instant},
};
use wd_page::number;
use wd_studies::StudyError;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use wd_lab::{
    LabError, Launcher, Outcome, Trial,
    launch::{Event, Progress, Report},
};

use crate::invocation::program;
use crate::{
    ExitCode,
    diagnostics::{CommandError, INTERRUPTED},
    interrupt, progress,
};

/// How many trials side by side: one a core, unless told.
fn jobs(asked: Option<usize>) -> Result<usize, CommandError> {
    match asked {
        Some(0) => Err(CommandError::usage(
            "--jobs 0 would run nothing",
            "give 1 or more, or leave it out for one trial a core",
        )),
        Some(jobs) => Ok(jobs),
        None => Ok(std::thread::available_parallelism().map_or(1, usize::from)),
    }
}

/// Trains what is unfinished of these trials; then `write` writes their report to the path given, in
/// the folder `root`, and returns what is printed.
pub(crate) fn train_and_report(
    root: &Path,
    trials: &[Trial],
    asked_jobs: Option<usize>,
    write: impl FnOnce(&Path) -> Result<String, CommandError>,
) -> Result<ExitCode, CommandError> {
    train_in_stages(root, trials.to_vec(), asked_jobs, || Ok(Vec::new()), write)
}

/// The same with trials that build on the first ones: `later` gives them once all of those have
/// their results.
pub(crate) fn train_in_stages(
    root: &Path,
    mut trials: Vec<Trial>,
    asked_jobs: Option<usize>,
    later: impl FnOnce() -> Result<Vec<Trial>, CommandError>,
    write: impl FnOnce(&Path) -> Result<String, CommandError>,
) -> Result<ExitCode, CommandError> {
    let jobs = jobs(asked_jobs)?;
    let mut report = run(&trials, jobs)?;
    if report.is_complete() {
        let later = later()?;
        if !later.is_empty() {
            let second = run(&later, jobs)?;
            trials.extend(later);
            report.outcomes.extend(second.outcomes);
            report.elapsed += second.elapsed;
        }
    }
    let code = conclude(&trials, &report);
    let html = root.join("report.html");
    match write(&html) {
        // Stopped before the first trial was done: that is said already, and is no failure of the
        // report.
        Err(
            CommandError::Lab(LabError::NothingToAnalyse { .. })
            | CommandError::Studies(StudyError::Lab(LabError::NothingToAnalyse { .. })),
        ) if !report.is_complete() => {
            return Ok(code);
        }
        text => print!("{}", text?),
    }
    eprintln!(
        "{} in {} → {}",
        number::counted(trials.len() as u64, "trial"),
        number::duration(report.elapsed.as_secs_f64()),
        html.display()
    );
    Ok(code)
}

/// Trains whatever is unfinished of these trials, `jobs` at a time, one thread each.
fn run(trials: &[Trial], jobs: usize) -> Result<Report, CommandError> {
    let launcher = Launcher::new(jobs);
    let interrupter = launcher.interrupter();
    interrupt::on_interrupt(move || interrupter.interrupt());
    let mut display = Display::new(trials);
    let report = launcher.run(
        trials,
        |trial| {
            let mut command = program();
            command
                .arg("train")
                .arg(trial.configuration_path())
                .arg("--run-dir")
                .arg(&trial.directory)
                .args([
                    "--resume",
                    "auto",
                    "--threads",
                    "1",
                    "--progress",
                    "json",
                    "--until-input-ends",
                ]);
            command
        },
        |event| display.show(event),
    );
    display.clear();
    Ok(report)
}

/// Says what is left to do, and gives the exit code.
fn conclude(trials: &[Trial], report: &Report) -> ExitCode {
    for (trial, outcome) in trials.iter().zip(&report.outcomes) {
        if let Outcome::Failed { .. } = outcome {
            eprintln!("{}: {outcome}", trial.name);
            eprintln!("  its whole log: {}", trial.log_path().display());
        }
    }
    let left = report
        .outcomes
        .iter()
        .filter(|outcome| {
            !matches!(outcome, Outcome::Finished | Outcome::AlreadyFinished | Outcome::Diverged)
        })
        .count();
    if left == 0 {
        return ExitCode::SUCCESS;
    }
    eprintln!(
        "{left} of {} unfinished; the same command finishes the rest",
        number::counted(trials.len() as u64, "trial")
    );
    if report.failed().is_empty() { ExitCode::from(INTERRUPTED) } else { ExitCode::FAILURE }
}

/// The lines on the screen: one a running trial and one for all.
struct Display<'a> {
    trials: &'a [Trial],
    screen: Option<MultiProgress>,
    total: ProgressBar,
    bars: BTreeMap<usize, ProgressBar>,
    shares: Vec<f64>,
    done_before: f64,
    started: Instant,
    last_line: Instant,
}

/// Between two plain lines when the output is no terminal.
const PLAIN_EVERY: Duration = Duration::from_secs(15);

impl<'a> Display<'a> {
    fn new(trials: &'a [Trial]) -> Self {
        let screen = std::io::stderr().is_terminal().then(MultiProgress::new);
        let total = match &screen {
            Some(screen) => screen.add(
                ProgressBar::new(1000).with_style(style("{bar:24} {msg}")).with_message("starting"),
            ),
            None => ProgressBar::hidden(),
        };
        let now = Instant::now();
        Display {
            trials,
            screen,
            total,
            bars: BTreeMap::new(),
            shares: vec![0.0; trials.len()],
            done_before: 0.0,
            started: now,
            last_line: now,
        }
    }

    fn show(&mut self, event: Event) {
        match event {
            Event::Started { trial } => {
                if let Some(screen) = &self.screen {
                    let bar = screen
                        .add(ProgressBar::new(1).with_style(style("{bar:24} {prefix}  {msg}")));
                    bar.set_prefix(self.trials[trial].name.clone());
                    self.bars.insert(trial, bar);
                }
            }
            Event::Elsewhere { trial } => {
                if let Some(bar) = self.bars.remove(&trial) {
                    bar.finish_and_clear();
                }
                self.say(format!(
                    "{}: another process trains it; waiting for its result",
                    self.trials[trial].name
                ));
            }
            Event::Progress { trial, progress } => self.advance(trial, &progress),
            Event::Ended { trial, outcome } => self.end(trial, &outcome),
        }
        self.show_total();
    }

    fn advance(&mut self, trial: usize, progress: &Progress) {
        if self.shares[trial] == 0.0 && progress.step > 1 {
            // A resumed trial brings steps that were not made now: they must not count as speed.
            let share = progress.step.saturating_sub(1) as f64 / progress.steps.max(1) as f64;
            if share > 0.05 {
                self.done_before += share;
            }
        }
        self.shares[trial] = progress.step as f64 / progress.steps.max(1) as f64;
        if let Some(bar) = self.bars.get(&trial) {
            bar.set_length(progress.steps);
            bar.set_position(progress.step);
            bar.set_message(progress::line(progress));
        } else if self.screen.is_none() && self.last_line.elapsed() >= PLAIN_EVERY {
            self.last_line = Instant::now();
            eprintln!(
                "{}  step {}/{}  {}",
                self.trials[trial].name,
                progress.step,
                progress.steps,
                progress::line(progress)
            );
        }
    }

    fn end(&mut self, trial: usize, outcome: &Outcome) {
        if let Some(bar) = self.bars.remove(&trial) {
            bar.finish_and_clear();
        }
        if *outcome == Outcome::AlreadyFinished {
            self.done_before += 1.0;
        }
        self.shares[trial] = 1.0;
        if matches!(outcome, Outcome::AlreadyFinished | Outcome::NotStarted) {
            return;
        }
        let first_line = outcome.to_string();
        let first_line = first_line.lines().next().unwrap_or_default().to_owned();
        self.say(format!("{}: {first_line}", self.trials[trial].name));
    }

    /// A line above the bars.
    fn say(&self, line: String) {
        match &self.screen {
            Some(screen) => {
                // A closed terminal must not end the sweep.
                let _closed = screen.println(line);
            }
            None => eprintln!("{line}"),
        }
    }

    fn show_total(&self) {
        let done: f64 = self.shares.iter().sum();
        let total = self.trials.len() as f64;
        let now = (done - self.done_before).max(0.0);
        let elapsed = self.started.elapsed().as_secs_f64();
        let left = if now > 0.01 {
            number::duration(elapsed * (total - done) / now)
        } else {
            "unknown".to_owned()
        };
        self.total.set_position((1000.0 * done / total) as u64);
        self.total.set_message(format!(
            "{:.1} of {total} trials  {}  ETA {left}",
            done,
            number::duration(elapsed)
        ));
    }

    fn clear(&self) {
        self.total.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
