//! What was read and found, for a person.

use wd_data::table::{Design, Encoding, Findings, TargetKind};
use wd_evidence::comparison::{Criterion, Measure};
use wd_evidence::gaussian::Outcome;

use super::analysis::{Analysis, Output};
use crate::text;
use wd_page::number::{count as grouped, short as number};

/// Columns, coefficients and groups that are shown without being asked for.
const SHOWN: usize = 24;

/// What the columns of the table became.
pub(super) fn table(design: &Design, findings: &Findings, name: &str) -> String {
    let mut out = format!(
        "{name}: {}; {} of the design\n\n",
        text::counted(findings.rows, "row"),
        text::counted(design.width() as u64, "column")
    );
    let rows: Vec<Vec<String>> =
        columns(design).into_iter().map(|(name, kind, role)| vec![name, kind, role]).collect();
    out.push_str(&limited(&["column", "type", "use"], &rows, &[]));
    for line in remarks(design, findings) {
        out.push_str(&format!("\n{line}\n"));
    }
    out
}

/// Name, type and use of every column.
pub(super) fn columns(design: &Design) -> Vec<(String, String, String)> {
    let mut all = Vec::new();
    for target in &design.targets {
        let kind = match &target.kind {
            TargetKind::Number => "number".to_owned(),
            TargetKind::Classes { levels } => {
                format!("{}: {}", text::counted(levels.len() as u64, "class"), some(levels))
            }
        };
        all.push((target.name.clone(), kind, "target".to_owned()));
    }
    if let Some(name) = &design.weights {
        all.push((name.clone(), "number".to_owned(), "weights".to_owned()));
    }
    for dropped in &design.dropped {
        all.push((dropped.name.clone(), String::new(), format!("left out: {}", dropped.reason)));
    }
    for feature in &design.features {
        let (kind, role) = match &feature.encoding {
            Encoding::Number { imputed: None } => ("number".to_owned(), "as it is".to_owned()),
            Encoding::Number { imputed: Some(mean) } => {
                ("number".to_owned(), format!("empty cells are {}", number(*mean)))
            }
            Encoding::Category { levels, .. } => (
                format!("category of {}: {}", levels.len(), some(levels)),
                format!(
                    "{} beside the baseline `{}`",
                    text::counted(levels.len() as u64 - 1, "indicator"),
                    levels[0]
                ),
            ),
        };
        all.push((feature.name.clone(), kind, role));
    }
    all
}

/// What a user may want to mend in the table.
pub(super) fn remarks(design: &Design, findings: &Findings) -> Vec<String> {
    let names = design.columns();
    let mut lines = Vec::new();
    let constant: Vec<String> = findings
        .constant
        .iter()
        .map(|(column, value)| format!("`{}` ({})", names[*column], number(*value)))
        .collect();
    if !constant.is_empty() {
        lines.push(format!("Constant, so their coefficients are 0: {}.", some_words(&constant)));
    }
    let duplicate: Vec<String> = findings
        .duplicate
        .iter()
        .map(|(column, first)| format!("`{}` (`{}`)", names[*column], names[*first]))
        .collect();
    if !duplicate.is_empty() {
        lines.push(format!(
            "The same in every row as another column, with which they share its weight: {}. --drop leaves them out.",
            some_words(&duplicate)
        ));
    }
    let numbering: Vec<String> =
        findings.numbering.iter().map(|column| format!("`{}`", names[*column])).collect();
    if !numbering.is_empty() {
        lines.push(format!(
            "{} numbers the rows: an index? --drop leaves it out.",
            some_words(&numbering)
        ));
    }
    lines
}

/// One target's fit.
pub(super) fn analysis(analysis: &Analysis) -> String {
    let mut out = format!("{}\n", headline(analysis));
    for note in &analysis.notes {
        out.push_str(&format!("{note}\n"));
    }
    out.push('\n');
    let mut lines = Vec::new();
    if analysis.groups.is_empty() {
        let prior = number(1.0 / analysis.alpha.sqrt());
        lines.push(("λ = α/β", interval(analysis)));
        lines.push((
            "α",
            format!(
                "{}: the prior on standardised weights is N(0, σ²), σ = {prior}",
                unbounded(analysis.alpha)
            ),
        ));
    }
    if analysis.family == super::Family::Gaussian {
        lines.push((
            "β",
            format!(
                "{}: noise of standard deviation {}",
                unbounded(analysis.beta),
                number(1.0 / analysis.beta.sqrt())
            ),
        ));
    }
    lines.push((
        "γ",
        format!(
            "{} effective parameters of {} (n = {})",
            number(analysis.effective_parameters),
            grouped(analysis.rank as u64),
            grouped(analysis.rows as u64)
        ),
    ));
    lines.push(("log evidence", format!("{} nats", unbounded(analysis.log_evidence))));
    for (name, value) in lines {
        out.push_str(&format!("{name}{} {value}\n", " ".repeat(14 - name.chars().count())));
    }
    if !analysis.groups.is_empty() {
        out.push('\n');
        out.push_str(&groups(analysis));
    }
    for output in &analysis.outputs {
        out.push('\n');
        out.push_str(&coefficients(analysis, output));
    }
    if analysis.comparison.choices.len() > 1 {
        out.push('\n');
        out.push_str(&choices(analysis));
    }
    if !analysis.conventions.is_empty() {
        out.push_str("\nThe same fit elsewhere\n");
        let rows: Vec<Vec<String>> = analysis
            .conventions
            .iter()
            .map(|row| {
                vec![
                    row.library.to_owned(),
                    format!("{} = {}", row.name, number(row.value)),
                    row.call.clone(),
                ]
            })
            .collect();
        out.push_str(&text::table(&["library", "its λ", "call"], &rows, &[]));
    }
    out
}

