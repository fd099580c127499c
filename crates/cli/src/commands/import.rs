//! `wd import`: runs that other programs recorded, as a study.

use std::path::PathBuf;

use clap::Args;

use crate::{ExitCode, diagnostics::CommandError, foreign, output};

/// Read the runs of another program: TensorBoard, W&B, MLflow, trackio, Optuna, Lightning, Hugging
/// Face, DVCLive, tables, text
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wd import runs/                       # what is there, and what its names were taken for
  wd import wandb/ --out studies/sweep  # the same as a study, with every curve
  wd import mlflow.db --lambda-from optim.wd --train train/full_loss --train-is fixed-set --json
  wd import logs/*.txt --regex 'step:(?P<step>\\d+) val_loss:(?P<val_loss>\\S+)' --settings runs.csv

Nothing is written into what is read, and nothing in it is executed. `wd report PATH` takes the
same options and gives arms, pairs and verdict at once. Which setting is λ is recognised where one
that is called like it varies; between several nothing is guessed. Runs of one seed are paired
where their first logged losses agree, else compared by Welch's test.")]
pub(crate) struct Arguments {
    /// Files and folders, all of one format
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    foreign: foreign::ForeignArguments,

    /// Write a study into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Print what was read, and the analysis, as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    let import = foreign::read(&arguments.paths, &arguments.foreign)?;
    let overview = import.overview();
    if let Some(out) = &arguments.out {
        let title = arguments.paths.first().map(|path| path.display().to_string());
        import.save(out, &title.unwrap_or_default())?;
        eprintln!("→ {}", out.display());
    }
    match arguments.json {
        true => {
            let analysis = import.analyse(&arguments.foreign.analysis()).ok();
            println!("{}", serde_json::json!({ "overview": overview, "analysis": analysis }));
        }
        false => print!("{}", overview.page().terminal(&output::terminal())),
    }
    Ok(ExitCode::SUCCESS)
}
