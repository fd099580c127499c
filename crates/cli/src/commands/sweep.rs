//! `wd sweep`: a grid of runs, side by side.

use std::path::PathBuf;

use clap::Args;
use wd_lab::{Grid, Study};
use wd_page::words::quoted;
use wd_train::{ConfigSource, RunPlan};

use crate::{
    ExitCode,
    commands::report::{Remade, write_study_report},
    diagnostics::CommandError,
    launch,
    output::Printed,
};

/// Train every combination of some settings, and report
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wd sweep studies/first.toml decay.lambda=0,0.1,0.3 run.seed=0..3 --out runs/lambda
  wd sweep studies/first.toml 'decay.lambda=log(1e-3..1,7)' optim.lr=3e-3,1e-2 run.seed=0,1
  wd sweep studies/first.toml decay.lambda=0,0.1 schedule.kind=cosine,constant --dry-run

Values: a list a,b; an inclusive range of integers 0..3; log(LOW..HIGH,COUNT). The same command
continues what is unfinished; other values in the same folder add trials to the study. Trials are
paired by run.seed.")]
pub(crate) struct Arguments {
    /// The configuration that the settings change
    #[arg(value_name = "CONFIG.toml")]
    config: PathBuf,

    /// KEY=VALUES, for example decay.lambda=0,0.1
    #[arg(value_name = "KEY=VALUES")]
    axes: Vec<String>,

    /// What other commands have; here every word behind the configuration is such a setting
    #[arg(long, value_name = "KEY=VALUES", hide = true)]
    set: Vec<String>,

    /// Trials side by side, one thread each [default: one a core]
    #[arg(long)]
    jobs: Option<usize>,

    /// The folder of the study [default: runs/NAME-OF-CONFIG-sweep]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Check every trial's configuration and list them, without training
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    printed: Printed,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    if !arguments.set.is_empty() {
        return Err(without_set(arguments));
    }
    let base = std::fs::read_to_string(&arguments.config).map_err(|source| {
        wd_train::TrainError::ReadConfig { path: arguments.config.clone(), source }
    })?;
    let stem = arguments.config.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from("runs").join(format!("{stem}-sweep")));
    let grid = Grid::parse(&arguments.axes)?;
    let mut study = Study::open_or_create(&out, &stem, &base)?;
    let trials = study.add(&grid)?;
    // A slip in the last trial should not cost the hours before it.
    for trial in &trials {
        // Its file is not written yet.
        let name = format!("{} with {}", arguments.config.display(), trial.name);
        RunPlan::new(ConfigSource::parse(&name, trial.configuration.clone())?)?;
    }
    if arguments.dry_run {
        for trial in &trials {
            println!("{}", trial.name);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let (study, trials) = Study::extend(&out, &stem, &base, |study| study.add(&grid))?;
    launch::train_and_report(study.root(), &trials, arguments.jobs, |html| {
        let remade = Remade { command: Some(command(arguments, &out)), settling: None };
        write_study_report(&study, remade, html, arguments.printed)
    })
}

/// `--set` is what the other commands have: the same command without it.
fn without_set(arguments: &Arguments) -> CommandError {
    let words: Vec<String> =
        arguments.set.iter().chain(&arguments.axes).map(|word| quoted(word)).collect();
    let config = quoted(&arguments.config.display().to_string());
    CommandError::usage(
        "a sweep has no --set: each KEY=VALUES is a word of its own behind the configuration",
        format!("wd sweep {config} {}", words.join(" ")),
    )
}

/// The command that makes this study again.
fn command(arguments: &Arguments, out: &std::path::Path) -> String {
    let axes: Vec<String> = arguments.axes.iter().map(|axis| quoted(axis)).collect();
    format!(
        "wd sweep {} {} --out {}",
        quoted(&arguments.config.display().to_string()),
        axes.join(" "),
        quoted(&out.display().to_string())
    )
}
