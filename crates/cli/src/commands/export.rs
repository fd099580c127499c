//! `wd export`: the weights of a run in the names of another library.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use wd_store::RunDirectory;

use crate::diagnostics::CommandError;

/// Write a run's weights as safetensors in the names of GPT-2, timm's ViT or torchvision's
/// ResNet-18
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wd export runs/first --out exported/model.safetensors
  python -c 'import transformers; print(transformers.AutoModelForCausalLM.from_pretrained(\"exported\"))'
A vision transformer:
  python -c 'import timm; print(timm.create_model(\"local-dir:exported\", pretrained=True))'
A ResNet of depth 18 is what torchvision.models.resnet18 loads, after conv1 = Conv2d(CHANNELS, 64, 3, 1, 1, bias=False) and
maxpool = Identity() where the stem is small.

To start a run from such a file: model.init_from = \"exported/model.safetensors\".")]
pub(crate) struct Arguments {
    /// The run
    #[arg(value_name = "RUN_DIR")]
    run: PathBuf,

    /// The safetensors file; for GPT-2 and timm config.json is written beside it
    #[arg(long, value_name = "FILE.safetensors")]
    out: PathBuf,

    /// Step of the checkpoint [default: the last]
    #[arg(long)]
    step: Option<u64>,

    /// The moving average of the weights (run.average) instead of the weights
    #[arg(long)]
    average: bool,

    /// Replace a config.json of another model
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    if arguments.out.extension().is_none_or(|extension| extension != "safetensors") {
        return Err(CommandError::usage(
            format!("--out {} is no .safetensors file", arguments.out.display()),
            format!("write --out {}", arguments.out.join("model.safetensors").display()),
        ));
    }
    let directory = RunDirectory::open(&arguments.run)?;
    let step = wd_train::export_run(
        &directory,
        arguments.step,
        &arguments.out,
        arguments.average,
        arguments.force,
    )?;
    let what = match arguments.average {
        true => "average of the weights",
        false => "weights",
    };
    let config = arguments.out.with_file_name("config.json");
    let beside = match config.exists() {
        true => format!(" and {}", config.display()),
        false => String::new(),
    };
    eprintln!("{what} after step {step} → {}{beside}", arguments.out.display(),);
    Ok(ExitCode::SUCCESS)
}
