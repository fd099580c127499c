//! Which λ is best, by how much, and is it surely better than the next?

use super::family::Family;
use super::{Claim, Supported};
use crate::analysis::{Arm, Comparison};
use crate::wording::sentence::{difference, lambda};
use wd_statistics::PairedDifference;

/// The loss by which λ is judged: validation, or training when nothing was held out.
fn judged(comparison: &Comparison) -> &PairedDifference {
    match comparison.final_validation.interval.n {
        0 => &comparison.final_train,
        _ => &comparison.final_validation,
    }
}

/// `with` − `without` for two members of a family, over the seeds of both.
pub(super) fn between(with: &PairedDifference, without: &PairedDifference) -> PairedDifference {
    let shared = with.per_seed.iter().filter_map(|(seed, value)| {
        let other = without.per_seed.iter().find(|(other, _)| other == seed)?;
        Some((*seed, value - other.1))
    });
    PairedDifference::of(shared.collect())
}

pub(super) fn best(family: &Family<'_>) -> Claim {
    let members: Vec<(&Arm, &Comparison)> = family.members.clone();
    let mean = |comparison: &Comparison| judged(comparison).interval.mean;
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
        .map(|(arm, comparison)| format!("{} {}", lambda(arm), difference(judged(comparison))))
        .collect();
    let mut finding = match winner {
        Some((arm, comparison)) => {
            let surely = match judged(comparison).holds_after_correction() {
                true => "",
                false => ", but not surely better than λ=0",
            };
            let mut text = format!("Lowest mean final {loss}: {}{surely}", lambda(arm));
            let ties: Vec<String> = members
                .iter()
                .filter(|(other, _)| other.lambda != arm.lambda)
                .map(|(other, against)| (other, between(judged(comparison), judged(against))))
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
        .map(|(_, comparison)| judged(comparison))
        .filter(|judged| judged.interval.n >= 2)
        .collect();
    let beyond_doubt = |judged: &PairedDifference, sign: f64| {
        judged.holds_after_correction() && judged.interval.mean * sign > 0.0
    };
    Claim {
        claim: format!("Under {}, some λ > 0 ends with a lower {loss} than λ=0", family.name),
        finding,
        supported: if tested.iter().any(|judged| beyond_doubt(judged, -1.0)) {
            Supported::Supported
        } else if !tested.is_empty() && tested.iter().all(|judged| beyond_doubt(judged, 1.0)) {
            Supported::Contradicted
        } else {
            Supported::Undecided
        },
    }
}
