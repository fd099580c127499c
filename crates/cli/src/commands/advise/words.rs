//! The answer for a terminal.

use std::fmt::Write as _;

use wd_advise::{Advice, Answer, Elsewhere, PlannedRun, Verdict};
use wd_decay::Quantity;

use super::planned::Context;
use crate::text;

/// The whole answer.
pub(super) fn describe(advice: &Advice, context: &Context) -> String {
    let mut out = String::new();
    section(&mut out, "Planned run", &run(&advice.run));
    section(&mut out, "Laws, with λ as in torch.AdamW", &laws(advice));
    section(&mut out, "Answer", &verdict(advice, context));
    if !advice.elsewhere.is_empty() {
        section(&mut out, "λ elsewhere", &elsewhere(advice));
    }
    section(&mut out, "Nearest public recipes", &recipes(advice));
    out
}

fn section(out: &mut String, title: &str, body: &str) {
    if !out.is_empty() {
        out.push('\n');
    }
    let _infallible = writeln!(out, "{}\n{body}", text::heading(title));
    while out.ends_with("\n\n") {
        out.pop();
    }
}

fn line(out: &mut String, text: &str) {
    let _infallible = writeln!(out, "  {text}");
}

/// λ with two significant digits: as fine as it is ever tuned.
fn lambda(value: f64) -> String {
    text::number(format!("{value:.1e}").parse().unwrap_or(value))
}

fn amount(value: f64, unit: &str) -> String {
    format!("{} {unit}", Quantity::new(value, None))
}

fn run(run: &PlannedRun) -> String {
    let mut out = String::new();
    let unit = run.unit.words();
    let mut size = Vec::new();
    if let Some(parameters) = run.parameters {
        size.push(amount(parameters, "parameters"));
    }
    let each = run.tokens_per_parameter().map_or(String::new(), |ratio| {
        format!(" ({} a parameter)", text::number(round(ratio)))
    });
    size.push(format!("{}{each}", amount(run.total, unit)));
    size.push(match run.epochs {
        1.0 => "one pass".to_owned(),
        epochs => format!(
            "{} passes over {}",
            text::number(round(epochs)),
            amount(run.data_points, unit)
        ),
    });
    line(&mut out, &size.join(", "));
    let mut steps = vec![run.optimizer.title().to_owned()];
    if let (Some(batch), Some(count)) = (run.batch, run.steps()) {
        steps.push(format!(
            "{} steps of {}",
            text::grouped(count as u64),
            amount(batch, unit)
        ));
    }
    if let Some(rate) = run.peak_learning_rate {
        steps.push(format!("peak learning rate {}", text::number(rate)));
    }
    if let Some(kind) = run.schedule {
        steps.push(match (run.is_constant(), run.floor) {
            (true, _) => "constant".to_owned(),
            (false, 0.0) => format!("{kind} to zero"),
            (false, floor) => format!("{kind} to {} %", text::number(100.0 * floor)),
        });
    }
    if run.fine_tuning {
        steps.push("from trained weights".to_owned());
    }
    line(&mut out, &steps.join(", "));
    out
}

