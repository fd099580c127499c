//! Grouping trials into arms.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wd_store::{Plan, Status};

use super::measured::Measured;
use super::norm::role_norms;
use super::{Arm, Band, Diverged, Late, Setup};
use crate::LabError;
use crate::analysis::window::{centre, windows};
use crate::configuration::Flat;
use crate::record::{Record, Recording, Roles, TrainingLoss, roles};
use crate::setting::spell;
use wd_page::figure::Point;
use wd_statistics::{Interval, interval};

/// The trials of one arm, and the arm.
pub(crate) struct Members {
    /// The configuration that they share: without the seed.
    pub(crate) configuration: Flat,
    pub(crate) recording: Option<Arc<Recording>>,
    /// The plan of one of them; absent for runs of other programs.
    pub(crate) plan: Option<Plan>,
    /// Finished trials by seed.
    pub(crate) finished: BTreeMap<u64, Measured>,
    pub(crate) arm: Arm,
}

impl Members {
    /// Does any tensor decay?
    pub(crate) fn decays(&self) -> bool {
        self.plan.as_ref().map_or(self.arm.lambda != 0.0, Plan::decays)
    }

    /// Which settings play which role.
    pub(crate) fn roles(&self) -> Roles<'_> {
        roles(self.recording.as_deref())
    }

    /// The data, where a plan says which: losses on others are not comparable.
    pub(crate) fn corpus(&self) -> &str {
        self.plan.as_ref().map_or("", |plan| &plan.corpus_hash)
    }
}

/// Groups the trials into arms. Trials that were never planned join the arm of their configuration;
/// when there is none, nothing is known about them and they are left out.
///
/// # Errors
/// [`LabError::Store`] when the metrics of a finished trial are damaged.
pub(crate) fn gather(records: &[&Record]) -> Result<Vec<Members>, LabError> {
    // The corpus belongs to the key: losses on another text are not comparable, whatever the
    // configuration says.
    let mut planned: BTreeMap<(Flat, String), Vec<&Record>> = BTreeMap::new();
    let mut unplanned = Vec::new();
    for &record in records {
        let shared = without_seed(record);
        let corpus = match (&record.plan, &record.recording) {
            (Some(plan), _) => plan.corpus_hash.clone(),
            (None, Some(_)) => String::new(),
            (None, None) => {
                unplanned.push((shared, record.seed()));
                continue;
            }
        };
        planned.entry((shared, corpus)).or_default().push(record);
    }

    let mut all: Vec<Members> = Vec::new();
    for ((configuration, _), records) in planned {
        all.extend(members(configuration, &records)?);
    }
    for (shared, seed) in unplanned {
        if let Some(owner) = all.iter_mut().find(|members| members.configuration == shared) {
            owner.arm.unfinished.push(seed);
        }
    }
    for members in &mut all {
        members.arm.unfinished.sort_unstable();
        members.arm.unfinished.dedup();
    }
    all.sort_by(|a, b| {
        let (a, b) = (&a.arm, &b.arm);
        let schedule = |arm: &Arm| arm.schedule.map(|kind| kind.name());
        let rate = |arm: &Arm| arm.peak_learning_rate.unwrap_or(0.0);
        schedule(a)
            .cmp(&schedule(b))
            .then(rate(a).total_cmp(&rate(b)))
            .then(a.lambda.total_cmp(&b.lambda))
    });
    label(&mut all);
    Ok(all)
}

pub(crate) fn without_seed(record: &Record) -> Flat {
    let mut shared = record.settings.clone();
    shared.remove(record.roles().seed);
    shared
}

/// The trials of one configuration; absent when there is none.
fn members(configuration: Flat, records: &[&Record]) -> Result<Option<Members>, LabError> {
    let Some(&first) = records.first() else { return Ok(None) };
    let mut finished: BTreeMap<u64, Measured> = BTreeMap::new();
    let mut diverged = Vec::new();
    let mut unfinished = Vec::new();
    for record in records {
        let seed = record.seed();
        if let Status::Diverged { step, .. } = record.status {
            diverged.push(Diverged { seed, step });
        } else if let Some(measured) = record.measured()? {
            finished.insert(seed, measured.clone());
        } else {
            unfinished.push(seed);
        }
    }
    diverged.sort_by_key(|diverged| diverged.seed);
    let arm = Arm {
        seeds: finished.keys().copied().collect(),
        diverged,
        unfinished,
        ..arm(first, steps(first.plan.as_ref(), records), &finished)
    };
    let (recording, plan) = (first.recording.clone(), first.plan.clone());
    Ok(Some(Members { configuration, recording, plan, finished, arm }))
}

/// The steps of a run: as planned, or of other programs those of the longest that finished.
fn steps(plan: Option<&Plan>, records: &[&Record]) -> u64 {
    let done = records.iter().filter_map(|record| match record.status {
        Status::Finished { step } => Some(step),
        _ => None,
    });
    plan.map_or_else(|| done.max().unwrap_or(0), |plan| plan.steps)
}

