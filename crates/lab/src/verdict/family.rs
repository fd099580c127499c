//! Families: the arms that differ in λ alone, with their common baseline.

use wd_decay::ScheduleKind;

use std::collections::BTreeMap;

use crate::analysis::{Arm, Comparison, ComparisonKind};
use crate::setting::spell;

/// Keys with their values, other than λ, schedule and learning rate.
pub(super) type Settings = [(String, String)];

/// A baseline and the comparisons with it, ascending in λ.
#[derive(Debug, Clone)]
pub(super) struct Family<'a> {
    pub(super) baseline: &'a Arm,
    /// (treated arm, comparison).
    pub(super) members: Vec<(&'a Arm, &'a Comparison)>,
    /// `a cosine schedule`, `a constant learning rate, decay.rule=independent`.
    pub(super) name: String,
}

impl Family<'_> {
    /// Does the learning rate stay at its peak after warm-up?
    pub(super) fn is_constant(&self) -> bool {
        self.baseline.schedule == Some(ScheduleKind::Constant)
    }

    /// Members with at least `n` paired seeds.
    pub(super) fn with_pairs(&self, n: usize) -> Vec<&(&Arm, &Comparison)> {
        self.members.iter().filter(|(_, comparison)| seeds_of(comparison) >= n).collect()
    }

    /// Was a training loss recorded at all?
    pub(super) fn has_training_loss(&self) -> bool {
        self.members.iter().any(|(_, comparison)| comparison.final_train.interval.n > 0)
    }

    fn settings(&self) -> &Settings {
        self.members.first().map_or(&[], |(arm, _)| &arm.settings)
    }
}

/// Seeds over which a comparison is: other programs may not record a training loss.
fn seeds_of(comparison: &Comparison) -> usize {
    comparison.final_train.interval.n.max(comparison.final_validation.interval.n)
}

/// All families of comparisons at equal settings.
pub(super) fn families<'a>(arms: &'a [Arm], comparisons: &'a [Comparison]) -> Vec<Family<'a>> {
    let mut grouped: BTreeMap<(usize, &Settings), Vec<(&Arm, &Comparison)>> = BTreeMap::new();
    for comparison in comparisons {
        if comparison.kind == ComparisonKind::SameSettings {
            let arm = &arms[comparison.arm];
            grouped
                .entry((comparison.baseline, &arm.settings))
                .or_default()
                .push((arm, comparison));
        }
    }
    let several_rates = arms.iter().any(|arm| arm.peak_learning_rate != arms[0].peak_learning_rate);
    grouped
        .into_iter()
        .map(|((baseline, settings), mut members)| {
            members.sort_by(|a, b| a.0.lambda.total_cmp(&b.0.lambda));
            let baseline = &arms[baseline];
            let mut parts = vec![schedule(baseline.schedule)];
            if let (true, Some(rate)) = (several_rates, baseline.peak_learning_rate) {
                parts.push(format!("lr={}", spell(rate)));
            }
            parts.extend(settings.iter().map(|(key, value)| format!("{key}={value}")));
            Family { baseline, members, name: parts.join(", ") }
        })
        .collect()
}

/// `cosine` → `a cosine schedule`.
pub(super) fn schedule(kind: Option<ScheduleKind>) -> String {
    match kind {
        None => "the schedule of these runs".to_owned(),
        Some(ScheduleKind::Constant) => "a constant learning rate".to_owned(),
        Some(kind @ ScheduleKind::InverseSquareRoot) => format!("an {kind} schedule"),
        Some(kind) => format!("a {kind} schedule"),
    }
}

/// Of families that differ in the peak learning rate alone, the one with most paired seeds (then
/// the lowest loss without decay); the first of all is the one that the headline speaks of: a
/// decaying schedule before a constant one, then the most paired seeds.
pub(super) fn principal(families: Vec<Family<'_>>) -> Vec<Family<'_>> {
    let seeds = |family: &Family<'_>| -> usize {
        family.members.iter().map(|(_, comparison)| seeds_of(comparison)).sum()
    };
    let loss = |family: &Family<'_>| match family.baseline.final_validation.n {
        0 => family.baseline.final_train.mean,
        _ => family.baseline.final_validation.mean,
    };
    let mut kept: Vec<Family<'_>> = Vec::new();
    for family in families {
        let twin = kept.iter_mut().find(|other| {
            other.baseline.schedule == family.baseline.schedule
                && other.settings() == family.settings()
        });
        match twin {
            Some(other) => {
                let better =
                    seeds(&family).cmp(&seeds(other)).then(loss(other).total_cmp(&loss(&family)));
                if better.is_gt() {
                    *other = family;
                }
            }
            None => kept.push(family),
        }
    }
    kept.sort_by_key(|family| (family.is_constant(), std::cmp::Reverse(seeds(family))));
    kept
}
