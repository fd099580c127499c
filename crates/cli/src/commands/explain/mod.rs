//! `wd explain`: one setting, and everything that follows from it.

pub(super) mod project;

use std::path::{Path, PathBuf};

use clap::Args;
use wd_advise::Explained;
use wd_conventions::{DeclaredDecay, Setting};
use wd_page::Context;

use crate::commands::train::read_config;
use crate::commands::trainer_config;
use crate::diagnostics::CommandError;
use crate::invocation::own_command;
use crate::output;
use crate::{Answer, ExitCode};

/// Width in pixels of the figure's file.
const FIGURE_WIDTH: f64 = 900.0;

/// Explain one weight-decay setting: what it does, and what to beware of
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wd explain torch.AdamW weight_decay=0.1 lr=6e-4 betas=0.9,0.95 \\
      schedule=cosine,warmup=400,floor=0.1 steps=50000 batch=65536tok params=124M
  wd explain torch.SGD weight_decay=1e-4 lr=0.1 momentum=0.9 schedule=cosine \\
      epochs=90 batch=256img data=1281167img
  wd explain optax.lion weight_decay=1 learning_rate=3e-5 dtype=bf16 steps=10000
  wd explain sklearn.Ridge alpha=1 noise_std=0.5
  wd explain studies/first.toml --set decay.lambda=0.3 --html first.html
  wd explain train_config.yaml params=124M

The first word is an entry of the library table (`wd convert --list`), a configuration of this
project (a corpus that is not prepared only takes from what can be said of it), or one of another
trainer, as `wd audit` reads them: Hugging Face, nanoGPT, timm, axolotl and others; what stands
behind it adds to it, or replaces what it says.
Units: 124M, 65536tok, 256seq, 1.28Mimg, 5ep. More keys: tokens, images, data, context,
accumulation, devices, width, init_std, gradient_rms, reduction, loss, noise_std, dtype, and
spares=norms or spares=norms,embeddings: tensors that your groups leave out. Where the run is known,
the laws of `wd advise` say where λ stands.")]
pub(crate) struct Arguments {
    /// A library entry and its key=value, or a configuration
    #[arg(value_name = "SETTING", required = true)]
    words: Vec<String>,

    /// Change a value of the configuration, for example optim.lr=3e-3 (may be repeated)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,

    /// Print the explanation as JSON
    #[arg(long)]
    json: bool,

    /// Write the curves as an SVG file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    /// Write the explanation with its curves as one HTML file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    let explained = Explained::of(&declared(arguments)?)?;
    if let Some(path) = &arguments.svg {
        let figure = explained.explanation.figure().ok_or_else(|| {
            CommandError::usage(
                "there are no curves without a learning rate and a number of steps",
                "add lr=… and steps=… (or tokens=… and batch=…)",
            )
        })?;
        output::write_file(path, &figure.file(FIGURE_WIDTH))?;
    }
    let commands = vec![own_command()];
    let page = explained.page(&Context { commands, ..Context::default() });
    if let Some(path) = &arguments.html {
        output::write_file(path, &page.html())?;
    }
    if arguments.json {
        println!("{}", serde_json::json!(explained));
    } else {
        print!("{}", page.terminal(&output::terminal()));
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn answer(arguments: &Arguments, context: &Context) -> Result<Answer, CommandError> {
    let explained = Explained::of(&declared(arguments)?)?;
    let page = explained.page(context);
    Ok(Answer::new(explained, page))
}

fn declared(arguments: &Arguments) -> Result<DeclaredDecay, CommandError> {
    let first = arguments.words.first().map_or("", String::as_str);
    let is_file = trainer_config::is_file(first);
    if is_file
        && arguments.set.is_empty()
        && let Some(declaration) = trainer_config::read(Path::new(first))?
    {
        return Ok(declaration.decay(&arguments.words[1..])?);
    }
    match (is_file, arguments.words.get(1)) {
        (false, _) if !arguments.set.is_empty() => Err(CommandError::usage(
            "--set changes a configuration, and there is none",
            "write the keys behind the library: torch.AdamW weight_decay=0.1 lr=6e-4",
        )),
        (false, _) => Ok(DeclaredDecay::from(&Setting::read(&arguments.words)?)),
        (true, Some(word)) => Err(CommandError::usage(
            format!("`{word}` stands behind a configuration"),
            "change a configuration with --set, for example --set decay.lambda=0.3",
        )),
        (true, None) => project::declared(&read_config(Path::new(first), &arguments.set)?),
    }
}
