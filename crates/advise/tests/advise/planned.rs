//! Planned runs, as a person would declare them.

use wd_advise::{AdviseError, PlannedRun};
use wd_conventions::RunDeclaration;
use wd_decay::{Declared, OptimizerKind, Unit};

/// The run of these `key=value` words; `lr` is the peak learning rate.
pub(crate) fn declared(words: &str) -> Result<PlannedRun, AdviseError> {
    let mut declaration = RunDeclaration::default();
    for word in words.split_whitespace() {
        let (key, value) = word.split_once('=').unwrap();
        if key == "lr" {
            declaration.peak_learning_rate = Some(Declared::stated(value.parse().unwrap()));
        } else {
            declaration.set(key, value).unwrap();
        }
    }
    PlannedRun::new(&declaration.resolve().unwrap())?.checked()
}

/// The AdamW run of these words.
pub(crate) fn run(words: &str) -> PlannedRun {
    declared(words).unwrap()
}

/// The run of these words under another optimizer.
pub(crate) fn run_with(words: &str, optimizer: OptimizerKind) -> PlannedRun {
    PlannedRun { optimizer, ..run(words) }
}

/// D'Angelo et al. 2024: GPT-2 124M, 50,000 steps of 65,536 tokens, where λ = 0.1 and 0.3 won.
pub(crate) const DANGELO: &str =
    "params=124M batch=65536tok steps=50000 lr=6e-4 schedule=cosine:0.1";
/// DeiT-B on ImageNet-1k.
pub(crate) const DEIT: &str = "data=1281167img epochs=300 batch=1024 lr=1e-3 schedule=cosine";

#[test]
fn absent_numbers_follow_from_the_others() {
    let run = run(DANGELO);
    assert_eq!((run.unit, run.total, run.steps()), (Unit::Token, 3_276_800_000.0, Some(50_000.0)));
    assert_eq!((run.epochs, run.data_points), (1.0, run.total));
    assert!((run.tokens_per_parameter().unwrap() - 26.43).abs() < 0.01);
}

#[test]
fn impossible_runs_are_refused_by_name() {
    let refused = |words: &str| declared(words).unwrap_err();
    assert_eq!(refused("params=124M lr=1e-3"), AdviseError::NoLength);
    assert_eq!(
        refused("tokens=1000 batch=2000tok"),
        AdviseError::BatchTooLarge { batch: 2000.0, total: 1000.0 }
    );
    let rate = "peak learning rate";
    assert_eq!(refused("tokens=10B lr=0"), AdviseError::NotPositive { name: rate, value: 0.0 });
    let unknown = refused("tokens=10B lr=nan");
    assert!(
        matches!(unknown, AdviseError::NotPositive { name, value } if name == rate && value.is_nan())
    );
    let error = PlannedRun { base_lambda: Some(-0.1), ..run("tokens=10B") }.checked().unwrap_err();
    assert_eq!(error, AdviseError::NotPositive { name: "base λ", value: -0.1 });
    // A rate of 1 moves every weight by 1 under AdamW, and not under SGD.
    let fast =
        |optimizer| PlannedRun { optimizer, peak_learning_rate: Some(1.0), ..run("tokens=10B") };
    assert!(fast(OptimizerKind::Adamw).checked().is_err());
    assert!(fast(OptimizerKind::Sgd).checked().is_ok());
}

#[test]
fn a_larger_budget_is_fresh_data_in_one_pass_and_more_passes_otherwise() {
    let part = run("params=124M tokens=1B data=3Btok batch=65536tok");
    let more = part.with_budget(2.0);
    assert_eq!((more.total, more.data_points), (2e9, 3e9));
    assert_eq!(part.with_budget(4.0).epochs, 1.0);
    let repeated = run("params=124M data=1Btok epochs=4 batch=65536tok").with_budget(2.0);
    assert_eq!((repeated.data_points, repeated.epochs), (1e9, 8.0));
}
