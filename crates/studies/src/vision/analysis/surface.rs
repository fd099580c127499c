//! Loss over (η, λ): every trial that differs only in λ, the peak learning rate η and the seed.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use wd_decay::{DecayRule, OptimizerKind};

use super::Finals;
use super::finals::Ended;
use wd_lab::LabError;
use wd_lab::configuration::{Flat, flatten};
use wd_lab::record::Roles;
use wd_lab::study::{Study, Trial};
use wd_statistics::{Interval, interval};

pub(super) const MODEL_KEY: &str = "model.kind";
const KIND_KEY: &str = "optim.kind";
const ROLES: Roles = Roles::CONFIGURED;

/// Every trial that differs only in λ, η and the seed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Surface {
    /// The settings that tell it from the study's other surfaces, for example `model.kind` = `vit`,
    /// `data.size` = `1000`.
    pub settings: Vec<(String, String)>,
    /// The whole configuration that its trials share.
    #[serde(skip)]
    pub configuration: Flat,
    /// Optimizer.
    pub optimizer: OptimizerKind,
    /// Decay rule.
    pub rule: DecayRule,
    /// Parameters of the model.
    pub parameters: u64,
    /// Training images.
    pub images: u64,
    /// Images a step.
    pub batch: u64,
    /// Steps.
    pub steps: u64,
    /// Passes over the training images.
    pub epochs: f64,
    /// By η, then λ, ascending.
    pub points: Vec<Point>,
}

/// Trials that differ only in their seed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Point {
    /// Peak learning rate η.
    pub learning_rate: f64,
    /// λ.
    pub lambda: f64,
    /// κ = Σ_t s_t.
    pub kappa: f64,
    /// Over seeds, of the test images.
    pub test_loss: Interval,
    /// Over seeds, of the training images.
    pub train_loss: Interval,
    /// Over seeds, of the test images.
    pub test_accuracy: Interval,
    /// Over seeds.
    pub gap: Interval,
    /// Over seeds, of the shifted images.
    pub shifted_loss: Interval,
    /// Each finished seed.
    pub finals: BTreeMap<u64, Finals>,
    /// Seeds that diverged.
    pub diverged: Vec<u64>,
}

impl Surface {
    /// Every η, ascending.
    pub fn learning_rates(&self) -> Vec<f64> {
        let mut rates: Vec<f64> = self.points.iter().map(|point| point.learning_rate).collect();
        rates.dedup();
        rates
    }

    /// The points of one η, ascending in λ.
    pub fn curve(&self, learning_rate: f64) -> Vec<&Point> {
        let of = |point: &&Point| point.learning_rate == learning_rate;
        self.points.iter().filter(of).collect()
    }

    /// The η whose lowest mean test loss over λ is lowest; among those with several λ where there
    /// are any.
    pub fn best_learning_rate(&self) -> Option<f64> {
        self.best_of(&self.learning_rates())
    }

    /// The same among some rates.
    pub(super) fn best_of(&self, rates: &[f64]) -> Option<f64> {
        let most = rates.iter().map(|rate| self.curve(*rate).len()).max()?;
        let lowest = |rate: &f64| {
            let losses = self.curve(*rate).into_iter();
            losses
                .map(|point| point.test_loss.mean)
                .filter(|loss| loss.is_finite())
                .fold(f64::INFINITY, f64::min)
        };
        rates
            .iter()
            .filter(|rate| self.curve(**rate).len() == most)
            .min_by(|a, b| lowest(a).total_cmp(&lowest(b)))
            .copied()
    }

    /// The finished trials of one point, by seed.
    ///
    /// # Errors
    /// A trial whose configuration is no TOML.
    pub fn trials<'a>(
        &self,
        study: &'a Study,
        learning_rate: f64,
        lambda: f64,
    ) -> Result<Vec<(u64, &'a Trial)>, LabError> {
        let is_here =
            |point: &&Point| point.learning_rate == learning_rate && point.lambda == lambda;
        let Some(point) = self.points.iter().find(is_here) else {
            return Ok(Vec::new());
        };
        let mut trials = Vec::new();
        for trial in study.trials() {
            let flat = flatten(&trial.configuration)?;
            let seed = number(&flat, ROLES.seed).unwrap_or(0.0) as u64;
            let is_of_point = self::learning_rate(&flat).is_none_or(|rate| rate == learning_rate)
                && number(&flat, ROLES.lambda).unwrap_or(0.0) == lambda
                && point.finals.contains_key(&seed);
            if is_of_point && shared(flat) == self.configuration {
                trials.push((seed, trial));
            }
        }
        Ok(trials)
    }

    /// The value of one of [`Surface::settings`].
    pub fn setting(&self, key: &str) -> Option<&str> {
        let found = self.settings.iter().find(|(name, _)| name == key);
        found
            .map(|(_, value)| value.as_str())
            .or_else(|| self.configuration.get(key).map(String::as_str))
    }

    /// The model's kind.
    pub fn model(&self) -> &str {
        self.setting(MODEL_KEY).unwrap_or("model")
    }

    /// What tells it from the others, in words: `vit, adamw, n = 1000, 60 passes`.
    pub fn label(&self) -> String {
        const FIRST: [&str; 4] = [MODEL_KEY, KIND_KEY, "data.size", "data.epochs"];
        let mut settings: Vec<&(String, String)> = self.settings.iter().collect();
        settings.sort_by_key(|(key, _)| {
            let place = FIRST.iter().position(|first| first == key);
            place.unwrap_or(FIRST.len())
        });
        let words: Vec<String> = settings
            .into_iter()
            .map(|(key, value)| match key.as_str() {
                MODEL_KEY | KIND_KEY => value.clone(),
                "data.size" => format!("n = {value}"),
                "data.epochs" if value == "1" => "1 pass".to_owned(),
                "data.epochs" => format!("{value} passes"),
                _ => {
                    let name = key.rsplit('.').next().unwrap_or(key);
                    format!("{name} {value}")
                }
            })
            .collect();
        match words.is_empty() {
            true => self.model().to_owned(),
            false => words.join(", "),
        }
    }
}

