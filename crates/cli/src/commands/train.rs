//! `wd train`: one run.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use wd_lab::{LabError, Setting, setting};
use wd_page::number;
use wd_store::RunDirectory;
use wd_train::{ConfigSource, KEYS, Outcome, Resume, RunOptions, RunPlan};

use crate::{
    ExitCode,
    diagnostics::{CommandError, DIVERGED, INTERRUPTED},
    interrupt,
    progress::{ProgressKind, RunProgress},
};

const EXAMPLES: &str = "\
Examples:
  wd train studies/first.toml --run-dir runs/first
  wd train studies/first.toml --set decay.lambda=0.3 --set optim.lr=3e-3 --run-dir runs/second
  wd train studies/first.toml --set decay.rule=hyperball --set decay.lambda=1 --run-dir runs/held
  wd train studies/first.toml --run-dir runs/first            # killed? the same command continues
  wd train studies/fashion-vit.toml --set data.size=1000 --run-dir runs/vit   # images

Exit code: 0 finished, 3 diverged (a result, not a failure), 130 interrupted, 1 anything else.
Optimizers and rules: adamw, lion, muon take every rule but coupled-l2 (decoupled, independent,
constant, corrected, squared-learning-rate, hyperball); adam and sgd take that too.
`wd train --help` lists every key.";

/// Train one model as a configuration says
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\nThe \
                                                            configuration:\n\n{KEYS}"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) config: ConfigArguments,

    /// Where the run is kept [default: runs/NAME-OF-CONFIG]
    #[arg(long, value_name = "DIR")]
    run_dir: Option<PathBuf>,

    /// What to do with an earlier run in that folder
    #[arg(long, value_enum, default_value_t = ResumeKind::Auto)]
    resume: ResumeKind,

    /// Threads; the result does not depend on it [default: all cores]
    #[arg(long)]
    threads: Option<usize>,

    /// Stop in good order when standard input ends: whoever started this is gone
    #[arg(long, hide = true)]
    until_input_ends: bool,

    /// How progress is shown
    #[arg(long, value_enum, default_value_t = ProgressKind::Auto)]
    progress: ProgressKind,
}

/// A configuration file and what to change in it.
#[derive(Debug, Args)]
pub(crate) struct ConfigArguments {
    /// The configuration
    #[arg(value_name = "CONFIG.toml")]
    config: PathBuf,

    /// Change a value of the configuration, for example optim.lr=3e-3 (may be repeated)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl ConfigArguments {
    /// Reads the configuration with its changes.
    pub(crate) fn read(&self) -> Result<ConfigSource, CommandError> {
        read_config(&self.config, &self.set)
    }
}

/// Reads a configuration and changes it by KEY=VALUE.
pub(crate) fn read_config(path: &Path, set: &[String]) -> Result<ConfigSource, CommandError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| wd_train::TrainError::ReadConfig { path: path.to_owned(), source })?;
    let settings: Vec<Setting> =
        set.iter().map(|argument| argument.parse()).collect::<Result<_, LabError>>()?;
    // Without settings the text stays as typed, so that complaints point into the file itself.
    let path = path.display();
    let (name, text) = if settings.is_empty() {
        (path.to_string(), text)
    } else {
        (format!("{path} with --set"), setting::apply(&text, &settings)?)
    };
    Ok(ConfigSource::parse(&name, text)?)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ResumeKind {
    /// Continue it if there is one, else start
    Auto,
    /// Refuse a folder that holds a run
    Never,
    /// Refuse a folder that holds none
    Require,
}

/// As many threads as there are cores, unless told.
pub(crate) fn threads(asked: Option<usize>) -> Result<usize, CommandError> {
    match asked {
        Some(0) => Err(CommandError::usage(
            "--threads 0 would train nothing",
            "give 1 or more, or leave it out for all cores",
        )),
        Some(threads) if threads > most_threads() => Err(CommandError::usage(
            format!("--threads {threads} is far more than this machine's {}", counted_cores()),
            "leave it out for all cores: more threads than cores make nothing faster",
        )),
        Some(threads) => Ok(threads),
        None => Ok(cores()),
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn counted_cores() -> String {
    number::counted(cores() as u64, "core")
}

/// Four times the cores, and 64 on a small machine: each takes memory of its own, and starting
/// them takes a time that grows with their square (2 s for 1,024).
fn most_threads() -> usize {
    (4 * cores()).max(64)
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    let source = arguments.config.read()?;
    let plan = RunPlan::new(source)?;
    let path = arguments.run_dir.clone().unwrap_or_else(|| {
        let stem = arguments.config.config.file_stem().unwrap_or_default();
        PathBuf::from("runs").join(stem)
    });
    let directory = RunDirectory::create_or_open(&path)?;
    let mut progress = RunProgress::new(arguments.progress);
    let interrupt = interrupt::listen();
    if arguments.until_input_ends {
        interrupt::when_input_ends();
    }
    let outcome = wd_train::run(
        &plan,
        &directory,
        RunOptions {
            resume: match arguments.resume {
                ResumeKind::Auto => Resume::Auto,
                ResumeKind::Never => Resume::Never,
                ResumeKind::Require => Resume::Require,
            },
            threads: threads(arguments.threads)?,
            interrupt,
        },
        &mut progress,
    );
    progress.finish();
    Ok(match outcome? {
        Outcome::Finished { last_batch_loss, train_loss, validation_loss, test_accuracy } => {
            let loss = |name: &str, value: Option<f64>| {
                value.map_or(String::new(), |value| format!("; {name} loss {value:.4}"))
            };
            let accuracy = test_accuracy
                .map_or(String::new(), |share| format!("; test accuracy {:.2} %", 100.0 * share));
            eprintln!(
                "finished {}{}{}{}{accuracy} → {}",
                number::counted(plan.record.steps, "step"),
                loss("last batch's", last_batch_loss),
                loss("training", train_loss),
                loss(plan.record.held_out(), validation_loss),
                path.display()
            );
            ExitCode::SUCCESS
        }
        Outcome::Interrupted { step } => {
            eprintln!(
                "stopped after step {}; the same command continues from there",
                number::count(step)
            );
            ExitCode::from(INTERRUPTED)
        }
        Outcome::Diverged { step, tensor, last_checkpoint } => {
            let what =
                tensor.map_or("the loss".to_owned(), |path| format!("the gradient of {path}"));
            let kept = last_checkpoint.map_or("no checkpoint was written before".to_owned(), |s| {
                format!("the last good checkpoint is step {}", number::count(s))
            });
            eprintln!("diverged at step {}: {what} is not finite; {kept}", number::count(step));
            ExitCode::from(DIVERGED)
        }
    })
}
