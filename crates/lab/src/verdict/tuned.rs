//! Does the gain survive when each λ gets its own best learning rate?

use std::collections::BTreeMap;

use super::family::{Settings, schedule};
use super::{Claim, Supported};
use crate::analysis::{Arm, Comparison, ComparisonKind};
use crate::setting::spell;
use crate::wording::sentence::{difference, lambda};

/// One line for each schedule (and other settings) under which several learning rates were tried.
pub(super) fn own_learning_rate(arms: &[Arm], comparisons: &[Comparison]) -> Vec<Claim> {
    let mut groups: BTreeMap<(Option<&str>, &Settings), Vec<&Comparison>> = BTreeMap::new();
    for comparison in comparisons {
        if comparison.kind == ComparisonKind::BestLearningRate {
            let arm = &arms[comparison.arm];
            groups
                .entry((arm.schedule.map(|kind| kind.name()), arm.settings.as_slice()))
                .or_default()
                .push(comparison);
        }
    }
    groups
        .into_iter()
        .map(|((_, settings), mut members)| {
            members.sort_by(|a, b| arms[a.arm].lambda.total_cmp(&arms[b.arm].lambda));
            let mut name = schedule(arms[members[0].arm].schedule);
            for (key, value) in settings {
                name.push_str(&format!(", {key}={value}"));
            }
            line(arms, &name, &members)
        })
        .collect()
}

fn line(arms: &[Arm], name: &str, members: &[&Comparison]) -> Claim {
    let rate = |arm: &Arm| arm.peak_learning_rate.map_or_else(|| "unknown".to_owned(), spell);
    let baseline = &arms[members[0].baseline];
    let mut told =
        vec![format!("Best learning rate of λ=0: {}{}", rate(baseline), edge(arms, baseline))];
    told.extend(members.iter().map(|comparison| {
        let arm = &arms[comparison.arm];
        format!(
            "{} at its best, {}{}, against that: {}",
            lambda(arm),
            rate(arm),
            edge(arms, arm),
            difference(comparison.final_loss())
        )
    }));
    let moved = members
        .iter()
        .any(|comparison| arms[comparison.arm].peak_learning_rate != baseline.peak_learning_rate);
    told.push(
        match moved {
            true => "The best learning rate moves with λ",
            false => "The best learning rate is the same for every λ",
        }
        .to_owned(),
    );
    told.push("That the rates were chosen by the same runs is not in the intervals".to_owned());
    // With its best rate at the edge of the grid λ = 0 is not tuned, and a gain over it proves
    // nothing.
    let is_tuned = edge(arms, baseline).is_empty();
    let mut losses = members.iter().map(|comparison| comparison.final_loss());
    Claim {
        claim: format!(
            "Under {name}, some λ > 0 also gains when each λ has its best learning rate"
        ),
        finding: format!("{}.", told.join(". ")),
        supported: Supported::decided(
            is_tuned && losses.clone().any(|loss| loss.surely_has_sign(-1.0)),
            is_tuned && losses.all(|loss| loss.surely_has_sign(1.0)),
        ),
    }
}

/// A note when an arm's learning rate is the smallest or largest that was tried for its λ.
fn edge(arms: &[Arm], arm: &Arm) -> &'static str {
    let tried = arms
        .iter()
        .filter(|other| {
            other.lambda == arm.lambda
                && other.schedule == arm.schedule
                && other.settings == arm.settings
                && !(other.seeds.is_empty() && other.diverged.is_empty())
        })
        .filter_map(|other| other.peak_learning_rate);
    let (low, high) = tried.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), rate| {
        (low.min(rate), high.max(rate))
    });
    if arm.peak_learning_rate.is_some_and(|rate| rate == low || rate == high) {
        " (at the edge of the grid: a better one may lie beyond)"
    } else {
        ""
    }
}
