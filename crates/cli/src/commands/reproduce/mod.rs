//! `wd reproduce`: the project's main job on shipped data, from text to verdict; `prior` and
//! `vision` are the studies of λ as a prior, in linear models and in networks; `claims` takes a post
//! on weight decay claim by claim.

mod claims;
mod prior;
mod vision;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use wd_data::text::{PrepareOptions, TokenizerSpec};
use wd_lab::{Setting, Study, setting};
use wd_page::words::quoted;
use wd_page::{Settling, number};
use wd_studies::{Definition, Length, force};
use wd_train::{ConfigSource, RunPlan};

use crate::{
    ExitCode,
    commands::data,
    commands::report::{Remade, write_study_report},
    diagnostics::CommandError,
    launch,
    output::Printed,
};

/// Train small language models under several λ, and draw what λ did
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "\
Examples:
  wd reproduce --quick  # 80 seconds on 2 cores: one seed, a first look
  wd reproduce          # at most 15 minutes on 2 cores
  wd reproduce --corpus my-text.jsonl.zst  # the same study on your own text
  wd reproduce --seeds 10 --out runs/ten  # more seeds: narrower intervals
  wd reproduce prior    # λ as a prior in linear models, 12 seconds on 2 cores
  wd reproduce vision   # λ as a prior in a ViT and a CNN, within 20 minutes
  wd reproduce claims   # a post on weight decay, claim by claim, 50 minutes

Stop it with Ctrl-C; the same command continues, and repeats nothing that is done.")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    study: Option<OtherStudy>,

    /// About a minute: few runs of half the length
    #[arg(long, conflicts_with = "full")]
    quick: bool,

    /// More seeds and a larger model: hours
    #[arg(long)]
    full: bool,

    /// Train on this text instead of the shipped corpus: JSONL, or plain text, which is cut into
    /// documents at blank lines; also gzip or zstd
    #[arg(long, value_name = "FILE")]
    corpus: Option<PathBuf>,

    /// The folder of the study [default: runs/reproduce, -quick or -full]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Trials side by side, one thread each [default: one a core]
    #[arg(long)]
    jobs: Option<usize>,

    /// Seeds of every grid [default: as the study says]
    #[arg(long)]
    seeds: Option<u64>,

    #[command(flatten)]
    printed: Printed,
}

/// Studies beside the main one.
#[derive(Debug, Subcommand)]
enum OtherStudy {
    Claims(claims::Arguments),
    Prior(prior::Arguments),
    Vision(vision::Arguments),
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    match &arguments.study {
        Some(OtherStudy::Claims(arguments)) => return claims::run(arguments),
        Some(OtherStudy::Prior(arguments)) => return prior::run(arguments),
        Some(OtherStudy::Vision(arguments)) => return vision::run(arguments),
        None => {}
    }
    let definition = force::definition()?;
    let length = length(arguments.quick, arguments.full);
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("runs/reproduce{}", length.suffix())));
    let corpus = prepare_corpus(arguments.corpus.as_deref(), &definition, &out)?;
    let base = base_configuration(definition.set(length), &corpus)?;
    let title = match &arguments.corpus {
        Some(path) => {
            let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
            format!("What weight decay does to a small model of {name}")
        }
        None => definition.title.clone(),
    };
    if arguments.seeds == Some(0) {
        return Err(CommandError::usage("--seeds 0 would train nothing", "give 1 or more"));
    }
    let (study, trials) = Study::extend(&out, &title, &base, |study| {
        definition.add_to(study, length, arguments.seeds).map_err(CommandError::from)
    })?;

    eprintln!("{} → {}", number::counted(trials.len() as u64, "trial"), out.display());
    launch::train_and_report(study.root(), &trials, arguments.jobs, |html| {
        let corpus = arguments.corpus.as_deref().map(|path| ("--corpus", path));
        let lengths = (arguments.quick, arguments.full);
        let command = command("wd reproduce", lengths, corpus, arguments.seeds, &out);
        let settling =
            (arguments.quick).then(|| whole_study("wd reproduce", corpus, "at most 15 minutes"));
        let remade = Remade { command: Some(command), settling };
        write_study_report(&study, remade, html, arguments.printed)
    })
}

