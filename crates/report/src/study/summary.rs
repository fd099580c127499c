//! The verdict for a terminal: plain text, at most 100 columns, no colour codes.

use wd_lab::{Analysis, ComparisonKind, VerdictLine};

use super::arms::lost;
use super::{verdict, words};
use crate::number;

/// Columns that a line may take.
const COLUMNS: usize = 100;

/// The verdict of a study as plain text: headline, a short table of the arms, each claim with its finding.
///
/// At most 100 columns wide and without colour codes, so that it can be piped; whoever prints it may colour the marks
/// `[supported]`, `[contradicted]` and `[undecided]` at the beginning of lines.
pub fn study_summary(analysis: &Analysis) -> String {
    let mut lines = wrapped(&analysis.verdict.headline, "", "");
    if !analysis.verdict.regime.is_empty() {
        lines.extend(wrapped(&analysis.verdict.regime, "", ""));
    }
    lines.push(String::new());
    lines.extend(table(analysis));
    lines.push(String::new());
    lines.extend(claims(&analysis.verdict.lines));
    joined(lines)
}

/// Each claim with its mark, and under it what was found.
pub(crate) fn claims(claims: &[VerdictLine]) -> Vec<String> {
    let indent = " ".repeat(15);
    claims
        .iter()
        .flat_map(|line| {
            let mark = format!("[{}]", verdict::status(line.supported));
            let mut lines = wrapped(&line.claim, &format!("{mark:<15}"), &indent);
            lines.extend(wrapped(&line.finding, &indent, &indent));
            lines
        })
        .collect()
}

/// The lines as one text, without blanks at their ends.
pub(crate) fn joined(lines: Vec<String>) -> String {
    let mut text = String::new();
    for line in lines {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn table(analysis: &Analysis) -> Vec<String> {
    let head = ["arm", "κ", "seeds", "training", "to λ = 0", "validation", "gap"];
    let mut rows: Vec<Vec<String>> = vec![head.iter().map(|&name| name.to_owned()).collect()];
    for (index, arm) in analysis.arms.iter().enumerate() {
        let comparison = analysis.comparisons.iter().find(|comparison| {
            comparison.arm == index && comparison.kind == ComparisonKind::SameSettings
        });
        let difference = comparison
            .map(|comparison| &comparison.final_train)
            .filter(|difference| difference.interval.n > 0);
        let total = arm.seeds.len() + arm.diverged.len() + arm.unfinished.len();
        let seeds = if total == arm.seeds.len() {
            total.to_string()
        } else {
            format!("{}/{total}", arm.seeds.len())
        };
        rows.push(vec![
            plain(&arm.label, COLUMNS),
            number::short(number::rounded(arm.kappa)),
            seeds,
            number::fixed(arm.final_train.mean, 4),
            // A star is what tables of papers mark significance with.
            difference.map_or(String::new(), |difference| {
                words::difference_interval(&difference.interval)
                    + if difference.significant { "*" } else { " " }
            }),
            number::fixed(arm.final_validation.mean, 4),
            words::difference_interval(&arm.gap),
        ]);
    }
    let mut widths: Vec<usize> = (0..head.len())
        .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    // Long names give way to the numbers.
    let numbers: usize = widths[1..].iter().map(|width| width + 2).sum();
    widths[0] = widths[0].min(COLUMNS.saturating_sub(numbers).max(12));
    let mut lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let mut line = pad(&cut(&row[0], widths[0]), widths[0], false);
            for (cell, width) in row.iter().zip(&widths).skip(1) {
                line.push_str("  ");
                line.push_str(&pad(cell, *width, true));
            }
            cut(&line, COLUMNS)
        })
        .collect();
    if lines.iter().any(|line| line.contains('*')) {
        lines.push("* p < 0.05 in a paired t-test over seeds; ± is the 95 % t-interval".to_owned());
    }
    for arm in analysis.arms.iter().filter(|arm| !lost(arm).is_empty()) {
        lines.extend(wrapped(&format!("{}: {}", plain(&arm.label, 40), lost(arm)), "", "  "));
    }
    lines
}

fn pad(text: &str, width: usize, right: bool) -> String {
    let missing = " ".repeat(width.saturating_sub(text.chars().count()));
    if right { missing + text } else { text.to_owned() + &missing }
}

/// A label without control characters (they could move a terminal's cursor), cut to a width.
fn plain(text: &str, width: usize) -> String {
    let text: String = text
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect();
    cut(&text, width)
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(std::iter::once('…')).collect()
}

/// A paragraph in lines, the first after one prefix and the others after another.
pub(crate) fn wrapped(text: &str, first: &str, others: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = first.to_owned();
    let mut empty = true;
    for word in text.split_whitespace() {
        let word = plain(word, COLUMNS - others.chars().count());
        if !empty && line.chars().count() + 1 + word.chars().count() > COLUMNS {
            lines.push(std::mem::replace(&mut line, others.to_owned()));
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(&word);
        empty = false;
    }
    lines.push(line);
    lines
}
