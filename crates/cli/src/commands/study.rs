//! `wd study`: studies of any program.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::{Args, Subcommand};
use wd_lab::{AnalysisOptions, LabError};
use wd_page::Page;
use wd_pilot::declaration::{FILE, example::EXAMPLE, wandb_sweep};
use wd_pilot::slurm::SlurmOptions;
use wd_pilot::{Declaration, Pilot, PilotError, PilotOptions, ProgramStudy, State, Work, doctor};

use crate::commands::report::write_program_report;
use crate::diagnostics::{CommandError, INTERRUPTED};
use crate::invocation::program_words;
use crate::output::Printed;
use crate::study_progress::StudyProgress;
use crate::{ExitCode, interrupt, output};

/// Studies of any program: each trial with one result, on one machine or on many
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  wd study new studies/decay             # a study file with comments: say what runs and what varies
  wd study new studies/decay --from sweep.yaml  # the same from a grid sweep of W&B
  wd study doctor studies/decay          # can it run here?
  wd study run studies/decay             # run what is left, and report; the same command goes on
  wd study work studies/decay --slots 2  # on as many machines as you like, at the same time
  wd study add studies/decay seed=5..9   # more seeds
  wd report studies/decay                # arms, verified pairs, verdict

A program is unchanged: what its logger writes (TensorBoard, W&B, MLflow, trackio, Lightning, …)
lands in the trial's folder and is read there; or it prints lines {\"step\": 10, \"val/loss\":
2.3}, or appends them to $WD_METRICS. Exit status 0 finished, 3 diverged, 130 interrupted, else
failed; where the loss is missing, not finite or short, 0 is not believed.")]
pub(crate) enum Command {
    New(New),
    Run(Run),
    Work(WorkArguments),
    Status(Status),
    Add(Add),
    Retry(Retry),
    Stop(Stop),
    Gc(Gc),
    Doctor(Doctor),
}

/// Write a study file to begin with
#[derive(Debug, Args)]
pub(crate) struct New {
    /// The folder of the study
    dir: PathBuf,

    /// A sweep of W&B whose method is grid
    #[arg(long, value_name = "SWEEP.yaml")]
    from: Option<PathBuf>,
}

/// Run what is left of a study on this machine, and report
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wd study run studies/decay
  wd study run studies/decay --slots 4 --json
  wd study run studies/wider --reuse studies/decay      # what is the same trial is not run again
  wd study run /shared/decay --slurm --pilots 16 --time 4:00:00 --partition gpu \\
      --sbatch-args=--gres=gpu:1

With --slurm an array of pilots is submitted, and the command ends; `wd study status` tells those
that wait in the queue from those at work, `wd study stop` cancels them, `wd report` reports.

Other pilots may work on the same study: this one waits for their trials and takes over those of
pilots that are gone.")]
pub(crate) struct Run {
    #[command(flatten)]
    place: Place,

    /// Trials side by side [default: one an accelerator, or else one a core]
    #[arg(long)]
    slots: Option<usize>,

    /// Take over the results of trials that this study has already; may be given again
    #[arg(long, value_name = "STUDY")]
    reuse: Vec<PathBuf>,

    #[command(flatten)]
    printed: Printed,

    /// Submit pilots to Slurm instead
    #[arg(long)]
    slurm: bool,

    /// How many pilots
    #[arg(long, requires = "slurm", default_value_t = 1)]
    pilots: usize,

    /// The time of each pilot, as sbatch takes it; it stops in good order before
    #[arg(long, requires = "slurm")]
    time: Option<String>,

    /// The partition
    #[arg(long, requires = "slurm")]
    partition: Option<String>,

    /// A further argument of sbatch
    #[arg(long, requires = "slurm", value_name = "ARGUMENT", allow_hyphen_values = true)]
    sbatch_args: Vec<String>,
}

/// Run trials until none is left to be claimed
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wd study work studies/decay --slots 2
  ssh node7 wd study work /shared/decay
  wd study work /shared/decay --minutes 55      # begin nothing that would not be done by then

At SIGTERM, SIGINT or SIGUSR1 the programs are asked to end, and the exit status is 130; a second
signal ends them.")]
pub(crate) struct WorkArguments {
    #[command(flatten)]
    place: Place,

    /// Trials side by side [default: one an accelerator, or else one a core]
    #[arg(long)]
    slots: Option<usize>,

    /// End after so many minutes [default: when the batch job ends]
    #[arg(long)]
    minutes: Option<f64>,

