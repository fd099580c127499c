//! Pairing arms with their baselines, seed by seed.

use std::collections::BTreeMap;

use super::arms::Members;
use super::measured::Measured;
use super::{Band, Comparison, ComparisonKind, Pairing};
use crate::analysis::window::{centre, windows};
use crate::configuration::Flat;
use crate::setting::spell;
use crate::wording::sentence::short;
use wd_statistics::{Crossing, PairedDifference, adjust_family, crossing_of};

/// The configuration without what concerns decay: with λ = 0 the rule, the policy and the anchor do
/// nothing. Of another program only λ is known to concern it.
fn outside_decay(members: &Members) -> Flat {
    let mut rest = members.configuration.clone();
    match members.recording {
        None => rest.retain(|key, _| !key.starts_with("decay.")),
        Some(_) => drop(rest.remove(members.roles().lambda)),
    }
    rest
}

/// The configuration without some keys.
pub(crate) fn without(configuration: &Flat, keys: &[&str]) -> Flat {
    let mut rest = configuration.clone();
    rest.retain(|key, _| !keys.contains(&key.as_str()));
    rest
}

/// The arm without decay that equals arm `index` in everything else; first choice: in the idle
/// decay settings too.
pub(crate) fn baseline_of(arms: &[Members], index: usize) -> Option<usize> {
    let treated = &arms[index];
    let rest = outside_decay(treated);
    let is_baseline = |members: &&Members| {
        !members.decays() && members.corpus() == treated.corpus() && outside_decay(members) == rest
    };
    let idle = |members: &Members| without(&members.configuration, &[members.roles().lambda]);
    let exact = idle(treated);
    let candidates: Vec<usize> =
        (0..arms.len()).filter(|&other| is_baseline(&&arms[other])).collect();
    let same_idle = |&&other: &&usize| idle(&arms[other]) == exact;
    candidates.iter().find(same_idle).or(candidates.first()).copied()
}

/// Every other arm against one of them, when they share finished seeds: whatever else differs
/// besides λ.
pub(crate) fn against(arms: &[Members], baseline: usize) -> Vec<Comparison> {
    let others = (0..arms.len()).filter(|arm| *arm != baseline);
    let compared =
        others.filter_map(|arm| compare(arms, ComparisonKind::SameSettings, arm, baseline));
    let mut comparisons: Vec<Comparison> = compared.collect();
    correct(&mut comparisons, |comparison| comparison.baseline);
    comparisons
}

/// Every arm that decays against its baseline, when they share finished seeds.
pub(crate) fn same_settings(arms: &[Members]) -> Vec<Comparison> {
    let mut comparisons: Vec<Comparison> = (0..arms.len())
        .filter(|&arm| arms[arm].decays())
        .filter_map(|arm| compare(arms, ComparisonKind::SameSettings, arm, baseline_of(arms, arm)?))
        .collect();
    let family = |comparison: &Comparison| {
        let members = &arms[comparison.arm];
        (comparison.baseline, without(&members.configuration, &[members.roles().lambda]))
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
        let mut rest = without(&members.configuration, &[members.roles().learning_rate]);
        rest.insert("corpus".to_owned(), members.corpus().to_owned());
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
        let members = &arms[comparison.arm];
        let roles = members.roles();
        let rest = without(&members.configuration, &[roles.lambda, roles.learning_rate]);
        (comparison.baseline, rest)
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
    let total = treated.arm.steps as usize;
    if treated.arm.steps != reference.arm.steps {
        return None;
    }
    let pairs = common_seeds(treated, reference);
    let pairing = pairing(treated, &pairs);
    if pairs.is_empty() && pairing.is_paired()
        || treated.finished.is_empty()
        || reference.finished.is_empty()
    {
        return None;
    }
    let difference_of = |value: &dyn Fn(&Measured) -> f64| match pairing.is_paired() {
        true => {
            let differences =
                pairs.iter().map(|(seed, with, without)| (*seed, value(with) - value(without)));
            PairedDifference::of(differences.collect())
        }
        false => {
            let of = |members: &Members| members.finished.values().map(value).collect::<Vec<_>>();
            PairedDifference::unpaired(&of(treated), &of(reference))
        }
    };
    let steps: Vec<f64> = windows(total).iter().map(centre).collect();
    let difference = steps.iter().enumerate().filter_map(|(window, step)| {
        let interval = difference_of(&|run| run.train_loss[window]).interval;
        Band::of_interval(*step, interval)
    });
    let difference = difference.collect();
    let early_train = difference_of(&|run| run.early_train);
    let starts_worse = early_train.significant && early_train.interval.mean > 0.0;
    let crossing = match starts_worse && pairing.is_paired() {
        true => measured_crossing(&steps, &pairs, total as f64),
        false => None,
    };
    Some(Comparison {
        kind,
        arm,
        baseline,
        difference,
        early_train,
        crossing,
        final_train: difference_of(&|run| run.final_train),
        final_validation: difference_of(&|run| run.final_validation),
        gap: difference_of(&Measured::gap),
        late_gradient_norm: difference_of(&|run| run.late_gradient_norm),
        late_relative_update: difference_of(&|run| run.late_relative_update),
        pairing,
    })
}

/// The crossing over the windows in which every pair has a loss: other programs may log seldom.
fn measured_crossing(
    steps: &[f64],
    pairs: &[(u64, &Measured, &Measured)],
    total: f64,
) -> Option<Crossing> {
    let curves: Vec<Vec<f64>> = pairs
        .iter()
        .map(|(_, with, without)| {
            let both = with.train_loss.iter().zip(&without.train_loss);
            both.map(|(with, without)| with - without).collect()
        })
        .collect();
    let is_measured = |window: usize| curves.iter().all(|curve| curve[window].is_finite());
    let kept: Vec<usize> = (0..steps.len()).filter(|window| is_measured(*window)).collect();
    let steps: Vec<f64> = kept.iter().map(|window| steps[*window]).collect();
    let curves: Vec<Vec<f64>> =
        curves.iter().map(|curve| kept.iter().map(|window| curve[*window]).collect()).collect();
    crossing_of(&steps, &curves, total)
}

/// Seeds that finished in both arms, with their numbers.
fn common_seeds<'a>(
    treated: &'a Members,
    reference: &'a Members,
) -> Vec<(u64, &'a Measured, &'a Measured)> {
    let both = treated.finished.iter();
    both.filter_map(|(seed, with)| Some((*seed, with, reference.finished.get(seed)?))).collect()
}