/// Which λ, in one line.
pub(super) fn headline(analysis: &Analysis) -> String {
    let target = &analysis.target;
    if !analysis.groups.is_empty() {
        return format!(
            "{target}: a λ for each of {} of columns",
            text::counted(analysis.groups.len() as u64, "group")
        );
    }
    match analysis.outcome {
        Outcome::NoSignal if analysis.lambda.is_infinite() => format!("{target}: λ = ∞, no signal"),
        Outcome::Noiseless if analysis.lambda == 0.0 => format!("{target}: λ → 0, an exact fit"),
        _ => format!("{target}: λ = {}", interval(analysis)),
    }
}

fn interval(analysis: &Analysis) -> String {
    match analysis.interval {
        Some((low, high)) => format!(
            "{} (95 %: {} to {}, by the curvature of the evidence)",
            number(analysis.lambda),
            number(low),
            number(high)
        ),
        None => unbounded(analysis.lambda),
    }
}

/// A number that may be infinite.
fn unbounded(value: f64) -> String {
    match value == f64::INFINITY {
        true => "∞".to_owned(),
        false => number(value),
    }
}

fn groups(analysis: &Analysis) -> String {
    let mut order: Vec<usize> = (0..analysis.groups.len()).collect();
    order.sort_by(|a, b| analysis.groups[*a].lambda.total_cmp(&analysis.groups[*b].lambda));
    let rows: Vec<Vec<String>> = order
        .into_iter()
        .map(|index| {
            let group = &analysis.groups[index];
            vec![
                group.name.clone(),
                grouped(group.columns.len() as u64),
                number(group.lambda),
                number(1.0 / group.alpha.sqrt()),
                number(group.effective_parameters),
            ]
        })
        .collect();
    limited(&["group", "columns", "λ", "σ", "γ"], &rows, &[1, 2, 3, 4])
}

fn coefficients(analysis: &Analysis, output: &Output) -> String {
    let mut header = vec!["column", "coefficient"];
    if !output.deviations.is_empty() {
        header.push("± sd");
    }
    header.push("standardised");
    let mut rows: Vec<Vec<String>> = analysis
        .by_size(output)
        .into_iter()
        .map(|column| {
            let mut row =
                vec![analysis.columns[column].clone(), number(output.coefficients[column])];
            if let Some(deviation) = output.deviations.get(column) {
                row.push(number(*deviation));
            }
            row.push(number(output.standardized[column]));
            row
        })
        .collect();
    let mut intercept = vec!["(intercept)".to_owned(), number(output.intercept)];
    intercept.resize(header.len(), String::new());
    rows.insert(0, intercept);
    let right: Vec<usize> = (1..header.len()).collect();
    let title = match &output.class {
        Some(class) => format!("Class `{class}`\n"),
        None => String::new(),
    };
    title + &limited(&header, &rows, &right)
}

/// What each criterion chooses, and pays by the others.
fn choices(analysis: &Analysis) -> String {
    let comparison = &analysis.comparison;
    let mut header = vec!["chosen by".to_owned(), "λ".to_owned()];
    header.extend(
        comparison.curves.iter().map(|curve| format!("cost by {}", curve.criterion.name())),
    );
    let rows: Vec<Vec<String>> = comparison
        .choices
        .iter()
        .map(|choice| {
            let edge = if choice.at_edge { " (edge of the path)" } else { "" };
            // The limit itself is no point of the path, only where the path points.
            let is_limit = matches!(choice.criterion, Criterion::Evidence)
                && (analysis.lambda == 0.0 || analysis.lambda.is_infinite());
            let chosen = if is_limit {
                format!("{} (beyond the path)", unbounded(analysis.lambda))
            } else {
                format!("{}{edge}", number(choice.lambda))
            };
            let mut row = vec![choice.criterion.name(), chosen];
            let costs = choice.costs.iter().zip(&comparison.curves);
            row.extend(costs.map(|(cost, curve)| cost_text(*cost, curve.measure)));
            row
        })
        .collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let right: Vec<usize> = (1..header.len()).collect();
    text::table(&header, &rows, &right)
}

fn cost_text(cost: f64, measure: Measure) -> String {
    match measure {
        _ if cost == 0.0 => "0".to_owned(),
        Measure::SquaredError => format!("+{:.2} %", 100.0 * cost),
        Measure::LogEvidence => format!("{cost:.2} nats"),
        Measure::LogLoss => format!("+{cost:.4} nats a row"),
    }
}

/// The beginning of a table.
fn limited(header: &[&str], rows: &[Vec<String>], right: &[usize]) -> String {
    let shown = &rows[..rows.len().min(SHOWN)];
    let mut out = text::table(header, shown, right);
    if shown.len() < rows.len() {
        out.push_str(&format!(
            "… and {} more; --json prints all\n",
            grouped((rows.len() - shown.len()) as u64)
        ));
    }
    out
}

/// The first of some levels.
fn some(levels: &[String]) -> String {
    let shown = levels[..levels.len().min(3)].join(", ");
    match levels.len() {
        0..=3 => shown,
        _ => format!("{shown}, …"),
    }
}

fn some_words(words: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown = words[..words.len().min(SHOWN)].join(", ");
    match words.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
