//! The short form of the page for a terminal: a small table of the arms, and each claim with its
//! finding.

use wd_page::{Content, Context, Section, Table, number};

use super::arms::lost;
use crate::wording::cell;
use crate::{Analysis, ComparisonKind};

/// The section.
pub(crate) fn section(analysis: &Analysis, context: &Context) -> Section {
    let table = table(analysis);
    let has_significant = table.rows.iter().any(|row| row.iter().any(|cell| cell.ends_with('*')));
    let mut contents = vec![Content::Table(table)];
    if has_significant {
        let is_paired = |comparison: &crate::Comparison| comparison.pairing.is_paired();
        let test = match analysis.comparisons.iter().all(is_paired) {
            true => "a paired t-test over seeds",
            false => "a t-test over seeds, Welch's where runs are not paired",
        };
        contents
            .push(Content::Paragraph(format!("* p < 0.05 in {test}; ± is the 95 % t-interval")));
    }
    if analysis.arms.iter().any(is_evaluated) {
        contents.push(Content::Paragraph(
            "Training, validation and their gap are of the final weights; the last batches, \
             which the findings call the final training loss, are the mean over the last 5 % of the \
             steps."
                .to_owned(),
        ));
    }
    contents.extend(super::recording::paragraphs(analysis).into_iter().map(Content::Paragraph));
    contents.extend(super::near::paragraphs(analysis).into_iter().map(Content::Paragraph));
    contents.extend(
        analysis
            .arms
            .iter()
            .filter(|arm| !lost(arm).is_empty())
            .map(|arm| Content::Paragraph(format!("{}: {}", arm.label, lost(arm)))),
    );
    contents.extend(context.undecided("What would decide it:"));
    contents.push(Content::Claims(analysis.verdict.lines.clone()));
    Section::terminal(contents)
}

/// Was the training loss of the final weights measured, the one that the gap is of?
pub(super) fn is_evaluated(arm: &crate::Arm) -> bool {
    arm.final_train_evaluation.n > 0
}

fn table(analysis: &Analysis) -> Table {
    // Other programs do not record what κ follows from.
    let has_kappa = analysis.arms.iter().any(|arm| arm.setup.is_some());
    let is_evaluated = analysis.arms.iter().any(is_evaluated);
    let mut columns = vec!["arm"];
    columns.extend(has_kappa.then_some("κ"));
    columns.push("seeds");
    // Numbers that stand beside each other belong together: the gap is their difference.
    columns.extend(is_evaluated.then_some("training"));
    columns.extend(["validation", "gap"]);
    columns.push(if is_evaluated { "last batches" } else { "training" });
    let has_validation = |arm: &crate::Arm| arm.final_validation.n > 0;
    columns.push(match analysis.arms.iter().any(has_validation) {
        true => "validation to λ = 0",
        false => "training to λ = 0",
    });
    let mut table = Table::new(&columns, 1);
    for (index, arm) in analysis.arms.iter().enumerate() {
        let comparison = analysis.comparisons.iter().find(|comparison| {
            comparison.arm == index && comparison.kind == ComparisonKind::SameSettings
        });
        let difference = comparison
            .map(crate::Comparison::final_loss)
            .filter(|difference| difference.interval.n > 0);
        let total = arm.seeds.len() + arm.diverged.len() + arm.unfinished.len();
        let seeds = match arm.seeds.len() {
            finished if finished == total => total.to_string(),
            finished => format!("{finished}/{total}"),
        };
        let mut row = vec![arm.label.clone()];
        row.extend(has_kappa.then(|| number::short(number::rounded(arm.kappa()))));
        row.push(seeds);
        row.extend(is_evaluated.then(|| number::fixed(arm.final_train_evaluation.mean, 4)));
        row.extend([
            number::fixed(arm.final_validation.mean, 4),
            // Without its interval, so that it is seen to be the difference.
            number::signed(arm.gap.mean, 4),
            number::fixed(arm.final_train.mean, 4),
            // A star is what tables of papers mark significance with.
            difference.map_or(String::new(), |difference| {
                cell::difference_interval(&difference.interval)
                    + if difference.significant { "*" } else { " " }
            }),
        ]);
        table.rows.push(row);
    }
    table
}
