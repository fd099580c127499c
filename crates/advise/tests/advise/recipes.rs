//! The public recipes against the law.

use wd_advise::recipes::{all, nearest, page};
use wd_advise::{RecipeComparison, laws::power_lines};
use wd_decay::Unit;

use crate::planned::{DANGELO, DEIT, run};

fn ratio(name: &str) -> f64 {
    let recipe =
        all().find(|recipe| recipe.name == name).unwrap_or_else(|| panic!("no recipe {name}"));
    RecipeComparison::of(recipe).ratio
}

/// The cross-check that was computed for the project before this code was written, to its rounding.
#[test]
fn timescales_used_over_those_of_the_law() {
    for (name, expected, half_digit) in [
        ("LLaMA-1 65B", 0.89, 0.005),
        ("Llama-2 7B", 1.2, 0.05),
        ("Llama-2 70B", 0.72, 0.005),
        ("OLMo-1 7B", 1.3, 0.05),
        ("OLMo-2 7B", 0.89, 0.005),
        ("DeepSeek-V3 671B-A37B", 0.91, 0.005),
        ("Kimi K2 1.04T-A32B", 0.83, 0.005),
        ("SmolLM3 3B", 0.73, 0.005),
        ("nanoGPT 124M", 1.5, 0.05),
        ("GPT-3 175B", 2.2, 0.05),
        ("BLOOM 176B", 2.6, 0.05),
        ("Pythia 12B", 2.9, 0.05),
        ("SmolLM2 1.7B", 3.6, 0.05),
        ("Pythia 160M", 5.7, 0.05),
        ("Cerebras-GPT 111M", 8.3, 0.05),
        // τ = 0.333 against 0.193.
        ("GPT-2 124M, D'Angelo et al.", 1.72, 0.01),
    ] {
        let ratio = ratio(name);
        assert!((ratio - expected).abs() <= half_digit, "{name}: {ratio}, not {expected}");
    }
}

#[test]
fn active_parameters_would_place_a_mixture_elsewhere() {
    let recipe = all().find(|recipe| recipe.name.starts_with("DeepSeek-V3")).unwrap();
    let active = wd_advise::Recipe { parameters: Some(37e9), ..recipe.clone() };
    assert!((RecipeComparison::of(&active).ratio - 4.2).abs() < 0.05);
}

#[test]
fn a_recipe_of_another_convention_is_compared_by_its_shrink() {
    let augreg = all().find(|recipe| recipe.name.starts_with("AugReg")).unwrap();
    assert!((augreg.decoupled_lambda() - 0.1).abs() < 1e-12);
    assert!((0.5..2.0).contains(&RecipeComparison::of(augreg).ratio));
}

#[test]
fn every_recipe_is_a_run_and_names_its_source() {
    for recipe in all() {
        let comparison = RecipeComparison::of(recipe);
        assert!(comparison.ratio.is_finite() && comparison.ratio > 0.0, "{}", recipe.name);
        assert!((comparison.law_lambda / comparison.lambda / comparison.ratio - 1.0).abs() < 1e-12);
        assert!(!recipe.source.is_empty() && recipe.total >= recipe.data_points);
        if recipe.unit == Unit::Token {
            let applies = (power_lines::LAW.answer)(&recipe.run());
            assert_eq!(comparison.applies, applies.applies().is_some());
        }
    }
}

#[test]
fn the_nearest_recipes_are_near() {
    let names = |words: &str| -> Vec<String> {
        nearest(&run(words), 3).iter().map(|near| near.recipe.name.clone()).collect()
    };
    assert_eq!(names(DANGELO)[0], "GPT-2 124M, D'Angelo et al.");
    assert_eq!(names("params=65B tokens=1.4T batch=4M lr=1.5e-4")[0], "LLaMA-1 65B");
    assert_eq!(names(DEIT)[0], "DeiT-B");
}

#[test]
fn the_page_has_every_recipe() {
    let page = page();
    for recipe in all() {
        assert!(page.contains(&format!("| {} |", recipe.name)), "{}", recipe.name);
    }
    assert!(!page.contains("NaN") && !page.contains("inf"));
}
