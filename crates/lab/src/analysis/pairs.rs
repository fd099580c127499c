//! Pairing arms with their baselines, seed by seed.

use std::collections::BTreeMap;

use super::arms::Members;
use super::measured::Measured;
use super::{Band, Comparison, ComparisonKind};
use crate::analysis::window::{centre, windows};
use crate::configuration::Flat;
use wd_statistics::{PairedDifference, adjust_family, crossing_of};

/// The configuration without what concerns decay: with λ = 0 the rule, the policy and the anchor do
/// nothing.
fn outside_decay(configuration: &Flat) -> Flat {
    let mut rest = configuration.clone();
    rest.retain(|key, _| !key.starts_with("decay."));
    rest
}

/// The configuration without some keys.
fn without(configuration: &Flat, keys: &[&str]) -> Flat {
    let mut rest = configuration.clone();
    rest.retain(|key, _| !keys.contains(&key.as_str()));
    rest
}

/// The arm without decay that equals arm `index` in everything else; first choice: in the idle
/// decay settings too.
pub(crate) fn baseline_of(arms: &[Members], index: usize) -> Option<usize> {
    let treated = &arms[index];
    let rest = outside_decay(&treated.configuration);
    let is_baseline = |members: &&Members| {
        !members.decays()
            && members.plan.corpus_hash == treated.plan.corpus_hash
            && outside_decay(&members.configuration) == rest
    };
    let idle = |members: &Members| without(&members.configuration, &[members.roles.lambda]);
    let exact = idle(treated);
    let candidates: Vec<usize> =
        (0..arms.len()).filter(|&other| is_baseline(&&arms[other])).collect();
    let same_idle = |&&other: &&usize| idle(&arms[other]) == exact;
    candidates.iter().find(same_idle).or(candidates.first()).copied()
}

/// Every arm that decays against its baseline, when they share finished seeds.
pub(crate) fn same_settings(arms: &[Members]) -> Vec<Comparison> {
    let mut comparisons: Vec<Comparison> = (0..arms.len())
        .filter(|&arm| arms[arm].decays())
        .filter_map(|arm| compare(arms, ComparisonKind::SameSettings, arm, baseline_of(arms, arm)?))
        .collect();
    let family = |comparison: &Comparison| {
        let Members { configuration, roles, .. } = &arms[comparison.arm];
        (comparison.baseline, without(configuration, &[roles.lambda]))
    };
    correct(&mut comparisons, family);
    comparisons
}

/// For each λ > 0 that was run at several peak learning rates, as was λ = 0: the best against the
/// best.
///
/// "Best" is the lowest mean final validation loss (training loss when nothing was held out) over
/// the seeds that all learning rates of that λ share.
pub(crate) fn best_learning_rates(arms: &[Members]) -> Vec<Comparison> {
    let mut groups: BTreeMap<Flat, Vec<usize>> = BTreeMap::new();
    for (index, members) in arms.iter().enumerate() {
        let mut rest = without(&members.configuration, &[members.roles.learning_rate]);
        rest.insert("corpus".to_owned(), members.plan.corpus_hash.clone());
        groups.entry(rest).or_default().push(index);
    }
    let tuned: Vec<&Vec<usize>> = groups.values().filter(|group| group.len() > 1).collect();
    let mut comparisons: Vec<Comparison> = Vec::new();
    for treated in tuned.iter().filter(|group| arms[group[0]].decays()) {
        let Some(baselines) = tuned.iter().find(|group| {
            treated
                .iter()
                .filter_map(|&arm| baseline_of(arms, arm))
                .any(|base| group.contains(&base))
        }) else {
            continue;
        };
        let (Some(arm), Some(baseline)) = (best(arms, treated), best(arms, baselines)) else {
            continue;
        };
        comparisons.extend(compare(arms, ComparisonKind::BestLearningRate, arm, baseline));
    }
    let family = |comparison: &Comparison| {
        let Members { configuration, roles, .. } = &arms[comparison.arm];
        (comparison.baseline, without(configuration, &[roles.lambda, roles.learning_rate]))
    };
    correct(&mut comparisons, family);
    comparisons
}

