//! The study in words and numbers.
//!
//! | file | what it answers |
//! |---|---|
//! | `family` | which arms differ in λ alone? |
//! | `action` | does λ act as a prior or as a force? |
//! | `best` | which λ is best, by how much? |
//! | `trajectory` | worse early and better late? only worse under a constant learning rate? |
//! | `late` | are late gradients and relative updates larger with λ? |
//! | `norms` | where does the norm recursion hold? |
//! | `first_look` | what was seen with one seed, when nothing can be decided? |
//! | `tuned` | does the gain survive the best learning rate for each λ? |
//! | `completeness` | what diverged, what is missing, what did nothing? |
//! | `regime` | where do these findings hold? |

mod action;
mod best;
mod completeness;
mod family;
mod first_look;
mod late;
mod norms;
mod regime;
mod trajectory;
mod tuned;

use std::collections::BTreeSet;

use serde::Serialize;
use wd_page::{Claim, Supported};

use crate::analysis::{Arm, Comparison};
use crate::wording::{cell, sentence};
use family::Family;
use wd_statistics::PairedDifference;

/// How λ acted in this setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActsAs {
    /// The final training loss moves with λ, the gap does not (within the stated margin).
    Force,
    /// The gap shrinks with λ, and no λ lowers the final training loss.
    Prior,
    /// The gap shrinks with λ, and some λ lowers the final training loss.
    Both,
    /// Neither loss nor gap moves beyond the margin, or the gap widens, which neither view
    /// predicts.
    Neither,
    /// Too few seeds or too much spread to say.
    Undecided,
}

/// The study in words and numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// One sentence: how λ acted, in which regime.
    pub headline: String,
    /// The regime: passes over the data, tokens per parameter, schedules, κ, τ.
    pub regime: String,
    /// How λ acted.
    pub acts_as: ActsAs,
    /// Largest change of the gap (nats) that counts as none.
    pub gap_margin: f64,
    /// Each claim with its finding.
    pub lines: Vec<Claim>,
    /// Index into [`Analysis::arms`](crate::Analysis::arms) of the arm without decay that the
    /// headline compares with: of several learning rates and schedules the one it speaks of.
    pub baseline: Option<usize>,
    /// Further seeds that would decide how λ acts; absent where it is decided, or none would.
    pub more_seeds: Option<u64>,
}

/// Judges a study from its arms and comparisons. `gap_margin` is the largest change of the gap that
/// counts as none.
///
/// Every claim is decided on p-values corrected by Holm's method within its family (the λ compared
/// with one baseline), never on overlapping intervals, and "no change" only by two one-sided tests.
pub fn judge(arms: &[Arm], comparisons: &[Comparison], gap_margin: f64) -> Verdict {
    let families = family::principal(family::families(arms, comparisons));
    let baseline = families
        .first()
        .and_then(|family| arms.iter().position(|arm| std::ptr::eq(arm, family.baseline)));
    let mut lines = Vec::new();
    let mut first: Option<action::Action> = None;
    if first_look::is_one_seed(&families) {
        let mut lines: Vec<Claim> = families.iter().map(first_look::seen).collect();
        lines.extend(completeness::gaps_in_the_evidence(arms, comparisons));
        let regime = families.first().map(regime::short).unwrap_or_default();
        return Verdict {
            headline: first_look::headline(&regime, &families),
            regime: regime::describe(arms),
            acts_as: ActsAs::Undecided,
            gap_margin,
            lines,
            baseline,
            more_seeds: Some(first_look::MORE_SEEDS),
        };
    }
    for family in &families {
        let action = action::act(family, gap_margin);
        lines.push(action.line.clone());
        first.get_or_insert(action);
        lines.push(best::best(family));
        if !family.has_training_loss() {
            continue;
        }
        match family.is_constant() {
            true => lines.push(trajectory::only_hurts(family)),
            false => {
                lines.push(trajectory::crossing(family));
                lines.extend(late::gradient_norm(family));
                lines.extend(late::relative_update(family));
            }
        }
    }
    if let Some(family) = families.first() {
        lines.extend(norms::recursion(family));
    }
    lines.extend(tuned::own_learning_rate(arms, comparisons));
    lines.extend(completeness::gaps_in_the_evidence(arms, comparisons));

    let acts_as = first.as_ref().map_or(ActsAs::Undecided, |first| first.acts_as);
    let regime = regime::describe(arms);
    Verdict {
        headline: match families.first() {
            Some(family) => headline(acts_as, family, gap_margin),
            None => without_baseline(arms),
        },
        regime,
        acts_as,
        gap_margin,
        lines,
        baseline,
        more_seeds: first.and_then(|first| first.more_seeds),
    }
}

