//! `wd report`: a run, a study, or the runs of another program, as one HTML file.

use std::path::{Path, PathBuf};

use clap::Args;
use wd_lab::page::{context, settling};
use wd_lab::run_page::run_page;
use wd_lab::{Analysis, AnalysisOptions, Study, analyse_directories};
use wd_page::words::{printable, quoted};
use wd_page::{Context, Page, Settling};
use wd_pilot::ProgramStudy;
use wd_store::RunDirectory;
use wd_studies::Findings;
use wd_train::{SampleOptions, sample};

use crate::invocation::own_command;
use crate::{Answer, ExitCode, diagnostics::CommandError, foreign, output::Printed};

/// Write the report of a study, of one run, or of the runs of another program
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wd report runs/sweep
  wd report runs/first --out first.html
  wd report runs/first runs/second  # runs side by side; also a folder of runs
  wd report runs/sweep --json > analysis.json
  wd report tensorboard/ --train train/full_loss --train-is fixed-set  # or wandb/, mlflow.db …")]
pub(crate) struct Arguments {
    /// A folder made by `wd sweep`, `wd study`, `wd reproduce` or `wd import`, run directories, or
    /// what another program logged
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

/// What is named on the command line.
enum Subject<'a> {
    Study(&'a Path),
    Program(&'a Path),
    Run(&'a Path),
    SideBySide(Vec<PathBuf>),
    Foreign,
}

impl<'a> Subject<'a> {
    fn of(paths: &'a [PathBuf]) -> Self {
        // A configuration alone may be anybody's.
        match paths {
            [one] if one.join("study.json").exists() => Subject::Study(one),
            [one] if ProgramStudy::is_one(one) => Subject::Program(one),
            [one] if RunDirectory::is_one(one) => Subject::Run(one),
            _ => match own_runs(paths) {
                runs if runs.len() > 1 => Subject::SideBySide(runs),
                _ => Subject::Foreign,
            },
        }
    }

    /// Where its page goes, if nobody says.
    fn page_path(&self, paths: &[PathBuf]) -> PathBuf {
        match self {
            Subject::Study(directory) | Subject::Program(directory) | Subject::Run(directory) => {
                directory.join("report.html")
            }
            // What another program wrote stays as it is.
            Subject::SideBySide(_) | Subject::Foreign => {
                let name = paths.first().and_then(|path| path.file_stem()).unwrap_or_default();
                let name = name.to_string_lossy();
                let name = if name.is_empty() { "runs" } else { &name };
                PathBuf::from(format!("{name}-report.html"))
            }
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    let subject = Subject::of(&arguments.paths);
    let out = arguments.out.clone().unwrap_or_else(|| subject.page_path(&arguments.paths));
    let context = Context { commands: vec![own_command()], ..Context::default() };
    match subject {
        Subject::Study(directory) => {
            let study = Study::open(directory)?;
            print!("{}", write_study_report(&study, Remade::default(), &out, arguments.printed)?);
        }
        Subject::Program(directory) => {
            let study = program_study(directory, arguments)?;
            let options = arguments.foreign.analysis();
            print!("{}", write_program_report(&study, &options, &out, arguments.printed)?);
        }
        Subject::SideBySide(_) | Subject::Foreign => {
            let (analysis, page) = foreign_analysis(&subject, arguments, context)?;
            wd_store::write_file(&out, page.html().as_bytes())?;
            print!("{}", arguments.printed.text(&page, &analysis));
        }
        Subject::Run(directory) => write_run_report(directory, arguments, &out)?,
    }
    eprintln!("→ {}", out.display());
    Ok(ExitCode::SUCCESS)
}

/// The findings on several runs. A single run has none, and is shown by [`run`] alone.
pub(crate) fn answer(arguments: &Arguments, context: &Context) -> Result<Answer, CommandError> {
    let subject = Subject::of(&arguments.paths);
    match subject {
        Subject::Study(directory) => {
            let study = Study::open(directory)?;
            let findings = Findings::read(&study)?;
            let page = findings.page(&context_of(&study, &findings, Remade::default()));
            Ok(Answer::new(findings, page))
        }
        Subject::Program(directory) => {
            let study = program_study(directory, arguments)?;
            let analysis = study.import()?.analyse(&arguments.foreign.analysis())?;
            let page = analysis.page(&context_of_program(&study));
            Ok(Answer::new(analysis, page))
        }
        Subject::SideBySide(_) | Subject::Foreign => {
            let (analysis, page) = foreign_analysis(&subject, arguments, context.clone())?;
            Ok(Answer::new(analysis, page))
        }
        Subject::Run(directory) => Err(a_single_run(directory)),
    }
}

fn a_single_run(directory: &Path) -> CommandError {
    CommandError::usage(
        format!("{} is a run, not a study", directory.display()),
        "`wd metrics RUN_DIR --json` prints the numbers of a run",
    )
}

/// Opens a study of any program, whose file says what its names mean.
fn program_study(directory: &Path, arguments: &Arguments) -> Result<ProgramStudy, CommandError> {
    if arguments.foreign.say_what_names_mean() {
        return Err(CommandError::usage(
            format!("{} is a study, whose file says what its names mean", directory.display()),
            "change [roles] and [metrics] in its study.toml",
        ));
    }
    Ok(ProgramStudy::open(directory)?)
}

fn write_run_report(
    directory: &Path,
    arguments: &Arguments,
    out: &Path,
) -> Result<(), CommandError> {
    if arguments.printed.json {
        return Err(a_single_run(directory));
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
    Ok(wd_store::write_file(out, page.html().as_bytes())?)
}

/// The run directories that some paths are or hold; none unless each of them is or holds one.
fn own_runs(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for path in paths {
        let found = match RunDirectory::is_one(path) {
            true => vec![path.clone()],
            false => RunDirectory::below(path),
        };
        if found.is_empty() {
            return Vec::new();
        }
        all.extend(found);
    }
    all
}

/// Runs that no study of this program made, as one study: its own side by side, or another
/// program's.
fn foreign_analysis(
    subject: &Subject<'_>,
    arguments: &Arguments,
    context: Context,
) -> Result<(Analysis, Page), CommandError> {
    let options = arguments.foreign.analysis();
    let mut context = context;
    let (analysis, title) = match subject {
        Subject::SideBySide(runs) => {
            let (analysis, damaged) = analyse_directories(runs, &options)?;
            let left_out = damaged.iter().map(|(run, error)| {
                format!("{} is left out, since it is damaged: {error}.", run.display())
            });
            for note in left_out {
                eprintln!("{}", printable(&note));
                context.notes.push(note);
            }
            let whole = runs.len() - damaged.len();
            (analysis, format!("{whole} runs side by side"))
        }
        _ => {
            let import = foreign::read(&arguments.paths, &arguments.foreign)?;
            let title = arguments.paths.first().map(|path| path.display().to_string());
            (import.analyse(&options)?, title.unwrap_or_default())
        }
    };
    let page = analysis.page(&Context { title, ..context });
    Ok((analysis, page))
}

/// Analyses a study of any program, writes its report, and gives the verdict, or the analysis.
pub(crate) fn write_program_report(
    study: &ProgramStudy,
    options: &AnalysisOptions,
    out: &Path,
    printed: Printed,
) -> Result<String, CommandError> {
    let analysis = study.import()?.analyse(options)?;
    let page = analysis.page(&context_of_program(study));
    wd_store::write_file(out, page.html().as_bytes())?;
    Ok(printed.text(&page, &analysis))
}

fn context_of_program(study: &ProgramStudy) -> Context {
    Context {
        title: study.declaration().title.clone(),
        commands: vec![format!("wd study run {}", quoted(&study.root().display().to_string()))],
        ..Context::default()
    }
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
    let findings = Findings::read(study)?;
    let page = findings.page(&context_of(study, &findings, remade));
    wd_store::write_file(out, page.html().as_bytes())?;
    Ok(printed.text(&page, &findings))
}

/// What the page of a study says besides what was found.
fn context_of(study: &Study, findings: &Findings, remade: Remade) -> Context {
    let mut context = context(study);
    if let Some(command) = remade.command {
        context.commands = vec![command];
    }
    context.settling = match (remade.settling, findings) {
        (Some(whole), _) => vec![whole],
        (None, Findings::Runs(analysis)) => settling(study, analysis),
        (None, Findings::Vision(_)) => Vec::new(),
    };
    context
}
