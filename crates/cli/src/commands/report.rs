//! `wd report`: a run or a study as one HTML file.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use wd_lab::Study;
use wd_lab::page::context;
use wd_lab::run_page::run_page;
use wd_page::Context;
use wd_page::words::quoted;
use wd_store::RunDirectory;
use wd_studies::Findings;

use crate::{diagnostics::CommandError, output};

/// Write the report of a study or of one run
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wd report runs/sweep
  wd report runs/first --out first.html
  wd report runs/sweep --json > analysis.json")]
pub(crate) struct Arguments {
    /// A folder made by `wd sweep` or `wd reproduce`, or a run directory
    #[arg(value_name = "DIR")]
    directory: PathBuf,

    /// The HTML file [default: DIR/report.html]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Print the analysis behind the report as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    let directory = &arguments.directory;
    let out = arguments.out.clone().unwrap_or_else(|| directory.join("report.html"));
    if directory.join("study.json").exists() {
        let study = Study::open(directory)?;
        print!("{}", write_study_report(&study, None, &out, arguments.json)?);
    } else {
        if arguments.json {
            return Err(CommandError::usage(
                format!("{} is a run, not a study", directory.display()),
                "`wd metrics RUN_DIR --json` prints the numbers of a run",
            ));
        }
        let run = RunDirectory::open(directory)?;
        let context = Context {
            commands: vec![format!(
                "wd train {} --run-dir {}",
                quoted(&run.config_path().display().to_string()),
                quoted(&directory.display().to_string())
            )],
            ..Context::default()
        };
        wd_store::write_file(&out, run_page(&run, &context)?.html().as_bytes())?;
    }
    eprintln!("→ {}", out.display());
    Ok(ExitCode::SUCCESS)
}

/// Analyses a study, writes its report, and gives the verdict, or the analysis as JSON. `command`
/// is the one that makes the study again, where it is not a sweep of its grids.
pub(crate) fn write_study_report(
    study: &Study,
    command: Option<String>,
    out: &Path,
    json: bool,
) -> Result<String, CommandError> {
    let mut context = context(study);
    if let Some(command) = command {
        context.commands = vec![command];
    }
    let findings = Findings::read(study)?;
    let page = findings.page(&context);
    wd_store::write_file(out, page.html().as_bytes())?;
    Ok(match json {
        true => format!("{}\n", serde_json::json!(findings)),
        false => page.terminal(&output::terminal()),
    })
}
