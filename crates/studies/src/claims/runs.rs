//! The finished runs of a study, by what they change in its base configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;

use wd_decay::ScheduleKind;
use wd_lab::configuration::{Flat, flatten};
use wd_lab::record::{Roles, Series};
use wd_lab::{LabError, Record, Study};
use wd_statistics::{Interval, PairedDifference, adjust_family, interval};
use wd_store::{Plan, Status};

/// The setting that chooses a schedule.
const SCHEDULE_KIND: &str = Roles::CONFIGURED.schedule;

/// A finished run.
pub(super) struct Run {
    /// What it changes in the base configuration, but for λ and the seed.
    changes: Flat,
    /// Its seed.
    pub(super) seed: u64,
    /// λ.
    pub(super) lambda: f64,
    /// What was configured.
    settings: Flat,
    /// What was planned.
    pub(super) plan: Plan,
    /// What was recorded.
    pub(super) series: Series,
    /// Where it is.
    pub(super) directory: PathBuf,
}

impl Run {
    /// A setting as it was configured; absent where the configuration leaves it to its default.
    pub(super) fn setting(&self, key: &str) -> Option<&str> {
        self.settings.get(key).map(String::as_str)
    }
}

/// Every finished run of a study.
pub(super) struct Runs(Vec<Run>);

impl Runs {
    /// Reads the runs of a study that are finished.
    pub(super) fn read(study: &Study) -> Result<Self, LabError> {
        let base = flatten(study.base())?;
        let roles = Roles::CONFIGURED;
        let mut runs = Vec::new();
        for trial in study.trials() {
            let record = Record::read(&trial.directory, flatten(&trial.configuration)?)?;
            let (Status::Finished { .. }, Some(plan)) = (&record.status, record.plan.clone())
            else {
                continue;
            };
            let mut changes = record.settings.clone();
            changes.retain(|key, value| {
                ![roles.lambda, roles.seed].contains(&key.as_str()) && base.get(key) != Some(value)
            });
            runs.push(Run {
                changes,
                settings: record.settings.clone(),
                seed: record.seed(),
                lambda: plan.lambda,
                series: record.whole_series()?,
                plan,
                directory: trial.directory.clone(),
            });
        }
        Ok(Runs(runs))
    }

    /// The runs that change these settings, and nothing else but λ, the seed and what every run of
    /// the study changes in the same way.
    pub(super) fn family(&self, changes: &[(&str, &str)]) -> Family<'_> {
        let common = common(self.0.iter().map(|run| &run.changes));
        self.members(|run| changes_only(&run.changes, changes, &common))
    }

    /// The runs under one schedule that change nothing else but λ, the seed and what every run of
    /// the study changes in the same way.
    pub(super) fn under(&self, schedule: ScheduleKind) -> Family<'_> {
        let common = common(self.0.iter().map(|run| &run.changes));
        self.members(|run| {
            let mut changes = run.changes.iter();
            run.plan.schedule.kind == schedule
                && changes
                    .all(|(key, value)| key == SCHEDULE_KIND || common.get(key) == Some(value))
        })
    }

    /// The same of the runs that change one setting, whatever to.
    pub(super) fn family_whatever(&self, key: &str) -> Family<'_> {
        let common = common(self.0.iter().map(|run| &run.changes));
        self.members(|run| {
            let value = run.changes.get(key);
            value.is_some_and(|value| changes_only(&run.changes, &[(key, value)], &common))
        })
    }

    fn members(&self, is_member: impl Fn(&Run) -> bool) -> Family<'_> {
        let mut arms: Vec<Arm<'_>> = Vec::new();
        for run in self.0.iter().filter(|run| is_member(run)) {
            let own = arms.iter_mut().find(|arm| arm.lambda == run.lambda);
            if let Some(arm) = own {
                arm.runs.insert(run.seed, run);
            } else {
                let runs = BTreeMap::from([(run.seed, run)]);
                arms.push(Arm { lambda: run.lambda, runs });
            }
        }
        arms.sort_by(|a, b| a.lambda.total_cmp(&b.lambda));
        Family(arms)
    }

    /// The values that runs give one setting, in their order of appearance; where a run leaves the
    /// base's value it has none.
    pub(super) fn values(&self, key: &str) -> Vec<&str> {
        let mut values: Vec<&str> = Vec::new();
        for value in self.0.iter().filter_map(|run| run.changes.get(key)) {
            if !values.contains(&value.as_str()) {
                values.push(value);
            }
        }
        values
    }
}