fn best(arms: &[Members], group: &[usize]) -> Option<usize> {
    let with_runs: Vec<usize> =
        group.iter().copied().filter(|&arm| !arms[arm].finished.is_empty()).collect();
    let first = *with_runs.first()?;
    let shared: Vec<u64> = arms[first]
        .finished
        .keys()
        .copied()
        .filter(|seed| with_runs.iter().all(|&arm| arms[arm].finished.contains_key(seed)))
        .collect();
    let loss = |arm: usize| {
        let seeds: Vec<u64> = match shared.is_empty() {
            true => arms[arm].finished.keys().copied().collect(),
            false => shared.clone(),
        };
        let runs = || seeds.iter().filter_map(|seed| arms[arm].finished.get(seed));
        let validation: f64 = runs().map(|run| run.final_validation).sum();
        let sum = match validation.is_finite() {
            true => validation,
            false => runs().map(|run| run.final_train).sum(),
        };
        sum / seeds.len() as f64
    };
    with_runs.into_iter().min_by(|&a, &b| loss(a).total_cmp(&loss(b)))
}

fn compare(
    arms: &[Members],
    kind: ComparisonKind,
    arm: usize,
    baseline: usize,
) -> Option<Comparison> {
    let (treated, reference) = (&arms[arm], &arms[baseline]);
    let pairs: Vec<(u64, &Measured, &Measured)> = treated
        .finished
        .iter()
        .filter_map(|(seed, with)| Some((*seed, with, reference.finished.get(seed)?)))
        .collect();
    if pairs.is_empty() || treated.plan.steps != reference.plan.steps {
        return None;
    }
    let paired = |value: fn(&Measured) -> f64| {
        let differences =
            pairs.iter().map(|(seed, with, without)| (*seed, value(with) - value(without)));
        PairedDifference::of(differences.collect())
    };

    let total = treated.plan.steps as usize;
    let steps: Vec<f64> = windows(total).iter().map(centre).collect();
    let curves: Vec<Vec<f64>> = pairs
        .iter()
        .map(|(_, with, without)| {
            let both = with.train_loss.iter().zip(&without.train_loss);
            both.map(|(with, without)| with - without).collect()
        })
        .collect();
    let difference = steps
        .iter()
        .enumerate()
        .filter_map(|(window, step)| {
            let values: Vec<f64> = curves.iter().map(|curve| curve[window]).collect();
            Band::of(*step, &values)
        })
        .collect();
    let early_train = paired(|run| run.early_train);
    let starts_worse = early_train.significant && early_train.interval.mean > 0.0;
    let crossing = match starts_worse {
        true => crossing_of(&steps, &curves, total as f64),
        false => None,
    };
    Some(Comparison {
        kind,
        arm,
        baseline,
        difference,
        early_train,
        crossing,
        final_train: paired(|run| run.final_train),
        final_validation: paired(|run| run.final_validation),
        gap: paired(Measured::gap),
        late_gradient_norm: paired(|run| run.late_gradient_norm),
        late_relative_update: paired(|run| run.late_relative_update),
    })
}

/// Holm's correction of each measure within each family.
fn correct<K: Ord>(comparisons: &mut [Comparison], family: impl Fn(&Comparison) -> K) {
    let mut families: BTreeMap<K, Vec<usize>> = BTreeMap::new();
    for (index, comparison) in comparisons.iter().enumerate() {
        families.entry(family(comparison)).or_default().push(index);
    }
    let measures: [fn(&mut Comparison) -> &mut PairedDifference; 6] = [
        |comparison| &mut comparison.early_train,
        |comparison| &mut comparison.final_train,
        |comparison| &mut comparison.final_validation,
        |comparison| &mut comparison.gap,
        |comparison| &mut comparison.late_gradient_norm,
        |comparison| &mut comparison.late_relative_update,
    ];
    for indices in families.values() {
        for measure in measures {
            let members = comparisons
                .iter_mut()
                .enumerate()
                .filter(|(index, _)| indices.contains(index))
                .map(|(_, comparison)| measure(comparison));
            adjust_family(members);
        }
    }
}
