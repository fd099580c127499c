//! Each law: its published numbers, the identity it keeps, and what it refuses.

use proptest::prelude::*;
use wd_advise::laws::{
    ALL, corrected, data_constrained, epoch_timescale, log_time, nanochat, norm_control,
    normalized_decay, power_lines, width_transfer,
};
use wd_advise::{Answer, Law, PlannedRun};
use wd_decay::{OptimizerKind, ScheduleKind, Unit};

use crate::planned::{DANGELO, DEIT, run, run_with};

fn applied(law: Law, run: &PlannedRun) -> f64 {
    match (law.answer)(run) {
        Answer::Applies { lambda, range, .. } => {
            assert!(range.low <= lambda && lambda <= range.high);
            assert!((range.middle() / lambda - 1.0).abs() < 1e-12);
            lambda
        }
        other => panic!("{} gave {other:?}", law.name),
    }
}

/// The number that a law gives outside its range, if any.
fn outside(law: Law, run: &PlannedRun) -> Option<f64> {
    match (law.answer)(run) {
        Answer::OutsideRange { lambda, .. } => lambda,
        other => panic!("{} gave {other:?}", law.name),
    }
}

/// What a person reads where a law gives no number without reservations.
fn told(law: Law, words: &str, run: &PlannedRun) -> String {
    let said = match (law.answer)(run) {
        Answer::Applies { caveats, .. } if caveats.is_empty() => "(no reservation)".to_owned(),
        Answer::Applies { caveats, .. } => caveats.join("\n    "),
        Answer::OutsideRange { why, .. } => why.join("\n    "),
        Answer::Instead { what, how } => format!("{what}: {how}"),
        Answer::Needs { what } => format!("needs {}", what.join(", ")),
    };
    format!("{}, of {words}\n    {said}", law.name)
}

fn close(left: f64, right: f64) {
    assert!((left / right - 1.0).abs() < 1e-9, "{left} {right}");
}

#[test]
fn power_lines_gives_the_figures_on_record() {
    let dangelo = applied(power_lines::LAW, &run(DANGELO));
    assert!((dangelo - 0.173).abs() < 5e-4, "{dangelo}");
    let llama = applied(
        power_lines::LAW,
        &run("params=65B tokens=1.4T batch=4M lr=1.5e-4 schedule=cosine:0.1"),
    );
    assert!((llama - 0.089).abs() < 5e-4, "{llama}");
    // The law is about the learning rate that is used: at a rate 3.5 times as high it gives λ 3.5
    // times as low.
    let faster = PlannedRun { peak_learning_rate: Some(2.1e-3), ..run(DANGELO) };
    close(applied(power_lines::LAW, &faster), dangelo / 3.5);
}

#[test]
fn power_lines_refuses_what_it_was_not_fitted_to() {
    let mut refused = Vec::new();
    for (words, has_number) in [
        ("params=124M tokens=1.24B batch=65536tok lr=6e-4 schedule=cosine:0.1", true),
        ("params=124M tokens=300B batch=65536tok lr=6e-4 schedule=cosine:0.1", true),
        ("params=124M data=1B epochs=4 batch=65536tok lr=6e-4 schedule=cosine:0.1", true),
        ("params=124M tokens=3.28B batch=65536tok lr=6e-4 schedule=constant", false),
        ("params=124M tokens=3.28B batch=65536tok lr=6e-4 schedule=cosine:1", false),
        ("params=1M tokens=26M batch=65536tok lr=6e-4 schedule=cosine", true),
        ("params=671B tokens=14.8T batch=63M lr=2e-4 schedule=cosine", true),
    ] {
        let run = PlannedRun { unit: Unit::Token, ..run(words) };
        assert_eq!(outside(power_lines::LAW, &run).is_some(), has_number, "{words}");
        refused.push(told(power_lines::LAW, words, &run));
    }
    for optimizer in
        [OptimizerKind::Adam, OptimizerKind::Sgd, OptimizerKind::Lion, OptimizerKind::Muon]
    {
        let run = run_with(DANGELO, optimizer);
        assert_eq!(outside(power_lines::LAW, &run), None, "{optimizer}");
        refused.push(told(power_lines::LAW, optimizer.title(), &run));
    }
    let tuned = PlannedRun { fine_tuning: true, ..run(DANGELO) };
    for (words, run) in [("fine-tuning", tuned), (DEIT, run(DEIT))] {
        outside(power_lines::LAW, &run);
        refused.push(told(power_lines::LAW, words, &run));
    }
    insta::assert_snapshot!(refused.join("\n"));
}

