//! Every recipe in one unit, as an explanation of the same setting has it.

use wd_advise::RecipeComparison;
use wd_advise::recipes::{Recipe, all, page};
use wd_conventions::explanation::EquilibriumPrediction;
use wd_conventions::library::{self, KeyMeaning};
use wd_conventions::{Explanation, Setting};
use wd_decay::{DecayRule, OptimizerKind, Run};

/// The library whose convention a recipe is written in.
fn entry(recipe: &Recipe) -> &'static str {
    match (recipe.optimizer, recipe.rule, recipe.cautious) {
        (OptimizerKind::Sgd, DecayRule::CoupledL2, _) => "torch.SGD",
        (OptimizerKind::Adamw, DecayRule::Decoupled, _) => "torch.AdamW",
        (OptimizerKind::Adamw, DecayRule::Independent, _) => "big_vision.adam",
        (OptimizerKind::Muon, DecayRule::Decoupled, false) => "torch.Muon",
        (OptimizerKind::Muon, DecayRule::Decoupled, true) => "nanochat.Muon",
        other => panic!("{}: {other:?} has no library here", recipe.name),
    }
}

fn explained(recipe: &Recipe) -> Explanation {
    let run = Run {
        unit: recipe.unit,
        batch: Some(recipe.batch),
        total: Some(recipe.total),
        data_points: Some(recipe.data_points),
        ..Run::at_peak(recipe.peak_learning_rate)
    };
    let entry = library::find(entry(recipe)).unwrap();
    let mut setting = Setting::new(entry, recipe.lambda, run).unwrap();
    let nesterov = f64::from(u8::from(recipe.nesterov));
    for (meaning, number) in [
        (KeyMeaning::Momentum, recipe.momentum),
        (KeyMeaning::Nesterov, nesterov),
        (KeyMeaning::Beta1, recipe.beta1),
    ] {
        if entry.key(meaning).is_some() {
            setting = setting.with(meaning, number).unwrap();
        }
    }
    setting.explain().unwrap()
}

fn named(name: &str) -> RecipeComparison {
    RecipeComparison::of(all().find(|recipe| recipe.name == name).expect(name))
}

fn near(left: f64, right: f64, tolerance: f64) {
    assert!((left / right - 1.0).abs() <= tolerance, "{left} is not {right}");
}

#[test]
fn a_recipe_shrinks_and_turns_as_its_explanation_says() {
    for recipe in all() {
        let (comparison, explanation) = (RecipeComparison::of(recipe), explained(recipe));
        let shrink = explanation.peak_shrink.expect(&recipe.name);
        near(comparison.shrink, shrink, 1e-12);
        let timescale = explanation.timescale;
        near(comparison.tau * recipe.total / recipe.batch, timescale.tau_steps.unwrap(), 1e-12);
        let epochs = recipe.total / recipe.data_points;
        near(comparison.tau * epochs, timescale.tau_epochs.unwrap(), 1e-12);
        match (comparison.angle, explanation.equilibrium) {
            (Some(angle), EquilibriumPrediction::Known(known)) => near(angle, known.angle, 1e-12),
            (None, EquilibriumPrediction::Unknown { .. }) => assert!(recipe.cautious),
            (angle, other) => panic!("{}: {angle:?} and {other:?}", recipe.name),
        }
    }
}

#[test]
fn resnet_50_has_a_momentum() {
    let resnet = named("ResNet-50 (SGD, coupled L2)");
    near(resnet.shrink, 1e-4, 1e-12);
    near(resnet.lambda, 1e-3, 1e-12);
    // 90 epochs of 5,004.6 steps, τ of 10,000 steps.
    near(resnet.tau * 90.0, 1.998, 1e-3);
    near(resnet.ratio, 0.527, 1e-3);
    near(resnet.law_lambda, 5.27e-4, 1e-3);
}

#[test]
fn the_ratio_between_written_lambdas_is_convention() {
    for (name, written, shrink, angle) in [
        ("ResNet-50 (SGD, coupled L2)", 1e-4, 1.0e-4, 3.2e-3),
        ("AugReg, ImageNet-1k", 1e-4, 1.0e-4, 3.2e-3),
        ("DeiT-B", 0.05, 5e-5, 2.3e-3),
        ("ConvNeXt-T", 0.05, 2.0e-4, 4.6e-3),
        ("ViT-B/16, ImageNet-1k", 0.3, 9e-4, 9.7e-3),
        ("LLaMA-1 7B", 0.1, 3e-5, 1.8e-3),
    ] {
        let comparison = named(name);
        assert_eq!(comparison.recipe.lambda, written, "{name}");
        near(comparison.shrink, shrink, 1e-9);
        near(comparison.angle.unwrap(), angle, 0.02);
    }
}

#[test]
fn the_page_has_every_recipe_twice() {
    let page = page();
    for recipe in all() {
        let row = format!("| {} |", recipe.name);
        assert_eq!(page.matches(&row).count(), 2, "{}", recipe.name);
    }
    assert!(page.contains("## In one unit") && page.contains("most of the ratio is convention"));
}

#[test]
fn lengths_are_those_of_the_configurations() {
    let tokens = |name: &str| named(name).recipe.total;
    assert_eq!(tokens("SmolLM2 135M"), 2_000_000.0 * 1_048_576.0);
    assert_eq!(tokens("SmolLM3 3B"), 4_720_000.0 * 2_359_296.0);
    // 522,000 of 4,720,000 steps.
    assert_eq!(named("SmolLM3 3B").recipe.schedule_words, "WSD, last 11 % to zero");
}