/// What was seen, then the verdict: the regime, which λ ended lowest and by how much, how λ acted
/// and the strongest number behind that.
fn headline(acts_as: ActsAs, family: &Family<'_>, margin: f64) -> String {
    let seen = format!("{}, {}.", regime::short(family), best::seen(family));
    let margin = crate::setting::spell(margin);
    let strongest = |of: fn(&Comparison) -> &PairedDifference| {
        family
            .members
            .iter()
            .filter(|(_, comparison)| of(comparison).holds_after_correction())
            .min_by(|a, b| of(a.1).interval.mean.total_cmp(&of(b.1).interval.mean))
            .map(|(arm, comparison)| {
                let interval = &of(comparison).interval;
                format!(
                    "{}: {}, n = {}",
                    sentence::lambda(arm),
                    sentence::change(interval),
                    interval.n
                )
            })
            .unwrap_or_default()
    };
    let train = || strongest(|comparison| &comparison.final_train);
    let gap = || strongest(|comparison| &comparison.gap);
    match acts_as {
        ActsAs::Force => format!(
            "{seen} λ acts as a force: it moves the final training loss ({}) while the \
             generalisation gap stays within ±{margin}.",
            train()
        ),
        ActsAs::Prior => format!(
            "{seen} λ acts as a prior: it narrows the generalisation gap ({}) and does not \
             lower the final training loss.",
            gap()
        ),
        ActsAs::Both => format!(
            "{seen} λ acts as a force and as a prior: it lowers the final training loss ({}) \
             and narrows the generalisation gap ({}).",
            train(),
            gap()
        ),
        ActsAs::Neither => {
            format!("{seen} λ acts neither as a force nor as a prior: see the first finding.")
        }
        ActsAs::Undecided => format!(
            "{seen} These runs do not decide whether λ acts as a force or as a prior: see the first \
             finding for what is missing."
        ),
    }
}

/// What was seen where nothing can be compared with λ = 0.
fn without_baseline(arms: &[Arm]) -> String {
    const NONE: &str = "There is no pair of runs with and without decay to compare.";
    let corpus = |arm: &Arm| arm.settings.iter().find(|(key, _)| key == "corpus").cloned();
    let corpora: BTreeSet<_> = arms.iter().map(corpus).collect();
    if corpora.len() > 1 {
        return format!(
            "These runs are of {} sets of data, whose losses are no measure of each other: name the \
             runs of one of them. {NONE}",
            corpora.len()
        );
    }
    let validated = arms.iter().filter(|arm| arm.final_validation.mean.is_finite());
    let lowest = validated
        .min_by(|a, b| a.final_validation.mean.total_cmp(&b.final_validation.mean))
        .filter(|_| arms.len() > 1);
    lowest.map_or_else(
        || NONE.to_owned(),
        |arm| {
            format!(
                "{} has the lowest mean validation loss: {}, over {}. {NONE}",
                arm.label,
                cell::mean_interval(&arm.final_validation, 4),
                wd_page::counted(arm.final_validation.n, "seed")
            )
        },
    )
}
