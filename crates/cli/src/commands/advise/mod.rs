//! `wd advise`: which λ the published laws give for a planned run.

mod figure;
mod planned;
mod words;

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use wd_advise::{Advice, Verdict, advise, recipes};

use crate::{commands::train::ConfigArguments, diagnostics::CommandError};
use planned::Planned;

/// Exit code of a run that no law covers, or on which the laws disagree: the answer is printed all the same.
const UNSETTLED: u8 = 4;

/// Say which λ the published laws give for a planned run, and why
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wd advise --params 124M --tokens 10B --batch 0.5M --lr 6e-4 --schedule cosine:0.1
  wd advise --params 300M --dataset-size 200M --epochs 16 --batch 0.5M --lr 3e-3 --schedule cosine
  wd advise --images 1.28M --epochs 300 --batch 4096 --lr 3e-3 --schedule cosine
  wd advise --params 1B --tokens 20B --batch 0.5M --lr 1e-3 --width 2048 --base-width 256 --base-lambda 0.1
  wd advise studies/first.toml
  wd advise --recipes > docs/book/src/recipes.md

Numbers take k, M, B, T and units: 124M, 65536tok, 256img, 5ep. Every law says whether it applies to the run, is outside the
range in which it was established (and why), or needs another number. λ is that of torch.AdamW, whose step shrinks the
weights by η_tλ; --target writes it for another library.

Exit code: 0 when the laws that apply agree on a λ, 4 when none applies or they disagree, 1 for a wrong input.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: Option<ConfigArguments>,

    #[command(flatten)]
    planned: Planned,

    /// Write λ as this library does, for example optax.adamw (see `wd convert --list`)
    #[arg(long, value_name = "LIBRARY", default_value = "torch.AdamW")]
    target: String,

    /// Print the public recipes with their distance from the law, as Markdown
    #[arg(long, exclusive = true)]
    recipes: bool,

    /// Print the answer as JSON
    #[arg(long)]
    json: bool,

    /// Draw λ over batch, budget, parameters and width
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    if arguments.recipes {
        print!("{}", recipes::page());
        return Ok(ExitCode::SUCCESS);
    }
    let (planned, context) = match &arguments.config {
        Some(config) => arguments.planned.of_config(config)?,
        None => arguments.planned.declared()?,
    };
    let advice = advise(&planned);
    if let Some(path) = &arguments.svg {
        let figure = figure::elsewhere(&advice).ok_or_else(|| {
            CommandError::usage(
                "no law gives a number for this run, so that there is nothing to draw",
                "leave --svg out: the answer says why",
            )
        })?;
        wd_store::write_file(path, figure.file(900.0).as_bytes())?;
        eprintln!("→ {}", path.display());
    }
    if arguments.json {
        println!("{}", serde_json::json!(advice));
    } else {
        print!("{}", words::describe(&advice, &context));
    }
    Ok(exit_code(&advice))
}

fn exit_code(advice: &Advice) -> ExitCode {
    match advice.verdict {
        Verdict::Recommended { .. } => ExitCode::SUCCESS,
        Verdict::Disagreement { .. } | Verdict::NotCovered { .. } => ExitCode::from(UNSETTLED),
    }
}
