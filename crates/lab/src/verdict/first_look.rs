//! One seed: what was seen, and that nothing follows from it yet.

use super::family::Family;
use super::{Claim, Supported};
use crate::wording::sentence::{lambda, short};
use wd_page::number::signed;

/// Further seeds with which a first look becomes a study: three pairs.
pub(super) const MORE_SEEDS: u64 = 2;

/// Has no comparison two pairs?
pub(super) fn is_one_seed(families: &[Family<'_>]) -> bool {
    !families.is_empty() && families.iter().all(|family| family.with_pairs(2).is_empty())
}

/// What each λ ended with against λ = 0, in one sentence.
pub(super) fn headline(regime: &str, families: &[Family<'_>]) -> String {
    let told: Vec<String> = families
        .iter()
        .flat_map(|family| {
            let ended = family.members.iter().map(|(arm, comparison)| {
                let change = signed(comparison.final_train.interval.mean, 4);
                format!("{} {change}", lambda(arm))
            });
            let ended: Vec<String> = ended.collect();
            (!ended.is_empty()).then(|| format!("under {} {}", family.name, ended.join(", ")))
        })
        .collect();
    format!(
        "{regime}, a first look with one seed. The training loss of the last batches ended so far \
         from that of λ=0: {}. One seed has no interval, so nothing is decided.",
        told.join("; ")
    )
}

/// The numbers of one family, without a judgement.
pub(super) fn seen(family: &Family<'_>) -> Claim {
    let told: Vec<String> = family
        .members
        .iter()
        .filter(|(_, comparison)| comparison.final_train.interval.n > 0)
        .map(|(arm, comparison)| {
            let change =
                |difference: &wd_statistics::PairedDifference| signed(difference.interval.mean, 4);
            format!(
                "{}: training loss {} between 10 and 50 % of the run and {} at the end; gap {}; \
                 late gradient norm {} (λ=0: {})",
                lambda(arm),
                change(&comparison.early_train),
                change(&comparison.final_train),
                change(&comparison.gap),
                short(arm.late.late_gradient_norm.mean),
                short(family.baseline.late.late_gradient_norm.mean),
            )
        })
        .collect();
    Claim {
        claim: format!("Seen under {}, with one seed and no interval", family.name),
        finding: format!("{}.", told.join(". ")),
        supported: Supported::Undecided,
    }
}