/// Prepares the user's text, or the shipped corpus, in the study's folder.
fn prepare_corpus(
    text: Option<&Path>,
    definition: &Definition,
    out: &Path,
) -> Result<PathBuf, CommandError> {
    let source = match text {
        Some(path) => path.to_owned(),
        None => {
            let path = out.join(force::CORPUS_FILE);
            std::fs::create_dir_all(out)
                .map_err(|source| CommandError::Write { path: out.to_owned(), source })?;
            if std::fs::read(&path).ok().as_deref() != Some(force::CORPUS) {
                wd_store::write_file(&path, force::CORPUS)?;
            }
            path
        }
    };
    let tokenizer: TokenizerSpec = definition.tokenizer.as_deref().unwrap_or("bytes").parse()?;
    let corpus = out.join("corpus");
    // A book is one text: cut at its blank lines, it has documents to hold out. JSONL brings its
    // own.
    let options = PrepareOptions { separator: Some("\n\n".to_owned()), force: false };
    let sidecar = data::prepare(&[source], &tokenizer, &corpus, &options)?;
    eprintln!(
        "corpus: {}, {} of a vocabulary of {}",
        number::counted(sidecar.documents, "document"),
        number::counted(sidecar.tokens, "token"),
        number::count(sidecar.vocabulary as u64)
    );
    Ok(corpus)
}

/// The base configuration with the variant's changes, shortened where the text is too short for
/// them.
fn base_configuration(set: &[String], corpus: &Path) -> Result<String, CommandError> {
    let mut settings = vec![Setting::new(
        "data.path",
        &toml::Value::String(corpus.display().to_string()).to_string(),
    )?];
    let mut steps = None;
    for argument in set {
        let setting: Setting = argument.parse()?;
        if setting.key() == "run.steps" {
            steps = setting.number();
        } else {
            settings.push(setting);
        }
    }
    let base = setting::apply(force::BASE, &settings)?;
    let available =
        RunPlan::new(ConfigSource::parse("the base configuration of the study", base.clone())?)?
            .record
            .steps;
    if available < force::LEAST_STEPS {
        return Err(CommandError::usage(
            format!(
                "the text gives one pass of {}: too short to see what λ does",
                number::counted(available, "step")
            ),
            format!("bring a text of at least {} × 2,048 tokens, about 500 kB", force::LEAST_STEPS),
        ));
    }
    let steps = steps.map_or(available, |steps| available.min(steps as u64));
    let steps = Setting::new("run.steps", &steps.to_string())?;
    Ok(setting::apply(&base, &[steps])?)
}

/// How much of a study two switches ask for.
fn length(quick: bool, full: bool) -> Length {
    match (quick, full) {
        (true, _) => Length::Quick,
        (_, true) => Length::Full,
        _ => Length::Default,
    }
}

/// What decides what a first look leaves open.
fn whole_study(name: &str, data: Option<(&str, &Path)>, time: &str) -> Settling {
    let data = data.map_or_else(String::new, |(option, path)| {
        format!(" {option} {}", quoted(&path.display().to_string()))
    });
    Settling {
        what: format!("The whole study, with several seeds, {time} on 2 cores"),
        command: format!("{name}{data}"),
    }
}

/// The command that makes a study again: its name and the options that were given.
fn command(
    name: &str,
    (quick, full): (bool, bool),
    data: Option<(&str, &Path)>,
    seeds: Option<u64>,
    out: &Path,
) -> String {
    let mut command = name.to_owned();
    for (flag, is_given) in [(" --quick", quick), (" --full", full)] {
        if is_given {
            command.push_str(flag);
        }
    }
    let path = |path: &Path| quoted(&path.display().to_string());
    if let Some((option, data)) = data {
        command.push_str(&format!(" {option} {}", path(data)));
    }
    if let Some(seeds) = seeds {
        command.push_str(&format!(" --seeds {seeds}"));
    }
    command.push_str(&format!(" --out {}", path(out)));
    command
}
