//! Does λ act as a prior (the generalisation gap moves) or as a force (it does not; the final
//! training loss does)?

use super::family::Family;
use super::{ActsAs, Claim, Supported};
use crate::analysis::Comparison;
use crate::setting::spell;
use crate::wording::sentence::{change, difference, lambda, tested};
use wd_page::number::signed;
use wd_statistics::{PairedDifference, seeds_for_equivalence};

/// What the gap does in a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gap {
    Still,
    Shrinks,
    Widens,
    Unclear,
}

/// The decision, and the line that explains it.
pub(super) struct Action {
    pub(super) acts_as: ActsAs,
    /// Further seeds that would decide it; absent where it is decided, or none would.
    pub(super) more_seeds: Option<u64>,
    pub(super) line: Claim,
}

/// The comparisons that decide: those with at least three paired seeds; when there is none, those
/// with two.
fn deciding<'a>(family: &Family<'a>) -> Vec<&'a Comparison> {
    let with = |n: usize| -> Vec<&'a Comparison> {
        let enough = |comparison: &&Comparison| comparison.gap.interval.n >= n;
        family.members.iter().map(|(_, comparison)| *comparison).filter(enough).collect()
    };
    let three = with(3);
    if three.is_empty() { with(2) } else { three }
}

/// The gap moves when a change is significant after correction *and* larger than the margin; it is
/// still when every deciding change is shown to lie inside the margin.
fn gap(family: &Family<'_>, deciding: &[&Comparison], margin: f64) -> Gap {
    let moved = |towards: f64| {
        family.members.iter().any(|(_, comparison)| {
            comparison.gap.holds_after_correction()
                && comparison.gap.interval.mean * towards > margin
        })
    };
    match (moved(-1.0), moved(1.0)) {
        (true, false) => Gap::Shrinks,
        (false, true) => Gap::Widens,
        (true, true) => Gap::Unclear,
        (false, false)
            if !deciding.is_empty() && deciding.iter().all(|c| inside(&c.gap, margin)) =>
        {
            Gap::Still
        }
        (false, false) => Gap::Unclear,
    }
}

fn inside(difference: &PairedDifference, margin: f64) -> bool {
    difference.equivalence(margin).holds
}

