//! Every recipe in one unit: λ as it is written, and what a step does with it.

use wd_decay::{DecayRule, OptimizerKind};

use super::all::all;
use super::comparison::RecipeComparison;
use super::recipe::Recipe;
use crate::words;

/// What the columns of [`rows`] hold.
pub(crate) const COLUMNS: [&str; 5] =
    ["model", "optimizer", "λ as written", "shrink a step at the peak", "angle a step"];

/// A row a recipe, those that take most off the weights first.
pub(crate) fn rows() -> Vec<[String; 5]> {
    let mut comparisons: Vec<RecipeComparison> = all().map(RecipeComparison::of).collect();
    comparisons.sort_by(|left, right| right.shrink.total_cmp(&left.shrink));
    comparisons
        .iter()
        .map(|comparison| {
            let recipe = &comparison.recipe;
            [
                recipe.name.clone(),
                optimizer(recipe),
                words::short(recipe.lambda),
                format!("{:.1e}", comparison.shrink),
                comparison.angle.map_or_else(|| "–".to_owned(), |angle| format!("{angle:.1e}")),
            ]
        })
        .collect()
}

/// What the columns mean.
pub(crate) const EXPLAINED: &str = "The shrink is the part that a step at the peak learning rate \
    takes off weights that no gradient moves; the angle, in radians, is by how much it turns \
    weights that have settled on noise, which is the decay's share in how fast a normalised layer \
    learns (cautious decay has no such theory).";

/// What the table shows: the ratios of λ are not those of shrinks.
///
/// Empty where a recipe that it speaks of has left the table.
pub(crate) fn shown() -> String {
    let names = ["ResNet-50 (SGD, coupled L2)", "DeiT-B", "ConvNeXt-T", "ViT-B/16, ImageNet-1k"];
    let found = |name: &str| all().find(|recipe| recipe.name == name);
    let (Some(resnet), Some(deit), Some(convnext), Some(vit)) =
        (found(names[0]), found(names[1]), found(names[2]), found(names[3]))
    else {
        return String::new();
    };
    let Some(llama) = found("LLaMA-1 7B") else { return String::new() };
    let times = |recipe: &Recipe| words::short(words::coarse(recipe.shrink() / resnet.shrink()));
    let written = |recipe: &Recipe| words::short(words::coarse(recipe.lambda / resnet.lambda));
    format!(
        "DeiT-B's λ is {} times ResNet-50's, and its step takes {} times as much off. ConvNeXt-T, \
         a convolutional network, is written with DeiT's λ (λ {} times, shrink {} times \
         ResNet-50's). ViT-B/16 on ImageNet-1k has λ {} times and a shrink {} times ResNet-50's; a \
         language model's λ = 0.1 (LLaMA-1 7B) is {} times as large and takes {} times as much. So \
         neither \"transformers need hundreds of times a convolutional network's λ\" nor \
         \"language models use an even larger one\" can be read off these λ: most of the ratio \
         is convention.",
        written(deit),
        times(deit),
        written(convnext),
        times(convnext),
        written(vit),
        times(vit),
        written(llama),
        times(llama),
    )
}

/// What applies λ, as far as it changes what λ means.
fn optimizer(recipe: &Recipe) -> String {
    let mut parts = vec![recipe.optimizer.title().to_owned()];
    if recipe.optimizer == OptimizerKind::Sgd && recipe.momentum != 0.0 {
        parts.push(format!("momentum {}", words::short(recipe.momentum)));
    }
    if recipe.rule != DecayRule::Decoupled {
        parts.push(recipe.rule.name().to_owned());
    }
    if recipe.cautious {
        parts.push("cautious".to_owned());
    }
    parts.join(", ")
}