/// Whether the runs of two arms are paired.
pub(crate) fn pairing_of(treated: &Members, reference: &Members) -> Pairing {
    pairing(treated, &common_seeds(treated, reference))
}

/// Whether the runs of two arms are paired. Of this program equal seeds are enough; of another the
/// first logged losses of each pair must agree, since equal seeds need not mean equal weights and
/// batches there.
fn pairing(treated: &Members, pairs: &[(u64, &Measured, &Measured)]) -> Pairing {
    let Some(recording) = &treated.recording else { return Pairing::Seed };
    let unpaired = |reason: String| Pairing::Unpaired { reason };
    if recording.seed.is_none() {
        return unpaired(
            "no setting is known to be the seed (the option seed-from names one)".to_owned(),
        );
    }
    if pairs.is_empty() {
        return unpaired("the arms share no seed".to_owned());
    }
    let has_first = |(_, with, without): &(u64, &Measured, &Measured)| {
        !with.first_losses.is_empty() && !without.first_losses.is_empty()
    };
    if !pairs.iter().any(has_first) {
        return unpaired(
            "each run has its final loss alone, so that nobody sees whether the runs of a seed \
             began alike"
                .to_owned(),
        );
    }
    let Some((curve, largest)) = first_losses_apart(pairs) else {
        return unpaired("the runs of a seed logged no first loss in common".to_owned());
    };
    match largest <= recording.pair_tolerance {
        true => Pairing::FirstLoss { curve, tolerance: recording.pair_tolerance, largest },
        false => unpaired(format!(
            "the first logged losses of runs of one seed differ by {} or more, which is above {}",
            short(largest),
            spell(recording.pair_tolerance)
        )),
    }
}

/// Of the losses that both runs of every pair logged first, the one that agrees best: its curve and
/// the largest relative difference within a pair. Absent where they have none in common.
///
/// One loss is enough: the first batch before the first update, or a validation before it, is the
/// same only from the same weights, while another curve of the same step may have been logged after
/// that update, in which λ acts already.
fn first_losses_apart(pairs: &[(u64, &Measured, &Measured)]) -> Option<(String, f64)> {
    let (_, first, _) = pairs.first()?;
    let earliest = first.first_losses.iter().map(|(_, step, _)| *step).min()?;
    let tags = first.first_losses.iter().filter(|(_, step, _)| *step == earliest);
    let value = |run: &Measured, tag: &str| {
        let found = run.first_losses.iter().find(|(other, at, _)| other == tag && *at == earliest);
        found.map(|(_, _, value)| *value)
    };
    let apart = |tag: &str| {
        let differences = pairs.iter().map(|(_, with, without)| {
            let (a, b) = (value(with, tag)?, value(without, tag)?);
            Some(if a == b { 0.0 } else { (a - b).abs() / a.abs().max(b.abs()) })
        });
        let differences: Vec<f64> = differences.collect::<Option<_>>()?;
        // NaN agrees with nothing.
        differences
            .iter()
            .all(|apart| apart.is_finite())
            .then(|| (tag.to_owned(), differences.iter().copied().fold(0.0, f64::max)))
    };
    tags.filter_map(|(tag, _, _)| apart(tag)).min_by(|a, b| a.1.total_cmp(&b.1))
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
