//! `wd export`: the weights of a run in the names of another library, or a study as tables.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use wd_import::export::{Form, export};
use wd_lab::{AnalysisOptions, LabError, Study};
use wd_pilot::ProgramStudy;

use crate::ExitCode;
use crate::diagnostics::CommandError;
use crate::run_argument::open_run;

/// Write a run's weights as safetensors in the names of GPT-2, timm's ViT or torchvision's
/// ResNet-18; or a study's runs, series and statistics as tables
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("form").required(true))]
#[command(after_help = "\
Examples:
  wd export runs/first --out exported/model.safetensors
  wd export runs/sweep --parquet tables  # also --csv DIR, --sqlite FILE.db, --tensorboard DIR
  python -c 'import transformers as t; print(t.AutoModelForCausalLM.from_pretrained(\"exported\"))'
A vision transformer:
  python -c 'import timm; print(timm.create_model(\"local-dir:exported\", pretrained=True))'
A ResNet of depth 18 is what torchvision.models.resnet18 loads, after conv1 = Conv2d(CHANNELS, 64,
3, 1, 1, bias=False) and maxpool = Identity() where the stem is small.

To start a run from such a file: model.init_from = \"exported/model.safetensors\".")]
pub(crate) struct Arguments {
    /// The run, or for tables the study
    #[arg(value_name = "DIR")]
    run: PathBuf,

    /// The safetensors file; for GPT-2 and timm config.json is written beside it
    #[arg(long, value_name = "FILE.safetensors", group = "form")]
    out: Option<PathBuf>,

    /// A folder for the study's tables as Parquet: runs, settings, series, arms, comparisons
    #[arg(long, value_name = "DIR", group = "form")]
    parquet: Option<PathBuf>,

    /// A folder for the same as CSV
    #[arg(long, value_name = "DIR", group = "form")]
    csv: Option<PathBuf>,

    /// A file for the same as SQLite
    #[arg(long, value_name = "FILE", group = "form")]
    sqlite: Option<PathBuf>,

    /// A folder for the study's series and settings as event files of TensorBoard
    #[arg(long, value_name = "DIR", group = "form")]
    tensorboard: Option<PathBuf>,

    /// Step of the checkpoint [default: the last]
    #[arg(long, requires = "out")]
    step: Option<u64>,

    /// The moving average of the weights (run.average) instead of the weights
    #[arg(long, requires = "out")]
    average: bool,

    /// Replace a config.json of another model
    #[arg(long, requires = "out")]
    force: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    let tables = [
        (Form::Parquet, &arguments.parquet),
        (Form::Csv, &arguments.csv),
        (Form::Sqlite, &arguments.sqlite),
        (Form::Tensorboard, &arguments.tensorboard),
    ];
    for (form, out) in tables {
        if let Some(out) = out {
            export_tables(&arguments.run, form, out)?;
            eprintln!("→ {}", out.display());
            return Ok(ExitCode::SUCCESS);
        }
    }
    match &arguments.out {
        Some(out) => export_weights(arguments, out),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// A study as tables; nothing of it need have finished.
fn export_tables(root: &Path, form: Form, out: &Path) -> Result<(), CommandError> {
    if ProgramStudy::is_one(root) {
        let study = ProgramStudy::open(root)?;
        let recorded = tempfile::tempdir()?;
        let title = &study.declaration().title;
        let study = study.import()?.save(&recorded.path().join("study"), title)?;
        return write_tables(&study, form, out);
    }
    write_tables(&Study::open(root)?, form, out)
}

fn write_tables(study: &Study, form: Form, out: &Path) -> Result<(), CommandError> {
    let analysis = match wd_lab::analyse(study, &AnalysisOptions::default()) {
        Err(LabError::NothingToAnalyse { .. }) => None,
        analysis => Some(analysis?),
    };
    Ok(export(study, analysis.as_ref(), form, out)?)
}

fn export_weights(arguments: &Arguments, out: &Path) -> Result<ExitCode, CommandError> {
    if out.extension().is_none_or(|extension| extension != "safetensors") {
        return Err(CommandError::usage(
            format!("--out {} is no .safetensors file", out.display()),
            format!("write --out {}", out.join("model.safetensors").display()),
        ));
    }
    let directory = open_run(&arguments.run)?;
    let step =
        wd_train::export_run(&directory, arguments.step, out, arguments.average, arguments.force)?;
    let what = match arguments.average {
        true => "average of the weights",
        false => "weights",
    };
    let config = out.with_file_name("config.json");
    let beside = match config.exists() {
        true => format!(" and {}", config.display()),
        false => String::new(),
    };
    eprintln!("{what} after step {step} → {}{beside}", out.display());
    Ok(ExitCode::SUCCESS)
}
