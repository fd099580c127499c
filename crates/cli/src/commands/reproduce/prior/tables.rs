//! The findings on a terminal: the verdict, then tables.

use wd_lab::Interval;
use wd_report::PriorFindings;

use super::words::{errors, name, short, signed};
use crate::text::{broken, table};

/// Width of the sentences on a terminal.
const WIDTH: usize = 100;

/// The verdict with its tables.
pub(super) fn written(findings: &PriorFindings) -> String {
    let mut out = String::new();
    for line in &findings.verdict {
        out.push_str(&broken(line, WIDTH).join("\n"));
        out.push_str("\n\n");
    }
    out.push_str("Mean squared error in units of the target's variance; differences are paired, with 95 % t-intervals.\n");
    out.push_str(&sizes(findings));
    out.push('\n');
    let ways: Vec<Vec<String>> = findings
        .ways
        .ways
        .iter()
        .map(|way| {
            vec![
                way.name.clone(),
                way.arithmetic.to_owned(),
                way.steps.to_string(),
                format!("{:.1e}", way.difference),
                format!("{:.1e}", way.largest_difference),
            ]
        })
        .collect();
    out.push_str(&table(
        &["way", "arithmetic", "steps", "‖w − w₁‖/‖w₁‖", "largest of a weight"],
        &ways,
        &[2, 3, 4],
    ));
    out.push('\n');
    let recovery: Vec<Vec<String>> = findings
        .recovery
        .iter()
        .map(|group| {
            vec![
                group.columns.to_string(),
                group.rows.to_string(),
                short(group.quartiles[1]),
                format!("{} to {}", short(group.quartiles[0]), short(group.quartiles[2])),
                format!("{:.1} %", 100.0 * group.coverage),
                format!(
                    "{:.1} to {:.1}",
                    100.0 * group.coverage_interval.0,
                    100.0 * group.coverage_interval.1
                ),
                group.without_interval.to_string(),
            ]
        })
        .collect();
    out.push_str(&table(
        &["weights", "rows", "σ found", "quartiles", "coverage", "95 % interval", "no interval"],
        &recovery,
        &[0, 1, 2, 3, 4, 5, 6],
    ));
    out.push('\n');
    let rivals: Vec<Vec<String>> = findings
        .rivals
        .iter()
        .map(|rival| {
            vec![
                rival.name.clone(),
                if rival.well_specified { "right" } else { "wrong" }.to_owned(),
                rival.rows.to_string(),
                percent(rival.over_leave_one_out),
                percent(rival.over_ten_folds),
                rival.median_lambdas.map(short).join(" / "),
            ]
        })
        .collect();
    out.push_str(&table(
        &[
            "data",
            "model",
            "n",
            "evidence − leave-one-out",
            "evidence − 10 folds",
            "median λ: evidence/LOO/folds",
        ],
        &rivals,
        &[2, 3, 4, 5],
    ));
    out
}

fn percent(interval: Interval) -> String {
    format!(
        "{:+.1} % ({:+.1} to {:+.1})",
        100.0 * interval.mean,
        100.0 * interval.low,
        100.0 * interval.high
    )
}

fn sizes(findings: &PriorFindings) -> String {
    let mut rows = Vec::new();
    for size in &findings.sizes {
        let likelihood = errors(size, 0);
        for found in &size.rules[1..] {
            rows.push(vec![
                size.rows.to_string(),
                format!("{:.3}", likelihood.training.mean),
                format!("{:.3}", likelihood.fresh.mean),
                format!("{:.3}", likelihood.shifted.mean),
                name(found.rule).to_owned(),
                short(found.median_lambda),
                signed(found.fresh_difference),
                signed(found.shifted_difference),
                format!("{:.0} %", 100.0 * found.better),
            ]);
        }
    }
    table(
        &[
            "n",
            "ML: sample",
            "fresh",
            "shifted",
            "MAP, λ by",
            "median λ",
            "MAP − ML, fresh",
            "MAP − ML, shifted",
            "better in",
        ],
        &rows,
        &[0, 1, 2, 3, 5, 6, 7, 8],
    )
}