/// What all runs change in the same way: a study of one model names it in every run.
fn common<'a>(mut all: impl Iterator<Item = &'a Flat>) -> Flat {
    let mut common = all.next().cloned().unwrap_or_default();
    for changes in all {
        common.retain(|key, value| changes.get(key) == Some(value));
    }
    common
}

/// Whether a run changes what is asked, and beyond that no more than all runs do.
fn changes_only(changes: &Flat, asked: &[(&str, &str)], common: &Flat) -> bool {
    let is_asked = |key: &str| asked.iter().any(|(name, _)| *name == key);
    asked.iter().all(|(key, value)| changes.get(*key).is_some_and(|found| found == value))
        && changes.iter().all(|(key, value)| is_asked(key) || common.get(key) == Some(value))
}

/// Runs of one λ, by their seeds.
pub(super) struct Arm<'a> {
    pub(super) lambda: f64,
    pub(super) runs: BTreeMap<u64, &'a Run>,
}

impl Arm<'_> {
    /// A number of these runs, over their seeds.
    pub(super) fn level(&self, value: impl Fn(&Run) -> f64) -> Interval {
        let values: Vec<f64> = self.runs.values().map(|run| value(run)).collect();
        interval(&values)
    }
}

/// `value` of the one arm less that of the other, seed by seed.
pub(super) fn paired(
    with: &Arm<'_>,
    without: &Arm<'_>,
    value: impl Fn(&Run) -> f64,
) -> PairedDifference {
    let pairs = with.runs.iter().filter_map(|(seed, run)| {
        let other = without.runs.get(seed)?;
        Some((*seed, value(run) - value(other)))
    });
    PairedDifference::of(pairs.collect())
}

/// Runs that differ in λ and the seed alone, ascending in λ.
#[derive(Default)]
pub(super) struct Family<'a>(pub(super) Vec<Arm<'a>>);

impl<'a> Family<'a> {
    /// The runs of one λ.
    pub(super) fn arm(&self, lambda: f64) -> Option<&Arm<'a>> {
        self.0.iter().find(|arm| arm.lambda == lambda)
    }

    /// The runs without decay.
    pub(super) fn baseline(&self) -> Option<&Arm<'a>> {
        self.arm(0.0)
    }

    /// The runs of each λ > 0.
    pub(super) fn decayed(&self) -> impl Iterator<Item = &Arm<'a>> {
        self.0.iter().filter(|arm| arm.lambda > 0.0)
    }

    /// The λ > 0 that most seeds share with λ = 0, the smaller of two.
    pub(super) fn main(&self) -> Option<&Arm<'a>> {
        let baseline = self.baseline()?;
        let shared =
            |arm: &Arm<'_>| arm.runs.keys().filter(|seed| baseline.runs.contains_key(seed)).count();
        let most = self.decayed().map(shared).max().filter(|most| *most > 0)?;
        self.decayed().find(|arm| shared(arm) == most)
    }

    /// The change of a number by each λ > 0 against λ = 0, seed by seed, corrected by Holm's
    /// method over all of them.
    pub(super) fn changes(&self, value: impl Fn(&Run) -> f64) -> Vec<(f64, PairedDifference)> {
        let Some(baseline) = self.baseline() else {
            return Vec::new();
        };
        let mut changes: Vec<(f64, PairedDifference)> = self
            .decayed()
            .map(|arm| (arm.lambda, paired(arm, baseline, &value)))
            .filter(|(_, change)| change.interval.n > 0)
            .collect();
        adjust_family(changes.iter_mut().map(|(_, change)| change));
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(pairs: &[(&str, &str)]) -> Flat {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_every_run_changes_sets_no_run_apart() {
        const NOISE: &str = "data.label_noise";
        let clean = flat(&[("model.kind", "cnn"), (NOISE, "0")]);
        let noisy = flat(&[("model.kind", "cnn"), (NOISE, "0.4")]);
        let both = common([&clean, &noisy].into_iter());
        assert_eq!(both, flat(&[("model.kind", "cnn")]));
        assert!(changes_only(&noisy, &[(NOISE, "0.4")], &both));
        assert!(!changes_only(&clean, &[(NOISE, "0.4")], &both));
        assert!(!changes_only(&noisy, &[], &both), "another noise is another family");
        // With one noise alone it is common to all, and can still be asked for.
        let alone = common([&noisy].into_iter());
        assert!(changes_only(&noisy, &[(NOISE, "0.4")], &alone));
        // Among runs of several models the model sets them apart.
        let vit = flat(&[("model.kind", "vit"), (NOISE, "0.4")]);
        let mixed = common([&noisy, &vit].into_iter());
        assert!(!changes_only(&vit, &[(NOISE, "0.4")], &mixed));
    }
}
