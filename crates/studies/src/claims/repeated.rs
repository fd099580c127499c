//! Claim 27: has λ nothing to do with generalisation in a language model? The same number of tokens
//! in one pass, and in many passes over few.

use wd_lab::setting::spell;
use wd_lab::wording::sentence::{change, tested};
use wd_page::number;
use wd_statistics::PairedDifference;

use super::row::{Finding, Verdict, more_seeds, surely};
use super::runs::{Family, Run, Runs};

const COMMAND: &str = "wd reproduce claims";

/// What the runs on few tokens change in their base configuration.
const FEW: &str = "data.validation_fraction";
const PASSES: &str = "data.epochs";

/// What λ does in one pass, and in many.
pub(super) struct Repeated<'a> {
    pub(super) once: Family<'a>,
    pub(super) many: Family<'a>,
}

impl<'a> Repeated<'a> {
    /// From the runs of the study.
    pub(super) fn of(runs: &'a Runs) -> Self {
        let few = runs.values(FEW).first().copied().unwrap_or_default();
        let passes = runs.values(PASSES).first().copied().unwrap_or_default();
        Repeated { once: runs.family(&[]), many: runs.family(&[(FEW, few), (PASSES, passes)]) }
    }

    /// Passes over the few tokens, and how many there are.
    fn passes(&self) -> Option<(f64, u64)> {
        let run = self.many.baseline()?.runs.values().next()?;
        Some((run.plan.epochs, run.plan.training_samples))
    }

    /// The finding.
    pub(super) fn finding(&self) -> Finding {
        let gaps = self.many.changes(Run::gap);
        let losses = self.many.changes(Run::validation);
        let (Some((passes, tokens)), Some((_, first))) = (self.passes(), losses.first()) else {
            return Finding::missing("no language model that sees few tokens many times", COMMAND);
        };
        let best = losses
            .iter()
            .min_by(|a, b| a.1.interval.mean.total_cmp(&b.1.interval.mean))
            .map_or(0.0, |(lambda, _)| *lambda);
        let narrows = gaps.iter().any(|(_, gap)| surely(gap, -1.0));
        let helps = losses.iter().any(|(_, loss)| surely(loss, -1.0));
        let widens = gaps.iter().all(|(_, gap)| surely(gap, 1.0));
        let mut finding = Finding::new(
            Verdict::decided(widens, narrows && helps),
            format!(
                "In {} passes over {} tokens: {} The best of these λ is {}. In one pass \
                 over as many tokens: {}",
                number::short(number::rounded(passes)),
                number::count(tokens),
                told(&losses, &gaps),
                spell(best),
                told(&self.once.changes(Run::validation), &self.once.changes(Run::gap))
            ),
        )
        .settled_by(more_seeds(first, COMMAND));
        for (name, changes) in [("validation loss", &losses), ("gap", &gaps)] {
            for (lambda, change) in changes {
                let name = format!("{name}, many passes, λ={}", spell(*lambda));
                finding = finding.with(name, change.interval);
            }
        }
        finding
    }
}

/// Each λ with its change of validation loss and gap.
fn told(losses: &[(f64, PairedDifference)], gaps: &[(f64, PairedDifference)]) -> String {
    let each: Vec<String> = losses
        .iter()
        .zip(gaps)
        .map(|((lambda, loss), (_, gap))| {
            format!(
                "λ = {}: validation loss {}, gap {}",
                spell(*lambda),
                tested(loss),
                change(&gap.interval)
            )
        })
        .collect();
    match each.is_empty() {
        true => "not measured.".to_owned(),
        false => format!("{}.", each.join("; ")),
    }
}
