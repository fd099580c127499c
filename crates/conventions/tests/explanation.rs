//! What follows from a setting, against published runs, closed forms and brute force.

use proptest::prelude::*;
use wd_conventions::explanation::{EquilibriumPrediction, PriorInterpretation, Warning};
use wd_conventions::{
    ConventionError, DeclaredDecay, Explanation, Prior, PriorUnit, Setting, convert, library,
};
use wd_decay::{Reduction, UpdateNoise, norm_recursion};

const GPT2: &str = "torch.AdamW weight_decay=0.1 lr=6e-4 betas=0.9,0.95 \
                    schedule=cosine,warmup=400,floor=0.1 steps=50000 batch=65536tok params=124M";
const RESNET50: &str = "torch.SGD weight_decay=1e-4 lr=0.1 momentum=0.9 schedule=cosine \
                        epochs=90 batch=256img data=1281167img";

fn declared(text: &str) -> DeclaredDecay {
    let words: Vec<&str> = text.split_whitespace().collect();
    DeclaredDecay::from(&Setting::read(&words).expect(text))
}

fn explain(text: &str) -> Explanation {
    Explanation::of(&declared(text)).expect(text)
}

fn kinds(text: &str) -> Vec<&'static str> {
    explain(text).warnings.iter().map(Warning::kind).collect()
}

fn near(left: f64, right: f64, tolerance: f64) {
    assert!((left - right).abs() <= tolerance * right.abs(), "{left} is not {right}");
}

fn equilibrium(text: &str) -> wd_conventions::explanation::PredictedEquilibrium {
    match explain(text).equilibrium {
        EquilibriumPrediction::Known(equilibrium) => equilibrium,
        EquilibriumPrediction::Unknown { reason } => panic!("{text}: {reason}"),
    }
}

fn silent(text: &str) -> String {
    match explain(text).equilibrium {
        EquilibriumPrediction::Unknown { reason } => reason,
        EquilibriumPrediction::Known(equilibrium) => panic!("{text}: {equilibrium:?}"),
    }
}

fn prior(text: &str) -> Result<Prior, ConventionError> {
    Prior::of(&declared(text))
}

/// What a person reads of a setting.
fn told(text: &str) -> String {
    let page = explain(text).page(&wd_page::Context::default());
    format!("{text}\n\n{}", page.terminal(&wd_page::Terminal::plain()))
}

