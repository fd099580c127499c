//! `wd report`: a run, a study, or the runs of another program, as one HTML file.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use wd_lab::page::{context, settling};
use wd_lab::run_page::run_page;
use wd_lab::{AnalysisOptions, Study, analyse_directories};
use wd_page::words::quoted;
use wd_page::{Context, Settling};
use wd_pilot::ProgramStudy;
use wd_store::RunDirectory;
use wd_studies::Findings;
use wd_train::{SampleOptions, sample};

use crate::{diagnostics::CommandError, foreign, output, output::Printed};

/// Write the report of a study, of one run, or of the runs of another program
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wd report runs/sweep
  wd report runs/first --out first.html
  wd report runs/first runs/second                        # runs side by side; also a folder of runs
  wd report runs/sweep --json > analysis.json
  wd report tensorboard/ --train train/full_loss --train-is fixed-set    # or wandb/, mlflow.db, lightning_logs/ …")]
pub(crate) struct Arguments {
    /// A folder made by `wd sweep`, `wd study`, `wd reproduce` or `wd import`, run directories, or what another
    /// program logged
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    foreign: foreign::ForeignArguments,

    /// The HTML file [default: DIR/report.html; of another program's runs NAME-report.html here]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    #[command(flatten)]
    printed: Printed,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    let [directory, others @ ..] = arguments.paths.as_slice() else {
        return Ok(ExitCode::SUCCESS);
    };
    let is_study = directory.join("study.json").exists();
    // A configuration alone may be anybody's.
    let is_run = is_run(directory);
    let is_program = ProgramStudy::is_one(directory);
    let is_own = others.is_empty() && (is_study || is_run || is_program);
    let side_by_side = if is_own { Vec::new() } else { own_runs(&arguments.paths) };
    let out = match &arguments.out {
        Some(out) => out.clone(),
        None if is_own => directory.join("report.html"),
        // What another program wrote stays as it is.
        None => {
            let name = directory.file_stem().unwrap_or_default().to_string_lossy();
            PathBuf::from(format!("{}-report.html", if name.is_empty() { "runs" } else { &name }))
        }
    };
    if side_by_side.len() > 1 {
        print!("{}", write_side_by_side(&side_by_side, arguments, &out)?);
    } else if !is_own {
        print!("{}", write_foreign_report(arguments, &out)?);
    } else if is_study {
        let study = Study::open(directory)?;
        print!("{}", write_study_report(&study, Remade::default(), &out, arguments.printed)?);
    } else if is_program {
        if arguments.foreign.say_what_names_mean() {
            return Err(CommandError::usage(
                format!("{} is a study, whose file says what its names mean", directory.display()),
                "change [roles] and [metrics] in its study.toml",
            ));
        }
        let study = ProgramStudy::open(directory)?;
        let options = arguments.foreign.analysis();
        print!("{}", write_program_report(&study, &options, &out, arguments.printed)?);
    } else {
        if arguments.printed.json {
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
        let mut page = run_page(&run, &context)?;
        // A run on images, without a checkpoint or whose corpus is gone has no text to show.
        if let Ok(written) = sample(&run, &SampleOptions::default()) {
            page.sections.insert(1, written.section());
        }
        wd_store::write_file(&out, page.html().as_bytes())?;
    }
    eprintln!("→ {}", out.display());
    Ok(ExitCode::SUCCESS)
}

/// Is this folder a run directory?
fn is_run(directory: &Path) -> bool {
    ["plan.json", "metrics.bin", ".lock"].iter().any(|file| directory.join(file).exists())
}

/// The run directories that some paths are or hold; none unless each of them is or holds one.
fn own_runs(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for path in paths {
        let mut found = match is_run(path) {
            true => vec![path.clone()],
            false => {
                let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
                entries.map(|entry| entry.path()).filter(|folder| is_run(folder)).collect()
            }
        };
        if found.is_empty() {
            return Vec::new();
        }
        found.sort();
        all.extend(found);
    }
    all
}

/// Runs of this program that no study made, as one study.
fn write_side_by_side(
    runs: &[PathBuf],
    arguments: &Arguments,
    out: &Path,
) -> Result<String, CommandError> {
    let analysis = analyse_directories(runs, &arguments.foreign.analysis())?;
    let context = Context {
        title: format!("{} runs side by side", runs.len()),
        commands: vec![output::own_command()],
        ..Context::default()
    };
    let page = analysis.page(&context);
    wd_store::write_file(out, page.html().as_bytes())?;
    Ok(arguments.printed.text(&page, &analysis))
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
    Ok(arguments.printed.text(&page, &analysis))
}

/// The same of a study of any program.
pub(crate) fn write_program_report(
    study: &ProgramStudy,
    options: &AnalysisOptions,
    out: &Path,
    printed: Printed,
) -> Result<String, CommandError> {
    let analysis = study.import()?.analyse(options)?;
    let context = Context {
        title: study.declaration().title.clone(),
        commands: vec![format!("wd study run {}", quoted(&study.root().display().to_string()))],
        ..Context::default()
    };
    let page = analysis.page(&context);
    wd_store::write_file(out, page.html().as_bytes())?;
    Ok(printed.text(&page, &analysis))
}

/// What makes a study again, and goes on from it.
#[derive(Debug, Default)]
pub(crate) struct Remade {
    /// The command that makes the study again, where it is not a sweep of its grids.
    pub(crate) command: Option<String>,
    /// What decides what it leaves open, where that is more than further seeds.
    pub(crate) settling: Option<Settling>,
}

/// Analyses a study, writes its report, and gives the verdict, or the analysis as JSON.
pub(crate) fn write_study_report(
    study: &Study,
    remade: Remade,
    out: &Path,
    printed: Printed,
) -> Result<String, CommandError> {
    let mut context = context(study);
    if let Some(command) = remade.command {
        context.commands = vec![command];
    }
    let findings = Findings::read(study)?;
    context.settling = match (remade.settling, &findings) {
        (Some(whole), _) => vec![whole],
        (None, Findings::Runs(analysis)) => settling(study, analysis),
        (None, Findings::Vision(_)) => Vec::new(),
    };
    let page = findings.page(&context);
    wd_store::write_file(out, page.html().as_bytes())?;
    Ok(printed.text(&page, &findings))
}
