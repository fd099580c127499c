//! `wd export`: the weights of a run in the names of another library.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use wd_store::RunDirectory;

use crate::diagnostics::CommandError;

/// Write a run's weights as GPT-2 safetensors, with a config.json
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wd export runs/first --out exported/model.safetensors
  python -c 'import transformers; print(transformers.AutoModelForCausalLM.from_pretrained(\"exported\"))'

To start a run from such a file: model.init_from = \"exported/model.safetensors\".")]
pub(crate) struct Arguments {
    /// The run
    #[arg(value_name = "RUN_DIR")]
    run: PathBuf,

    /// The safetensors file; config.json is written beside it
    #[arg(long, value_name = "FILE.safetensors")]
    out: PathBuf,

    /// Step of the checkpoint [default: the last]
    #[arg(long)]
    step: Option<u64>,

    /// Replace a config.json of another model
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    let directory = RunDirectory::open(&arguments.run)?;
    let step = wd_train::export_run(&directory, arguments.step, &arguments.out, arguments.force)?;
    eprintln!(
        "weights after step {step} → {} and {}",
        arguments.out.display(),
        arguments.out.with_file_name("config.json").display()
    );
    Ok(ExitCode::SUCCESS)
}