#[test]
fn steps_too_large_and_steps_of_zero_are_put_in_words() {
    assert_eq!(kinds("torch.AdamW weight_decay=0.1 lr=0 steps=100"), ["nothing-moves"]);
    let told = [
        "torch.AdamW weight_decay=10 lr=0.5 steps=100",
        "torch.AdamW weight_decay=3 lr=0.5 steps=3",
        "torch.AdamW weight_decay=0.1 lr=0 steps=100",
        "torch.AdamW weight_decay=1e300 lr=1e-320 steps=2",
        "torch.AdamW weight_decay=0 lr=1e-3 steps=100",
    ]
    .map(told);
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn gpt2_on_openwebtext() {
    // D'Angelo et al. 2024: κ = 1.65, τ a third of the run, 26 tokens a parameter.
    let explanation = explain(GPT2);
    let timescale = explanation.timescale;
    near(timescale.kappa.unwrap(), 1.65, 1e-3);
    near(timescale.initial_share.unwrap(), (-1.65f64).exp(), 2e-3);
    near(timescale.tau_fraction.unwrap(), 1.0 / 3.0, 1e-9);
    assert_eq!(timescale.tau_epochs, None);
    near(explanation.tokens_per_parameter.unwrap(), 26.43, 1e-3);
    let equilibrium = equilibrium(GPT2);
    near(equilibrium.rms.unwrap(), (6e-4f64 / 0.2).sqrt(), 1e-4);
    near(equilibrium.angle, (2.0f64 * 6e-5 * 0.1 / 1.9).sqrt(), 1e-4);
    near(equilibrium.relaxation_steps, 1.0 / 1.2e-4, 1e-4);
    assert_eq!(equilibrium.bound.as_deref(), Some("every |w_i| ≤ 1/λ = 10"));
    assert_eq!(explanation.equation[1], "w ← (1 − 6e-5 f_t) w − 6e-4 f_t u_t");
    assert!(matches!(explanation.prior, PriorInterpretation::NoPrior { .. }));
    // With N the prior that it would wrongly be read as: far from an RMS of 0.02 to 0.05.
    let PriorInterpretation::NoPrior { instead, .. } =
        explain(&format!("{GPT2} data=3.3Btok")).prior
    else {
        panic!("AdamW's λ is no prior");
    };
    insta::assert_snapshot!(instead.join("\n"));
}

#[test]
fn resnet50_on_imagenet() {
    // Goyal et al. 2017's setting: the momentum makes a step's shrink ηλ/(1 − μ) = 1e-4.
    let explanation = explain(RESNET50);
    near(explanation.peak_shrink.unwrap(), 1e-4, 1e-12);
    near(explanation.timescale.tau_epochs.unwrap(), 2.0, 2e-3);
    near(explanation.timescale.kappa.unwrap(), 0.5e-4 * 450_410.0, 1e-4);
    let plain = equilibrium(RESNET50);
    assert_eq!(plain.rms, None);
    near(plain.angle, (2.0f64 * 1e-5 / 1.9).sqrt(), 1e-5);
    near(plain.rms_per_gradient_rms.unwrap(), 5e3f64.sqrt(), 1e-4);
    near(plain.norm_per_root_of_unit_gradient.unwrap(), 5e3f64.powf(0.25), 1e-9);
    let known = equilibrium(&format!("{RESNET50} gradient_rms=1e-3"));
    near(known.rms.unwrap(), 5e3f64.sqrt() * 1e-3, 1e-4);
    // λ = 1/(Nσ²) for a mean loss.
    let prior = prior(RESNET50).unwrap();
    near(prior.precision(), 128.1167, 1e-9);
    near(prior.lambda(Reduction::Mean, 1_281_167.0), 1e-4, 1e-9);
}

#[test]
fn the_trajectory_is_the_norm_recursion() {
    let setting = "torch.AdamW weight_decay=0.2 lr=3e-3 schedule=wsd,warmup=50,decay=200 \
        steps=1000 init_std=0.05";
    let declared = declared(setting);
    let explanation = Explanation::of(&declared).unwrap();
    let trajectory = explanation.trajectory.unwrap();
    let rates: Vec<f64> = (0..1000).filter_map(|step| declared.learning_rate(step)).collect();
    let shrinks: Vec<f64> = rates.iter().map(|rate| 0.2 * rate).collect();
    let rms = norm_recursion(0.05, &rates, &shrinks, UpdateNoise::Adam { beta1: 0.9 }.diffusion());
    assert!((350..=401).contains(&trajectory.points.len()));
    assert_eq!((trajectory.points[0].step, trajectory.last().unwrap().step), (1, 1000));
    for point in &trajectory.points {
        let step = point.step as usize - 1;
        near(point.rms.unwrap(), rms[step], 1e-12);
        near(point.learning_rate, rates[step], 1e-15);
        let share: f64 = shrinks[..=step].iter().map(|shrink| 1.0 - shrink).product();
        near(point.initial_share.unwrap(), share, 1e-12);
        let equilibrium = (rates[step] / 0.4).sqrt();
        near(point.equilibrium_rms.unwrap(), equilibrium, 1e-3);
    }
}

#[test]
fn short_runs_keep_every_step() {
    for steps in [1, 2, 3, 400] {
        let text = format!("torch.AdamW weight_decay=0.2 lr=3e-3 steps={steps}");
        let points = explain(&text).trajectory.unwrap().points;
        let kept: Vec<u64> = points.iter().map(|point| point.step).collect();
        assert_eq!(kept, (1..=steps).collect::<Vec<u64>>());
    }
}

#[test]
fn every_optimizer_says_its_equilibrium_or_why_it_has_none() {
    let lion = equilibrium("optax.lion learning_rate=1e-4 weight_decay=1 b1=0.9 b2=0.99");
    // Kosson et al. 2024, table 1, with 1/π.
    let spread: f64 = 0.01 + 0.81 * 0.01 / 1.99;
    near(lion.rms.unwrap(), (1e-4 / (std::f64::consts::PI * spread)).sqrt(), 1e-4);
    let muon = "torch.Muon lr=0.02 weight_decay=0.01 nesterov=false";
    assert_eq!(equilibrium(muon).rms, None);
    assert!(equilibrium(muon).needs.is_some());
    let wide = equilibrium(&format!("{muon} width=64"));
    near(wide.rms.unwrap(), 0.02 * (39.0f64 / 64.0 / 4e-4).sqrt(), 1e-3);
    let reasons = [
        "torch.NAdam weight_decay=0.1 decoupled_weight_decay=true",
        "torch.Adafactor weight_decay=0.1",
        "torch.Adam weight_decay=0.1",
        "torch.AdamW weight_decay=0",
        "sklearn.Ridge alpha=1",
        "keras.L2 l2=0.01",
        "nanochat.Muon lr=0.02 weight_decay=0.28",
    ]
    .map(|text| format!("{text}\n    {}", silent(text)));
    insta::assert_snapshot!(reasons.join("\n"));
    // Adam + L2 decays at ηλ/√E[g²], where that is known.
    let estimate = equilibrium("torch.Adam lr=1e-3 weight_decay=1e-4 gradient_rms=1e-3");
    near(estimate.rms.unwrap(), (1e-3f64 / 0.2).sqrt(), 1e-4);
}

#[test]
fn a_penalty_that_is_not_small_beside_the_gradient_is_divided_by_itself_too() {
    let words = "torch.Adam lr=1e-3 weight_decay=0.01 gradient_rms=1e-4 init_std=0.2 steps=5000";
    let found = explain(words);
    // At the start λw = 0.002 is nearly all that Adam divides by: a step takes η off a weight,
    // whatever λ.
    let first = &found.trajectory.as_ref().unwrap().points[0];
    near(first.shrink.unwrap(), 1e-3 / 0.2, 2e-3);
    // Where it settles, ρ = ηg²/(λ(2√v − ηλ)) with v = g² + λ²ρ.
    let settled = equilibrium(words);
    let rho = settled.rms.unwrap().powi(2);
    let root = (1e-8 + 1e-4 * rho).sqrt();
    near(rho, 1e-3 * 1e-8 / (0.01 * (2.0 * root - 1e-5)), 1e-9);
    near(found.trajectory.unwrap().last().unwrap().rms.unwrap(), rho.sqrt(), 0.02);
}

#[test]
fn what_is_not_given_is_left_out() {
    let explanation = explain("torch.AdamW weight_decay=0.1 lr=1e-3");
    near(explanation.timescale.tau_steps.unwrap(), 1e4, 1e-12);
    assert_eq!(explanation.timescale.kappa, None);
    assert_eq!(explanation.trajectory, None);
    let error = Explanation::of(&declared("torch.AdamW lr=1e-3 steps=100M")).unwrap_err();
    assert!(error.to_string().contains("step by step"), "{error}");
}

/// Every objective as coded, and the precision of its prior.
#[test]
fn a_prior_for_every_reduction_and_half() {
    let sgd = "torch.SGD lr=0.1 weight_decay=1e-3 data=5000";
    let alpha = |text: &str| prior(text).unwrap().precision();
    // Mean cross-entropy + ½λ‖w‖²: α = λN.
    near(alpha(sgd), 5.0, 1e-12);
    // Summed over the whole data: α = λ; over batches: λN/B.
    near(alpha(&format!("{sgd} reduction=sum")), 1e-3, 1e-12);
    near(alpha(&format!("{sgd} reduction=sum batch=100")), 0.05, 1e-12);
    // Without ½: twice.
    near(alpha("keras.L2 l2=1e-3 data=5000"), 10.0, 1e-12);
    // nn.MSELoss over D outputs: ½βλND; with its ½: βλND.
    let mse = format!("{sgd} outputs=3 noise_std=2");
    near(alpha(&format!("{mse} loss=mse")), 0.5 * 0.25 * 1e-3 * 15_000.0, 1e-12);
    near(alpha(&format!("{mse} loss=half-mse")), 0.25 * 1e-3 * 15_000.0, 1e-12);
    // Where the noise is unknown, σ is in its units.
    let unknown = prior(&format!("{sgd} loss=half-mse")).unwrap();
    assert_eq!(unknown.unit, PriorUnit::NoiseStandardDeviation);
    near(unknown.precision(), 5.0, 1e-12);
    // scikit-learn: Ridge's alpha is σ_noise²/σ², C is 1/α.
    near(alpha("sklearn.Ridge alpha=3 noise_std=0.5"), 12.0, 1e-12);
    near(alpha("sklearn.LogisticRegression C=0.2"), 5.0, 1e-12);
    near(alpha("laplace.prior_precision prior_precision=7"), 7.0, 1e-12);
    // Decoupled decay of SGD: the momentum multiplies the gradient only.
    near(alpha("timm.SGDW lr=0.1 momentum=0.9 weight_decay=1e-3 data=5000"), 0.5, 1e-9);
    // Adam + L2 heads for the same minimum.
    near(alpha("torch.Adam lr=1e-3 weight_decay=1e-3 data=5000"), 5.0, 1e-12);
}

#[test]
fn a_derivation_names_reduction_half_and_data_points() {
    let derivations = [
        "torch.SGD lr=0.1 weight_decay=1e-3 data=5000",
        "keras.L2 l2=1e-3 data=5000 reduction=sum batch=10",
        "sklearn.Ridge alpha=3 noise_std=0.5",
        "sklearn.LogisticRegression C=0.2",
        "glmnet.binomial lambda=0.1 alpha=0 data=200",
    ]
    .map(|text| {
        let PriorInterpretation::Prior { derivation, .. } = explain(text).prior else {
            panic!("{text} is a prior");
        };
        format!("{text}\n    {}", derivation.join("\n    "))
    });
    insta::assert_snapshot!(derivations.join("\n"));
}

/// The table's entry for the prior itself, through the conversion: another way to the same σ.
#[test]
fn the_prior_is_the_one_that_a_conversion_gives() {
    let mut agreed = 0;
    for entry in library::entries() {
        let mut words = vec![entry.name.clone(), "data=100".to_owned(), "loss=nll".to_owned()];
        for key in &entry.keys {
            match key.meaning {
                library::KeyMeaning::WeightDecay => words.push(format!("{}=0.25", key.name)),
                library::KeyMeaning::LearningRate => words.push(format!("{}=0.01", key.name)),
                library::KeyMeaning::Momentum => words.push(format!("{}=0.9", key.name)),
                library::KeyMeaning::L1Ratio => words.push(format!("{}=0", key.name)),
                _ => {}
            }
        }
        let Ok(setting) = Setting::read(&words) else {
            panic!("{words:?}");
        };
        let converted = convert(&setting, &"prior.Gaussian".parse().unwrap());
        let prior = Prior::of(&DeclaredDecay::from(&setting));
        match (converted.map(|found| found.lambda()), prior) {
            (Ok(Some(std)), Ok(prior)) if prior.unit == PriorUnit::Weights => {
                near(prior.standard_deviation, std, 1e-12);
                agreed += 1;
            }
            // The conversion asks for the noise of a squared error; σ in its units needs none.
            (_, Ok(prior)) => {
                assert_eq!(prior.unit, PriorUnit::NoiseStandardDeviation, "{words:?}")
            }
            (found, Err(_)) => assert!(!matches!(found, Ok(Some(_))), "{words:?}: {found:?}"),
        }
    }
    assert!(agreed >= 8, "{agreed}");
}

#[test]
fn rules_that_are_no_prior_are_refused() {
    let reasons = [
        "torch.AdamW lr=1e-3 weight_decay=0.1 data=5000",
        "optax.lion learning_rate=1e-4 weight_decay=1 data=5000",
        "torch.Muon lr=1e-3 weight_decay=0.1 data=5000",
        "torch.SGD lr=1e-3 weight_decay=0 data=5000",
        "sklearn.ElasticNet alpha=1 data=100",
    ]
    .map(|text| match prior(text) {
        Err(ConventionError::NotAPrior { reason, .. }) => format!("{text}\n    {reason}"),
        other => panic!("{text}: {other:?}"),
    });
    insta::assert_snapshot!(reasons.join("\n"));
    let missing = prior("torch.SGD lr=0.1 weight_decay=1e-3").unwrap_err();
    assert!(matches!(missing, ConventionError::Missing { .. }), "{missing}");
}

#[test]
fn each_warning_comes_when_it_should_and_not_else() {
    let plain = "optimi.AdamW lr=1e-3 weight_decay=0.1 schedule=cosine steps=20000";
    let only = |text: &str| {
        let mut found = kinds(text);
        found.retain(|kind| *kind != "norms-and-biases-decay");
        found
    };
    assert_eq!(only(plain), [""; 0]);
    assert_eq!(only(&plain.replace("20000", "400")), ["inert"]);
    assert_eq!(only(&plain.replace("20000", "1M")), ["forgets-its-data"]);
    assert_eq!(only(&plain.replace("cosine", "constant")), ["constant-learning-rate"]);
    assert_eq!(only(&plain.replace("weight_decay=0.1 ", "")), ["library-default"]);
    assert_eq!(only(&plain.replace("=0.1", "=0")), ["nothing-decays"]);
    assert_eq!(only(&format!("{plain} dtype=bf16")), ["lost-in-bf16"]);
    assert_eq!(only(&plain.replace("=0.1", "=2000")), ["overshoots", "forgets-its-data"]);
    assert_eq!(only(&format!("{plain} batch=4096tok")), ["unused-rows-decay"]);
    assert_eq!(
        kinds("torch.Adam weight_decay=0.1 lr=1e-3"),
        ["coupled-under-adaptive", "norms-and-biases-decay"]
    );
    // A rule whose decay is as strong at the end as at the peak.
    let fixed = "pytorch_optimizer.Lion lr=1e-4 weight_decay=1e-4 fixed_decay=true steps=20000";
    assert!(kinds(&format!("{fixed} schedule=cosine")).contains(&"schedule-ignored"));
    assert!(!kinds(&format!("{fixed} schedule=constant")).contains(&"schedule-ignored"));
    // big_vision keeps norms, biases and embeddings out of it.
    assert_eq!(
        kinds("big_vision.adam lr=1e-3 wd=1e-4 schedule=cosine steps=20000 batch=4096tok"),
        [""; 0]
    );
}

#[test]
fn a_fix_is_one() {
    for text in [
        "optimi.AdamW lr=1e-3 weight_decay=0.1 schedule=cosine steps=400",
        "optimi.AdamW lr=1e-3 weight_decay=0.1 schedule=cosine steps=1M",
        "torch.SGD lr=0.5 momentum=0.9 weight_decay=5e-3 schedule=cosine epochs=100 batch=128img \
         data=50000img",
    ] {
        let explanation = explain(text);
        let warning = explanation
            .warnings
            .iter()
            .find(|warning| {
                matches!(warning, Warning::Inert { .. } | Warning::ForgetsItsData { .. })
            })
            .unwrap_or_else(|| panic!("{text}: {:?}", explanation.warnings));
        // "λ = 0.51 would give …": that λ no longer gives the warning.
        let fix = warning.fix();
        let lambda = fix.split(' ').nth(2).unwrap();
        let typed = text.split_whitespace().find(|word| word.starts_with("weight_decay")).unwrap();
        // Rounding of the number in the fix, outwards.
        let lambda: f64 = lambda.parse::<f64>().unwrap();
        let lambda = if warning.kind() == "inert" { lambda * 1.001 } else { lambda * 0.999 };
        let mended = text.replace(typed, &format!("weight_decay={lambda}"));
        assert!(!kinds(&mended).contains(&warning.kind()), "{mended}: {fix}");
    }
}

#[test]
fn the_share_lost_in_bf16_is_counted() {
    // Linear to zero from 4 × 2⁻⁹: three quarters of the steps lie above 2⁻⁹.
    let text = "torch.AdamW lr=1 weight_decay=0.0078125 schedule=linear steps=1000 dtype=bf16";
    let share = explain(text).warnings.into_iter().find_map(|warning| match warning {
        Warning::LostInBf16 { share_of_steps, .. } => Some(share_of_steps),
        _ => None,
    });
    assert_eq!(share, Some(0.249));
    assert!(!kinds(&text.replace("bf16", "f32")).contains(&"lost-in-bf16"));
}

#[test]
fn decay_that_is_added_with_the_update_is_rounded_with_it() {
    let run = "learning_rate=1e-4 weight_decay=10 steps=2000 dtype=bf16";
    insta::assert_snapshot!(told(&format!("optax.lion {run}")));
    let stored = kinds("torch.AdamW lr=1e-4 weight_decay=10 steps=2000 dtype=bf16");
    assert!(stored.contains(&"lost-in-bf16"), "{stored:?}");
    // In which way each library steps is what its equation says.
    for entry in library::entries().filter(|entry| entry.has_steps()) {
        let equations = entry.variants.iter().map(|variant| variant.equation.as_str());
        let at_once = equations.clone().any(|equation| {
            equation.contains("(u_t + λ p)")
                || equation.contains("lr_t (g + wd")
                || equation.contains("lr_t g − lr_t² wd")
                || equation.contains("+ weight_decay param)")
                || equation.contains("(lr u_t + wd p)")
        });
        if at_once {
            assert!(!entry.stores_shrunk_weights, "{}", entry.name);
        }
    }
}

#[test]
fn what_is_said_of_a_constant_rate_is_what_was_measured() {
    let constant = "torch.AdamW lr=1e-4 weight_decay=0.1 schedule=constant steps=20000";
    insta::assert_snapshot!(told(constant));
}

#[test]
fn bf16_really_rounds_such_shrinks_away() {
    // Every bf16 between 1 and 2, shrunk by just less than 2⁻⁹ and rounded to nearest, even.
    let round = |value: f32| {
        let bits = value.to_bits();
        f32::from_bits((bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff_0000)
    };
    for mantissa in 1..128u32 {
        let weight = f32::from_bits(0x3f80_0000 | (mantissa << 16));
        assert_eq!(round(weight * (1.0 - 0.999 / 512.0)), weight);
    }
    let moved = (1..128u32)
        .map(|mantissa| f32::from_bits(0x3f80_0000 | (mantissa << 16)))
        .filter(|weight| round(weight * (1.0 - 1.01 / 256.0)) != *weight)
        .count();
    assert_eq!(moved, 127);
}

#[test]
fn which_entries_decay_norms_and_embeddings() {
    let spared: Vec<&str> = library::entries()
        .filter(|entry| entry.has_steps() && !entry.decays_norms)
        .map(|entry| entry.name.as_str())
        .collect();
    let without_embeddings: Vec<&str> = library::entries()
        .filter(|entry| entry.has_steps() && !entry.decays_embeddings)
        .map(|entry| entry.name.as_str())
        .collect();
    assert_eq!(
        spared,
        [
            "torch.Muon",
            "optax.muon",
            "keras.L2",
            "fastai.Adam",
            "fastai.SGD",
            "big_vision.adam",
            "transformers.Trainer",
            "megatron.adam",
            "nanochat.Muon",
            "modded_nanogpt.NorMuon",
            "llm_c.adamw"
        ]
    );
    // Those that choose by name or shape, of which these leave the embeddings in.
    let by_choice =
        ["fastai.Adam", "fastai.SGD", "transformers.Trainer", "megatron.adam", "llm_c.adamw"];
    assert!(spared.iter().filter(|name| !by_choice.contains(name)).eq(&without_embeddings));
    for entry in library::entries() {
        let says_all = entry.decays.contains("norms and biases included");
        assert!(!says_all || entry.decays_norms, "{}", entry.name);
        let says_not =
            entry.decays.contains("not embeddings") || entry.decays.contains("the matrices");
        assert!(!says_not || !entry.decays_norms, "{}", entry.name);
    }
}

#[test]
fn every_entry_can_be_explained_and_read_by_a_program() {
    for entry in library::entries() {
        let mut words = vec![entry.name.clone(), "dtype=bf16".to_owned()];
        if entry.has_steps() {
            words.extend(
                ["schedule=cosine,warmup=10", "steps=1000", "batch=64tok", "data=100ktok"]
                    .map(str::to_owned),
            );
        } else {
            words.extend(["data=100", "noise_std=0.5", "response_std=2"].map(str::to_owned));
        }
        for key in &entry.keys {
            if matches!(key.default, library::KeyDefault::Required) {
                words.push(format!("{}=0.01", key.name));
            }
        }
        let setting = Setting::read(&words).unwrap_or_else(|error| panic!("{words:?}: {error}"));
        let explanation = Explanation::of(&DeclaredDecay::from(&setting)).unwrap();
        assert!(!explanation.page(&wd_page::Context::default()).sections.is_empty());
        let text = serde_json::to_string(&explanation).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["name"], entry.name);
        for warning in value["warnings"].as_array().unwrap() {
            for key in ["kind", "reason", "fix"] {
                assert!(!warning[key].as_str().unwrap().is_empty());
            }
        }
    }
}

proptest! {
    #[test]
    fn a_prior_goes_there_and_back(lambda in 1e-8..1e3f64, data in 1.0..1e12f64) {
        for reduction in [Reduction::Mean, Reduction::Sum] {
            let back = Prior::of_penalty(lambda, reduction, data).lambda(reduction, data);
            prop_assert!((back - lambda).abs() <= 1e-12 * lambda);
        }
    }

    #[test]
    fn no_number_is_a_panic_or_not_a_number(
        lambda in 0.0..1e4f64,
        rate in 0.0..1e3f64,
        steps in 1u64..3000,
        entry in 0usize..40,
    ) {
        let entries: Vec<_> = library::entries().filter(|entry| entry.has_steps()).collect();
        let entry = entries[entry % entries.len()];
        let key = entry.lambda_name();
        let lr = entry.key(library::KeyMeaning::LearningRate).map(|key| key.name.as_str());
        let mut words = vec![
            entry.name.clone(),
            format!("{key}={lambda}"),
            format!("steps={steps}"),
            "schedule=cosine".to_owned(),
            "width=64".to_owned(),
            "gradient_rms=0.01".to_owned(),
        ];
        words.extend(lr.map(|lr| format!("{lr}={rate}")));
        let page = Setting::read(&words).unwrap().explain().unwrap().page(&wd_page::Context::default());
        for text in [page.terminal(&wd_page::Terminal::plain()), page.html()] {
            prop_assert!(!text.contains("NaN"), "{words:?}: {text}");
        }
    }
}
