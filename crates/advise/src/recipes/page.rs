//! The recipes as a page of the documentation.

use std::fmt::Write;

use wd_conventions::Quantity;
use wd_decay::{DecayRule, Unit};

use super::all::all;
use super::comparison::RecipeComparison;
use super::one_unit;
use super::recipe::Recipe;
use crate::laws::{normalized_decay, power_lines};
use crate::words;

/// Every recipe with its distance from the law, as Markdown; nearest to the law first.
pub fn page() -> String {
    let mut out = String::from(
        "# Public recipes against the law\n\n\
         <!-- Written by `wd advise --recipes`; a test fails when this page is not what the \
         command prints. -->\n\n\
         λ is copied from config to config. This page says how far each public value lies from a \
         law that was\n\
         fitted to tuned values. λ is that of `torch.optim.AdamW`, whose step shrinks the weights \
         by η_tλ; where a recipe has\n\
         another convention, what it wrote stands behind it. τ = 1/(sS) is the share of the run \
         over which the weights average\n\
         their updates, with s the shrink of a step at the peak learning rate η, and S the \
         steps.\n\n\
         Mark P: the configuration, the code or the authors' model card was read. S: a secondary \
         note quotes the paper.\n\n",
    );
    out.push_str(&in_one_unit());
    let comparisons = |unit: Unit| {
        let mut comparisons: Vec<RecipeComparison> =
            all().filter(|recipe| recipe.unit == unit).map(RecipeComparison::of).collect();
        comparisons.sort_by(|left, right| left.ratio.ln().abs().total_cmp(&right.ratio.ln().abs()));
        comparisons
    };
    let text = comparisons(Unit::Token);
    let _infallible = writeln!(
        out,
        "## Language models, against Power Lines\n\n\
         The law: {} ({}). It was established for {}. A ratio τ/τ_law above 1 means that the \
         recipe decays less than\n\
         the law would have it; *outside* marks a run beyond the range in which the law was \
         established, where the\n\
         ratio is a number and no judgement. Of a mixture of experts all parameters are \
         counted.\n\n\
         | model | optimizer | parameters | tokens | tokens a parameter | batch | peak η | \
         schedule | λ | τ | λ by the law | τ/τ_law | law | mark |\n\
         |---|---|--:|--:|--:|--:|--:|---|--:|--:|--:|--:|---|---|",
        power_lines::LAW.formula,
        power_lines::LAW.source,
        power_lines::LAW.established
    );
    for comparison in &text {
        let recipe = &comparison.recipe;
        let _infallible = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            recipe.name,
            recipe.optimizer.title(),
            recipe.parameters.map_or(String::new(), amount),
            amount(recipe.total),
            comparison.tokens_per_parameter.map_or(String::new(), words::short),
            amount(recipe.batch),
            words::short(recipe.peak_learning_rate),
            recipe.schedule_words,
            written_lambda(comparison),
            words::short(comparison.tau),
            words::short(words::coarse(comparison.law_lambda)),
            words::short(words::coarse(comparison.ratio)),
            if comparison.applies { "applies" } else { "outside" },
            recipe.mark.letter()
        );
    }
    let images = comparisons(Unit::Image);
    let _infallible = writeln!(
        out,
        "\n## Vision models, against normalised decay\n\n\
         The law: {} ({}). It was established for {}. The ratio is taken to the middle of λ_norm, \
         and a range of λ_norm\n\
         from 0.025 to 0.05 is a factor of 1.4 either side. τ in epochs is 1/s over the steps \
         of an epoch; Wang &\n\
         Aitchison's guideline is 1 to the number of epochs.\n\n\
         | model | optimizer | epochs | batch | peak η | schedule | λ | shrink | τ in epochs | λ \
         by the law | τ/τ_law | law | mark |\n\
         |---|---|--:|--:|--:|---|--:|--:|--:|--:|--:|---|---|",
        normalized_decay::LAW.formula,
        normalized_decay::LAW.source,
        normalized_decay::LAW.established
    );
    for comparison in &images {
        let recipe = &comparison.recipe;
        let epochs = recipe.total / recipe.data_points;
        let _infallible = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            recipe.name,
            recipe.optimizer.title(),
            words::short(epochs),
            amount(recipe.batch),
            words::short(recipe.peak_learning_rate),
            recipe.schedule_words,
            written_lambda(comparison),
            words::short(comparison.shrink),
            words::short(comparison.tau * epochs),
            words::short(words::coarse(comparison.law_lambda)),
            words::short(words::coarse(comparison.ratio)),
            if comparison.applies { "applies" } else { "outside" },
            recipe.mark.letter()
        );
    }
    out.push_str("\n## Where the numbers were read\n\n");
    for Recipe { name, mark, source, .. } in all() {
        let _infallible = writeln!(out, "- {name} ({}): {source}.", mark.letter());
    }
    out
}

/// The table of all recipes in one unit, and what it shows.
fn in_one_unit() -> String {
    let mut out = format!(
        "## In one unit\n\n{}\n\n{}\n\n| {} |\n|---|---|--:|--:|--:|\n",
        one_unit::shown(),
        one_unit::EXPLAINED,
        one_unit::COLUMNS.join(" | ")
    );
    for row in one_unit::rows() {
        let _infallible = writeln!(out, "| {} |", row.join(" | "));
    }
    out.push('\n');
    out
}

fn amount(value: f64) -> String {
    Quantity::new(value, None).to_string()
}

/// λ as the recipe writes it, and where it is not AdamW's, what it is there.
fn written_lambda(comparison: &RecipeComparison) -> String {
    let recipe = &comparison.recipe;
    if recipe.rule == DecayRule::Decoupled {
        return words::short(recipe.lambda);
    }
    let momentum = match recipe.momentum {
        0.0 => String::new(),
        momentum => format!(", momentum {}", words::short(momentum)),
    };
    let (here, written) = (words::short(comparison.lambda), words::short(recipe.lambda));
    format!("{here} ({written} {}{momentum})", recipe.rule)
}
