//! The best λ on corrupted images.

use std::collections::BTreeMap;

use serde::Serialize;

use wd_lab::setting::spell;
use wd_lab::wording::sentence::{change, difference, quantity};
use wd_page::{Claim, Supported};
use wd_statistics::{Interval, PairedDifference, adjust_family, interval};

use wd_lab::LabError;
use wd_lab::study::Study;
use wd_store::RunDirectory;

use super::surface::share;
use super::{Gain, Optimum, Point, Surface};

/// The corruption that is studied: it comes in degrees, and all models feel it.
const STUDIED: &str = "noise";

/// Its largest severity.
const STRONGEST: u8 = 5;

/// For each model and optimizer the surface on which λ gains most: λ = 0 against its best λ on test
/// images that get worse and worse, as far as the runs were evaluated on such.
pub(super) fn read(
    study: &Study,
    surfaces: &[Surface],
    optima: &[Option<Optimum>],
    gains: &[Option<Gain>],
) -> Result<Vec<Shift>, LabError> {
    let change = |gain: &Gain| gain.test_loss.interval.mean;
    let mut chosen: BTreeMap<(&str, &str), (usize, &Gain)> = BTreeMap::new();
    for (index, surface) in surfaces.iter().enumerate() {
        let (Some(_), Some(gain)) = (&optima[index], &gains[index]) else { continue };
        let key = (surface.model(), surface.optimizer.name());
        let best = chosen.entry(key).or_insert((index, gain));
        if change(gain) < change(best.1) {
            *best = (index, gain);
        }
    }
    let mut shifts = Vec::new();
    for (index, gain) in chosen.into_values() {
        let surface = &surfaces[index];
        let without = accuracies(study, surface, gain.learning_rate, 0.0)?;
        let with = accuracies(study, surface, gain.learning_rate, gain.lambda)?;
        let severities: Vec<Severity> = without
            .iter()
            .zip(&with)
            .enumerate()
            .filter(|(_, (without, with))| !without.is_empty() && !with.is_empty())
            .map(|(severity, (without, with))| Severity::new(severity as u8, without, with))
            .collect();
        if severities.iter().any(|at| at.severity > 0) {
            let (lambda, corruption) = (gain.lambda, STUDIED.to_owned());
            shifts.push(Shift { surface: index, lambda, corruption, severities });
        }
    }
    Ok(shifts)
}

/// Accuracies of the trials of one point by seed, for each severity from 0.
fn accuracies(
    study: &Study,
    surface: &Surface,
    learning_rate: f64,
    lambda: f64,
) -> Result<Vec<BTreeMap<u64, f64>>, LabError> {
    let mut found = vec![BTreeMap::new(); usize::from(STRONGEST) + 1];
    let point = |point: &&Point| point.learning_rate == learning_rate && point.lambda == lambda;
    if let Some(point) = surface.points.iter().find(point) {
        found[0] = point.finals.iter().map(|(seed, run)| (*seed, run.test_accuracy)).collect();
    }
    for (seed, trial) in surface.trials(study, learning_rate, lambda)? {
        for evaluation in RunDirectory::open(&trial.directory)?.evaluations()? {
            let is_studied = evaluation.corruption.as_deref() == Some(STUDIED);
            if is_studied && !evaluation.average && evaluation.severity <= STRONGEST {
                found[usize::from(evaluation.severity)].insert(seed, evaluation.accuracy);
            }
        }
    }
    Ok(found)
}

/// The models of one surface on corrupted test images: λ = 0 against the λ that is best on the
/// clean ones.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shift {
    /// Index of the surface.
    pub surface: usize,
    /// The best λ.
    pub lambda: f64,
    /// The corruption.
    pub corruption: String,
    /// By severity, ascending; 0 is the clean images.
    pub severities: Vec<Severity>,
}

impl Shift {
    /// Does the best λ help on corrupted images? Decided at every severity, corrected by Holm's
    /// method over them.
    pub fn claim(&self, surfaces: &[Surface]) -> Claim {
        let mut differences: Vec<PairedDifference> = self
            .severities
            .iter()
            .filter(|at| at.severity > 0)
            .map(|at| at.difference.clone())
            .collect();
        adjust_family(&mut differences);
        let shown =
            |sign: f64| differences.iter().any(|difference| difference.surely_has_sign(sign));
        let supported = match (shown(1.0), shown(-1.0)) {
            (true, false) => Supported::Supported,
            (false, true) => Supported::Contradicted,
            _ => Supported::Undecided,
        };
        let at = |severity: u8| {
            let found = self.severities.iter().find(|at| at.severity == severity);
            found.map_or_else(String::new, |at| {
                format!(
                    "; at severity {severity} {}, {} without",
                    difference(&at.difference),
                    quantity(&at.without)
                )
            })
        };
        Claim {
            claim: format!(
                "{}: the λ that is best on the test images helps on corrupted ones too",
                surfaces[self.surface].label()
            ),
            finding: format!(
                "Accuracy under {}, λ = {} against 0: on the clean images {}{}{}.",
                self.corruption,
                spell(self.lambda),
                self.severities
                    .first()
                    .map_or_else(String::new, |at| change(&at.difference.interval)),
                at(3),
                at(5)
            ),
            supported,
        }
    }
}

/// Accuracies at one severity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Severity {
    /// 0 … 5.
    pub severity: u8,
    /// Of λ = 0, over seeds.
    pub without: Interval,
    /// Of the best λ, over seeds.
    pub with: Interval,
    /// Of the best λ − of λ = 0, on the same seeds.
    pub difference: PairedDifference,
}

impl Severity {
    /// Of the accuracies of each seed.
    pub fn new(severity: u8, without: &BTreeMap<u64, f64>, with: &BTreeMap<u64, f64>) -> Self {
        let values = |accuracies: &BTreeMap<u64, f64>| -> Vec<f64> {
            accuracies.values().copied().collect()
        };
        let shared =
            with.iter().filter_map(|(seed, accuracy)| Some((*seed, accuracy - without.get(seed)?)));
        Severity {
            severity,
            without: share(interval(&values(without))),
            with: share(interval(&values(with))),
            difference: PairedDifference::of(shared.collect()),
        }
    }
}
