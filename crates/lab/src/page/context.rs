//! What stands around the page of a study: how to make it again, and what its trials have in
//! common.

use wd_page::words::quoted;
use wd_page::{Context, counted, number};
use wd_store::{Plan, RunDirectory};

use crate::study::Study;

/// The title of a study, the commands that make it again, and the setting of its trials.
pub fn context(study: &Study) -> Context {
    Context {
        title: study.title().to_owned(),
        commands: commands(study),
        setting: planned(study).as_ref().map(setting).unwrap_or_default(),
        notes: Vec::new(),
    }
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

/// The plan of the first trial that has one.
fn planned(study: &Study) -> Option<Plan> {
    let runs = study.trials().iter().filter_map(|trial| RunDirectory::open(&trial.directory).ok());
    runs.filter_map(|run| run.read_plan().ok()).next()
}

/// What all trials have in common, as one of their plans says.
fn setting(plan: &Plan) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    let mut add = |name: &str, value: String| lines.push((name.to_owned(), value));
    let path = plan.data_path.display();
    if let Some(text) = &plan.text {
        add(
            "corpus",
            format!(
                "{path}: {} documents, {} tokens ({}, vocabulary {})",
                number::count(text.documents),
                number::count(text.tokens),
                text.tokenizer,
                number::count(text.vocabulary)
            ),
        );
        add(
            "split",
            format!(
                "{} of the tokens held out, by whole documents (split seed {})",
                number::short(text.validation_fraction),
                text.split_seed
            ),
        );
    }
    if let Some(images) = &plan.images {
        add(
            "images",
            format!(
                "{path}: {} to train on, {} to test on; {}",
                number::count(plan.training_samples),
                number::count(plan.validation_samples),
                images.describe()
            ),
        );
    }
    add("model", plan.model.clone());
    add(
        "optimizer",
        format!(
            "{}, clip {}, decay of {} tensors",
            plan.optimizer,
            number::short(plan.clip),
            plan.policy.name()
        ),
    );
    add(
        "run",
        format!(
            "{}; {} of {} = {:.2} epochs, {} {} a parameter",
            counted(number::count(plan.parameters), "parameter"),
            counted(number::count(plan.steps), "step"),
            counted(number::count(plan.samples_per_step), plan.unit.noun()),
            plan.epochs,
            number::per_parameter(plan.samples_per_parameter),
            plan.unit.words()
        ),
    );
    add("program", plan.program.clone());
    lines
}
