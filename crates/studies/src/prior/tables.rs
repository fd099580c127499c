//! The findings on a terminal: the verdict, then short tables.

use wd_page::{Content, Section, Table};
use wd_statistics::Interval;

use super::findings::PriorFindings;
use super::words::{errors, name, short, signed};

/// The verdict with its tables.
pub(super) fn section(findings: &PriorFindings) -> Section {
    let mut contents: Vec<Content> =
        findings.verdict.iter().skip(1).cloned().map(Content::Paragraph).collect();
    contents.push(Content::Paragraph(
        "Mean squared error in units of the target's variance; differences are paired, with 95 % \
         t-intervals."
            .to_owned(),
    ));
    contents.extend(
        [sizes(findings), ways(findings), recovery(findings), against_cross_validation(findings)]
            .map(Content::Table),
    );
    Section::terminal(contents)
}

fn ways(findings: &PriorFindings) -> Table {
    let columns = ["way", "arithmetic", "steps", "‖w − w₁‖/‖w₁‖", "largest of a weight"];
    let mut table = Table::new(&columns, 2);
    table.rows.extend(findings.ways.ways.iter().map(|way| {
        vec![
            way.name.clone(),
            way.arithmetic.to_owned(),
            way.steps.to_string(),
            format!("{:.1e}", way.difference),
            format!("{:.1e}", way.largest_difference),
        ]
    }));
    table
}

fn recovery(findings: &PriorFindings) -> Table {
    let columns =
        ["weights", "rows", "σ found", "quartiles", "coverage", "95 % interval", "no interval"];
    let mut table = Table::new(&columns, 0);
    table.rows.extend(findings.recovery.iter().map(|group| {
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
    }));
    table
}

fn against_cross_validation(findings: &PriorFindings) -> Table {
    let columns = [
        "data",
        "model",
        "n",
        "evidence − leave-one-out",
        "evidence − 10 folds",
        "median λ: evidence/LOO/folds",
    ];
    let mut table = Table::new(&columns, 2);
    table.rows.extend(findings.against_cross_validation.iter().map(|found| {
        vec![
            found.name.clone(),
            if found.well_specified { "right" } else { "wrong" }.to_owned(),
            found.rows.to_string(),
            percent(found.over_leave_one_out),
            percent(found.over_ten_folds),
            found.median_lambdas.map(short).join(" / "),
        ]
    }));
    table
}

fn percent(interval: Interval) -> String {
    format!(
        "{:+.1} % ({:+.1} to {:+.1})",
        100.0 * interval.mean,
        100.0 * interval.low,
        100.0 * interval.high
    )
}

fn sizes(findings: &PriorFindings) -> Table {
    let columns = [
        "n",
        "ML: sample",
        "fresh",
        "shifted",
        "MAP, λ by",
        "median λ",
        "MAP − ML, fresh",
        "MAP − ML, shifted",
        "better in",
    ];
    let mut table = Table::new(&columns, 0);
    for size in &findings.sizes {
        let likelihood = errors(size, 0);
        for found in &size.rules[1..] {
            table.rows.push(vec![
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
    table
}
