//! `wd report`: a run or a study as one HTML file.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use wd_data::text::Corpus;
use wd_lab::run_page::run_page;
use wd_lab::{AnalysisOptions, Study};
use wd_page::Context;
use wd_page::words::quoted;
use wd_store::{Plan, RunDirectory};
use wd_studies::vision;
use wd_train::{ConfigSource, ModelConfig, RunConfig};

use crate::{
    commands::{evaluate::shifts, plan::described},
    diagnostics::CommandError,
    output, text,
};

/// Write the report of a study or of one run
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wd report runs/sweep
  wd report runs/first --out first.html
  wd report runs/sweep --json > analysis.json")]
pub(crate) struct Arguments {
    /// A folder made by `wd sweep` or `wd reproduce`, or a run directory
    #[arg(value_name = "DIR")]
    directory: PathBuf,

    /// The HTML file [default: DIR/report.html]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Print the analysis behind the report as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    let directory = &arguments.directory;
    let out = arguments.out.clone().unwrap_or_else(|| directory.join("report.html"));
    if directory.join("study.json").exists() {
        let study = Study::open(directory)?;
        print!("{}", write_study_report(&study, commands(&study), &out, arguments.json)?);
    } else {
        if arguments.json {
            return Err(CommandError::usage(
                format!("{} is a run, not a study", directory.display()),
                "`wd metrics RUN_DIR --json` prints the numbers of a run",
            ));
        }
        let run = RunDirectory::open(directory)?;
        let context = Context {
            commands: vec![format!(
                "wd train {} --run-dir {}",
                quoted(&run.config_path().display().to_string()),
                quoted(&directory.display().to_string())
            )],
            ..Context::default()
        };
        wd_store::write_file(&out, run_page(&run, &context)?.html().as_bytes())?;
    }
    eprintln!("→ {}", out.display());
    Ok(ExitCode::SUCCESS)
}

/// Analyses a study, writes its report, and gives the verdict, or the analysis as JSON.
pub(crate) fn write_study_report(
    study: &Study,
    commands: Vec<String>,
    out: &Path,
    json: bool,
) -> Result<String, CommandError> {
    let context = Context {
        title: study.title().to_owned(),
        commands,
        setting: setting(study),
        notes: Vec::new(),
    };
    let (page, value) = if vision::is_vision(study) {
        let mut analysis = vision::analyse(study)?;
        analysis.add_shifts(shifts(study, &analysis)?);
        (analysis.page(&context), serde_json::json!(analysis))
    } else {
        let analysis = wd_lab::analyse(study, &AnalysisOptions::default())?;
        (analysis.page(&context), serde_json::json!(analysis))
    };
    wd_store::write_file(out, page.html().as_bytes())?;
    Ok(match json {
        true => format!("{value}\n"),
        false => page.terminal(&output::terminal()),
    })
}

/// The sweeps that make a study again; grids that differ only in their seeds are one sweep.
fn commands(study: &Study) -> Vec<String> {
    let mut sweeps: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
    for grid in study.grids() {
        let (seeds, axes): (Vec<&str>, Vec<&str>) =
            grid.iter().map(String::as_str).partition(|axis| axis.starts_with("run.seed="));
        let seeds = seeds.iter().flat_map(|axis| axis["run.seed=".len()..].split(','));
        match sweeps.iter_mut().find(|(known, _)| *known == axes) {
            Some((_, known)) => known.extend(seeds),
            None => sweeps.push((axes, seeds.collect())),
        }
    }
    let root = study.root().display().to_string();
    let base = quoted(&study.root().join("base.toml").display().to_string());
    sweeps
        .into_iter()
        .map(|(axes, seeds)| {
            let mut words: Vec<String> = axes.into_iter().map(quoted).collect();
            if !seeds.is_empty() {
                words.push(quoted(&format!("run.seed={}", seeds.join(","))));
            }
            format!("wd sweep {base} {} --out {}", words.join(" "), quoted(&root))
        })
        .collect()
}

/// What all trials have in common, from the first one that was planned; less when something cannot be read.
fn setting(study: &Study) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    let mut add = |name: &str, value: String| lines.push((name.to_owned(), value));
    let Some(run) = study
        .trials()
        .iter()
        .filter_map(|trial| RunDirectory::open(&trial.directory).ok())
        .find(|run| run.plan_path().exists())
    else {
        return lines;
    };
    let name = run.config_path().display().to_string();
    let config = run
        .read_config()
        .ok()
        .and_then(|text| ConfigSource::parse(&name, text).ok())
        .map(|source| source.config);
    if let Some(config) = &config {
        for (name, value) in match &config.model.network {
            ModelConfig::Gpt(_) => text_setting(config),
            ModelConfig::Vision(_) => image_setting(config, run.read_plan().ok()),
        } {
            add(name, value);
        }
        add(
            "optimizer",
            format!(
                "{}, clip {}, decay of {} tensors",
                config.optim.kind.name(),
                wd_page::number::short(config.optim.clip),
                config.decay.policy().name()
            ),
        );
    }
    if let Ok(plan) = run.read_plan() {
        let unit = plan.unit.plural();
        add(
            "run",
            format!(
                "{}; {} of {} = {:.2} epochs, {} {unit} a parameter",
                text::counted(plan.parameters, "parameter"),
                text::counted(plan.steps, "step"),
                text::counted(plan.tokens_per_step, plan.unit.name()),
                plan.epochs,
                text::per_parameter(plan.tokens_per_parameter)
            ),
        );
        add("program", plan.program);
    }
    lines
}

fn text_setting(config: &RunConfig) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    if let Ok(corpus) = Corpus::open(&config.data.path) {
        let sidecar = corpus.sidecar();
        lines.push((
            "corpus",
            format!(
                "{}: {} documents, {} tokens ({}, vocabulary {})",
                config.data.path.display(),
                wd_page::number::count(sidecar.documents),
                wd_page::number::count(sidecar.tokens),
                sidecar.tokenizer,
                wd_page::number::count(sidecar.vocabulary as u64)
            ),
        ));
    }
    lines.push((
        "split",
        format!(
            "{} of the tokens held out, by whole documents (split seed {})",
            wd_page::number::short(config.data.validation_fraction()),
            config.data.split_seed()
        ),
    ));
    if let ModelConfig::Gpt(gpt) = &config.model.network {
        lines.push((
            "model",
            format!(
                "{} layers, width {}, {} heads, context {}",
                gpt.layers, gpt.width, gpt.heads, gpt.context
            ),
        ));
    }
    lines
}

fn image_setting(config: &RunConfig, plan: Option<Plan>) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    if let Some(plan) = plan
        && let Some(images) = &plan.images
    {
        lines.push((
            "images",
            format!(
                "{}: {} to train on, {} to test on; {}",
                config.data.path.display(),
                wd_page::number::count(plan.training_tokens),
                wd_page::number::count(plan.validation_tokens),
                described(images)
            ),
        ));
    }
    lines.push(("model", config.model.network.kind().name().to_owned()));
    lines
}
