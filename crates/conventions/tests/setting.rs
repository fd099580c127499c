//! One setting as a person types it: what it means, and what is refused.

use proptest::prelude::*;
use wd_conventions::library::{self, KeyMeaning};
use wd_conventions::{ConventionError, Setting};
use wd_decay::{Application, DecayRule, Declared, Shrink, Unit};

fn read(text: &str) -> Result<Setting, ConventionError> {
    Setting::read(&text.split_whitespace().collect::<Vec<_>>())
}

#[test]
fn a_published_run() {
    // D'Angelo et al. 2024, Appendix: GPT-2 124M on OpenWebText.
    let setting = read(
        "torch.AdamW weight_decay=0.1 lr=6e-4 betas=0.9,0.95 schedule=cosine,warmup=400,floor=0.1 \
         steps=50000 batch=256seq context=256 params=124M data=9035582489tok",
    )
    .unwrap();
    assert_eq!(setting.rule(), Some(DecayRule::Decoupled));
    assert_eq!(setting.lambda, Declared::stated(0.1));
    assert_eq!(setting.value(KeyMeaning::Beta2), Some(Declared::stated(0.95)));
    assert_eq!(setting.value(KeyMeaning::Epsilon), Some(Declared::by_default(1e-8)));
    let run = &setting.run;
    assert_eq!(run.unit, Unit::Token);
    assert_eq!(run.batch, Some(65_536.0));
    assert_eq!(run.tokens(), Some(3_276_800_000.0));
    assert!((run.epochs.unwrap() - 0.3627).abs() < 1e-4);
    assert!((run.tokens_per_parameter().unwrap() - 26.43).abs() < 0.01);
    let kappa = 0.1 * 6e-4 * run.schedule.unwrap().sum();
    assert!((kappa - 1.65).abs() < 0.01);
    let Some(Application::Shrink(Shrink(shrink))) = setting.application(400) else {
        panic!("decoupled decay shrinks");
    };
    assert!((shrink - 6e-5).abs() < 1e-18);
}

#[test]
fn what_is_absent_follows_from_the_rest() {
    let of = |text: &str| read(&format!("torch.AdamW {text}")).unwrap().run;
    assert_eq!(of("tokens=10B batch=0.5M").steps, Some(20_000));
    assert_eq!(of("tokens=10B steps=20000").batch, Some(500_000.0));
    assert_eq!(of("steps=5ep data=1.28Mimg batch=1024").total, Some(6.4e6));
    assert_eq!(of("epochs=5 data=1.28Mimg batch=1024").steps, Some(6250));
    assert_eq!(of("tokens=5ep data=1Btok").total, Some(5e9));
    assert_eq!(of("images=384M data=1.28M").epochs, Some(300.0));
    assert_eq!(of("images=384M epochs=300").data_points, Some(1.28e6));
    let schedule =
        of("epochs=10 data=1000 batch=10 schedule=wsd,warmup=1ep,decay=20%").schedule.unwrap();
    assert_eq!((schedule.steps, schedule.warmup, schedule.decay), (1000, 100, 200));
    assert_eq!(of("schedule=cosine:0.1 steps=10").schedule.unwrap().floor, 0.1);
    // Without a length there is no schedule to evaluate yet.
    assert_eq!(of("schedule=cosine:0.1").schedule, None);
    // 3.3B is how 3.2768B is written with two digits.
    assert_eq!(of("steps=50000 batch=65536tok tokens=3.3B").total, Some(3.3e9));
}

