//! `wd reproduce vision`: where the best λ lies for models with few and with many built-in
//! assumptions, on limited data.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use clap::Args;
use wd_lab::{Setting, Study, Trial, configuration, setting};
use wd_page::number;
use wd_studies::vision;
use wd_train::{ConfigSource, RunPlan};

use super::{command, length, whole_study};
use crate::{
    ExitCode,
    commands::report::{Remade, write_study_report},
    diagnostics::CommandError,
    launch,
    output::Printed,
};

/// Train a ViT and a CNN on few images under many λ, and find where the best λ lies
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wd reproduce vision --quick  # about a minute: one seed, a first look
  wd reproduce vision          # within 20 minutes on 2 cores, on the shipped Fashion-MNIST cut
  wd reproduce vision --data mnist/  # the same study on your own images
  wd reproduce vision --data fashion/ --full  # 1,000 to 60,000 images, an hour

Images: a folder of IDX files (MNIST, Fashion-MNIST), CIFAR-10/100 binary, PNG/JPEG by class, or
Parquet, with a test part. Stop it with Ctrl-C; the same command continues, and repeats nothing
that is done.")]
pub(super) struct Arguments {
    /// About a minute: few λ, one seed
    #[arg(long, conflicts_with = "full")]
    quick: bool,

    /// More images, longer runs, a finer grid: needs --data with 60,000 training images
    #[arg(long, requires = "data")]
    full: bool,

    /// Train on these images instead of the shipped ones
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,

    /// The folder of the study [default: runs/reproduce-vision, -quick or -full]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Trials side by side, one thread each [default: one a core]
    #[arg(long)]
    jobs: Option<usize>,

    /// Seeds of every grid [default: as the study says]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: Option<u64>,

    #[command(flatten)]
    printed: Printed,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    let definition = vision::definition()?;
    let length = length(arguments.quick, arguments.full);
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("runs/reproduce-vision{}", length.suffix())));
    let images = match &arguments.data {
        Some(path) => path.clone(),
        None => shipped_images(&out)?,
    };
    let path = toml::Value::String(images.display().to_string()).to_string();
    let base = setting::apply(vision::BASE, &[Setting::new("data.path", &path)?])?;
    let title = match &arguments.data {
        Some(path) => format!("{} ({})", definition.title, path.display()),
        None => definition.title.clone(),
    };
    let mut study = Study::open_or_create(&out, &title, &base)?;
    let trials = definition.add_to(&mut study, length, arguments.seeds)?;
    if let Some(path) = &arguments.data {
        refuse_unusable(path, &trials)?;
    }
    let (study, trials) = Study::extend(&out, &title, &base, |study| {
        definition.add_to(study, length, arguments.seeds).map_err(CommandError::from)
    })?;

    eprintln!("{} → {}", number::counted(trials.len() as u64, "trial"), out.display());
    launch::train_and_report(study.root(), &trials, arguments.jobs, |html| {
        let data = arguments.data.as_deref().map(|path| ("--data", path));
        let lengths = (arguments.quick, arguments.full);
        let command = command("wd reproduce vision", lengths, data, arguments.seeds, &out);
        let whole = "wd reproduce vision";
        let settling = arguments.quick.then(|| whole_study(whole, data, "within 20 minutes"));
        let remade = Remade { command: Some(command), settling };
        write_study_report(&study, remade, html, arguments.printed)
    })
}

/// Images that cannot be read, or are fewer than a trial asks for, should not cost a folder of
/// failed trials.
fn refuse_unusable(path: &Path, trials: &[Trial]) -> Result<(), CommandError> {
    let mut sizes = BTreeSet::new();
    for trial in trials {
        let size = configuration::flatten(&trial.configuration)?.remove("data.size");
        if sizes.insert(size) {
            let name = format!("the study's trial {}, with --data {}", trial.name, path.display());
            RunPlan::new(ConfigSource::parse(&name, trial.configuration.clone())?)?;
        }
    }
    Ok(())
}

/// Writes the shipped images into the study's folder, where its trials find them.
pub(super) fn shipped_images(out: &Path) -> Result<PathBuf, CommandError> {
    let folder = out.join("images");
    std::fs::create_dir_all(&folder)
        .map_err(|source| CommandError::Write { path: folder.clone(), source })?;
    for (name, bytes) in vision::IMAGES {
        let path = folder.join(name);
        if std::fs::read(&path).ok().as_deref() != Some(bytes) {
            wd_store::write_file(&path, bytes)?;
        }
    }
    Ok(folder)
}
