//! `wd reproduce claims`: a post on weight decay, claim by claim.

use std::path::{Path, PathBuf};

use clap::Args;
use wd_lab::{Setting, Study, Trial, setting};
use wd_page::{Context, Page, number, words::quoted};
use wd_store::RunDirectory;
use wd_studies::claims::{self, Sources};
use wd_studies::{Definition, Length, prior};

use super::{base_configuration, prepare_corpus, vision::shipped_images};
use crate::{ExitCode, diagnostics::CommandError, launch, output};

/// Take a post on weight decay claim by claim: what was done, what was found, and the verdict
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wd reproduce claims --quick                    # six minutes on 2 cores: few seeds, a first look
  wd reproduce claims                            # about 50 minutes on 2 cores
  wd reproduce claims --corpus my-text.jsonl.zst --out runs/mine
  wd reproduce claims --markdown docs/claims.md  # the page as Markdown, its figures beside it

Runs of `wd reproduce` and `wd reproduce vision` in the folders reproduce and reproduce-vision of
--out are used, and not trained again; what is missing is added to them. Its own runs are in
reproduce-claims, where the report is. Stop it with Ctrl-C; the same command continues.")]
pub(super) struct Arguments {
    /// About six minutes: few seeds and short runs
    #[arg(long)]
    quick: bool,

    /// Train language models on this text instead of the shipped corpus
    #[arg(long, value_name = "FILE")]
    corpus: Option<PathBuf>,

    /// Train on these images instead of the shipped ones
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,

    /// The folder of the studies: reproduce, reproduce-vision and reproduce-claims in it, with
    /// -quick behind each for --quick
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,

    /// Trials side by side, one thread each [default: one a core]
    #[arg(long)]
    jobs: Option<usize>,

    /// Seeds of every grid [default: as the study says]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: Option<u64>,

    /// Write the page as Markdown too, and its figures as SVG files beside it
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,

    /// Print the findings as JSON instead of the verdicts
    #[arg(long)]
    json: bool,
}

/// Draws of the study of linear models.
const DRAWS: [u64; 2] = [100, 400];

/// Bits that the final weights are rounded to.
const BITS: [u8; 3] = [8, 4, 3];

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    let length = if arguments.quick { Length::Quick } else { Length::Default };
    let folder = |name: &str| arguments.out.join(format!("{name}{}", length.suffix()));
    let own = folder("reproduce-claims");
    let trained = claims::trained()?;

    let corpus = prepare_corpus(arguments.corpus.as_deref(), &trained.force, &folder("reproduce"))?;
    let images = match &arguments.data {
        Some(path) => path.clone(),
        None => shipped_images(&folder("reproduce-vision"))?,
    };
    let of_text = |definition: &Definition| base_configuration(definition.set(length), &corpus);
    let of_images = |definition: &Definition| on_images(definition.set(length), &images);
    let studies = [
        (folder("reproduce"), &trained.force, of_text(&trained.force)?),
        (folder("reproduce-vision"), &trained.vision, of_images(&trained.vision)?),
        (own.join("language-models"), &trained.language_models, of_text(&trained.language_models)?),
        (own.join("wrong-labels"), &trained.wrong_labels, of_images(&trained.wrong_labels)?),
        (own.join("controls"), &trained.controls, of_text(&trained.controls)?),
    ];
    let mut made: Vec<Study> = Vec::new();
    let mut all: Vec<Trial> = Vec::new();
    for (root, definition, base) in studies {
        let (study, trials) = Study::extend(&root, &definition.title, &base, |study| {
            definition.add_to(study, length, arguments.seeds).map_err(CommandError::from)
        })?;
        made.push(study);
        all.extend(trials);
    }
    let [force, vision, language_models, wrong_labels, controls] = &made[..] else {
        return Err(CommandError::usage("a study is missing", "this is a fault of the program"));
    };

    eprintln!("{} → {}", number::counted(all.len() as u64, "trial"), arguments.out.display());
    let replays = || {
        let (root, title, base) = (controls.root(), controls.title(), controls.base());
        let (_, trials) = Study::extend(root, title, base, |study| {
            claims::add_replays(force, study).map_err(CommandError::from)
        })?;
        Ok(trials)
    };
    launch::train_in_stages(&own, all, arguments.jobs, replays, |html| {
        round_weights(force)?;
        let controls = &Study::open(controls.root())?;
        let prior = &prior::findings(DRAWS[usize::from(!arguments.quick)])?;
        let sources = Sources { force, vision, prior, language_models, wrong_labels, controls };
        let report = claims::report(&sources)?;
        let page = report.page(&context(arguments));
        wd_store::write_file(html, page.html().as_bytes())?;
        if let Some(path) = &arguments.markdown {
            write_markdown(&page, path)?;
        }
        Ok(match arguments.json {
            true => format!("{}\n", serde_json::json!(report)),
            false => page.terminal(&output::terminal()),
        })
    })
}