#[test]
fn contradictions_say_by_how_much() {
    for (text, expected) in [
        ("torch.AdamW steps=50000 batch=65536tok tokens=3.5Btok", 6.8),
        ("torch.AdamW tokens=10B epochs=2 data=9B", 44.4),
        ("torch.AdamW steps=100 batch=10 epochs=2 data=600", 16.7),
    ] {
        match read(text) {
            Err(ConventionError::Inconsistent { percent, .. }) => {
                assert!((percent - expected).abs() < 0.05, "{text}: {percent}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn unknown_names_get_the_nearest() {
    for (text, expected) in [
        ("torch.AdanW lr=1", "`torch.AdamW`"),
        ("torch.Lion", "`optax.lion`"),
        ("torch.AdamW lrr=1e-3", "`lr`"),
        ("torch.AdamW wd=0.1", "`weight_decay`"),
        ("sklearn.Ridge lambda=0.1", "`alpha`"),
    ] {
        match read(text) {
            Err(
                ConventionError::UnknownLibrary { nearest, .. }
                | ConventionError::UnknownKey { nearest, .. },
            ) => assert!(nearest.starts_with(expected), "{text}: {nearest}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn the_entry_may_stand_behind_its_keys() {
    let swapped = read("weight_decay=0.1 lr=1e-3 torch.AdamW").unwrap();
    assert_eq!(swapped, read("torch.AdamW weight_decay=0.1 lr=1e-3").unwrap());
}

/// What a person reads of words that cannot be followed: what is wrong, and how to mend it.
#[test]
fn what_cannot_be_is_refused() {
    let told = [
        "torch.AdamW steps=50000 batch=65536tok tokens=3.5Btok",
        "torch.AdamW tokens=10B epochs=2 data=9B",
        "torch.AdamW batch=256seq tokens=1B",
        "torch.AdamW batch=256img tokens=1B",
        "torch.AdamW tokens=1B images=5M",
        "torch.AdamW tokens=5ep epochs=5",
        "torch.AdamW steps=10 schedule=cosine,warmup=11",
        "torch.AdamW steps=10 schedule=cosine,warmup=1ep",
        "torch.AdanW lr=1",
        "AdamW lr=1",
        "torch.AdamW lrr=1e-3",
        "torch.AdamW momentum=0.9",
        "torch.AdamW warmup=400",
        "sklearn.RidgeCV alphas=0.1,1,10",
        "torch.Lion",
        "optax learning_rate=1",
        "weight_decay=0.1 lr=1e-3",
        "torch.AdamW schedule=cosin",
        "torch.AdamW tokens=3parsec",
        "torch.AdamW tokens=3img",
        "torch.AdamW reduction=average",
        "torch.AdamW weight_decay=-0.1",
        "torch.AdamW weight_decay=nan",
        "torch.AdamW lr=inf",
        "torch.AdamW lr=3tok",
        "sklearn.LogisticRegression C=0",
        "prior.Gaussian std=0",
        "torch.AdamW beta1=1",
        "torch.AdamW beta2=-1",
        "torch.AdamW betas=0.9",
        "torch.AdamW lr=1 lr=2",
        "torch.AdamW steps=0",
        "torch.AdamW steps=1.5",
        "torch.AdamW steps=1e12",
        "torch.AdamW tokens=15T batch=1tok",
        "torch.AdamW weight_decay",
        "torch.AdamW schedule=cosine,floor=2",
        "torch.AdamW schedule=cosine,0.1",
        "torch.AdamW schedule=wsd steps=5",
        "torch.Adam decoupled_weight_decay=maybe",
        "",
    ]
    .map(|text| format!("{text}\n    {}", read(text).expect_err(text)));
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn switches_choose_the_meaning() {
    assert_eq!(read("torch.Adam").unwrap().rule(), Some(DecayRule::CoupledL2));
    let decoupled = read("torch.Adam decoupled_weight_decay=True").unwrap();
    assert_eq!(decoupled.rule(), Some(DecayRule::Decoupled));
    assert_eq!(read("keras.L2 l2=0.01").unwrap().coefficient(), 0.02);
}

#[test]
fn the_table_is_sound() {
    let mut names: Vec<&str> = library::entries().map(|entry| entry.name.as_str()).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "two entries have one name");
    for entry in library::entries() {
        assert_eq!(library::find(&entry.name).unwrap().name, entry.name);
        assert!(entry.key(KeyMeaning::WeightDecay).is_some(), "{} has no λ", entry.name);
        assert!(
            entry.variant(&[]).is_some(),
            "{}: no variant has the default switches",
            entry.name
        );
        for variant in &entry.variants {
            let chosen = entry.variant(&variant.switches).unwrap();
            assert_eq!(chosen.call, variant.call, "{}: a variant cannot be chosen", entry.name);
            // Every hole of a call is a key, and λ is in every call.
            let holes: Vec<&str> = variant.holes().collect();
            for hole in &holes {
                assert!(entry.keys.iter().any(|key| key.name == *hole), "{}: {hole}", entry.name);
            }
            let lambda = entry.lambda_name();
            assert!(holes.contains(&lambda), "{}: the call lacks {lambda}", entry.name);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// Whatever is typed is read or refused, converted or explained; nothing panics.
    #[test]
    fn no_words_panic(
        entry in prop::sample::select(library::entries().map(|entry| entry.name.as_str()).collect::<Vec<_>>()),
        keys in prop::collection::vec(
            (
                prop::sample::select(vec![
                    "weight_decay", "lr", "momentum", "beta1", "l1_ratio", "steps", "batch", "tokens", "data", "epochs",
                    "context", "outputs", "noise_std", "response_std", "schedule", "loss", "reduction", "nonsense",
                ]),
                prop::sample::select(vec![
                    "0", "1", "0.1", "1e-300", "1e300", "-1", "nan", "10B", "5ep", "7seq", "3img", "mean", "sum", "mse", "nll",
                    "cosine:0.1", "inverse-sqrt,warmup=3", "wsd,decay=20%", "", "=", "1e9", "2%",
                ]),
            ),
            0..6,
        ),
    ) {
        let mut words = vec![entry.to_owned()];
        words.extend(keys.iter().map(|(key, value)| format!("{key}={value}")));
        if let Ok(setting) = Setting::read(&words) {
            // A billion steps are summed one by one under the inverse square root: too slow for a
            // test.
            prop_assume!(setting.run.steps.is_none_or(|steps| steps < 1_000_000));
            for target in library::entries() {
                if let Ok(conversion) = wd_conventions::convert(&setting, &wd_conventions::Target::new(target)) {
                    prop_assert!(!conversion.reasons.is_empty());
                    let finite = conversion.keys.iter().all(|(_, value)| match value {
                        // No decay is an infinite C or standard deviation.
                        wd_conventions::conversion::Value::Number(number) => {
                            number.is_finite() || (setting.coefficient() == 0.0 && !number.is_nan())
                        }
                        wd_conventions::conversion::Value::Switch(_) => true,
                    });
                    prop_assert!(finite, "{words:?} → {}: {conversion:?}", target.name);
                }
            }
        }
    }
}