    /// Wait for trials that other pilots run, and take over those of pilots that are gone
    #[arg(long)]
    wait: bool,
}

/// Say where a study stands
#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    place: Place,

    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

/// Add values to axes of a study
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  wd study add studies/decay seed=5..9 weight_decay=1")]
pub(crate) struct Add {
    #[command(flatten)]
    place: Place,

    /// KEY=VALUES, for example seed=5..9
    #[arg(value_name = "KEY=VALUES", required = true)]
    axes: Vec<String>,
}

/// Give trials that failed another chance
#[derive(Debug, Args)]
pub(crate) struct Retry {
    #[command(flatten)]
    place: Place,

    /// Their names [default: all that failed]
    names: Vec<String>,
}

/// Ask all pilots of a study to stop
#[derive(Debug, Args)]
pub(crate) struct Stop {
    #[command(flatten)]
    place: Place,
}

/// Remove attempts that count for nothing
#[derive(Debug, Args)]
pub(crate) struct Gc {
    #[command(flatten)]
    place: Place,

    /// Also the trials that do not follow from the study file any more
    #[arg(long)]
    others: bool,

    /// List them alone
    #[arg(long)]
    dry_run: bool,
}

/// Find out whether a folder keeps what a study rests on
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    place: Place,

    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

/// Where a study lies.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The folder of the study
    dir: PathBuf,
}

