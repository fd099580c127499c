//! What stands around the page of a study: how to make it again, and what its trials have in
//! common.

use wd_page::words::quoted;
use wd_page::{Context, counted, number};
use wd_store::{Plan, RunDirectory};

use crate::Analysis;
use crate::setting::spell;
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

/// The sweeps that would settle which λ are as good as the best: more seeds of each that is open,
/// and of the one that they are compared with. None for runs of other programs, and where no
/// practical number of seeds would do.
pub fn settling(study: &Study, analysis: &Analysis) -> Vec<String> {
    const MOST: u64 = 100;
    if study.recording().is_some() {
        return Vec::new();
    }
    let base = quoted(&study.root().join("base.toml").display().to_string());
    let root = quoted(&study.root().display().to_string());
    let mut commands = Vec::new();
    for near in &analysis.near_best {
        let arm = |place: usize| near.arms.get(place).and_then(|arm| analysis.arms.get(*arm));
        let open = near.nearest.arms.iter().enumerate().filter_map(|(place, found)| {
            Some((place, found.more_seeds.filter(|seeds| *seeds <= MOST)?))
        });
        let open: Vec<(usize, u64)> = open.collect();
        let (Some(more), Some(lowest)) =
            (open.iter().map(|(_, seeds)| *seeds).max(), arm(near.nearest.lowest))
        else {
            continue;
        };
        let places = open.iter().map(|(place, _)| *place).chain([near.nearest.lowest]);
        let mut lambdas: Vec<f64> = places.filter_map(arm).map(|arm| arm.lambda).collect();
        lambdas.sort_by(f64::total_cmp);
        lambdas.dedup();
        let lambdas: Vec<String> = lambdas.into_iter().map(spell).collect();
        let next = lowest.seeds.last().map_or(0, |last| last + 1);
        let mut words = vec![format!("decay.lambda={}", lambdas.join(","))];
        words.extend(lowest.schedule.map(|kind| format!("schedule.kind={kind}")));
        words.extend(lowest.peak_learning_rate.map(|rate| format!("optim.lr={}", spell(rate))));
        let settings = lowest.settings.iter().filter(|(_, value)| value != "default");
        words.extend(settings.map(|(key, value)| format!("{key}={value}")));
        words.push(format!("run.seed={next}..{}", next + more - 1));
        let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        commands.push(format!("wd sweep {base} {} --out {root}", words.join(" ")));
    }
    commands
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