pub(super) fn act(family: &Family<'_>, margin: f64) -> Action {
    let deciding = deciding(family);
    let gap = gap(family, &deciding, margin);
    let moves = |comparison: &Comparison| comparison.final_train.holds_after_correction();
    let train_moves = family.members.iter().any(|(_, comparison)| moves(comparison));
    let falls = |comparison: &Comparison| comparison.final_train.surely_has_sign(-1.0);
    let train_falls = family.members.iter().any(|(_, comparison)| falls(comparison));
    let train_still = !deciding.is_empty()
        && deciding.iter().all(|comparison| inside(&comparison.final_train, margin));
    let training_loss = family.baseline.training_loss;
    let needs_a_fixed_set = !training_loss.shows_a_force()
        && (gap == Gap::Shrinks && train_falls || gap == Gap::Still && train_moves);
    let acts_as = match gap {
        _ if needs_a_fixed_set => ActsAs::Undecided,
        Gap::Shrinks if train_falls => ActsAs::Both,
        Gap::Shrinks => ActsAs::Prior,
        Gap::Widens => ActsAs::Neither,
        Gap::Still if train_moves => ActsAs::Force,
        Gap::Still if train_still => ActsAs::Neither,
        Gap::Still | Gap::Unclear => ActsAs::Undecided,
    };

    let conclusion = match (gap, acts_as) {
        _ if needs_a_fixed_set => format!(
            "the training loss moves in a way that only a force would explain, but it is {}: it \
             cannot carry that verdict, unless it is declared to be of a fixed set",
            training_loss.words()
        ),
        (Gap::Still, ActsAs::Force) => "the final training loss moves, the gap does not".to_owned(),
        (Gap::Still, ActsAs::Neither) => {
            "neither the gap nor the final training loss moves beyond the margin".to_owned()
        }
        (Gap::Still, _) => {
            "the gap does not move; whether the final training loss does is open".to_owned()
        }
        (Gap::Shrinks, ActsAs::Both) => {
            "the gap shrinks, and the final training loss falls too".to_owned()
        }
        (Gap::Shrinks, _) => "the gap shrinks, and no λ lowers the final training loss".to_owned(),
        (Gap::Widens, _) => "the gap widens, which neither view predicts".to_owned(),
        (Gap::Unclear, _) => undecided(&deciding, margin),
    };
    let mut sentences = vec![format!(
        "A change of the gap within ±{} counts as none. Validation − training loss of the final \
         weights at λ=0: {}",
        spell(margin),
        change(&family.baseline.gap)
    )];
    sentences.extend(family.members.iter().map(|(arm, comparison)| {
        let gap = match inside(&comparison.gap, margin) {
            true => format!("{} (shown to be within ±{})", tested(&comparison.gap), spell(margin)),
            false => difference(&comparison.gap),
        };
        let train = difference(&comparison.final_train);
        format!("{}: gap {gap}; final training loss {train}", lambda(arm))
    }));
    let largest = family
        .members
        .iter()
        .filter(|(_, comparison)| moves(comparison))
        .map(|(_, comparison)| comparison.final_train.interval.mean)
        .max_by(|a, b| a.abs().total_cmp(&b.abs()));
    if let (ActsAs::Force, Some(effect)) = (acts_as, largest)
        && effect.abs() < margin
    {
        sentences.push(format!(
            "The margin is wider than the effect on training loss itself ({})",
            signed(effect, 4)
        ));
    }
    Action {
        acts_as,
        more_seeds: match (gap, acts_as) {
            (Gap::Unclear, _) => more_seeds(&deciding, margin),
            (Gap::Still, ActsAs::Undecided) => more_seeds_of_loss(&deciding),
            _ => None,
        },
        line: Claim {
            claim: format!(
                "Under {}, λ is a force: it moves the training loss, not the gap",
                family.name
            ),
            finding: format!("{}. In all: {conclusion}.", sentences.join(". ")),
            supported: match acts_as {
                ActsAs::Force => Supported::Supported,
                ActsAs::Prior | ActsAs::Both | ActsAs::Neither => Supported::Contradicted,
                ActsAs::Undecided => Supported::Undecided,
            },
        },
    }
}

/// Why the gap is unclear, and what would clear it up.
fn undecided(deciding: &[&Comparison], margin: f64) -> String {
    if deciding.is_empty() {
        return "too few paired seeds with a measured gap to say (at least two, better three)"
            .to_owned();
    }
    match more_seeds(deciding, margin) {
        Some(more) => format!(
            "whether the gap moves by more than ±{} is open; about {more} more seeds would tell",
            spell(margin)
        ),
        None => format!(
            "whether the gap moves by more than ±{} is open: a change is near or beyond the \
             margin, but not surely",
            spell(margin)
        ),
    }
}

/// Further seeds that would tell whether the gap moves.
fn more_seeds(deciding: &[&Comparison], margin: f64) -> Option<u64> {
    let open = deciding.iter().filter(|comparison| !inside(&comparison.gap, margin));
    let missing = open.map(|comparison| {
        let gap = &comparison.gap;
        seeds_for_equivalence(gap.interval.mean, gap.deviation(), margin)
            .map(|needed| needed.saturating_sub(gap.interval.n as u64).max(1))
    });
    missing.collect::<Option<Vec<u64>>>()?.into_iter().max()
}

/// Further seeds that would make the clearest change of the final training loss significant.
fn more_seeds_of_loss(deciding: &[&Comparison]) -> Option<u64> {
    deciding.iter().filter_map(|comparison| comparison.final_train.more_seeds).min()
}
