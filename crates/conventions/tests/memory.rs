//! What an explanation says of the memory of a run, and what number formats swallow.

use roxmltree::Document;
use wd_conventions::explanation::Warning;
use wd_conventions::library::{self, KeyDefault, KeyMeaning};
use wd_conventions::{DeclaredDecay, Explanation, Setting};
use wd_page::{Content, Context};

fn explain(text: &str) -> Explanation {
    let words: Vec<&str> = text.split_whitespace().collect();
    Explanation::of(&DeclaredDecay::from(&Setting::read(&words).expect(text))).expect(text)
}

fn near(left: f64, right: f64, tolerance: f64) {
    assert!((left - right).abs() <= tolerance * right.abs(), "{left} is not {right}");
}

fn kinds(text: &str) -> Vec<&'static str> {
    explain(text).warnings.iter().map(Warning::kind).collect()
}

#[test]
fn a_constant_rate_remembers_exponentially() {
    let text = "torch.AdamW weight_decay=0.5 lr=2e-3 schedule=constant steps=4000";
    let explanation = explain(text);
    let memory = explanation.memory.unwrap();
    let kept: f64 = 1.0 - 1e-3;
    let all = 1.0 - kept.powi(4_000);
    near(memory.last_tenth, (1.0 - kept.powi(400)) / all, 1e-9);
    for point in &memory.points {
        let share = 1e-3 * kept.powi(4_000 - point.step as i32) / all;
        near(point.relative_share, 4_000.0 * share, 1e-9);
        let held = (kept.powi(4_000 - point.step as i32) - kept.powi(4_000)) / all;
        near(point.held_up_to_here, held, 1e-8);
    }
    assert_eq!(memory.points.last().unwrap().step, 4_000);
    assert!((350..=401).contains(&memory.points.len()));
    // The shares with what is left of the start are 1: λ Σ c is what is not the start's.
    near(all + explanation.timescale.initial_share.unwrap(), 1.0, 1e-12);
}

#[test]
fn less_decay_and_a_longer_fall_remember_more_widely() {
    let of = |lambda: f64, schedule: &str| {
        let text =
            format!("torch.AdamW weight_decay={lambda} lr=1e-3 schedule={schedule} steps=20000");
        let memory = explain(&text).memory.unwrap();
        (memory.last_tenth, memory.effective_share)
    };
    let (flat, wide) = (of(1e-9, "constant"), of(0.05, "constant"));
    near(flat.0, 0.1, 1e-3);
    near(flat.1, 1.0, 1e-3);
    assert!(wide.0 > flat.0 && wide.1 < flat.1);
    assert!(of(1.0, "constant").1 < wide.1);
    // A rate that falls to zero makes the last tenth light, and decay gives it weight again.
    let (falling, decayed) = (of(1e-9, "linear"), of(0.5, "linear"));
    near(falling.0, 0.01, 0.02);
    near(falling.1, 0.75, 1e-2);
    assert!(decayed.0 > falling.0);
}

#[test]
fn the_memory_is_in_words_in_the_page_and_in_json() {
    let explanation = explain(
        "torch.AdamW weight_decay=0.1 lr=6e-4 schedule=cosine,warmup=400,floor=0.1 steps=50000",
    );
    let page = explanation.page(&Context::default());
    let section = page.sections.iter().find(|section| section.id == "memory").expect("a figure");
    let [Content::Figure(block)] = section.contents.as_slice() else { panic!("{section:?}") };
    Document::parse(&block.figure.file(900.0)).expect("well-formed");
    let run = page.sections.iter().find(|section| section.id == "run").unwrap();
    let facts = run.contents.iter().filter_map(|content| match content {
        Content::Facts(facts) => Some(facts),
        _ => None,
    });
    let names: Vec<&str> = facts.flatten().map(|(name, _)| name.as_str()).collect();
    assert!(names.contains(&"the last tenth") && names.contains(&"the data"), "{names:?}");
    let json = serde_json::to_value(&explanation).unwrap();
    let memory = &json["memory"];
    assert!(memory["last_tenth"].as_f64().unwrap() < 0.1);
    assert!(memory["effective_share"].as_f64().unwrap() < 1.0);
    let last = memory["points"].as_array().unwrap().last().unwrap();
    near(last["held_up_to_here"].as_f64().unwrap(), 1.0, 1e-9);
    assert!(last["relative_share"].is_number() && last["step"] == 50_000);
}

#[test]
fn what_is_not_known_has_no_memory() {
    for text in [
        "torch.AdamW weight_decay=0.1 lr=1e-3",
        "torch.Adam weight_decay=0.1 lr=1e-3 steps=100",
        "nanochat.Muon weight_decay=0.1 lr=1e-3 steps=100",
        "torch.AdamW weight_decay=10 lr=0.5 steps=100",
        "torch.AdamW weight_decay=0.1 lr=0 steps=100",
        "sklearn.Ridge alpha=1",
    ] {
        assert_eq!(explain(text).memory, None, "{text}");
    }
    let sgd = "torch.SGD weight_decay=1e-3 lr=0.1 momentum=0.9 steps=1000";
    assert!(explain(sgd).memory.is_some());
}

