//! The trajectory of training loss: worse early and better at the end under a decaying schedule; only
//! worse under a constant one.

use super::best::between;
use super::family::Family;
use super::{Claim, Supported};
use crate::analysis::Comparison;
use crate::wording::sentence::{difference, lambda, percent};
use wd_statistics::PairedDifference;

/// "Worse early, better at the end."
pub(super) fn crossing(family: &Family<'_>) -> Claim {
    let crosses = |comparison: &Comparison| {
        comparison.early_train.surely_has_sign(1.0)
            && comparison.crossing.is_some()
            && comparison.final_train.surely_has_sign(-1.0)
    };
    let refutes = |comparison: &Comparison| {
        comparison.final_train.surely_has_sign(1.0) || comparison.early_train.surely_has_sign(-1.0)
    };
    let tested = family.with_pairs(2);
    let told: Vec<String> = family
        .members
        .iter()
        .map(|(arm, comparison)| {
            format!(
                "{}: between 10 and 50 % of the run {}; {}; at the end {}",
                lambda(arm),
                difference(&comparison.early_train),
                where_it_crosses(comparison, arm.steps),
                difference(&comparison.final_train)
            )
        })
        .collect();
    Claim {
        claim: format!(
            "Under {}, some λ > 0 trains worse early and better at the end",
            family.name
        ),
        finding: format!("{}.", told.join(". ")),
        supported: Supported::decided(
            tested.iter().any(|(_, comparison)| crosses(comparison)),
            !tested.is_empty() && tested.iter().all(|(_, comparison)| refutes(comparison)),
        ),
    }
}

fn where_it_crosses(comparison: &Comparison, steps: u64) -> String {
    let share = |step: f64| percent(step / steps as f64);
    match &comparison.crossing {
        None => "does not cross".to_owned(),
        Some(crossing) => {
            let interval = match (crossing.low, crossing.high) {
                (Some(low), Some(high)) => format!(" [{}, {}]", share(low), share(high)),
                (Some(low), None) => format!(" [{}, beyond the end]", share(low)),
                _ => " (no interval below three seeds)".to_owned(),
            };
            format!("crosses at {}{interval} of the run", percent(crossing.fraction))
        }
    }
}

/// "Every larger λ only raises the final training loss."
pub(super) fn only_hurts(family: &Family<'_>) -> Claim {
    let steps: Vec<PairedDifference> = family
        .members
        .windows(2)
        .map(|pair| between(&pair[1].1.final_train, &pair[0].1.final_train))
        .collect();
    let rises = steps.iter().all(|step| step.interval.mean > 0.0);
    let final_train = || family.members.iter().map(|(_, comparison)| &comparison.final_train);
    let all_hurt = final_train().all(|difference| difference.surely_has_sign(1.0));
    let falls = steps.iter().any(|step| step.significant && step.interval.mean < 0.0);
    let helps = final_train().any(|difference| difference.surely_has_sign(-1.0));
    let told: Vec<String> = family
        .members
        .iter()
        .map(|(arm, comparison)| format!("{} {}", lambda(arm), difference(&comparison.final_train)))
        .collect();
    Claim {
        claim: format!("Under {}, every larger λ only raises the final training loss", family.name),
        finding: format!(
            "Final training loss of the raw weights against λ=0: {}. The means {} with λ.",
            told.join("; "),
            if rises { "rise" } else { "do not rise throughout" }
        ),
        supported: Supported::decided(all_hurt && rises, helps || falls),
    }
}
