//! The nearest public recipes.

use wd_conventions::Quantity;
use wd_page::number::{rounded, short};
use wd_page::{Content, Section, Shown, Table};

use crate::Advice;
use crate::recipes::one_unit;
use crate::words::lambda;

/// The nearest recipes, as far as a terminal is wide.
pub(super) fn on_a_terminal(advice: &Advice) -> Section {
    let columns = ["recipe", "optimizer", "schedule", "rate", "batch", "data", "λ", "law's λ"];
    let mut table = Table::new(&columns, 3);
    for comparison in &advice.recipes {
        let recipe = &comparison.recipe;
        let by_the_law = lambda(comparison.law_lambda);
        table.rows.push(vec![
            recipe.name.clone(),
            recipe.optimizer.title().to_owned(),
            recipe.schedule_words.clone(),
            short(recipe.peak_learning_rate),
            Quantity::new(recipe.batch, None).to_string(),
            Quantity::new(rounded(recipe.total), None).to_string(),
            short(comparison.lambda),
            if comparison.applies { by_the_law } else { format!("({by_the_law})") },
        ]);
    }
    let note = "`wd advise --recipes` has all, with their sources.".to_owned();
    let contents = vec![Content::Table(table), Content::Paragraph(note)];
    let section = Section::new("nearest", "Nearest public recipes", contents);
    Section { shown: Shown::Terminal, ..section }
}

/// The nearest recipes beside their law.
pub(super) fn in_a_file(advice: &Advice) -> Section {
    let mut table = Table::new(
        &[
            "recipe",
            "optimizer",
            "schedule",
            "peak η",
            "λ",
            "λ by the law",
            "τ/τ_law",
            "law",
            "mark",
        ],
        3,
    );
    for comparison in &advice.recipes {
        let recipe = &comparison.recipe;
        table.rows.push(vec![
            recipe.name.clone(),
            recipe.optimizer.title().to_owned(),
            recipe.schedule_words.clone(),
            short(recipe.peak_learning_rate),
            short(comparison.lambda),
            lambda(comparison.law_lambda),
            lambda(comparison.ratio),
            if comparison.applies { "applies" } else { "outside" }.to_owned(),
            recipe.mark.letter().to_owned(),
        ]);
    }
    Section::full(
        "recipes",
        "The nearest public recipes",
        vec![
            Content::Table(table),
            Content::Paragraph(
                "τ/τ_law above 1: the recipe decays less than the law would have it. P: \
                 configuration or code read; S: a note that quotes the paper."
                    .to_owned(),
            ),
            Content::More("Every recipe in one unit".to_owned(), in_one_unit()),
        ],
    )
    .named("Recipes")
}

/// All recipes by what a step does, whatever convention their λ is written in.
fn in_one_unit() -> Vec<Content> {
    let mut table = Table::new(&one_unit::COLUMNS, 2);
    table.rows = one_unit::rows().into_iter().map(Vec::from).collect();
    let paragraphs = [one_unit::shown(), one_unit::EXPLAINED.to_owned()];
    let mut contents: Vec<Content> = paragraphs.map(Content::Paragraph).into();
    contents.push(Content::Table(table));
    contents
}