/// The base configuration of networks on these images, with the variant's changes.
fn on_images(set: &[String], images: &Path) -> Result<String, CommandError> {
    let path = toml::Value::String(images.display().to_string()).to_string();
    let mut settings = vec![Setting::new("data.path", &path)?];
    for argument in set {
        settings.push(argument.parse()?);
    }
    Ok(setting::apply(claims::base_of_wrong_labels(), &settings)?)
}

/// Rounds the final weights of the runs that the claims compare, where that was not done before.
fn round_weights(force: &Study) -> Result<(), CommandError> {
    for directory in claims::runs_to_round(force)? {
        let run = RunDirectory::open(&directory)?;
        let done = run.rounded()?;
        for bits in BITS {
            if !done.iter().any(|rounded| rounded.bits == bits) {
                run.append_rounded(&wd_train::evaluate_rounded(&run, bits)?)?;
            }
        }
    }
    Ok(())
}

/// Writes the page and its figures.
fn write_markdown(page: &Page, path: &Path) -> Result<(), CommandError> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let markdown = page.markdown(&stem);
    let folder = path.parent().unwrap_or(Path::new(""));
    for (name, svg) in &markdown.figures {
        wd_store::write_file(&folder.join(name), svg.as_bytes())?;
    }
    Ok(wd_store::write_file(path, markdown.text.as_bytes())?)
}

fn context(arguments: &Arguments) -> Context {
    let mut command = "wd reproduce claims".to_owned();
    if arguments.quick {
        command.push_str(" --quick");
    }
    for (option, path) in [("--corpus", &arguments.corpus), ("--data", &arguments.data)] {
        if let Some(path) = path {
            command.push_str(&format!(" {option} {}", quoted(&path.display().to_string())));
        }
    }
    if let Some(seeds) = arguments.seeds {
        command.push_str(&format!(" --seeds {seeds}"));
    }
    command.push_str(&format!(" --out {}", quoted(&arguments.out.display().to_string())));
    let shown = |path: &Option<PathBuf>, shipped: &str| match path {
        Some(path) => path.display().to_string(),
        None => shipped.to_owned(),
    };
    let setting = [
        (
            "Language models",
            format!(
                "GPT-2's shape, 169,728 parameters, AdamW; text: {}",
                shown(&arguments.corpus, "the State of the Union addresses, shipped")
            ),
        ),
        (
            "Networks on images",
            format!(
                "a ViT of 60,394 and a CNN of 24,058 parameters, AdamW; images: {}",
                shown(&arguments.data, "a cut of Fashion-MNIST, shipped")
            ),
        ),
        (
            "Linear models",
            format!(
                "diabetes (Efron et al. 2004), shipped; {} draws",
                DRAWS[usize::from(!arguments.quick)]
            ),
        ),
    ];
    Context {
        title: "The post, claim by claim".to_owned(),
        commands: vec![command],
        setting: setting.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        ..Context::default()
    }
}
