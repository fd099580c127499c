//! `wd report`: a run, a study, or the runs of another program, as one HTML file.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use wd_lab::page::{context, settling};
use wd_lab::run_page::run_page;
use wd_lab::{AnalysisOptions, Study};
use wd_page::Context;
use wd_page::words::quoted;
use wd_pilot::ProgramStudy;
use wd_store::RunDirectory;
use wd_studies::Findings;

use crate::{diagnostics::CommandError, foreign, output};

/// Write the report of a study, of one run, or of the runs of another program
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wd report runs/sweep
  wd report runs/first --out first.html
  wd report runs/sweep --json > analysis.json
  wd report tensorboard/ --train train/full_loss --train-is fixed-set    # or wandb/, mlflow.db, lightning_logs/ …")]
pub(crate) struct Arguments {
    /// A folder made by `wd sweep`, `wd study`, `wd reproduce` or `wd import`, a run directory, or what another
    /// program logged
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    foreign: foreign::ForeignArguments,

    /// The HTML file [default: DIR/report.html; of another program's runs NAME-report.html here]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Print the analysis behind the report as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    let [directory, others @ ..] = arguments.paths.as_slice() else {
        return Ok(ExitCode::SUCCESS);
    };
    let is_study = directory.join("study.json").exists();
    // A configuration alone may be anybody's.
    let is_run =
        ["plan.json", "metrics.bin", ".lock"].iter().any(|file| directory.join(file).exists());
    let is_program = ProgramStudy::is_one(directory);
    let is_own = others.is_empty() && (is_study || is_run || is_program);
    let out = match &arguments.out {
        Some(out) => out.clone(),
        None if is_own => directory.join("report.html"),
        // What another program wrote stays as it is.
        None => {
            let name = directory.file_stem().unwrap_or_default().to_string_lossy();
            PathBuf::from(format!("{}-report.html", if name.is_empty() { "runs" } else { &name }))
        }
    };
    if !is_own {
        print!("{}", write_foreign_report(arguments, &out)?);
    } else if is_study {
        let study = Study::open(directory)?;
        print!("{}", write_study_report(&study, None, &out, arguments.json)?);
    } else if is_program {
        if arguments.foreign.say_what_names_mean() {
            return Err(CommandError::usage(
                format!("{} is a study, whose file says what its names mean", directory.display()),
                "change [roles] and [metrics] in its study.toml",
            ));
        }
        let study = ProgramStudy::open(directory)?;
        let options = arguments.foreign.analysis();
        print!("{}", write_program_report(&study, &options, &out, arguments.json)?);
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

/// The same of runs that another program recorded.
fn write_foreign_report(arguments: &Arguments, out: &Path) -> Result<String, CommandError> {
    let import = foreign::read(&arguments.paths, &arguments.foreign)?;
    let analysis = import.analyse(&arguments.foreign.analysis())?;
    let title = arguments.paths.first().map(|path| path.display().to_string());
    let context = Context {
        title: title.unwrap_or_default(),
        commands: vec![output::own_command()],
        ..Context::default()
    };
    let page = analysis.page(&context);
    wd_store::write_file(out, page.html().as_bytes())?;
    Ok(match arguments.json {
        true => format!("{}\n", serde_json::json!(analysis)),
        false => page.terminal(&output::terminal()),
    })
}

/// The same of a study of any program.
pub(crate) fn write_program_report(
    study: &ProgramStudy,
    options: &AnalysisOptions,
    out: &Path,
    json: bool,
) -> Result<String, CommandError> {
    let analysis = study.import()?.analyse(options)?;
    let context = Context {
        title: study.declaration().title.clone(),
        commands: vec![format!("wd study run {}", quoted(&study.root().display().to_string()))],
        ..Context::default()
    };
    let page = analysis.page(&context);
    wd_store::write_file(out, page.html().as_bytes())?;
    Ok(match json {
        true => format!("{}\n", serde_json::json!(analysis)),
        false => page.terminal(&output::terminal()),
    })
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
    if let Findings::Runs(analysis) = &findings {
        let settling = settling(study, analysis);
        if !settling.is_empty() {
            let commands = settling.join("; ");
            context.notes.push(format!("To settle which λ are as good as the best: {commands}"));
        }
    }
    let page = findings.page(&context);
    wd_store::write_file(out, page.html().as_bytes())?;
    Ok(match json {
        true => format!("{}\n", serde_json::json!(findings)),
        false => page.terminal(&output::terminal()),
    })
}
