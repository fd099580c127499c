//! λ elsewhere and the nearest recipes, as tables.

use wd_advise::{Advice, Axis, Elsewhere};
use wd_conventions::Quantity;

use super::words::{lambda, line, rate, round};
use crate::text;

/// λ at other batches, budgets, models and widths.
pub(super) fn elsewhere(advice: &Advice) -> String {
    let mut out = String::new();
    for table in &advice.elsewhere {
        let (header, rows) = grid(table, advice.run.unit.words());
        let names: Vec<&str> = header.iter().map(String::as_str).collect();
        let numbers: Vec<usize> = (1..header.len()).collect();
        indented(&mut out, &text::table(&names, &rows, &numbers));
        out.push('\n');
    }
    let places =
        advice.elsewhere.iter().flat_map(|table| &table.rows).flat_map(|(_, places)| places);
    if places.into_iter().any(|place| !place.applies) {
        line(&mut out, "(in brackets: outside the law's range)");
    }
    out
}

/// A table's header and rows: a law each.
pub(super) fn grid(table: &Elsewhere, unit: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let mut header = vec![match table.axis {
        Axis::Batch => format!("batch ({unit})"),
        Axis::Budget => format!("budget ({unit})"),
        axis => axis.title().to_owned(),
    }];
    header.extend(table.rows.iter().map(|(factor, _)| match table.planned {
        Some(planned) => Quantity::new((planned * factor).round(), None).to_string(),
        None => format!("×{}", wd_page::number::short(*factor)),
    }));
    let laws = table.rows.first().map_or(0, |(_, places)| places.len());
    let rows = (0..laws)
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
    (header, rows)
}

/// The columns of [`recipe_rows`].
pub(super) const RECIPE_COLUMNS: [&str; 9] =
    ["recipe", "optimizer", "schedule", "peak η", "batch", "data", "λ", "by the law", "mark"];

/// A row a recipe.
pub(super) fn recipe_rows(advice: &Advice) -> Vec<Vec<String>> {
    let row = |standing: &wd_advise::Standing| {
        let recipe = &standing.recipe;
        let by_the_law = lambda(standing.law_lambda);
        vec![
            recipe.name.to_owned(),
            recipe.optimizer.title().to_owned(),
            recipe.schedule_words.to_owned(),
            rate(recipe.peak_learning_rate),
            Quantity::new(recipe.batch, None).to_string(),
            Quantity::new(round(recipe.total), None).to_string(),
            rate(standing.lambda),
            if standing.applies { by_the_law } else { format!("({by_the_law})") },
            recipe.mark.letter().to_owned(),
        ]
    };
    advice.recipes.iter().map(row).collect()
}

/// The nearest recipes.
pub(super) fn recipes(advice: &Advice) -> String {
    let mut out = String::new();
    let table = text::table(&RECIPE_COLUMNS, &recipe_rows(advice), &[3, 4, 5, 6, 7]);
    indented(&mut out, &table);
    line(
        &mut out,
        "P: configuration or code read; S: a note that quotes the paper. `wd advise --recipes` has all.",
    );
    out
}

fn indented(out: &mut String, table: &str) {
    table.lines().for_each(|row| line(out, row));
}
