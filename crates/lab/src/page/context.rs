//! What stands around the page of a study: how to make it again, and what its trials have in
//! common.

use wd_page::words::quoted;
use wd_page::{Context, Settling, counted, number};
use wd_store::{EventKind, Plan, RunDirectory};

use crate::configuration::{Flat, flatten};
use crate::record::Roles;
use crate::setting::spell;
use crate::study::Study;
use crate::{Analysis, Arm, ComparisonKind};

/// The title of a study, the commands that make it again, and the setting of its trials.
pub fn context(study: &Study) -> Context {
    Context {
        title: study.title().to_owned(),
        commands: commands(study),
        setting: planned(study).as_ref().map(setting).unwrap_or_default(),
        ..Context::default()
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

/// Further seeds that are worth proposing.
const MOST_SEEDS: u64 = 100;

/// What would decide what these runs leave open: more seeds of the arms that the verdict compares,
/// and of the λ that may be as good as the best; each with the command and how long it takes.
/// None for runs of other programs, and where no practical number of seeds would do.
pub fn settling(study: &Study, analysis: &Analysis) -> Vec<Settling> {
    if study.recording().is_some() {
        return Vec::new();
    }
    let seconds = seconds_of_a_run(study);
    let mut all = Vec::new();
    let verdict = &analysis.verdict;
    let baseline = verdict.baseline.and_then(|arm| analysis.arms.get(arm));
    if let (Some(more), Some(baseline)) = (verdict.more_seeds, baseline)
        && more <= MOST_SEEDS
    {
        let compared = analysis.comparisons.iter().filter(|comparison| {
            comparison.kind == ComparisonKind::SameSettings
                && Some(comparison.baseline) == verdict.baseline
        });
        let mut arms: Vec<&Arm> =
            compared.filter_map(|comparison| analysis.arms.get(comparison.arm)).collect();
        arms.push(baseline);
        all.push(sweep(study, "How λ acts", &arms, baseline, more, seconds));
    }
    for near in &analysis.near_best {
        let arm = |place: usize| near.arms.get(place).and_then(|arm| analysis.arms.get(*arm));
        let open = near.nearest.arms.iter().enumerate().filter_map(|(place, found)| {
            Some((place, found.more_seeds.filter(|seeds| *seeds <= MOST_SEEDS)?))
        });
        let open: Vec<(usize, u64)> = open.collect();
        let (Some(more), Some(lowest)) =
            (open.iter().map(|(_, seeds)| *seeds).max(), arm(near.nearest.lowest))
        else {
            continue;
        };
        let places = open.iter().map(|(place, _)| *place).chain([near.nearest.lowest]);
        let arms: Vec<&Arm> = places.filter_map(arm).collect();
        // Without decay the rule is idle, and one arm serves several: the others say which it is.
        let decaying = (0..near.arms.len()).filter_map(arm).find(|arm| arm.lambda > 0.0);
        let like = decaying.unwrap_or(lowest);
        let what = match analysis.near_best.len() {
            1 => "Which λ are as good as the best".to_owned(),
            _ => {
                let setting: Vec<&str> = like.label.split(", ").skip(1).collect();
                format!("Which λ are as good as the best ({})", setting.join(", "))
            }
        };
        all.push(sweep(study, &what, &arms, like, more, seconds));
    }
    all
}

/// The sweep that gives `arms` so many further seeds; all have the settings of `like` but for λ.
fn sweep(
    study: &Study,
    what: &str,
    arms: &[&Arm],
    like: &Arm,
    more: u64,
    seconds: Option<f64>,
) -> Settling {
    let base = quoted(&study.root().join("base.toml").display().to_string());
    let root = quoted(&study.root().display().to_string());
    let mut lambdas: Vec<f64> = arms.iter().map(|arm| arm.lambda).collect();
    lambdas.sort_by(f64::total_cmp);
    lambdas.dedup();
    let runs = more * lambdas.len() as u64;
    let lambdas: Vec<String> = lambdas.into_iter().map(spell).collect();
    let last = arms.iter().filter_map(|arm| arm.seeds.last()).max();
    let next = last.map_or(0, |last| last + 1);
    let mut words = vec![format!("decay.lambda={}", lambdas.join(","))];
    words.extend(like.schedule.map(|kind| format!("schedule.kind={kind}")));
    words.extend(like.peak_learning_rate.map(|rate| format!("optim.lr={}", spell(rate))));
    let settings = like.settings.iter().filter(|(_, value)| value != "default");
    words.extend(settings.map(|(key, value)| format!("{key}={value}")));
    for (key, value) in common_changes(study) {
        if !words.iter().any(|word| word.split('=').next() == Some(key.as_str())) {
            words.push(format!("{key}={value}"));
        }
    }
    words.push(format!("run.seed={next}..{}", next + more - 1));
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    let time = seconds.map(|seconds| number::duration(seconds * runs as f64));
    let time = time.map_or_else(String::new, |time| format!(", {time} one after the other"));
    Settling {
        what: format!("{what}: {}{time}", counted(number::count(runs), "further run")),
        command: format!("wd sweep {base} {} --out {root}", words.join(" ")),
    }
}

/// What every trial changes in the base configuration in the same way, but for the seed.
fn common_changes(study: &Study) -> Flat {
    let Ok(base) = flatten(study.base()) else { return Flat::new() };
    let mut trials = study.trials().iter().filter_map(|trial| flatten(&trial.configuration).ok());
    let mut common = trials.next().unwrap_or_default();
    for other in trials {
        common.retain(|key, value| other.get(key) == Some(value));
    }
    common.retain(|key, value| base.get(key) != Some(value) && key != Roles::CONFIGURED.seed);
    common
}

/// How long the finished trials of a study took on average; absent where none went through at once.
fn seconds_of_a_run(study: &Study) -> Option<f64> {
    let mut all = Vec::new();
    for trial in study.trials() {
        let run = RunDirectory::open(&trial.directory).ok();
        let Some(events) = run.and_then(|run| run.events().ok()) else { continue };
        let at = |kind: EventKind| events.events.iter().find(|event| event.kind == kind);
        if let (Some(started), Some(finished), None) =
            (at(EventKind::Started), at(EventKind::Finished), at(EventKind::Resumed))
        {
            all.push(finished.time_unix - started.time_unix);
        }
    }
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    (mean.is_finite() && mean >= 0.0).then_some(mean)
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