/// An interval of shares, none of which lies outside 0 … 1.
pub(super) fn share(interval: Interval) -> Interval {
    Interval { low: interval.low.max(0.0), high: interval.high.min(1.0), ..interval }
}

fn number(configuration: &Flat, key: &str) -> Option<f64> {
    configuration.get(key)?.parse().ok()
}

/// The peak η that a configuration gives; absent where it leaves it to the default, which all of
/// its study share.
pub(super) fn learning_rate(configuration: &Flat) -> Option<f64> {
    number(configuration, ROLES.learning_rate)
}

/// The rates at which all of some surfaces were trained: only at these can they be compared.
pub(super) fn shared_rates(surfaces: &[&Surface]) -> Vec<f64> {
    let Some((first, rest)) = surfaces.split_first() else {
        return Vec::new();
    };
    let mut rates = first.learning_rates();
    rates.retain(|rate| rest.iter().all(|surface| surface.learning_rates().contains(rate)));
    rates
}

/// What a trial shares with all of its surface.
pub(super) fn shared(mut configuration: Flat) -> Flat {
    for key in [ROLES.seed, ROLES.lambda, ROLES.learning_rate] {
        configuration.remove(key);
    }
    configuration
}

/// Sorts trials into surfaces.
pub(super) fn gather(records: Vec<Ended>) -> Vec<Surface> {
    let mut groups: BTreeMap<(Flat, String), Vec<Ended>> = BTreeMap::new();
    for record in records {
        let key = (shared(record.settings.clone()), record.plan.corpus_hash.clone());
        groups.entry(key).or_default().push(record);
    }
    let configurations: Vec<Flat> = groups.keys().map(|(shared, _)| shared.clone()).collect();
    let keys: BTreeSet<&String> = configurations.iter().flat_map(Flat::keys).collect();
    let differing: Vec<&String> = keys
        .into_iter()
        .filter(|key| {
            configurations
                .iter()
                .any(|configuration| configuration.get(*key) != configurations[0].get(*key))
        })
        .collect();
    // A setting of the optimizer that goes with its kind says nothing that the kind does not.
    let follows_kind = |key: &str| {
        let mut of_kind: BTreeMap<Option<&String>, Option<&String>> = BTreeMap::new();
        key.starts_with("optim.")
            && key != KIND_KEY
            && configurations.iter().all(|configuration| {
                let value = configuration.get(key);
                *of_kind.entry(configuration.get(KIND_KEY)).or_insert(value) == value
            })
    };
    let mut surfaces: Vec<Surface> = groups
        .into_iter()
        .filter_map(|((shared, _), records)| {
            // A setting that one model has and another has not belongs to the model.
            let settings = differing
                .iter()
                .filter(|key| **key == MODEL_KEY || !key.starts_with("model."))
                .filter(|key| !follows_kind(key))
                .filter_map(|key| Some(((*key).clone(), shared.get(*key)?.clone())))
                .collect();
            surface(settings, shared, records)
        })
        .collect();
    surfaces.sort_by(|a, b| {
        let order = |surface: &Surface| {
            (
                std::cmp::Reverse(surface.model().to_owned()),
                surface.optimizer.name(),
                surface.images,
                surface.batch,
                surface.steps,
            )
        };
        order(a).cmp(&order(b))
    });
    surfaces
}

fn surface(
    settings: Vec<(String, String)>,
    configuration: Flat,
    records: Vec<Ended>,
) -> Option<Surface> {
    let plan = records.first()?.plan.clone();
    let mut points: Vec<(f64, f64, Vec<Ended>)> = Vec::new();
    for record in records {
        let (rate, lambda) = (record.plan.peak_learning_rate, record.plan.lambda);
        match points
            .iter_mut()
            .find(|(other_rate, other, _)| *other_rate == rate && *other == lambda)
        {
            Some((_, _, members)) => members.push(record),
            None => points.push((rate, lambda, vec![record])),
        }
    }
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    Some(Surface {
        settings,
        configuration,
        optimizer: plan.optimizer,
        rule: plan.rule,
        parameters: plan.parameters,
        images: plan.training_samples,
        batch: plan.samples_per_step,
        steps: plan.steps,
        epochs: plan.epochs,
        points: points
            .into_iter()
            .map(|(rate, lambda, records)| point(rate, lambda, &records))
            .collect(),
    })
}

fn point(learning_rate: f64, lambda: f64, records: &[Ended]) -> Point {
    let finals: BTreeMap<u64, Finals> =
        records.iter().filter_map(|record| Some((record.plan.seed, record.finals?))).collect();
    let over_seeds = |value: fn(&Finals) -> f64| {
        let values: Vec<f64> = finals.values().map(value).collect();
        interval(&values)
    };
    let mut diverged: Vec<u64> = records
        .iter()
        .filter(|record| record.finals.is_none())
        .map(|record| record.plan.seed)
        .collect();
    diverged.sort_unstable();
    Point {
        learning_rate,
        lambda,
        kappa: records[0].plan.kappa,
        test_loss: over_seeds(|finals| finals.test_loss),
        train_loss: over_seeds(|finals| finals.train_loss),
        test_accuracy: share(over_seeds(|finals| finals.test_accuracy)),
        gap: over_seeds(Finals::gap),
        shifted_loss: over_seeds(|finals| finals.shifted_loss),
        diverged,
        finals,
    }
}
