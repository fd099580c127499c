//! What the laws say together.

use proptest::prelude::*;
use wd_advise::{Axis, PlannedRun, Verdict, advise};
use wd_decay::OptimizerKind;

use crate::planned::{DANGELO, DEIT, run, run_with};

#[test]
fn one_law_alone_is_the_recommendation() {
    let advice = advise(&run(DANGELO));
    let Verdict::Recommended { lambda, range, laws } = &advice.verdict else {
        panic!("{:?}", advice.verdict)
    };
    assert_eq!(laws, &["power-lines"]);
    assert!((lambda - 0.173).abs() < 5e-4);
    // Both λ = 0.1 and 0.3 won over 0 in the paper; neither was found the best.
    assert!((range.low - 0.122).abs() < 1e-3 && (range.high - 0.244).abs() < 1e-3);
    assert_eq!(advice.sweep.unwrap().axis, "decay.lambda=log(0.086..0.35,3)");
}

#[test]
fn laws_agree_where_their_ranges_have_a_part_in_common() {
    let advice = advise(&run(DEIT));
    let Verdict::Recommended { lambda, range, laws } = &advice.verdict else {
        panic!("{:?}", advice.verdict)
    };
    assert_eq!(laws, &["epoch-timescale", "normalized-decay"]);
    for answered in &advice.laws {
        if let Some((_, own)) = answered.answer.applies() {
            assert!(own.low <= range.low && range.high <= own.high);
        }
    }
    assert!((range.low..=range.high).contains(lambda));
    // DeiT's own value lies within.
    assert!((range.low..=range.high).contains(&0.05), "{range:?}");
}

#[test]
fn a_contradiction_is_told_with_the_sweep_that_settles_it() {
    // Two passes of 10,009 steps: λ of normalised decay is below what forgets over one.
    let advice = advise(&run("data=1281167img epochs=2 batch=128 lr=1e-3 schedule=cosine"));
    let Verdict::Disagreement { positions, factor } = &advice.verdict else {
        panic!("{:?}", advice.verdict)
    };
    assert_eq!(
        positions.iter().map(|position| position.law).collect::<Vec<_>>(),
        ["epoch-timescale", "normalized-decay"]
    );
    assert!(positions[0].lambda < positions[1].lambda && *factor > 2.0);
    let sweep = advice.sweep.unwrap();
    assert!(sweep.low <= positions[0].lambda * 1.05 && sweep.high >= positions[1].lambda * 0.95);
    assert!(sweep.axis.starts_with("decay.lambda=log("));
}

#[test]
fn what_no_law_covers_gets_no_number() {
    let constant =
        advise(&run("params=124M tokens=3.28B batch=65536tok lr=6e-4 schedule=constant"));
    let Verdict::NotCovered { why, .. } = &constant.verdict else {
        panic!("{:?}", constant.verdict)
    };
    assert!(why.iter().any(|line| line.contains("constant")), "{why:?}");
    assert!(constant.sweep.is_none() && constant.scaling.is_empty());
    assert!(constant.laws.iter().all(|answered| answered.answer.lambda().is_none()));

    let tuned = advise(&PlannedRun { fine_tuning: true, ..run(DANGELO) });
    assert!(matches!(&tuned.verdict, Verdict::NotCovered { why, .. } if why[0].contains("trained \
            weights")));
    assert!(tuned.sweep.is_none());

    let short = advise(&run("params=124M tokens=1.24B batch=65536tok lr=6e-4 schedule=cosine:0.1"));
    let Verdict::NotCovered { why, .. } = &short.verdict else { panic!("{:?}", short.verdict) };
    assert!(why.iter().any(|line| line.contains("Power Lines: 10 tokens a parameter")), "{why:?}");
    // A run near the range still gets a sweep around what the formulas give.
    assert!(short.sweep.is_some());

    let sgd = advise(&run_with(DANGELO, OptimizerKind::Sgd));
    assert!(matches!(sgd.verdict, Verdict::NotCovered { .. }));
}

#[test]
fn inputs_that_would_help_are_named() {
    let advice = advise(&run("params=124M tokens=3.28B schedule=cosine"));
    let Verdict::NotCovered { needs, .. } = advice.verdict else { panic!("λ needs η") };
    assert!(needs.contains(&"lr".to_owned()) && needs.contains(&"batch".to_owned()));
}

#[test]
fn other_places_follow_the_laws() {
    let advice = advise(&run(DANGELO));
    let table = |axis: Axis| advice.scaling.iter().find(|table| table.axis == axis).unwrap();
    let lambdas = |axis: Axis, law: usize| -> Vec<f64> {
        table(axis).rows.iter().map(|(_, lambdas)| lambdas[law].lambda.unwrap()).collect()
    };
    let batch = lambdas(Axis::Batch, 0);
    assert!((batch[4] / batch[2] - 4.0).abs() < 1e-9);
    // At a fixed model, D twice as large: steps twice, τ times 2^−0.527.
    let budget = lambdas(Axis::Budget, 0);
    assert!((budget[3] / budget[2] - 2f64.powf(0.527 - 1.0)).abs() < 1e-3);
    // Half the data leaves 13 tokens a parameter.
    assert!(!table(Axis::Budget).rows[1].1[0].applies);
    let widths = (lambdas(Axis::Width, 0), lambdas(Axis::Width, 1));
    assert!(
        (widths.0[4] / widths.0[2] - 4.0).abs() < 1e-9
            && (widths.1[4] / widths.1[2] - 2.0).abs() < 1e-9
    );
}

#[test]
fn advice_is_read_by_programs() {
    let json = serde_json::to_value(advise(&run(DANGELO))).unwrap();
    assert_eq!(json["verdict"]["outcome"], "recommended");
    assert_eq!(json["laws"][0]["id"], "power-lines");
    assert_eq!(json["laws"][0]["answer"]["status"], "applies");
    assert_eq!(json["run"]["optimizer"], "adamw");
    assert!(json["recipes"][0]["recipe"]["name"].is_string());
}

proptest! {
    #[test]
    fn a_sweep_is_an_axis_of_distinct_values(
        parameters in 6.0..12.0f64, total in 6.0..14.0f64, batch in 2.0..6.0f64, rate in -5.0..-1.0f64, epochs in 0.0..3.0f64,
    ) {
        let total = 10f64.powf(total);
        let run = PlannedRun {
            parameters: Some(10f64.powf(parameters)),
            total,
            data_points: total / 10f64.powf(epochs),
            epochs: 10f64.powf(epochs),
            batch: Some(10f64.powf(batch).min(total)),
            peak_learning_rate: Some(10f64.powf(rate)),
            ..run(DANGELO)
        };
        if let Some(sweep) = advise(&run).sweep {
            prop_assert!(sweep.low > 0.0 && sweep.low < sweep.high && (3..=7).contains(&sweep.count), "{sweep:?}");
        }
    }
}
