//! What is missing from the evidence: diverged and unfinished trials, and a λ that did nothing at
//! all.

use wd_page::counted;

use super::{Claim, Supported};
use crate::analysis::{Arm, Comparison};

/// Lines about diverged trials, unfinished trials and a λ without effect; none when there is
/// nothing to say.
pub(super) fn gaps_in_the_evidence(arms: &[Arm], comparisons: &[Comparison]) -> Vec<Claim> {
    let mut lines = Vec::new();
    let all: usize =
        arms.iter().map(|arm| arm.seeds.len() + arm.diverged.len() + arm.unfinished.len()).sum();

    let diverged: Vec<String> = arms
        .iter()
        .filter(|arm| !arm.diverged.is_empty())
        .map(|arm| {
            let cases: Vec<String> = arm
                .diverged
                .iter()
                .map(|case| format!("seed {} at step {}", case.seed, case.step))
                .collect();
            format!("{} ({})", arm.label, cases.join(", "))
        })
        .collect();
    if !diverged.is_empty() {
        let count: usize = arms.iter().map(|arm| arm.diverged.len()).sum();
        lines.push(Claim {
            claim: "Every trial stays finite".to_owned(),
            finding: format!(
                "{count} of {} diverged and in no mean: {}.",
                counted(all, "trial"),
                diverged.join("; ")
            ),
            supported: Supported::Contradicted,
        });
    }

    let unfinished: Vec<String> = arms
        .iter()
        .filter(|arm| !arm.unfinished.is_empty())
        .map(|arm| {
            let seeds: Vec<String> = arm.unfinished.iter().map(u64::to_string).collect();
            format!("{} (seed {})", arm.label, seeds.join(", "))
        })
        .collect();
    if !unfinished.is_empty() {
        let count: usize = arms.iter().map(|arm| arm.unfinished.len()).sum();
        lines.push(Claim {
            claim: "The evidence is complete".to_owned(),
            finding: format!(
                "{count} of {} unfinished and in no mean: {}. The command that began the study \
                 finishes them.",
                counted(all, "trial"),
                unfinished.join("; ")
            ),
            supported: Supported::Undecided,
        });
    }

    let idle: Vec<&str> = comparisons
        .iter()
        .filter(|comparison| {
            comparison.early_train.is_identical() && comparison.final_train.is_identical()
        })
        .map(|comparison| arms[comparison.arm].label.as_str())
        .collect();
    if !idle.is_empty() {
        lines.push(Claim {
            claim: "Every λ > 0 reaches the weights".to_owned(),
            finding: format!(
                "The losses of {} equal those of λ=0 bit for bit: the decay was not applied.",
                idle.join(", ")
            ),
            supported: Supported::Contradicted,
        });
    }
    lines
}
