//! `wd plan`: everything that follows from a configuration, without training.

use clap::Args;
use wd_conventions::Explanation;
use wd_page::Terminal;
use wd_train::{Cost, RunPlan};

use crate::{ExitCode, commands::train::ConfigArguments, diagnostics::CommandError, output};

/// Show what a configuration would do, without training
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wd plan studies/first.toml
  wd plan studies/first.toml --set decay.policy=olmo --json

The expected time is measured: two steps are computed on the real shapes and thrown away.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: ConfigArguments,

    /// Threads for the expected time [default: all cores]
    #[arg(long)]
    threads: Option<usize>,

    /// Print plan.json instead
    #[arg(long)]
    json: bool,
}

/// Columns that the longest paths of tensors leave room in.
const WIDTH: usize = 140;

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    let plan = RunPlan::new(arguments.config.read()?)?;
    let threads = super::train::threads(arguments.threads)?;
    let cost = Cost::measure(&plan, threads)?;
    let explanation = Explanation::of(&super::explain::project::planned(&plan)?)?;
    if arguments.json {
        let answer = serde_json::json!({
            "plan": plan.record, "config": plan.source.config, "cost": cost,
            "warnings": explanation.warnings
        });
        println!("{answer}");
    } else {
        // Every tensor is shown, by its whole path: the plan is about which of them decay.
        let terminal = output::terminal();
        let terminal = Terminal { rows: usize::MAX, width: terminal.width.max(WIDTH), ..terminal };
        let mut page = plan.page(&cost, threads);
        let beware = explanation.to_beware_of();
        page.sections.extend((!beware.contents.is_empty()).then_some(beware));
        print!("{}", page.terminal(&terminal));
    }
    Ok(ExitCode::SUCCESS)
}
