//! `wd advise`: which λ the published laws give for a planned run.

mod planned;

use std::path::{Path, PathBuf};

use clap::Args;
use wd_advise::{AdviceReport, TargetLambda, Verdict, advise, recipes};
use wd_conventions::Target;
use wd_page::Context;

use crate::commands::trainer_config;
use crate::diagnostics::CommandError;
use crate::invocation::own_command;
use crate::output;
use crate::{Answer, ExitCode};
use planned::{Options, Planned};

/// Exit code of a run that no law covers, or on which the laws disagree: the answer is printed all
/// the same.
const UNSETTLED: u8 = 4;
/// Width in pixels of the figure's file.
const FIGURE_WIDTH: f64 = 900.0;

/// Say which λ the published laws give for a planned run, and why
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wd advise --params 124M --tokens 10B --batch 0.5M --lr 6e-4 --schedule cosine:0.1
  wd advise --params 300M --dataset-size 200M --epochs 16 --batch 0.5M --lr 3e-3 --schedule cosine
  wd advise --images 1.28M --epochs 300 --batch 4096 --lr 3e-3 --schedule cosine
  wd advise --params 1B --tokens 20B --batch 0.5M --lr 1e-3 --schedule linear \\
      --width 2048 --base-width 256 --base-lambda 0.1 --target optax.adamw
  wd advise params=124M tokens=3B batch=512seq context=1024 lr=6e-4 schedule=cosine:0.1
  wd advise studies/first.toml --html advice.html
  wd advise train_config.yaml --params 124M           # of another trainer, as `wd audit` reads it
  wd advise --recipes > docs/book/src/recipes.md

Numbers take k, M, B, T and units: 124M, 65536tok, 256img, 5ep. Every law says whether it applies
to the run, is outside the range in which it was established (and why), or needs another number.
λ is that of torch.AdamW, whose step shrinks the weights by η_tλ; --target writes it for another
library.

Exit code: 0 when the laws that apply agree on a λ, 4 when none applies or they disagree, 1 for a
wrong input.")]
pub(crate) struct Arguments {
    /// A configuration, also of another trainer, or the run as `wd explain` has it; options add to
    /// it
    #[arg(value_name = "CONFIG | KEY=VALUE")]
    config: Vec<String>,

    /// Change a value of the configuration, for example optim.lr=3e-3 (may be repeated)
    #[arg(long = "set", value_name = "KEY=VALUE", requires = "config")]
    set: Vec<String>,

    #[command(flatten)]
    planned: Options,

    /// Write λ as this library does, for example optax.adamw (`wd convert --list` has all)
    /// [default: torch.AdamW, or torch.Muon for Muon]
    #[arg(long, value_name = "LIBRARY")]
    target: Option<String>,

    /// Print the public recipes with their distance from the law, as Markdown
    #[arg(long, exclusive = true)]
    recipes: bool,

    /// Print the answer as JSON
    #[arg(long)]
    json: bool,

    /// Draw λ over batch, budget, parameters and width as an SVG file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    /// Write the answer with its plot as one HTML file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Is the first word a file, rather than the beginning of a run in words?
fn is_configuration(word: &str) -> bool {
    trainer_config::is_file(word)
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    if arguments.recipes {
        print!("{}", recipes::page());
        return Ok(ExitCode::SUCCESS);
    }
    let report = report(arguments)?;
    if let Some(path) = &arguments.svg {
        let figure = report.advice.figure().ok_or_else(|| {
            CommandError::usage(
                "no law gives a number for this run, so that there is nothing to draw",
                "leave --svg out: the answer says why",
            )
        })?;
        output::write_file(path, &figure.file(FIGURE_WIDTH))?;
    }
    let commands = vec![own_command()];
    let page = report.page(&Context { commands, ..Context::default() });
    if let Some(path) = &arguments.html {
        output::write_file(path, &page.html())?;
    }
    if arguments.json {
        println!("{}", serde_json::json!(report));
    } else {
        print!("{}", page.terminal(&output::terminal()));
    }
    Ok(match report.advice.verdict {
        Verdict::Recommended { .. } => ExitCode::SUCCESS,
        Verdict::Disagreement { .. } | Verdict::NotCovered { .. } => ExitCode::from(UNSETTLED),
    })
}

pub(crate) fn answer(arguments: &Arguments, context: &Context) -> Result<Answer, CommandError> {
    let report = report(arguments)?;
    let page = report.page(context);
    Ok(Answer::new(report, page))
}

fn report(arguments: &Arguments) -> Result<AdviceReport, CommandError> {
    let Planned { planned, run, sweep, configured } = planned(arguments)?;
    // A slip in the target's name is told before anything else is printed.
    let own = TargetLambda::own_entry(planned.optimizer);
    let target: Target = arguments.target.as_deref().unwrap_or(own).parse()?;
    let advice = advise(&planned);
    let target = TargetLambda::of(&advice, planned.optimizer, &run, &target)?;
    Ok(AdviceReport { advice, target, configured, sweep })
}

/// The run of a configuration, of words or of options; with the first two, options add to them.
fn planned(arguments: &Arguments) -> Result<Planned, CommandError> {
    let options = &arguments.planned;
    let [first, more @ ..] = arguments.config.as_slice() else {
        return options.of_words(&options.words()?, false);
    };
    let added = |words: &[String]| Ok::<_, CommandError>([words, &options.words()?].concat());
    if !is_configuration(first) {
        return options.of_words(&added(&arguments.config)?, false);
    }
    let trainers = match arguments.set.is_empty() {
        true => trainer_config::read(Path::new(first))?,
        false => None,
    };
    match (trainers, more) {
        (Some(declaration), more) => {
            let words = declaration.words_of_the_run(&added(more)?);
            options.of_words(&words, declaration.fine_tunes)
        }
        (None, []) => options.of_config(Path::new(first), &arguments.set),
        (None, [word, ..]) => Err(CommandError::usage(
            format!("`{word}` stands behind a configuration"),
            "change a configuration with --set, for example --set decay.lambda=0.3",
        )),
    }
}