#[test]
fn f32_has_a_floor_of_its_own() {
    let at = |rate: &str, lambda: &str| {
        let mut found = kinds(&format!(
            "torch.AdamW lr={rate} weight_decay={lambda} schedule=cosine steps=10000"
        ));
        found.retain(|kind| kind.ends_with("f32"));
        found
    };
    assert_eq!(at("2e-6", "0.01"), ["lost-in-f32"]);
    assert_eq!(at("3e-6", "0.01"), ["coarse-in-f32"]);
    assert_eq!(at("1e-5", "0.01"), ["coarse-in-f32"]);
    assert_eq!(at("5e-5", "0.01"), [""; 0]);
    assert_eq!(at("1e-3", "0"), [""; 0]);
    // bf16 has its own, and what adds decay and update at once rounds their sum.
    assert!(!kinds("torch.AdamW lr=2e-6 weight_decay=0.01 dtype=bf16").contains(&"lost-in-f32"));
    assert!(!kinds("optax.lion learning_rate=2e-6 weight_decay=0.01").contains(&"lost-in-f32"));
    // The λ of the fix is above it.
    for rate in ["2e-6", "1e-5"] {
        let text = format!("torch.AdamW lr={rate} weight_decay=0.01");
        let explanation = explain(&text);
        let warning =
            explanation.warnings.iter().find(|warning| warning.kind().ends_with("f32")).unwrap();
        let fix = warning.fix();
        let lambda: f64 = fix.split(' ').nth(2).unwrap().parse().unwrap();
        assert_eq!(at(rate, &(lambda * 1.001).to_string()), [""; 0], "{fix}");
    }
    let tiny = explain("torch.AdamW weight_decay=1e300 lr=1e-320");
    assert!(tiny.warnings.iter().all(|warning| !warning.fix().contains("inf")));
}

/// 200 steps of w ← w·f32(1 − s) on weights of all sizes: what the step took, over what s says.
fn acted(shrink: f64) -> f64 {
    let factor = (1.0 - shrink) as f32;
    let steps = 200;
    let taken = (0..20_000).map(|index| {
        // Log-uniform over four binary orders.
        let start = 2f64.powf(f64::from(index) * 4.0 / 20_000.0) as f32;
        let weight = (0..steps).fold(start, |weight, _| weight * factor);
        -(f64::from(weight) / f64::from(start)).ln()
    });
    taken.sum::<f64>() / 20_000.0 / (f64::from(steps) * shrink)
}

#[test]
fn f32_really_rounds_so() {
    assert_eq!(acted(2e-8), 0.0);
    for (shrink, times) in [(3e-8, 2.9), (1e-7, 1.15), (2e-7, 0.94), (5e-7, 0.95)] {
        near(acted(shrink), times, 0.03);
    }
}

#[test]
fn repeated_text_may_forget_within_an_epoch() {
    // Kim et al.'s tuned run: τ = 0.28 of an epoch is what was best there.
    let kim = "torch.AdamW weight_decay=1.6 lr=3e-3 schedule=cosine batch=262144tok \
               data=196.608Mtok epochs=16";
    let text = explain(kim);
    near(text.timescale.tau_epochs.unwrap(), 0.278, 0.01);
    assert!(kinds(kim).iter().all(|kind| *kind != "forgets-its-data"));
    assert!(kinds(&kim.replace("=1.6", "=3.2")).contains(&"forgets-its-data"));
    let images = kim.replace("tok", "img");
    assert!(kinds(&images).contains(&"forgets-its-data"));
}

#[test]
fn defaults_are_those_of_the_sources() {
    let default = |name: &str, meaning| {
        library::find(name).unwrap().key(meaning).map(|key| match key.default {
            KeyDefault::Number(number) => number,
            _ => f64::NAN,
        })
    };
    assert_eq!(default("burn.Sgd", KeyMeaning::Dampening), Some(0.1));
    assert_eq!(default("statsmodels.Logit", KeyMeaning::WeightDecay), Some(0.0));
    assert_eq!(default("nanochat.Muon", KeyMeaning::LearningRate), Some(0.02));
    assert_eq!(default("nanochat.Muon", KeyMeaning::WeightDecay), Some(0.0));
    // Dampening acts with a momentum alone: ηλ(1 − τ)/(1 − μ) against ηλ.
    let shrink = |text: &str| explain(text).peak_shrink.unwrap();
    near(shrink("burn.Sgd lr=0.1 penalty=1e-4 momentum=0.9"), 9e-5, 1e-12);
    near(shrink("burn.Sgd lr=0.1 penalty=1e-4"), 1e-5, 1e-12);
    let trainer = library::find("transformers.Trainer").unwrap();
    assert!(trainer.quirks.iter().any(|quirk| quirk.contains("norm_f")));
}
