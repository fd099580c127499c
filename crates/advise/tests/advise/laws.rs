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

fn outside(law: Law, run: &PlannedRun) -> (String, Option<f64>) {
    match (law.answer)(run) {
        Answer::OutsideRange { why, lambda } => (why.join("; "), lambda),
        other => panic!("{} gave {other:?}", law.name),
    }
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
    let refusals = [
        (
            "params=124M tokens=1.24B batch=65536tok lr=6e-4 schedule=cosine:0.1",
            "10 tokens a parameter",
            true,
        ),
        (
            "params=124M tokens=300B batch=65536tok lr=6e-4 schedule=cosine:0.1",
            "2420 tokens a parameter",
            true,
        ),
        (
            "params=124M data=1B epochs=4 batch=65536tok lr=6e-4 schedule=cosine:0.1",
            "this run makes 4",
            true,
        ),
        ("params=124M tokens=3.28B batch=65536tok lr=6e-4 schedule=constant", "constant", false),
        ("params=124M tokens=3.28B batch=65536tok lr=6e-4 schedule=cosine:1", "constant", false),
        ("params=1M tokens=26M batch=65536tok lr=6e-4 schedule=cosine", "1M parameters", true),
        ("params=671B tokens=14.8T batch=63M lr=2e-4 schedule=cosine", "671B parameters", true),
    ];
    for (words, expected, number) in refusals {
        let mut run = run(words);
        run.unit = Unit::Token;
        let (why, lambda) = outside(power_lines::LAW, &run);
        assert!(why.contains(expected), "{words}: {why}");
        assert_eq!(lambda.is_some(), number, "{words}");
    }
    for optimizer in
        [OptimizerKind::Adam, OptimizerKind::Sgd, OptimizerKind::Lion, OptimizerKind::Muon]
    {
        let (why, lambda) = outside(power_lines::LAW, &run_with(DANGELO, optimizer));
        assert!(why.contains(optimizer.title()) && lambda.is_none(), "{why}");
    }
    let tuned = PlannedRun { fine_tuning: true, ..run(DANGELO) };
    assert!(outside(power_lines::LAW, &tuned).0.contains("trained weights"));
    assert!(outside(power_lines::LAW, &run(DEIT)).0.contains("images"));
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
    assert!(outside(power_lines::LAW, &run("images=3.28M")).0.contains("images"));
}

#[test]
fn power_lines_says_where_it_departs_within_its_range() {
    let caveats = |words: &str| match (power_lines::LAW.answer)(&run(words)) {
        Answer::Applies { caveats, .. } => caveats.join("; "),
        other => panic!("{other:?}"),
    };
    assert!(caveats(DANGELO).contains("cosine to 10 %"));
    assert_eq!(caveats("params=124M batch=65536tok steps=50000 lr=6e-4 schedule=linear"), "");
    assert!(caveats("params=124M batch=65536tok steps=50000 lr=6e-4").contains("no schedule"));
    assert!(
        caveats("params=65B tokens=1.4T batch=4M lr=1.5e-4 schedule=linear")
            .contains("extrapolated")
    );
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
    let (why, lambda) = outside(normalized_decay::LAW, &crate::planned::run(DANGELO));
    assert!(why.contains("images") && lambda.is_none());
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
    let (why, lambda) = outside(epoch_timescale::LAW, &crate::planned::run(DANGELO));
    assert!(why.contains("this run makes 1"));
    // In one pass the guideline's interval is one point, τ = the run.
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
    assert!(outside(nanochat::LAW, &other_rate).0.contains("peak learning rate of 0.02"));
    assert!(outside(nanochat::LAW, &reference.with_budget(100.0)).0.contains("tokens"));
    assert!(outside(nanochat::LAW, &run(DANGELO)).0.contains("Muon"));
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
    assert!(outside(width_transfer::INDEPENDENT, &at(32.0)).0.contains("32 times"));
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
    assert!(outside(data_constrained::LAW, &at("2B")).0.contains("parameters"));
    let rest = "batch=262144tok lr=3e-3 schedule=cosine";
    let fresh = outside(data_constrained::LAW, &run(&format!("params=150M tokens=200M {rest}"))).0;
    assert!(fresh.contains("several passes"), "{fresh}");
    let ample =
        outside(data_constrained::LAW, &run(&format!("params=150M data=3Btok epochs=4 {rest}"))).0;
    assert!(ample.contains("20 distinct tokens a parameter"), "{ample}");
}

#[test]
fn laws_without_a_constant_lambda_say_what_they_do_instead() {
    let dangelo = run(DANGELO);
    let instead = |law: Law, run: &PlannedRun| match (law.answer)(run) {
        Answer::Instead { what, how } => format!("{what}: {how}"),
        other => panic!("{other:?}"),
    };
    // 4/(6e-4 · 30,000) at half of the run.
    assert!(instead(log_time::LAW, &dangelo).contains("0.222 at half"));
    assert!(instead(corrected::LAW, &dangelo).contains("decay.rule=corrected"));
    assert!(
        instead(norm_control::HYPERBALL, &run_with(DANGELO, OptimizerKind::Muon)).contains("λ = 0")
    );
    assert!(instead(norm_control::TARGET_NORM, &dangelo).contains("target"));
    assert!(
        outside(norm_control::HYPERBALL, &run_with(DANGELO, OptimizerKind::Sgd)).0.contains("SGD")
    );
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
                    base_width,
                    base_lambda,
                    base_total: base_lambda.map(|lambda| lambda * total),
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
