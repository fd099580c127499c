//! What answers the question in a few lines: λ and what goes with it, coefficients, criteria, and λ
//! in other libraries.

use wd_page::number::{amount, count, measured, percent, short};
use wd_page::{Content, Section, Table};

use super::choice;
use super::headline::{headline, interval};
use crate::Intercept;
use crate::comparison::Choice;
use crate::fit::{Analysis, Family, Output};

/// One target; `is_headed` where there are several.
pub(super) fn sections(analysis: &Analysis, is_headed: bool) -> Vec<Section> {
    let heading = is_headed.then(|| Content::Heading(headline(analysis)));
    let mut first: Vec<Content> = heading.into_iter().collect();
    first.extend(analysis.notes.iter().cloned().map(Content::Paragraph));
    first.push(Content::Facts(quantities(analysis)));
    let mut parts = vec![first];
    if !analysis.groups.is_empty() {
        parts.push(vec![Content::Table(groups(analysis))]);
    }
    for output in &analysis.outputs {
        let class = output.class.as_ref().map(|class| Content::Heading(format!("Class `{class}`")));
        let table = Content::Table(coefficients(analysis, output));
        parts.push(class.into_iter().chain([table]).collect());
    }
    parts.extend(choice::table(analysis).map(|table| vec![Content::Table(table)]));
    if !analysis.conventions.is_empty() {
        let mut part = vec![Content::Heading("The same fit elsewhere".to_owned())];
        for row in &analysis.conventions {
            let setting = format!("{} = {}", row.name, short(row.value));
            part.push(Content::fact(row.library, setting));
            part.push(Content::Commands(vec![row.call.clone()]));
        }
        parts.push(part);
    }
    parts.into_iter().map(Section::terminal).collect()
}

/// λ, precisions, effective parameters and evidence.
fn quantities(analysis: &Analysis) -> Vec<(String, String)> {
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let mut facts = Vec::new();
    if analysis.groups.is_empty() && !(analysis.is_edge && analysis.lambda.is_finite()) {
        let (alpha, prior) = (short(analysis.alpha), short(1.0 / analysis.alpha.sqrt()));
        facts.push(fact("λ = α/β", interval(analysis)));
        facts.push(fact(
            "α",
            format!("{alpha}: the prior on standardised weights is N(0, σ²), σ = {prior}"),
        ));
    }
    if analysis.family == Family::Gaussian {
        let (beta, noise) = (short(analysis.beta), short(1.0 / analysis.beta.sqrt()));
        facts.push(fact("β", format!("{beta}: noise of standard deviation {noise}")));
    }
    let (gamma, rank) = (short(analysis.effective_parameters), count(analysis.rank as u64));
    let rows = amount(analysis.rows);
    facts.push(fact("γ", format!("{gamma} effective parameters of {rank} (n = {rows})")));
    facts.push(fact("log evidence", format!("{} nats", measured(analysis.log_evidence))));
    facts.extend(quality(analysis));
    facts.extend(analysis.comparison.choices.iter().filter_map(within));
    facts
}

/// How near the fit comes to the rows, as far as its family has it.
pub(super) fn quality(analysis: &Analysis) -> Vec<(String, String)> {
    let quality = &analysis.quality;
    // It is near 1 wherever the target is far from 0, and compares with no other.
    let about = match analysis.intercept {
        Intercept::Absent => " about 0, for there is no intercept",
        _ => "",
    };
    let mut facts = Vec::new();
    let mut fact = |name: &str, value: String| facts.push((name.to_owned(), value));
    if let Some(fitted) = quality.r_squared {
        fact(
            "R²",
            match quality.r_squared_left_out {
                Some(left_out) => {
                    let (fitted, left_out) = (measured(fitted), measured(left_out));
                    format!("{fitted}{about} (rows left out in turn: {left_out})")
                }
                None => measured(fitted) + about,
            },
        );
    }
    if let Some(error) = quality.root_mean_squared_error {
        fact("RMSE", format!("{} on the rows that were fitted", measured(error)));
    }
    if let (Some(deviance), Some(null)) = (quality.deviance, quality.null_deviance) {
        let explained = match quality.explained_deviance() {
            Some(share) => format!(", {} less than {}", percent(share), measured(null)),
            None => String::new(),
        };
        let of_null = if explained.is_empty() { "" } else { " of the intercept alone" };
        fact("deviance", format!("{}{explained}{of_null}", measured(deviance)));
    }
    if let Some(accuracy) = quality.accuracy {
        fact("accuracy", format!("{} of the rows that were fitted", percent(accuracy)));
    }
    facts
}

/// The error of a criterion with its standard error, and how far λ may go within one.
fn within(choice: &Choice) -> Option<(String, String)> {
    let (error, within) = (choice.standard_error?, choice.within_error?);
    Some((
        choice.criterion.name(),
        format!(
            "{} ± {} (one standard error), which λ up to {} stay within",
            measured(choice.error),
            short(error),
            short(within)
        ),
    ))
}

/// Every group, that of the smallest λ first.
fn groups(analysis: &Analysis) -> Table {
    let mut table = Table::new(&["group", "columns", "λ", "σ", "γ"], 1);
    let mut groups: Vec<_> = analysis.groups.iter().collect();
    groups.sort_by(|a, b| a.lambda.total_cmp(&b.lambda));
    table.rows = groups
        .into_iter()
        .map(|group| {
            vec![
                group.name.clone(),
                count(group.columns.len() as u64),
                short(group.lambda),
                short(1.0 / group.alpha.sqrt()),
                short(group.effective_parameters),
            ]
        })
        .collect();
    table
}

/// The coefficients of a linear predictor behind its intercept, the largest first.
fn coefficients(analysis: &Analysis, output: &Output) -> Table {
    let has_deviations = !output.deviations.is_empty();
    let header: &[&str] = match has_deviations {
        true => &["column", "coefficient", "± sd", "standardised"],
        false => &["column", "coefficient", "standardised"],
    };
    let mut table = Table::new(header, 1);
    let mut intercept = vec!["(intercept)".to_owned(), measured(output.intercept)];
    intercept.resize(header.len(), String::new());
    table.rows.push(intercept);
    for column in output.by_size() {
        let mut row = vec![analysis.columns[column].clone(), measured(output.coefficients[column])];
        row.extend(output.deviations.get(column).copied().map(short));
        row.push(measured(output.standardized[column]));
        table.rows.push(row);
    }
    table
}
