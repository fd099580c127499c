//! `wd sample`: what the model of a run on text writes.

use std::path::PathBuf;

use clap::Args;
use wd_page::words::printable_lines;
use wd_train::{SampleOptions, sample};

use crate::ExitCode;
use crate::diagnostics::CommandError;
use crate::run_argument::open_run;

/// Let the language model of a run write
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wd sample runs/first
  wd sample runs/first --prompt 'My fellow citizens' --tokens 100
  wd sample runs/first --temperature 0             # always the likeliest token

The same seed gives the same text. A model of this size and length writes words, not sense.")]
pub(crate) struct Arguments {
    /// A run on text
    #[arg(value_name = "RUN_DIR")]
    directory: PathBuf,

    /// The text to go on from [default: the beginning of a document]
    #[arg(long, value_name = "TEXT")]
    prompt: Option<String>,

    /// Tokens to write
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    tokens: u32,

    /// 1 draws as the model says, less is safer, 0 takes the likeliest token
    #[arg(long, value_name = "T", default_value_t = 0.8)]
    temperature: f64,

    /// The seed of the draws
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// Step of the checkpoint [default: the last]
    #[arg(long)]
    step: Option<u64>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    let run = open_run(&arguments.directory)?;
    let options = SampleOptions {
        tokens: arguments.tokens as usize,
        temperature: arguments.temperature,
        seed: arguments.seed,
        prompt: arguments.prompt.clone(),
        step: arguments.step,
    };
    let sample = sample(&run, &options)?;
    if arguments.json {
        println!("{}", serde_json::json!(sample));
    } else {
        println!("{}{}", printable_lines(&sample.prompt), printable_lines(&sample.text));
    }
    Ok(ExitCode::SUCCESS)
}
