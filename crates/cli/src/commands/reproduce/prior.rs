//! `wd reproduce prior`: λ as the precision of a prior, on shipped data and over many draws.

use std::{io::Write, path::PathBuf};

use clap::Args;
use wd_page::Context;

use wd_page::words::quoted;
use wd_studies::prior;

use crate::ExitCode;
use crate::diagnostics::CommandError;
use crate::output;

/// Show what a Gaussian prior does: maximum likelihood and MAP on small samples of shipped data
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wd reproduce prior                              # 400 draws, 12 seconds on 2 cores
  wd reproduce prior --draws 2000 --out runs/more # narrower intervals
  wd reproduce prior --json | jq '.recovery'      # the numbers; ∞ is null

Draws are numbered and their numbers are their seeds: the same command gives the same numbers.")]
pub(super) struct Arguments {
    /// Samples drawn for each number
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u64).range(2..=1_000_000))]
    draws: u64,

    /// The folder of the report
    #[arg(long, value_name = "DIR", default_value = "runs/reproduce-prior")]
    out: PathBuf,

    /// Print the findings as JSON instead of the verdict
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    let findings = prior::findings(arguments.draws)?;
    let mut command = "wd reproduce prior".to_owned();
    if arguments.draws != 400 {
        command.push_str(&format!(" --draws {}", arguments.draws));
    }
    let path = arguments.out.join("report.html");
    command.push_str(&format!(" --out {}", quoted(&arguments.out.display().to_string())));
    let context =
        Context {
            title: "λ is the precision of a prior".to_owned(),
            commands: vec![command],
            setting: vec![
            (
                "Table".to_owned(),
                "diabetes (Efron et al. 2004), shipped: progression after a year from ten \
                 measurements".to_owned(),
            ),
            (
                "Samples".to_owned(),
                "drawn without replacement from the two thirds of patients of least bmi; the rest \
                 of these are the fresh rows".to_owned(),
            ),
            (
                "Shifted rows".to_owned(),
                "the third of patients of largest bmi, never drawn".to_owned(),
            ),
            (
                "Model".to_owned(),
                "linear with an intercept that is integrated out; columns standardised on the \
                 sample".to_owned(),
            ),
        ],
            ..Context::default()
        };
    std::fs::create_dir_all(&arguments.out)
        .map_err(|source| CommandError::Write { path: arguments.out.clone(), source })?;
    let page = findings.page(&context);
    wd_store::write_file(&path, page.html().as_bytes())?;
    let mut out = std::io::stdout().lock();
    if arguments.json {
        let text = serde_json::to_string_pretty(&findings).map_err(std::io::Error::from)?;
        writeln!(out, "{text}")?;
    } else {
        write!(out, "{}", page.terminal(&output::terminal()))?;
        writeln!(out, "\nreport: {}", path.display())?;
    }
    Ok(ExitCode::SUCCESS)
}