fn round(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

fn laws(advice: &Advice) -> String {
    let mut out = String::new();
    let width = advice
        .laws
        .iter()
        .map(|judged| judged.law.name.chars().count())
        .max()
        .unwrap_or(0);
    for judged in &advice.laws {
        let pad = " ".repeat(width - judged.law.name.chars().count());
        let (status, reasons) = match &judged.answer {
            Answer::Applies {
                lambda: value,
                range,
                working,
                caveats,
            } => (
                format!(
                    "applies: λ = {} ({} to {})",
                    lambda(*value),
                    lambda(range.low),
                    lambda(range.high)
                ),
                std::iter::once(working).chain(caveats).cloned().collect(),
            ),
            Answer::OutsideRange { why, lambda: value } => (
                match value {
                    Some(value) => format!(
                        "outside its range, where the formula gives {}",
                        lambda(*value)
                    ),
                    None => "outside its range".to_owned(),
                },
                why.clone(),
            ),
            Answer::Needs { what } => (format!("needs --{}", what.join(", --")), Vec::new()),
            Answer::Instead { what, how } => (what.clone(), vec![how.clone()]),
        };
        line(&mut out, &format!("{}{pad}  {status}", judged.law.name));
        for reason in reasons {
            line(&mut out, &format!("  {reason}"));
        }
        if matches!(judged.answer, Answer::Applies { .. }) {
            line(&mut out, &format!("  {}", judged.law.source));
        }
    }
    out
}

fn verdict(advice: &Advice, context: &Context) -> String {
    let mut out = String::new();
    let name = |id: &str| {
        advice
            .laws
            .iter()
            .find(|judged| judged.law.id == id)
            .map_or(id.to_owned(), |judged| judged.law.name.to_owned())
    };
    match &advice.verdict {
        Verdict::Recommended {
            lambda: value,
            range,
            laws,
        } => {
            let names: Vec<String> = laws.iter().map(|id| name(id)).collect();
            line(
                &mut out,
                &format!(
                    "λ = {}, within {} to {}",
                    lambda(*value),
                    lambda(range.low),
                    lambda(range.high)
                ),
            );
            line(
                &mut out,
                &match names.as_slice() {
                    [one] => format!("{one} alone applies."),
                    names => format!(
                        "{} agree: their ranges have this part in common.",
                        names.join(", ")
                    ),
                },
            );
        }
        Verdict::Disagreement { positions, factor } => {
            line(
                &mut out,
                &format!(
                    "The laws that apply disagree by a factor of {}:",
                    text::number(round(*factor))
                ),
            );
            for position in positions {
                line(
                    &mut out,
                    &format!(
                        "  {}: {} ({} to {})",
                        name(position.law),
                        lambda(position.lambda),
                        lambda(position.range.low),
                        lambda(position.range.high)
                    ),
                );
            }
        }
        Verdict::NotCovered { why, needs } => {
            line(&mut out, "No law covers this run: no λ is recommended.");
            for reason in why {
                line(&mut out, &format!("  {reason}"));
            }
            if !needs.is_empty() {
                line(
                    &mut out,
                    &format!("More could be said with --{}.", needs.join(", --")),
                );
            }
        }
    }
    if let Some((configured, rule)) = context.configured {
        line(
            &mut out,
            &format!(
                "The configuration has λ = {} ({rule}).",
                text::number(configured)
            ),
        );
    }
    if let Some(sweep) = &advice.sweep {
        let purpose = match advice.verdict {
            Verdict::Recommended { .. } => "To check it",
            Verdict::Disagreement { .. } => "To settle it",
            Verdict::NotCovered { .. } => "To find out",
        };
        line(
            &mut out,
            &format!(
                "{purpose}: {} {} run.seed=0..2",
                context.sweep.join(" "),
                crate::commands::sweep::quoted(&sweep.axis)
            ),
        );
    }
    out
}

fn elsewhere(advice: &Advice) -> String {
    let mut out = String::new();
    let mut outside = false;
    for table in &advice.elsewhere {
        outside |= table
            .rows
            .iter()
            .flat_map(|(_, places)| places)
            .any(|place| !place.applies);
        out.push_str(&indented(&grid(table, advice.run.unit.words())));
        out.push('\n');
    }
    if outside {
        line(&mut out, "(in brackets: outside the law's range)");
    }
    out
}

fn grid(table: &Elsewhere, unit: &str) -> String {
    let mut header = vec![match table.axis {
        wd_advise::Axis::Batch => format!("batch ({unit})"),
        wd_advise::Axis::Budget => format!("budget ({unit})"),
        axis => axis.title().to_owned(),
    }];
    header.extend(table.rows.iter().map(|(factor, _)| match table.planned {
        Some(planned) => Quantity::new(round(planned * factor), None).to_string(),
        None => format!("×{}", text::number(*factor)),
    }));
    let laws = table.rows.first().map_or(0, |(_, places)| places.len());
    let rows: Vec<Vec<String>> = (0..laws)
        .map(|law| {
            let mut row = vec![table.rows[0].1[law].name.to_owned()];
            row.extend(table.rows.iter().map(|(_, places)| {
                match (places[law].lambda, places[law].applies) {
                    (Some(value), true) => lambda(value),
                    (Some(value), false) => format!("({})", lambda(value)),
                    (None, _) => "–".to_owned(),
                }
            }));
            row
        })
        .collect();
    let names: Vec<&str> = header.iter().map(String::as_str).collect();
    text::table(&names, &rows, &(1..header.len()).collect::<Vec<_>>())
}

fn indented(table: &str) -> String {
    table.lines().fold(String::new(), |mut out, row| {
        line(&mut out, row);
        out
    })
}

fn recipes(advice: &Advice) -> String {
    let rows: Vec<Vec<String>> = advice
        .recipes
        .iter()
        .map(|standing| {
            let recipe = &standing.recipe;
            vec![
                recipe.name.to_owned(),
                recipe.optimizer.title().to_owned(),
                text::number(recipe.peak_learning_rate),
                recipe.schedule_words.to_owned(),
                Quantity::new(recipe.batch, None).to_string(),
                Quantity::new(round(recipe.total), None).to_string(),
                text::number(standing.lambda),
                match standing.applies {
                    true => lambda(standing.law_lambda),
                    false => format!("({})", lambda(standing.law_lambda)),
                },
                recipe.mark.letter().to_owned(),
            ]
        })
        .collect();
    let table = text::table(
        &[
            "recipe",
            "optimizer",
            "peak η",
            "schedule",
            "batch",
            advice.run.unit.words(),
            "λ",
            "by the law",
            "mark",
        ],
        &rows,
        &[2, 4, 5, 6, 7],
    );
    let mut out = indented(&table);
    line(
        &mut out,
        "P: configuration or code read; S: a note that quotes the paper. `wd advise --recipes` has all.",
    );
    out
}
