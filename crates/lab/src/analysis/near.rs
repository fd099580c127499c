//! Which λ are as good as the best, among arms that differ in λ alone.

use std::collections::BTreeMap;

use serde::Serialize;
use wd_statistics::{Candidate, Nearest, nearest};

use super::arms::Members;
use super::measured::Measured;
use super::pairs::{baseline_of, pairing_of, without};
use crate::configuration::Flat;

/// Arms that differ in λ alone, against the best of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NearBest {
    /// Indices into [`Analysis::arms`](crate::Analysis::arms), by rising λ.
    pub arms: Vec<usize>,
    /// Is the loss that of validation? Else it is the final training loss.
    pub is_validation: bool,
    /// Are equal seeds pairs?
    pub is_paired: bool,
    /// What the arms show, in the order of `arms`.
    pub nearest: Nearest,
}

/// One entry for each setting under which several λ have finished with at least two seeds.
/// `share` is ε as a share of the lowest loss.
pub(crate) fn near_best(arms: &[Members], share: f64) -> Vec<NearBest> {
    let mut groups: BTreeMap<(Flat, &str), Vec<usize>> = BTreeMap::new();
    for (index, members) in arms.iter().enumerate().filter(|(_, members)| is_measured(members)) {
        let rest = without(&members.configuration, &[members.roles().lambda]);
        groups.entry((rest, members.corpus())).or_default().push(index);
    }
    groups.into_values().filter_map(|group| near(arms, group, share)).collect()
}

fn is_measured(members: &Members) -> bool {
    members.finished.len() >= 2
}

fn near(arms: &[Members], mut group: Vec<usize>, share: f64) -> Option<NearBest> {
    // Without decay the rule is idle: one arm may serve several settings.
    if let Some(baseline) = group.first().and_then(|first| baseline_of(arms, *first))
        && is_measured(&arms[baseline])
        && !group.contains(&baseline)
    {
        group.push(baseline);
    }
    group.sort_by(|a, b| arms[*a].arm.lambda.total_cmp(&arms[*b].arm.lambda));
    let (first, others) = group.split_first()?;
    let of = |run: &Measured, is_validation: bool| match is_validation {
        true => run.final_validation,
        false => run.final_train,
    };
    let every = |index: &usize| arms[*index].finished.values();
    let is_validation = group.iter().flat_map(every).all(|run| run.final_validation.is_finite());
    let losses: Vec<Vec<(u64, f64)>> = group
        .iter()
        .map(|index| {
            let finished = arms[*index].finished.iter();
            finished.map(|(seed, run)| (*seed, of(run, is_validation))).collect()
        })
        .collect();
    let candidates: Vec<Candidate<'_>> = group
        .iter()
        .zip(&losses)
        .map(|(index, losses)| Candidate { place: arms[*index].arm.lambda.ln(), losses })
        .collect();
    let is_paired = others.iter().all(|other| pairing_of(&arms[*other], &arms[*first]).is_paired());
    let means = group.iter().map(|index| match is_validation {
        true => arms[*index].arm.final_validation.mean,
        false => arms[*index].arm.final_train.mean,
    });
    let lowest = means.fold(f64::INFINITY, f64::min);
    let nearest = nearest(&candidates, share * lowest.abs(), is_paired)?;
    Some(NearBest { arms: group, is_validation, is_paired, nearest })
}