/// What the finished trials show, with what the first record says of all.
fn arm(first: &Record, steps: u64, finished: &BTreeMap<u64, Measured>) -> Arm {
    let plan = first.plan.as_ref();
    let runs: Vec<&Measured> = finished.values().collect();
    let over_seeds = |value: fn(&Measured) -> f64| {
        let values: Vec<f64> = runs.iter().map(|run| value(run)).collect();
        interval(&values)
    };
    let over_run = |curve: fn(&Measured) -> &[f64]| bands(steps as usize, &runs, curve);
    Arm {
        label: String::new(),
        lambda: first.lambda().unwrap_or(f64::NAN),
        schedule: plan.map(|plan| plan.schedule.kind),
        peak_learning_rate: first.peak_learning_rate(),
        settings: Vec::new(),
        setup: plan.map(Setup::of),
        steps,
        loss_unit: plan.map_or_else(|| "as logged".to_owned(), Plan::loss_unit),
        training_loss: first
            .recording
            .as_ref()
            .map_or(TrainingLoss::OfThisProgram, |recording| recording.training_is),
        seeds: Vec::new(),
        diverged: Vec::new(),
        unfinished: Vec::new(),
        train_loss: over_run(|run| &run.train_loss),
        final_train: over_seeds(|run| run.final_train),
        final_validation: over_seeds(|run| run.final_validation),
        final_train_evaluation: over_seeds(|run| run.final_train_evaluation),
        gap: over_seeds(Measured::gap),
        late: Late {
            gradient_norm: over_run(|run| &run.gradient_norm),
            relative_update: over_run(|run| &run.relative_update),
            weight_rms: over_run(|run| &run.weight_rms),
            late_gradient_norm: over_seeds(|run| run.late_gradient_norm),
            late_relative_update: over_seeds(|run| run.late_relative_update),
            late_weight_rms: over_seeds(|run| run.late_weight_rms),
        },
        weight_rms_by_role: plan.map_or_else(Vec::new, |plan| role_norms(plan, &runs)),
    }
}

/// A curve over seeds; windows in which nothing was measured are left out.
fn bands(steps: usize, runs: &[&Measured], curve: fn(&Measured) -> &[f64]) -> Vec<Band> {
    windows(steps)
        .iter()
        .enumerate()
        .filter_map(|(index, window)| {
            let values: Vec<f64> =
                runs.iter().filter_map(|run| curve(run).get(index).copied()).collect();
            Band::of(centre(window), &values)
        })
        .collect()
}

impl Band {
    /// The mean of `values` at `step`; `None` when none is finite.
    pub(crate) fn of(step: f64, values: &[f64]) -> Option<Self> {
        Band::of_interval(step, interval(values))
    }

    /// An interval at `step`; `None` when it is over nothing.
    pub(crate) fn of_interval(step: f64, interval: Interval) -> Option<Self> {
        (interval.n > 0).then_some(Band {
            step,
            mean: interval.mean,
            low: interval.low,
            high: interval.high,
            n: interval.n,
        })
    }

    /// The mean with the ends of its interval.
    pub(crate) fn interval(&self) -> Interval {
        let Band { mean, low, high, n, .. } = *self;
        Interval { mean, low, high, standard_error: f64::NAN, n }
    }

    /// The same as a point of a figure.
    pub(crate) fn point(&self) -> Point {
        Point::with_interval(self.step, self.mean, self.low, self.high)
    }
}

/// Gives each arm the settings in which the arms differ, and a label made of them.
fn label(all: &mut [Members]) {
    let Some(recording) = all.first().map(|first| first.recording.clone()) else { return };
    let Roles { lambda, schedule, learning_rate, .. } = roles(recording.as_deref());
    let keys: BTreeSet<&String> =
        all.iter().flat_map(|members| members.configuration.keys()).collect();
    let mut varied: Vec<String> = keys
        .into_iter()
        // The plan tells them.
        .filter(|key| ![lambda, schedule, learning_rate].contains(&key.as_str()))
        .filter(|key| {
            all.iter()
                .any(|members| members.configuration.get(*key) != all[0].configuration.get(*key))
        })
        .cloned()
        .collect();
    varied.sort();
    let several_schedules = all.iter().any(|members| members.arm.schedule != all[0].arm.schedule);
    let several_rates =
        all.iter().any(|members| members.arm.peak_learning_rate != all[0].arm.peak_learning_rate);
    let several_corpora = all.iter().any(|members| members.corpus() != all[0].corpus());

    for members in all {
        let mut settings: Vec<(String, String)> = varied
            .iter()
            .map(|key| {
                let value = members.configuration.get(key);
                (key.clone(), value.cloned().unwrap_or_else(|| "default".to_owned()))
            })
            .collect();
        if several_corpora {
            let hash: String = members.corpus().chars().take(8).collect();
            settings.push(("corpus".to_owned(), hash));
        }
        let arm = &mut members.arm;
        let mut parts = vec![format!("λ={}", spell(arm.lambda))];
        if several_schedules {
            parts.extend(arm.schedule.map(|kind| kind.to_string()));
        }
        if several_rates {
            parts.extend(arm.peak_learning_rate.map(|rate| format!("lr={}", spell(rate))));
        }
        parts.extend(settings.iter().map(|(key, value)| format!("{key}={value}")));
        arm.label = parts.join(", ");
        arm.settings = settings;
    }
}
