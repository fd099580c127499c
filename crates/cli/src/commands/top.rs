//! `wd top`: studies in a terminal while they run.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;

use crate::ExitCode;
use crate::diagnostics::CommandError;
use crate::output;

/// Watch the studies below a folder in this terminal
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wd top runs/sweep
  wd top runs                 # ← and → lead from study to study, q ends it
  wd top runs | less          # once, as text

It shows what `wd report` and `wd serve` show: how far the runs are, the training loss of each arm,
the arms and the verdict as it stands now.")]
pub(crate) struct Arguments {
    /// A study, a run directory, or a folder with some
    #[arg(value_name = "DIR")]
    path: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    if std::io::stdout().is_terminal() && std::io::stdin().is_terminal() {
        wd_serve::top(&arguments.path)?;
    } else {
        print!("{}", wd_serve::printed(&arguments.path, &output::terminal())?);
    }
    Ok(ExitCode::SUCCESS)
}