pub(crate) fn run(command: &Command) -> Result<ExitCode, CommandError> {
    match command {
        Command::New(arguments) => new(arguments),
        Command::Run(arguments) => run_here(arguments),
        Command::Work(arguments) => work(arguments),
        Command::Status(arguments) => {
            let study = open(&arguments.place)?;
            let mut status = study.status()?;
            status.queue = study.queue();
            show(&status, &status.page(), arguments.json);
            Ok(ExitCode::SUCCESS)
        }
        Command::Add(arguments) => {
            let before = open(&arguments.place)?.trials().len();
            let study = ProgramStudy::add(&arguments.place.dir, &arguments.axes)?;
            let trials = study.trials().len();
            println!("{trials} trials, {} of them new", trials - before);
            Ok(ExitCode::SUCCESS)
        }
        Command::Retry(arguments) => {
            let retried = open(&arguments.place)?.retry(&arguments.names)?;
            show(&retried, &retried.page(), false);
            Ok(ExitCode::SUCCESS)
        }
        Command::Stop(arguments) => {
            let study = open(&arguments.place)?;
            study.stop()?;
            study.cancel()?;
            eprintln!("all pilots of {} were asked to stop", arguments.place.dir.display());
            Ok(ExitCode::SUCCESS)
        }
        Command::Gc(arguments) => {
            let study = open(&arguments.place)?;
            let collected = study.collect_garbage(arguments.others, !arguments.dry_run)?;
            show(&collected, &collected.page(), false);
            Ok(ExitCode::SUCCESS)
        }
        Command::Doctor(arguments) => {
            let health = doctor::examine(&arguments.place.dir)?;
            show(&health, &health.page(), arguments.json);
            Ok(if health.is_well() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

fn open(place: &Place) -> Result<ProgramStudy, CommandError> {
    let root = &place.dir;
    if !root.join(FILE).exists() {
        return Err(CommandError::usage(
            format!("{} holds no {FILE}", root.display()),
            format!("`wd study new {}` writes one to begin with", root.display()),
        ));
    }
    if !ProgramStudy::is_one(root) {
        return Err(CommandError::usage(
            format!("{} is a study of runs of this program", root.display()),
            "`wd sweep` with the same arguments continues it, `wd report` reports it",
        ));
    }
    Ok(ProgramStudy::open(root)?)
}

fn show(value: &impl serde::Serialize, page: &Page, json: bool) {
    match json {
        true => println!("{}", serde_json::json!(value)),
        false => print!("{}", page.terminal(&output::terminal())),
    }
}

fn new(arguments: &New) -> Result<ExitCode, CommandError> {
    let path = arguments.dir.join(FILE);
    if path.exists() {
        return Err(CommandError::usage(
            format!("{} is there already", path.display()),
            "name another folder, or change the file",
        ));
    }
    let text = match &arguments.from {
        None => EXAMPLE.to_owned(),
        Some(sweep) => {
            let text = std::fs::read_to_string(sweep).map_err(|source| PilotError::Io {
                action: "read",
                path: sweep.clone(),
                source,
            })?;
            wandb_sweep::study_file(sweep, &text)?
        }
    };
    if arguments.from.is_some() {
        Declaration::parse(&path, &text)?;
    }
    output::write_file(&path, &text)?;
    Ok(ExitCode::SUCCESS)
}

fn slots(asked: Option<usize>) -> Result<Option<usize>, CommandError> {
    match asked {
        Some(0) => Err(CommandError::usage("--slots 0 would run nothing", "give 1 or more")),
        asked => Ok(asked),
    }
}

/// Works as a pilot, and shows it.
fn pilot(study: &ProgramStudy, options: PilotOptions) -> Result<Work, CommandError> {
    let pilot = Pilot::new(study, options);
    let stopper = pilot.stopper();
    interrupt::on_any_request(move || stopper.stop())?;
    let mut progress = StudyProgress::new(study, pilot.slots());
    let work = pilot.work(|event| progress.show(&event));
    progress.clear();
    Ok(work?)
}

fn run_here(arguments: &Run) -> Result<ExitCode, CommandError> {
    let study = open(&arguments.place)?;
    let slots = slots(arguments.slots)?;
    for other in &arguments.reuse {
        let reused = study.reuse(&ProgramStudy::open(other)?)?;
        eprintln!("{}", reused.page(other).lead);
    }
    if arguments.slurm {
        if arguments.pilots == 0 {
            return Err(CommandError::usage("--pilots 0 would run nothing", "give 1 or more"));
        }
        let submitted = study.submit(&SlurmOptions {
            program: program_words(),
            pilots: arguments.pilots,
            slots,
            time: arguments.time.clone(),
            partition: arguments.partition.clone(),
            more: arguments.sbatch_args.clone(),
        })?;
        show(&submitted, &submitted.page(), arguments.printed.json);
        return Ok(ExitCode::SUCCESS);
    }
    let options = PilotOptions { slots, waits_for_others: true, ..PilotOptions::default() };
    let work = pilot(&study, options)?;
    let status = study.status()?;
    let code = conclude(&status, &work);
    let html = study.root().join("report.html");
    match write_program_report(&study, &AnalysisOptions::default(), &html, arguments.printed) {
        // What is left is said already.
        Err(CommandError::Pilot(PilotError::Lab(LabError::NothingToAnalyse { .. })))
            if status.left() > 0 => {}
        text => {
            print!("{}", text?);
            eprintln!("→ {}", html.display());
        }
    }
    Ok(code)
}

fn work(arguments: &WorkArguments) -> Result<ExitCode, CommandError> {
    let study = open(&arguments.place)?;
    let options = PilotOptions {
        slots: slots(arguments.slots)?,
        until: until(arguments.minutes)?,
        waits_for_others: arguments.wait,
    };
    let work = pilot(&study, options)?;
    Ok(conclude(&study.status()?, &work))
}

/// When a pilot has to have ended: as asked, or when its batch job does.
fn until(minutes: Option<f64>) -> Result<Option<Instant>, CommandError> {
    let left = match minutes {
        Some(minutes) => Some(Duration::try_from_secs_f64(60.0 * minutes).map_err(|_| {
            CommandError::usage(format!("--minutes {minutes} is no time"), "give 55")
        })?),
        None => {
            let end = std::env::var("SLURM_JOB_END_TIME").ok();
            let end = end.and_then(|end| end.parse().ok()).map(Duration::from_secs);
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            end.map(|end| end.saturating_sub(now))
        }
    };
    Ok(left.and_then(|left| Instant::now().checked_add(left)))
}

/// Says what is left, and gives the exit code.
fn conclude(status: &wd_pilot::StudyStatus, work: &Work) -> ExitCode {
    let failed = status.trials.iter().filter(|trial| trial.state == State::Failed);
    for trial in failed {
        let first = trial.reason.lines().next().unwrap_or_default();
        eprintln!("{} failed: {first}", trial.name);
        if let Some(log) = &trial.log {
            eprintln!("  its log: {}", shortened(log));
        }
    }
    if status.left() > 0 {
        let total = wd_page::counted(status.trials.len(), "trial");
        eprintln!("{} of {total} have no result", status.left());
    }
    match (work.was_stopped, status.count(State::Failed)) {
        (true, _) => ExitCode::from(INTERRUPTED),
        (false, 0) => ExitCode::SUCCESS,
        (false, _) => {
            eprintln!("`wd study retry` gives those that failed another chance");
            ExitCode::FAILURE
        }
    }
}

/// A path from here, where it is below.
fn shortened(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}
