//! Claim 20: a cosine with a warm-up. What does the warm-up do, without λ and with?

use wd_lab::setting::spell;
use wd_lab::wording::sentence::tested;
use wd_page::number;
use wd_statistics::{PairedDifference, adjust_family};

use super::row::{Finding, Verdict, more_seeds, surely};
use super::runs::{Arm, Run, Runs, paired};

const COMMAND: &str = "wd reproduce claims";

/// The finding.
pub(super) fn warm_up(runs: &Runs) -> Finding {
    let (with, without) = (runs.family(&[]), runs.family(&[("schedule.warmup", "0")]));
    let pairs: Vec<(&Arm<'_>, &Arm<'_>)> =
        without.0.iter().filter_map(|arm| Some((arm, with.arm(arm.lambda)?))).collect();
    let mut changes: Vec<PairedDifference> =
        pairs.iter().map(|(no, yes)| paired(no, yes, Run::validation)).collect();
    adjust_family(&mut changes);
    let Some(first) = changes.first() else {
        return Finding::missing("no run without a warm-up has finished", COMMAND);
    };
    let told: Vec<String> = pairs
        .iter()
        .zip(&changes)
        .map(|((arm, _), change)| format!("λ = {}: {}", spell(arm.lambda), tested(change)))
        .collect();
    let needed = changes.iter().any(|change| surely(change, 1.0));
    let harms = changes.iter().all(|change| surely(change, -1.0));
    let warmup = pairs
        .first()
        .and_then(|(_, arm)| arm.runs.values().next())
        .map_or_else(String::new, |run| format!(" ({})", run.plan.schedule.describe()));
    let mut finding = Finding::new(
        Verdict::decided(needed, harms),
        format!(
            "The cosine is a setting; whether its warm-up is needed can be measured. Leaving it \
             out{warmup} changes the validation loss by: {}. {}",
            told.join("; "),
            match (needed, harms) {
                (true, _) => "It is needed here.",
                (_, true) => "It harms here.",
                _ => "At this size and length it is not shown to matter.",
            }
        ),
    )
    .settled_by(more_seeds(first, COMMAND));
    for ((arm, _), change) in pairs.iter().zip(&changes) {
        let name = format!("without a warm-up, λ={}", number::short(arm.lambda));
        finding = finding.with(name, change.interval);
    }
    finding
}
