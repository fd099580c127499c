//! The short form of the page for a terminal: a small table of the arms, and each claim with its
//! finding.

use wd_page::{Content, Section, Table, number};

use super::arms::lost;
use crate::wording::cell;
use crate::{Analysis, ComparisonKind};

/// The section.
pub(crate) fn section(analysis: &Analysis) -> Section {
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
    contents.extend(super::recording::paragraphs(analysis).into_iter().map(Content::Paragraph));
    contents.extend(super::near::paragraphs(analysis).into_iter().map(Content::Paragraph));
    contents.extend(
        analysis
            .arms
            .iter()
            .filter(|arm| !lost(arm).is_empty())
            .map(|arm| Content::Paragraph(format!("{}: {}", arm.label, lost(arm)))),
    );
    contents.push(Content::Claims(analysis.verdict.lines.clone()));
    Section::terminal(contents)
}

fn table(analysis: &Analysis) -> Table {
    let mut columns = vec!["arm", "κ", "seeds", "training", "to λ = 0", "validation", "gap"];
    // Other programs do not record what κ follows from.
    let has_kappa = analysis.arms.iter().any(|arm| arm.setup.is_some());
    if !has_kappa {
        columns.remove(1);
    }
    let mut table = Table::new(&columns, 1);
    for (index, arm) in analysis.arms.iter().enumerate() {
        let comparison = analysis.comparisons.iter().find(|comparison| {
            comparison.arm == index && comparison.kind == ComparisonKind::SameSettings
        });
        let difference = comparison
            .map(|comparison| &comparison.final_train)
            .filter(|difference| difference.interval.n > 0);
        let total = arm.seeds.len() + arm.diverged.len() + arm.unfinished.len();
        let seeds = match arm.seeds.len() {
            finished if finished == total => total.to_string(),
            finished => format!("{finished}/{total}"),
        };
        let mut row = vec![
            arm.label.clone(),
            number::short(number::rounded(arm.kappa())),
            seeds,
            number::fixed(arm.final_train.mean, 4),
            // A star is what tables of papers mark significance with.
            difference.map_or(String::new(), |difference| {
                cell::difference_interval(&difference.interval)
                    + if difference.significant { "*" } else { " " }
            }),
            number::fixed(arm.final_validation.mean, 4),
            cell::difference_interval(&arm.gap),
        ];
        if !has_kappa {
            row.remove(1);
        }
        table.rows.push(row);
    }
    table
}
