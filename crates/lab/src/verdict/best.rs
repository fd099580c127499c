//! Which λ is best, by how much, and is it surely better than the next?

use super::family::Family;
use super::{Claim, Supported};
use crate::analysis::{Arm, Comparison};
use crate::wording::sentence::{change, difference, lambda};
use wd_statistics::{Interval, PairedDifference};

/// The final loss that decides, of one arm.
fn final_loss(arm: &Arm) -> &Interval {
    match arm.final_validation.n {
        0 => &arm.final_train,
        _ => &arm.final_validation,
    }
}

/// `with` − `without` for two members of a family that are paired with their baseline, over the
/// seeds of both.
pub(super) fn between(with: &PairedDifference, without: &PairedDifference) -> PairedDifference {
    let shared = with.per_seed.iter().filter_map(|(seed, value)| {
        let other = without.per_seed.iter().find(|(other, _)| other == seed)?;
        Some((*seed, value - other.1))
    });
    PairedDifference::of(shared.collect())
}

pub(super) fn best(family: &Family<'_>) -> Claim {
    let members: Vec<(&Arm, &Comparison)> = family.members.clone();
    let mean = |comparison: &Comparison| comparison.final_loss().interval.mean;
    let winner = members
        .iter()
        .filter(|(_, comparison)| mean(comparison) < 0.0)
        .min_by(|a, b| mean(a.1).total_cmp(&mean(b.1)));
    let loss =
        match members.iter().any(|(_, comparison)| comparison.final_validation.interval.n > 0) {
            true => "validation loss",
            false => "training loss",
        };
    let all: Vec<String> = members
        .iter()
        .map(|(arm, comparison)| format!("{} {}", lambda(arm), difference(comparison.final_loss())))
        .collect();
    let mut finding = match winner {
        Some((arm, comparison)) => {
            let surely = match comparison.final_loss().holds_after_correction() {
                true => "",
                false => ", but not surely better than λ=0",
            };
            let mut text = format!("Lowest mean final {loss}: {}{surely}", lambda(arm));
            let ties: Vec<String> = members
                .iter()
                .filter(|(other, _)| other.lambda != arm.lambda)
                .map(|(other, against)| {
                    let is_paired = comparison.pairing.is_paired() && against.pairing.is_paired();
                    let lead = match is_paired {
                        true => between(comparison.final_loss(), against.final_loss()),
                        false => PairedDifference::of_means(final_loss(arm), final_loss(other)),
                    };
                    (other, lead)
                })
                .filter(|(_, lead)| !(lead.significant && lead.interval.mean < 0.0))
                .map(|(other, lead)| format!("{} (lead {})", lambda(other), difference(&lead)))
                .collect();
            if !ties.is_empty() {
                text.push_str(&format!("; not told apart from {}", ties.join(", ")));
            }
            text
        }
        None => format!("Lowest mean final {loss}: λ=0"),
    };
    finding.push_str(&format!(". Final {loss} against λ=0: {}.", all.join("; ")));

    let tested: Vec<&PairedDifference> = members
        .iter()
        .map(|(_, comparison)| comparison.final_loss())
        .filter(|loss| loss.interval.n >= 2)
        .collect();
    Claim {
        claim: format!("Under {}, some λ > 0 ends with a lower {loss} than λ=0", family.name),
        finding,
        supported: Supported::decided(
            tested.iter().any(|loss| loss.surely_has_sign(-1.0)),
            !tested.is_empty() && tested.iter().all(|loss| loss.surely_has_sign(1.0)),
        ),
    }
}

/// What was seen, in half a sentence: which λ ended lowest, by how much, over how many seeds.
pub(super) fn seen(family: &Family<'_>) -> String {
    let mean = |comparison: &Comparison| comparison.final_loss().interval.mean;
    let measured = family.members.iter().filter(|(_, comparison)| mean(comparison).is_finite());
    let Some((arm, comparison)) = measured.min_by(|a, b| mean(a.1).total_cmp(&mean(b.1))) else {
        return "no final loss was measured".to_owned();
    };
    let loss = match comparison.final_validation.interval.n {
        0 => "training loss",
        _ => "validation loss",
    };
    let interval = &comparison.final_loss().interval;
    let seeds = wd_page::counted(
        interval.n,
        if comparison.pairing.is_paired() { "paired seed" } else { "run" },
    );
    match mean(comparison) < 0.0 {
        true => {
            let surely = match comparison.final_loss().holds_after_correction() {
                true => "",
                false => " on average, not surely below λ=0",
            };
            format!(
                "{} ended with the lowest {loss}{surely}: {} against λ=0, over {seeds}",
                lambda(arm),
                change(interval)
            )
        }
        false => format!(
            "λ=0 ended with the lowest {loss}: the next, {}, is {} above it, over {seeds}",
            lambda(arm),
            change(interval)
        ),
    }
}