#[test]
fn missing_inputs_are_named_and_departures_come_first() {
    let needs = |words: &str| match (power_lines::LAW.answer)(&run(words)) {
        Answer::Needs { what } => what.join(" "),
        other => panic!("{other:?}"),
    };
    assert_eq!(needs("tokens=3.28B"), "params batch lr");
    assert_eq!(needs("tokens=3.28B params=124M lr=1e-3"), "batch");
    // What cannot apply anyway asks for nothing.
    outside(power_lines::LAW, &run("images=3.28M"));
}

#[test]
fn power_lines_says_where_it_departs_within_its_range() {
    let told = [
        DANGELO,
        "params=124M batch=65536tok steps=50000 lr=6e-4 schedule=linear",
        "params=124M batch=65536tok steps=50000 lr=6e-4",
        "params=65B tokens=1.4T batch=4M lr=1.5e-4 schedule=linear",
    ]
    .map(|words| {
        applied(power_lines::LAW, &run(words));
        told(power_lines::LAW, words, &run(words))
    });
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn normalized_decay_is_the_papers_formula() {
    // CIFAR-10: 50,000 images, batch 128, 100 epochs: λ′ = λ_norm·√(128/(50,000·100)).
    let run = run("data=50000img epochs=100 batch=128 lr=1e-3 schedule=cosine");
    let Answer::Applies { range, .. } = (normalized_decay::LAW.answer)(&run) else {
        panic!("images over several epochs are its range")
    };
    close(range.low, 0.025 * (128.0 / (50_000.0 * 100.0_f64)).sqrt() / 1e-3);
    close(range.high, 2.0 * range.low);
    assert_eq!(outside(normalized_decay::LAW, &crate::planned::run(DANGELO)), None);
}

#[test]
fn the_timescale_in_epochs_lies_between_one_and_all() {
    let run = run(DEIT);
    let Answer::Applies { range, .. } = (epoch_timescale::LAW.answer)(&run) else {
        panic!("several epochs are its range")
    };
    let epochs = |lambda: f64| 1.0 / (1e-3 * lambda) / (1_281_167.0 / 1024.0);
    close(epochs(range.high), 1.0);
    close(epochs(range.low), 300.0);
    // In one pass the guideline's interval is one point, τ = the run.
    let lambda = outside(epoch_timescale::LAW, &crate::planned::run(DANGELO));
    close(lambda.unwrap(), 1.0 / (6e-4 * 50_000.0));
}

#[test]
fn nanochat_gives_its_reference_and_keeps_its_timescale() {
    let reference = run_with(
        "params=110101632 tokens=1321219584 batch=524288tok lr=0.02 \
         schedule=wsd,decay=65%,floor=0.05",
        OptimizerKind::Muon,
    );
    close(applied(nanochat::LAW, &reference), 0.28);
    let timescale = |run: &PlannedRun| {
        run.batch.unwrap()
            / (run.peak_learning_rate.unwrap() * applied(nanochat::LAW, run) * run.total)
    };
    let larger = PlannedRun {
        batch: Some(2.0 * 524_288.0),
        peak_learning_rate: Some(0.02 * 2.0_f64.sqrt()),
        ..reference.with_budget(4.0)
    };
    close(timescale(&larger), timescale(&reference));
    let other_rate = PlannedRun { peak_learning_rate: Some(2e-4), ..reference.clone() };
    for run in [other_rate, reference.with_budget(100.0), run(DANGELO)] {
        outside(nanochat::LAW, &run);
    }
}

#[test]
fn the_two_rules_of_width_keep_what_they_promise() {
    let at = |ratio: f64| PlannedRun {
        width: Some(256.0 * ratio),
        base_width: Some(256.0),
        base_lambda: Some(0.1),
        ..run(DANGELO)
    };
    for ratio in [0.25, 1.0, 4.0, 16.0] {
        let rate = 6e-4 / ratio;
        let independent = applied(width_transfer::INDEPENDENT, &at(ratio));
        close(rate * independent, 6e-4 * 0.1);
        // The top singular value √(η/λ)·d^0.75 stays.
        let root = applied(width_transfer::ROOT, &at(ratio));
        close((rate / root).sqrt() * ratio.powf(0.75), (6e-4 / 0.1_f64).sqrt());
    }
    outside(width_transfer::INDEPENDENT, &at(32.0));
    let Answer::Needs { what } = (width_transfer::ROOT.answer)(&run(DANGELO)) else {
        panic!("the base is missing")
    };
    assert_eq!(what, ["width", "base-width", "base-lambda"]);
}

#[test]
fn data_constrained_gives_the_tuned_values_and_between() {
    let at = |parameters: &str| {
        run(&format!(
            "params={parameters} data=200Mtok epochs=16 batch=262144tok lr=1e-3 schedule=cosine"
        ))
    };
    for (parameters, lambda) in
        [("150M", 2.4), ("300M", 4.8), ("600M", 3.2), ("1.4B", 3.2), ("1B", 3.2)]
    {
        close(applied(data_constrained::LAW, &at(parameters)), lambda);
    }
    close(data_constrained::tuned_pull(150e6 * 2.0_f64.sqrt()), 2.4e-3 * 2.0_f64.sqrt());
    outside(data_constrained::LAW, &at("2B"));
}

/// What the other laws say of runs that they were not established on.
#[test]
fn a_law_says_why_a_run_is_outside_its_range() {
    let muon = "params=110101632 tokens=1321219584 batch=524288tok lr=0.02 \
                schedule=wsd,decay=65%,floor=0.05";
    let slow = "params=110101632 tokens=1321219584 batch=524288tok lr=2e-4 \
                schedule=wsd,decay=65%,floor=0.05";
    let wide = PlannedRun {
        width: Some(8192.0),
        base_width: Some(256.0),
        base_lambda: Some(0.1),
        ..run(DANGELO)
    };
    let told = [
        told(normalized_decay::LAW, DANGELO, &run(DANGELO)),
        told(epoch_timescale::LAW, DANGELO, &run(DANGELO)),
        told(nanochat::LAW, DANGELO, &run(DANGELO)),
        told(nanochat::LAW, slow, &run_with(slow, OptimizerKind::Muon)),
        told(
            nanochat::LAW,
            "100 times the budget",
            &run_with(muon, OptimizerKind::Muon).with_budget(100.0),
        ),
        told(width_transfer::INDEPENDENT, "32 times the width", &wide),
    ]
    .into_iter()
    .chain(
        [
            "params=2B data=200Mtok epochs=16 batch=262144tok lr=3e-3 schedule=cosine",
            "params=150M tokens=200M batch=262144tok lr=3e-3 schedule=cosine",
            "params=150M data=3Btok epochs=4 batch=262144tok lr=3e-3 schedule=cosine",
        ]
        .map(|words| told(data_constrained::LAW, words, &run(words))),
    );
    insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"));
}

#[test]
fn laws_without_a_constant_lambda_say_what_they_do_instead() {
    let instead = |law: Law, optimizer: OptimizerKind| {
        let run = run_with(DANGELO, optimizer);
        assert!(matches!((law.answer)(&run), Answer::Instead { .. }), "{}", law.name);
        told(law, DANGELO, &run)
    };
    let told = [
        instead(log_time::LAW, OptimizerKind::Adamw),
        instead(corrected::LAW, OptimizerKind::Adamw),
        instead(norm_control::HYPERBALL, OptimizerKind::Muon),
        instead(norm_control::TARGET_NORM, OptimizerKind::Adamw),
    ];
    outside(norm_control::HYPERBALL, &run_with(DANGELO, OptimizerKind::Sgd));
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn every_law_names_its_paper_and_range() {
    for law in ALL {
        assert!(
            law.source.contains("arXiv") || law.source.contains("karpathy/nanochat"),
            "{}",
            law.id
        );
        assert!(!law.formula.is_empty() && !law.established.is_empty());
        assert_eq!(ALL.iter().filter(|other| other.id == law.id).count(), 1);
    }
}

fn any_run() -> impl Strategy<Value = PlannedRun> {
    let size = || (-3.0..15.0f64).prop_map(|exponent: f64| 10f64.powf(exponent));
    let kinds = proptest::option::of(proptest::sample::select(vec![
        ScheduleKind::Constant,
        ScheduleKind::Cosine,
        ScheduleKind::Linear,
        ScheduleKind::WarmupStableDecay,
        ScheduleKind::InverseSquareRoot,
    ]));
    (
        (proptest::sample::select(vec![Unit::Token, Unit::Image, Unit::Example]), any::<bool>()),
        (proptest::option::of(size()), size(), proptest::option::of(size()), size()),
        (proptest::option::of(size()), kinds, 0.0..=1.0f64),
        proptest::sample::select(OptimizerKind::ALL.to_vec()),
        (proptest::option::of(size()), proptest::option::of(size()), proptest::option::of(size())),
    )
        .prop_map(
            |(
                (unit, fine_tuning),
                (parameters, total, batch, data_points),
                (rate, schedule, floor),
                optimizer,
                (width, base_width, base_lambda),
            )| {
                PlannedRun {
                    unit,
                    parameters,
                    total,
                    batch,
                    data_points,
                    epochs: total / data_points,
                    peak_learning_rate: rate,
                    schedule,
                    floor,
                    optimizer,
                    width,
                    base_total: None,
                    base_width,
                    base_lambda,
                    fine_tuning,
                }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_law_gives_a_number_that_is_none(run in any_run()) {
        for law in ALL {
            match (law.answer)(&run) {
                Answer::Applies { lambda, range, .. } => {
                    prop_assert!(lambda > 0.0 && lambda.is_finite());
                    prop_assert!(range.low <= range.high && range.low > 0.0);
                    prop_assert!(!run.is_constant() && !run.fine_tuning);
                }
                Answer::OutsideRange { why, .. } => prop_assert!(!why.is_empty()),
                Answer::Needs { what } => prop_assert!(!what.is_empty()),
                Answer::Instead { how, .. } => prop_assert!(!how.contains("NaN")),
            }
        }
    }

    #[test]
    fn power_lines_keeps_its_timescale(
        ratio in 21.0..1200.0f64, parameters in 2e8..3e9f64, batch in 3.0..6.5f64, rate in -4.5..-2.0f64,
    ) {
        let (batch, rate) = (10f64.powf(batch), 10f64.powf(rate));
        let run = PlannedRun {
            parameters: Some(parameters.round()),
            total: ratio * parameters,
            data_points: ratio * parameters,
            batch: Some(batch),
            peak_learning_rate: Some(rate),
            ..run(DANGELO)
        };
        let lambda = applied(power_lines::LAW, &run);
        let tau = 1.0 / (rate * lambda * run.steps().unwrap());
        let seen = run.tokens_per_parameter().unwrap();
        prop_assert!((tau / power_lines::best_timescale(seen) - 1.0).abs() < 1e-9);
        // λ ∝ B and ∝ 1/η.
        prop_assert!((applied(power_lines::LAW, &run.with_batch(2.0)) / lambda / 2.0 - 1.0).abs() < 1e-9);
    }
}
